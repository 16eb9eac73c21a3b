// What is told beside the page itself: changes for those who listen, confirmations, and what went wrong.

import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { languageOf } from "./sentences.js";

const polite = el("div", { class: "heard", role: "status", "aria-live": "polite", id: "announcements" });
const toasts = el("div", { class: "toasts", role: "region" });
/** How long what was told on one page is to be seen on the one that it leads to. */
const FRESH = 1500;
const weather = el("div", { class: "weather", role: "status" });

export const NOTICES = [polite, weather, toasts];

/** Tell those who listen to the page. */
export function announce(text) {
  if (polite.textContent === text) fill(polite);
  polite.textContent = text;
}

let told = 0;

/** Another page is shown: what was told on the one before is over, unless it was just told. */
export function forgetToasts() {
  if (Date.now() - told > FRESH) toasts.replaceChildren();
}

/** Tell that something was done; it goes by itself and can be sent away. */
export function toast(text) {
  const node = el("div", { class: "toast" }, icon("success"), el("span", {}, text));
  node.append(
    el(
      "button",
      { type: "button", class: "plain", "aria-label": t("close"), onclick: () => node.remove() },
      icon("failed"),
    ),
  );
  toasts.setAttribute("aria-label", t("notices"));
  toasts.replaceChildren(node);
  told = Date.now();
  announce(text);
  setTimeout(() => node.remove(), 6000);
}

/** Whether the server answers: a bar across the page while it does not. */
export function weatherIs(problem) {
  if (problem === null || problem.passing !== true) fill(weather);
  else if (weather.dataset.text !== problem.message || weather.childElementCount === 0) {
    weather.dataset.text = problem.message;
    fill(weather, icon("warning"), el("span", {}, `${problem.message} ${t("problem.again")}`));
  }
}

/** A message in a box: `kind` is `failed`, `paused`, `info` or `success`. */
export function box(kind, ...children) {
  const sign = { failed: "failed", paused: "paused", info: "info", success: "success", warning: "warning" }[kind];
  return el("div", { class: `box is-${kind}` }, icon(sign), el("div", { class: "box-text" }, ...children));
}

/** What an API call was refused with, in its own words, with every wrong field. */
export function problemBox(problem) {
  // What was done before is told no more: on a phone it would stand over this box.
  toasts.replaceChildren();
  const fields = Object.entries(problem.errors ?? {});
  return el(
    "div",
    { role: "alert", class: "alert" },
    box(
      "failed",
      el("p", { lang: languageOf(problem.message) }, problem.message),
      fields.length > 1 &&
        el(
          "ul",
          {},
          ...fields.map(([name, texts]) => el("li", { lang: languageOf(texts.join(" ")) }, el("code", {}, name), ` ${texts.join(" ")}`)),
        ),
    ),
  );
}
