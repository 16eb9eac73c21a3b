// The key stays in this page's memory: it is gone with the page, and no other page sees it.
let key = null;

document.getElementById("english").hidden = !navigator.language.startsWith("zh");

const entrance = document.getElementById("entrance");

function withKey(headers) {
  return key === null ? headers : { ...headers, Authorization: `Bearer ${key}` };
}

function ask(why) {
  document.getElementById("why").textContent = why;
  entrance.hidden = false;
  document.getElementById("key").focus();
}

async function enter() {
  let answer;
  try {
    answer = await fetch("../openapi.json", { headers: withKey({}), credentials: "omit" });
  } catch {
    ask("The server does not answer. 服务器没有响应。");
    return;
  }
  if (answer.status === 401 || answer.status === 403) {
    ask(key === null ? "" : (await answer.json()).detail);
    return;
  }
  if (!answer.ok) {
    ask(`The server answered ${answer.status}.`);
    return;
  }
  entrance.hidden = true;
  // A proxy may have taken off a part of the path, of which the server knows nothing.
  const here = new URL("..", location.href).pathname.replace(/\/$/, "");
  SwaggerUIBundle({
    spec: { ...(await answer.json()), servers: [{ url: here || "/" }] },
    dom_id: "#calls",
    docExpansion: "list",
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers = withKey(request.headers);
      return request;
    },
  });
}

entrance.addEventListener("submit", (event) => {
  event.preventDefault();
  key = document.getElementById("key").value.trim();
  enter();
});

enter();
