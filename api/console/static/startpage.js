// Starting a process: what, under which name, and with which variables.

import { keysOfTables } from "./decisionkeys.js";
import { el, fill } from "./element.js";
import { icon } from "./icon.js";
import { readObject } from "./jsontext.js";
import { t } from "./language.js";
import { withoutMasked } from "./masked.js";
import { box, problemBox, toast, weatherIs } from "./notice.js";
import { go, to } from "./route.js";
import { get, getAll, post } from "./server.js";
import { StartFields } from "./startfields.js";

const MOCK = "SipRS::Mock";

const named = ({ name, key }) => (name === key ? key : `${name} · ${key}`);

export function startPage({ main, query, client, titled }) {
  const may = client.scopes.length === 0 || client.scopes.includes("run");
  const trouble = el("div");
  const form = el("form", { class: "sheet", novalidate: true, onsubmit: (event) => (event.preventDefault(), start()) });
  let choices = [];
  let before = null;
  let closed = false;

  titled(t("nav.start"));
  fill(main, el("div", { class: "page-head" }, el("h1", { tabindex: "-1" }, t("nav.start"))), trouble, form);
  if (!may) {
    fill(trouble, problemBox(new Error(t("scope.missing", { scope: "run" }))));
    return {};
  }

  const what = el("select", { id: "what", onchange: () => chosen() });
  const name = el("input", {
    id: "name",
    type: "text",
    maxlength: 255,
    required: true,
    "aria-describedby": "name-wrong",
    autocomplete: "off",
  });
  const nameWrong = el("p", { class: "wrong", id: "name-wrong", "aria-live": "polite" });
  const business = el("input", { id: "business", type: "text", maxlength: 255, autocomplete: "off" });
  const policies = ["", "rollback", "pause", "keep"];
  const onFailure = el(
    "select",
    { id: "on-failure", "aria-describedby": "on-failure-hint" },
    policies.map((value) => el("option", { value }, t(`start.failure.${value || "model"}`))),
  );
  const protect = el("input", { id: "protect", type: "checkbox" });
  const mock = el("input", { id: "mock", type: "checkbox" });
  const note = el("p", { class: "hint" });
  const fields = new StartFields();
  const submit = el("button", { type: "submit", class: "primary" }, icon("play"), t("start.do"));
  prepare();

  async function prepare() {
    try {
      const [deployments, models, tables] = await Promise.all([getAll("deployment"), getAll("model"), keysOfTables()]);
      const newest = new Map();
      for (const item of deployments) if (!newest.has(item.key)) newest.set(item.key, item);
      choices = [
        ...[...newest.values()].filter(({ key }) => !tables.has(key)).map((item) => ({
          kind: "key",
          value: item.key,
          group: "start.keys",
          text: `${named(item)} (v${item.version})`,
          source: `deployment/${item.deploymentId}`,
        })),
        ...models.filter(({ key }) => !tables.has(key)).map((item) => ({
          kind: "modelId",
          value: item.modelId,
          group: "start.models",
          text: named(item),
          source: `model/${item.modelId}`,
        })),
      ];
      await preset();
      weatherIs(null);
    } catch (problem) {
      weatherIs(problem);
      fill(trouble, problemBox(problem));
      return;
    }
    if (closed) return;
    if (choices.length === 0) {
      fill(
        form,
        el("p", { class: "large" }, t("empty.models")),
        el("p", {}, el("a", { class: "button primary", href: to("models") }, t("nav.models"))),
      );
      return;
    }
    draw();
    await chosen();
  }

  /** What the address asks for: a key, a model, a version, or the same as a process before. */
  async function preset() {
    let [kind, value] = ["key", "modelId", "deploymentId"]
      .map((each) => [each, query.get(each)])
      .find(([, given]) => given) ?? [null, null];
    const from = query.get("from");
    if (from !== null) {
      before = await get(`process/${from}/detail`);
      [kind, value] = before.modelId ? ["modelId", before.modelId] : ["deploymentId", before.deploymentId];
      if (!before.debug && choices.some((choice) => choice.kind === "key" && choice.value === before.key))
        [kind, value] = ["key", before.key];
    }
    if (kind === "deploymentId") {
      const item = await get(`deployment/${value}`);
      choices.unshift({
        kind,
        value,
        group: "start.version",
        text: `${named(item)} (v${item.version})`,
        source: `deployment/${value}`,
      });
    }
    const place = choices.findIndex((choice) => choice.kind === kind && choice.value === value);
    fill(
      what,
      ["start.version", "start.keys", "start.models"].map((group) => {
        const options = choices.map((choice, index) => [choice, index]).filter(([choice]) => choice.group === group);
        return (
          options.length > 0 &&
          el(
            "optgroup",
            { label: t(group) },
            options.map(([choice, index]) => el("option", { value: index, selected: index === place }, choice.text)),
          )
        );
      }),
    );
  }

  function draw() {
    const check = (input, text, hint) =>
      el(
        "div",
        { class: "check" },
        input,
        el("div", {}, el("label", { for: input.id }, text), el("p", { class: "hint" }, hint)),
      );
    fill(
      form,
      el(
        "div",
        { class: "grid" },
        el("div", { class: "field" }, el("label", { for: "what" }, t("start.what")), what, note),
        el(
          "div",
          { class: "field" },
          el("label", { for: "name" }, t("start.name"), el("span", { class: "needed" }, t("needed"))),
          name,
          nameWrong,
        ),
      ),
      fields.node,
      el(
        "details",
        {},
        el("summary", {}, t("start.more")),
        el("div", { class: "field half" }, el("label", { for: "business" }, t("fact.business.key")), business),
        el(
          "div",
          { class: "field half" },
          el("label", { for: "on-failure" }, t("start.failure")),
          onFailure,
          el("p", { class: "hint", id: "on-failure-hint" }, t("start.failure.hint")),
        ),
        check(protect, t("protect"), t("start.protect.hint")),
        check(mock, t("flag.mock"), t("start.mock.hint")),
      ),
      el("p", { class: "row sticky" }, submit),
    );
    if (before !== null) {
      name.value = before.processName;
      business.value = before.businessKey ?? "";
    }
  }

  async function chosen() {
    const choice = choices[what.value];
    const { shown, hidden } = withoutMasked(before === null ? {} : readObject(before.processContent));
    const { [MOCK]: mocked, ...values } = shown;
    note.textContent = [
      t(choice.kind === "modelId" ? "start.trial.hint" : "start.key.hint"),
      hidden.length > 0 && t("start.secrets", { names: hidden.join(", ") }),
    ]
      .filter(Boolean)
      .join(" ");
    if (mocked !== undefined) mock.checked = mocked === true || mocked === "true";
    try {
      await fields.show(choice.source, values);
    } catch (problem) {
      fill(trouble, problemBox(problem));
    }
  }

  function right() {
    const named = name.value.trim() !== "";
    nameWrong.textContent = named ? "" : t("wrong.missing");
    name.setAttribute("aria-invalid", named ? "false" : "true");
    const filled = fields.check();
    if (!named) name.focus();
    return named && filled;
  }

  async function start() {
    fill(trouble);
    if (!right() || submit.getAttribute("aria-disabled") === "true") return;
    const choice = choices[what.value];
    submit.setAttribute("aria-disabled", "true");
    try {
      // What is hidden by what was typed last is not to be sent.
      await fields.settle();
      const started = await post("process", {
        [choice.kind]: choice.value,
        processName: name.value,
        variables: mock.checked ? { ...fields.values, [MOCK]: true } : fields.values,
        businessKey: business.value || null,
        onFailure: onFailure.value || null,
        deleteProtection: protect.checked,
      });
      toast(t("started", { name: started.processName }));
      go(to("process", started.processInstanceId));
    } catch (problem) {
      refusedWith(problem);
    } finally {
      submit.removeAttribute("aria-disabled");
    }
  }

  function refusedWith(problem) {
    const count = Object.keys(problem.errors ?? {}).length;
    const others = fields.complain({ ...problem.errors });
    if (count > 0 && Object.keys(others).length === 0)
      fill(trouble, el("div", { role: "alert" }, box("failed", el("p", {}, t(count === 1 ? "person.wrong" : "person.wrong.many", { count })))));
    else {
      fill(trouble, problemBox({ ...problem, message: problem.message, errors: others }));
      trouble.scrollIntoView({ block: "nearest" });
    }
  }

  return {
    close() {
      closed = true;
      fields.close();
    },
  };
}
