// The frame around every page: the way to each, who is known, in which language and colours.

import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { hasKey, keep } from "./key.js";
import { askForKey } from "./keydialog.js";
import { LANGUAGES, speak, spoken, t, told } from "./language.js";
import { settle } from "./moment.js";
import { announce, forgetToasts, NOTICES, problemBox, weatherIs } from "./notice.js";
import { isPage, pageOf } from "./pages.js";
import { prefer, preference } from "./preference.js";
import { place, to } from "./route.js";
import { get, refused } from "./server.js";
import { comeBack, mayBeOffered, signInLink, whoIs } from "./signin.js";
import { forgetAll } from "./typed.js";

const WAYS = [
  ["processes", ["processes", "process"]],
  ["inbox", ["inbox", "task"]],
  ["batches", ["batches", "batch"]],
  ["statistics", ["statistics"]],
  ["resources", ["resources"]],
  ["models", ["models", "model", "edit"]],
  ["stones", ["stones"]],
  ["signals", ["signals"]],
  ["webhooks", ["webhooks"]],
];

/** The client as the server knows it; everything is allowed until it has said. */
const known = { name: "", scopes: [], owner: null };
let current = null;
let asking = false;
/** Counts what the page shows: what comes late is not drawn any more. */
let turn = 0;

const main = el("main", { id: "main", tabindex: "-1" });
const menu = el("button", { type: "button", class: "menu-button", "aria-expanded": "false", "aria-controls": "ways", onclick: () => unfold(menu.getAttribute("aria-expanded") === "false") });
const frame = { nav: el("nav", { id: "ways" }), tools: el("div", { class: "tools" }) };

/** On a phone the ways stand behind a button. */
function unfold(on) {
  menu.setAttribute("aria-expanded", String(on));
  frame.nav.classList.toggle("is-open", on);
}

/** Whether the client may steer processes: without that it sees no way to pages that would refuse it. */
function mayRun() {
  return known.scopes.length === 0 || known.scopes.includes("run");
}

function choice(label, options, value, change) {
  return el(
    "select",
    { "aria-label": label, title: label, onchange: (event) => change(event.target.value) },
    options.map(([key, text]) => el("option", { value: key, selected: key === value }, text)),
  );
}

function drawFrame() {
  const { name } = place();
  frame.nav.setAttribute("aria-label", t("nav"));
  fill(menu, icon("menu"), t("nav.menu"));
  unfold(false);
  fill(
    frame.nav,
    WAYS.filter(([way]) => way !== "signals" || mayRun()).map(([way, names]) =>
      el("a", { href: to(way), "aria-current": names.includes(name) ? "page" : null }, t(`nav.${way}`)),
    ),
  );
  const theme = preference("theme") ?? "system";
  const themes = ["system", "light", "dark"].map((key) => [key, t(`theme.${key}`)]);
  const languages = Object.keys(LANGUAGES).map((tag) => [tag, LANGUAGES[tag]["language.name"]]);
  fill(
    frame.tools,
    mayRun() && el(
      "a",
      { href: to("start"), class: "button primary", "aria-current": name === "start" ? "page" : null },
      icon("play"),
      t("nav.start"),
    ),
    choice(t("language"), languages, spoken(), (tag) => {
      speak(tag);
      draw();
    }),
    choice(t("theme"), themes, theme, (key) => {
      prefer("theme", key === "system" ? null : key);
      if (key === "system") delete document.documentElement.dataset.theme;
      else document.documentElement.dataset.theme = key;
    }),
    hasKey() &&
      el(
        "button",
        { type: "button", class: "quiet", title: known.name, onclick: () => leave() },
        icon("key"),
        el("span", { class: "clip" }, known.name),
        el("span", {}, t("key.forget")),
      ),
    !hasKey() && known.name === `user:${known.user}` && whoIs(known, (problem) => main.prepend(problem)),
  );
}

function leave() {
  forgetAll();
  keep(null);
  Object.assign(known, { name: "", scopes: [], owner: null });
  meet();
}

/** Learn who the client is, then show the page; without a good key, ask for one. */
async function meet() {
  try {
    const client = await get("client");
    Object.assign(known, client);
    settle(client.time);
  } catch (problem) {
    if (problem.status === 401) return;
    if (problem.passing) setTimeout(again, 3000);
    if (problem.status === 403) {
      await draw();
      fill(main, problemBox(problem));
      return;
    }
  }
  await draw();
}

/** The server did not answer at first: the page itself goes on looking, but does not know yet what is allowed. */
async function again() {
  if (known.scopes.length === 0 && !asking) await meet();
}

/** Show the page of this place; whether that was done, and nothing else asked for meanwhile. */
async function draw() {
  cleared();
  const mine = turn;
  drawFrame();
  const { name, id, query } = place();
  fill(main);
  weatherIs(null);
  if (!isPage(name)) {
    fill(main, el("h1", { tabindex: "-1" }, t("nothing.here")), el("p", {}, el("a", { href: to("processes") }, t("nav.processes"))));
    titled(t("nothing.here"));
    return true;
  }
  const page = await pageOf(name);
  if (mine !== turn) return false;
  current = page({ main, id, query, client: known, titled }) ?? null;
  return true;
}

/** The page before goes away. */
function cleared() {
  turn += 1;
  current?.close?.();
  current = null;
}

/** The page has a title now: for the tab, and for those who listen. */
function titled(text) {
  document.title = `${text} · riverstone`;
}

async function moved() {
  forgetToasts();
  if (!(await draw())) return;
  main.querySelector("h1")?.focus({ preventScroll: true });
  scrollTo(0, 0);
  announce(document.title);
}

refused.addEventListener("key", async (event) => {
  if (asking) return;
  const offered = await mayBeOffered();
  if (asking) return;
  cleared();
  const problem = hasKey() ? event.detail : null;
  keep(null);
  drawFrame();
  const again = el(
    "button",
    { type: "button", class: offered ? null : "primary", onclick: () => question(null) },
    icon("key"),
    t("key.enter"),
  );
  if (offered && place().name === "sign-in") return draw();
  const title = t(offered ? "signin.title" : "key.title");
  const hint = t(offered ? "signin.hint" : "key.hint");
  fill(
    main,
    el("h1", { tabindex: "-1" }, title),
    offered && event.detail.code === "session-over" && el("p", {}, t("signin.over")),
    el("p", {}, hint),
    el("p", { class: "row" }, offered && signInLink(), again),
  );
  titled(title);
  if (!offered || problem) question(problem);
});

async function question(problem) {
  asking = true;
  const given = await askForKey(problem);
  asking = false;
  if (given !== null) meet();
}

told();
document.body.append(
  el("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), main.focus()) }, t("skip")),
  el(
    "header",
    { class: "top" },
    el(
      "a",
      { class: "brand", href: to("processes"), translate: "no" },
      el("img", { src: "icon.svg", alt: "", width: 24, height: 24 }),
      "riverstone",
    ),
    menu,
    frame.nav,
    frame.tools,
  ),
  ...NOTICES,
  main,
);
comeBack();
addEventListener("hashchange", moved);
// It is on its way while the server says who is there.
if (isPage(place().name)) pageOf(place().name);
meet();
