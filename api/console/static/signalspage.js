// Sending BPMN messages and signals to those who wait for them.

import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { JsonField } from "./jsontext.js";
import { counted, t } from "./language.js";
import { announce, box, problemBox } from "./notice.js";
import { to } from "./route.js";
import { get, post } from "./server.js";

export function signalsPage({ main, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  titled(t("nav.signals"));
  fill(
    main,
    el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.signals"))),
    may
      ? el("div", { class: "panels beside" }, message(query), signal(query))
      : problemBox(new Error(t("scope.missing", { scope: "run" }))),
  );
}

/** The names that are awaited now, offered where one is written; `kind` is `message` or `signal`. */
async function offerAwaited(input, kind, process) {
  const list = el("datalist", { id: `${input.id}-awaited` });
  input.setAttribute("list", list.id);
  input.after(list);
  try {
    const names = process ? await awaitedBy(process, kind) : await awaitedByAll(kind);
    fill(list, [...new Set(names)].map((name) => el("option", { value: name })));
  } catch {
    // The names can be written without help.
  }
}

async function awaitedByAll(kind) {
  const { items } = await get("process/search", { state: "event", limit: 200 });
  return items.flatMap(({ waitsFor }) => waitsFor.filter((each) => each.kind === kind && each.name).map(({ name }) => name));
}

async function awaitedBy(process, kind) {
  const { tokens } = await get(`process/${process}/detail`);
  return tokens.flatMap(({ waits }) => waits.filter((each) => each.kind === kind && each.name).map(({ name }) => name));
}

function field(id, label, value, hint) {
  const input = el("input", {
    id,
    type: "text",
    maxlength: 255,
    value,
    autocomplete: "off",
    "aria-describedby": hint ? `${id}-hint` : null,
  });
  return {
    input,
    node: el(
      "div",
      { class: "field" },
      el("label", { for: id }, label),
      input,
      hint && el("p", { class: "hint", id: `${id}-hint` }, hint),
    ),
  };
}

function sheet(title, text, fields, payload, send) {
  const result = el("div", { "aria-live": "polite" });
  const button = el("button", { type: "submit", class: "primary" }, icon("send"), t("send"));
  async function submitted(event) {
    event.preventDefault();
    if (!payload.check() || button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      fill(result, await send());
    } catch (problem) {
      fill(result, problemBox(problem));
    } finally {
      button.removeAttribute("aria-disabled");
    }
  }
  return el(
    "section",
    { class: "panel" },
    el("div", { class: "panel-head" }, el("h2", {}, title)),
    el(
      "form",
      { novalidate: true, class: "padded", onsubmit: submitted },
      el("p", { class: "hint" }, text),
      fields.map(({ node }) => node),
      payload.node,
      el("p", { class: "row" }, button),
      result,
    ),
  );
}

function message(query) {
  const given = query.get("kind") === "signal" ? "" : (query.get("name") ?? "");
  const name = field("message-name", t("message.name"), given);
  const process = field("message-process", t("message.process"), query.get("process") ?? "", t("message.process.hint"));
  const business = field("message-business", t("fact.business.key"), "", t("message.business.hint"));
  const correlation = field(
    "message-correlation",
    t("message.correlation"),
    query.get("correlation") ?? "",
    t("message.correlation.hint"),
  );
  const ttl = field("message-ttl", t("message.ttl"), "", t("message.ttl.hint"));
  ttl.input.type = "number";
  ttl.input.min = 1;
  const payload = new JsonField({ label: t("payload"), rows: 4 });
  offerAwaited(name.input, "message", query.get("process"));
  return sheet(t("message"), t("message.text"), [name, process, business, correlation, ttl], payload, async () => {
    const taken = await post("message", {
      name: name.input.value,
      payload: payload.value ?? null,
      processInstanceId: process.input.value.trim() || null,
      businessKey: business.input.value || null,
      correlation: correlation.input.value || null,
      ttl: ttl.input.value === "" ? null : Number(ttl.input.value),
    });
    if (taken === null) {
      announce(t("message.kept"));
      return box("info", el("p", {}, t("message.kept")));
    }
    announce(t("message.taken", { name: taken.processName }));
    return box(
      "success",
      el(
        "p",
        {},
        t("message.taken", { name: taken.processName }),
        " ",
        el("a", { href: to("process", taken.processInstanceId) }, `#${taken.processInstanceId}`),
      ),
    );
  });
}

function signal(query) {
  const given = query.get("kind") === "signal" ? (query.get("name") ?? "") : "";
  const name = field("signal-name", t("signal.name"), given);
  const payload = new JsonField({ label: t("payload"), rows: 4 });
  offerAwaited(name.input, "signal", null);
  return sheet(t("signal"), t("signal.text"), [name], payload, async () => {
    const { processInstanceIds: ids } = await post("signal", {
      name: name.input.value,
      payload: payload.value ?? null,
    });
    announce(counted("signal.taken", ids.length));
    return box(
      ids.length > 0 ? "success" : "info",
      el(
        "p",
        {},
        counted("signal.taken", ids.length),
        " ",
        ids.slice(0, 50).map((id) => [el("a", { href: to("process", id) }, `#${id}`), " "]),
      ),
    );
  });
}
