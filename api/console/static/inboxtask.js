// One task of a person: its form beside the diagram, and what led there.

import { badge } from "./badge.js";
import { ask, tell } from "./dialog.js";
import { el, fill, said, unique } from "./element.js";
import { FormView } from "./formview.js";
import { prose } from "./formtext.js";
import { icon } from "./icon.js";
import { dueBadge, priorityTag } from "./inboxpage.js";
import { has, t } from "./language.js";
import { box, problemBox, toast, weatherIs } from "./notice.js";
import { go, to } from "./route.js";
import { languageOf } from "./sentences.js";
import { askForSchedule } from "./scheduledialog.js";
import { get, getText, post, put } from "./server.js";
import { forget, remember, remembered } from "./typed.js";
import { Watch } from "./watch.js";
import { when } from "./when.js";

const USUAL = 50;

export function taskPage({ main, id, client, titled }) {
  const heading = el("h1", { tabindex: "-1" }, `#${id}`);
  const status = el("span", { class: "status" });
  const buttons = el("div", { class: "actions" });
  const trouble = el("div");
  const documentation = el("div", { class: "form-help" });
  const barred = el("div");
  const send = el(
    "button",
    { type: "submit", class: "primary", "data-focus": "complete" },
    icon("success"),
    t("person.complete"),
  );
  // There is nothing to send before the form has come.
  const foot = el("div", { class: "form-foot", hidden: true }, send, el("span", { class: "hint" }, t("person.keys")));
  const view = new FormView({
    ask: () => post(`task/${id}/form`, { values: view.values }),
    noted: () => remember(client.name, id, view.typed),
  });
  const form = el("form", { novalidate: true, onsubmit: submitted, onkeydown: pressed }, view.node, foot);
  const answer = el(
    "section",
    { class: "panel task-answer", "aria-label": t("person.form") },
    documentation,
    barred,
    trouble,
    form,
  );
  const picture = el("div", { class: "task-picture" });
  const before = el("div");
  const facts = el("dl", { class: "facts" });
  let shown = null;
  let drawn = false;

  titled(`#${id}`);
  fill(
    main,
    el("p", { class: "back" }, el("a", { href: to("inbox") }, icon("left"), t("nav.inbox"))),
    el("div", { class: "page-head" }, heading, status, buttons),
    el(
      "div",
      { class: "task-sides" },
      answer,
      el("section", { class: "task-around", "aria-label": t("person.around") }, facts, picture, before),
    ),
  );
  const watch = new Watch(refresh, { interval: () => 5000, trouble: troubled });

  async function refresh(signal) {
    const found = await get(`task/${id}/form`, undefined, signal);
    const same = shown !== null && JSON.stringify([shown.task, shown.may]) === JSON.stringify([found.task, found.may]);
    if (!same) show(found);
  }

  function show(found) {
    shown = found;
    const { task } = found;
    fill(heading, said(task.name));
    titled(task.name);
    fill(status, state(task), dueBadge(task), task.priority !== USUAL && priorityTag(task));
    drawFacts(task);
    drawButtons(found);
    fill(documentation, found.documentation === null ? null : prose(found.documentation));
    documentation.hidden = found.documentation === null;
    fill(before, led(found.before));
    if (task.endedAt !== null) {
      forget(client.name, id);
      drawPicture(task);
      fill(barred, box("success", el("p", {}, task.doneBy === null ? t("person.ended") : t("person.done", { who: task.doneBy, time: when(task.endedAt) }))));
      form.hidden = true;
      return;
    }
    fill(barred, found.barred && box("info", el("p", {}, t("person.barred")), el("p", { lang: languageOf(found.barred) }, said(found.barred))));
    const taken = task.assignee !== null && task.assignee !== client.user && !found.may.includes("complete");
    if (taken) fill(barred, box("info", el("p", {}, t("person.taken", { who: task.assignee }))));
    foot.hidden = !found.may.includes("complete");
    if (!drawn) {
      drawn = true;
      view.draw(found, remembered(client.name, id));
      form.classList.toggle("is-empty", found.parts.length === 0);
      drawPicture(task);
      if (Object.keys(view.typed).length > 0) view.settle();
    }
  }

  function state(task) {
    if (task.endedAt !== null) return badge("success", t("person.is.done"));
    if (task.assignee === null) return badge("waiting", t("person.is.free"));
    return badge("person", task.assignee === client.user ? t("person.is.mine") : t("person.is.of", { who: task.assignee }));
  }

  function drawFacts(task) {
    const fact = (name, value) => value && el("div", {}, el("dt", {}, t(`person.${name}`)), el("dd", {}, value));
    const seen = client.owner === null || client.scopes.length === 0;
    fill(
      facts,
      fact("process", seen ? el("a", { href: to("process", task.processInstanceId) }, said(task.processName)) : said(task.processName)),
      fact("business", task.businessKey && said(task.businessKey)),
      fact("created", when(task.createdAt)),
      fact("due", task.dueAt && when(task.dueAt)),
      fact("follow", task.followUpAt && when(task.followUpAt)),
      fact("for", [...task.users, ...task.groups].length > 0 && said([...task.users, ...task.groups].join(", "))),
      fact("delegated", task.delegatedBy && said(task.delegatedBy)),
    );
  }

  function drawButtons({ may, task }) {
    const action = (name, sign, act, kind = "") =>
      may.includes(name) &&
      el("button", { type: "button", class: kind, "data-focus": name, onclick: act }, icon(sign), t(`person.${name}`));
    fill(
      buttons,
      action("claim", "person", () => acted("claim", () => put(`task/${id}/claim`))),
      action("release", "undone", () => acted("release", () => put(`task/${id}/release`))),
      action("delegate", "right", () => askForName("delegate"), "quiet"),
      action("assign", "person", () => askForName("assign"), "quiet"),
      action("schedule", "waiting", () => acted("schedule", () => askForSchedule(task)), "quiet"),
      el("button", { type: "button", class: "quiet", "data-focus": "link", onclick: () => copyLink(task) }, icon("send"), t("person.link")),
    );
  }

  async function acted(name, act) {
    fill(trouble);
    try {
      if ((await act()) === null) return;
      toast(t("done", { what: t(`person.${name}`).replace("…", "") }));
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
    await watch.now();
  }

  function askForName(name) {
    const field = unique("assignee");
    const input = el("input", { id: field, type: "text", maxlength: 255, autocomplete: "off", spellcheck: "false" });
    const act = () =>
      ask({
        title: t(`person.${name}.title`),
        confirm: t(`person.${name}`).replace("…", ""),
        content: el("div", { class: "field" }, el("label", { for: field }, t("person.user")), input),
        act: () => put(`task/${id}/${name}`, { assignee: input.value.trim() }),
      });
    return acted(name, act);
  }

  async function copyLink(task) {
    const link = `${location.origin}${location.pathname}${to("task", task.taskId)}`;
    try {
      await navigator.clipboard.writeText(link);
      toast(t("person.link.copied"));
    } catch {
      const field = unique("link");
      const input = el("input", { id: field, type: "text", readonly: true, value: link });
      tell({ title: t("person.link"), content: el("div", { class: "field" }, el("label", { for: field }, t("person.link")), input) });
    }
  }

  // -- filling in

  async function submitted(event) {
    event.preventDefault();
    if (send.getAttribute("aria-disabled") === "true") return;
    send.setAttribute("aria-disabled", "true");
    fill(trouble);
    try {
      // What is hidden by what was typed last is not to be sent.
      await view.settle();
      await put(`task/${id}/complete`, { outputs: view.values });
      forget(client.name, id);
      watch.stop();
      toast(t("person.thanks", { name: shown.task.name }));
      go(to("inbox"));
    } catch (problem) {
      refusedWith(problem);
    } finally {
      send.removeAttribute("aria-disabled");
    }
  }

  function refusedWith(problem) {
    if (problem.status === 401) return;
    const { others, first } = view.complain(problem.errors);
    const count = Object.keys(problem.errors).length;
    if (first === null || Object.keys(others).length > 0) fill(trouble, problemBox({ ...problem, message: problem.message, errors: others }));
    else fill(trouble, el("div", { role: "alert" }, box("failed", el("p", {}, t(count === 1 ? "person.wrong" : "person.wrong.many", { count })))));
    if (first !== null) first.focus();
    else trouble.scrollIntoView({ block: "nearest" });
    if (problem.status === 409 || problem.status === 404) watch.now();
  }

  function pressed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit();
    }
  }

  // -- around it

  async function drawPicture(task) {
    try {
      const svg = worded(await getText(`task/${id}/picture`));
      const source = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
      const image = () => el("img", { src: source, alt: t("person.picture", { name: task.processName }) });
      const larger = () => tell({ title: task.processName, content: el("div", { class: "task-picture-whole" }, image()), size: "wide" });
      fill(
        picture,
        el("h2", {}, t("person.diagram")),
        el("button", { type: "button", class: "plain task-picture-open", "aria-label": t("person.larger"), onclick: larger }, image()),
      );
    } catch {
      fill(picture);
    }
  }

  function troubled(problem) {
    weatherIs(problem);
    if (problem !== null && problem.passing !== true) {
      fill(trouble, problemBox(problem));
      if (shown === null) form.hidden = true;
    }
  }

  return {
    close() {
      view.close();
      watch.stop();
    },
  };
}

function led(done) {
  if (done.length === 0) return null;
  return [
    el("h2", {}, t("person.before")),
    el(
      "ol",
      { class: "led" },
      done.map(({ name, endedAt, who }) =>
        el("li", {}, icon("success"), el("span", {}, said(name), who !== null && [" · ", said(who)]), el("span", { class: "faint" }, when(endedAt))),
      ),
    ),
  ];
}

/** The picture with the words of its legend in the language of the page. */
function worded(svg) {
  const drawn = new DOMParser().parseFromString(svg, "image/svg+xml");
  for (const word of drawn.querySelectorAll(".legend tspan"))
    if (has(`task.${word.textContent}`)) word.textContent = t(`task.${word.textContent}`);
  return new XMLSerializer().serializeToString(drawn);
}
