// What an event waits for or sends: times, messages, signals, errors, escalations and conditions.

import { el, fill } from "./element.js";
import { t } from "./language.js";
import { languageOf } from "./sentences.js";
import { get } from "./server.js";

const TIMES = ["timeDuration", "timeDate", "timeCycle"];
const EXAMPLES = { timeDuration: "PT30S", timeDate: "2030-01-31T08:00:00Z", timeCycle: "R3/PT1M" };
/** What an event names by a reference: the kind of what is named, and how it is held. */
const NAMED = {
  MessageEventDefinition: ["bpmn:Message", "messageRef", "name"],
  SignalEventDefinition: ["bpmn:Signal", "signalRef", "name"],
  ErrorEventDefinition: ["bpmn:Error", "errorRef", "errorCode"],
  EscalationEventDefinition: ["bpmn:Escalation", "escalationRef", "escalationCode"],
};

export function eventSections(form) {
  const found = (form.object.eventDefinitions ?? []).map((definition) => {
    const kind = definition.$type.replace("bpmn:", "");
    if (kind === "TimerEventDefinition") return timer(form, definition);
    if (kind === "ConditionalEventDefinition") return condition(form, definition);
    if (kind === "LinkEventDefinition") return form.section(t("edit.link"), form.part(t("edit.link.name"), definition, "name"));
    return kind in NAMED ? named(form, definition, kind, definition) : null;
  });
  if (form.is("ReceiveTask", "SendTask")) found.push(named(form, form.object, "MessageEventDefinition", form.object));
  return [form.is("BoundaryEvent") && interrupting(form, "cancelActivity"), isEventStart(form) && interrupting(form, "isInterrupting"), ...found];
}

const isEventStart = (form) => form.is("StartEvent") && Boolean(form.object.$parent?.triggeredByEvent);

function interrupting(form, name) {
  const isError = form.object.eventDefinitions?.some(({ $type }) => $type === "bpmn:ErrorEventDefinition");
  if (isError) return null;
  const read = () => form.object.get(name) !== false;
  return form.section(t("edit.interrupt"), form.check(t("edit.interrupt.stops"), read, (on) => form.set({ [name]: on })));
}

function timer(form, definition) {
  const kind = TIMES.find((name) => definition[name]) ?? "timeDuration";
  const put = (name, body) =>
    form.put(definition, { ...Object.fromEntries(TIMES.map((each) => [each, undefined])), [name]: form.make("bpmn:FormalExpression", { body }) });
  const next = el("p", { class: "hint", role: "status" });
  const write = (value) => {
    put(kind, value);
    tellNext(next, kind, value);
  };
  tellNext(next, kind, definition[kind]?.body ?? "");
  return form.section(
    t("edit.timer"),
    form.field(t("edit.timer.kind"), () => kind, (value) => put(value, ""), { options: TIMES.map((name) => [name, t(`edit.${name}`)]), redraw: true }),
    form.field(t("edit.timer.when"), () => definition[kind]?.body ?? "", write, {
      mono: true,
      hints: true,
      placeholder: EXAMPLES[kind],
      hint: t(`edit.${kind}.hint`),
    }),
    next,
  );
}

/** When that would be, by the server that runs it; an expression is known only when it runs. */
async function tellNext(node, kind, text) {
  fill(node);
  if (text.trim() === "" || /[$#]\{|^=/.test(text)) return;
  try {
    const { times } = await get("timer", { kind: kind.replace("time", "").toLowerCase(), text });
    node.classList.remove("wrong");
    fill(node, t(times.length > 0 ? "edit.timer.next" : "edit.timer.never", { times: times.join(" · ") }));
  } catch (problem) {
    node.classList.add("wrong");
    fill(node, el("span", { lang: languageOf(problem.message) }, problem.message));
  }
}

function condition(form, definition) {
  return form.section(
    t("edit.condition"),
    form.inside(t("edit.condition.event"), definition, "condition", { rows: 2, placeholder: "${size > 10}", hint: t("edit.condition.hint") }),
  );
}

/** A message, signal, error or escalation: one that the file has, or a new one. */
function named(form, holder, kind, place) {
  const [type, reference, key] = NAMED[kind];
  const label = kind.replace("EventDefinition", "").toLowerCase();
  const { root } = form.editor;
  const all = root.get("rootElements").filter(({ $type }) => $type === type);
  const chosen = holder[reference];
  const shown = (each) => each.get(key) || each.name || each.id;
  const choose = (value) => {
    if (value !== "+") return form.put(place, { [reference]: all.find(({ id }) => id === value) });
    const made = form.make(type, { name: t(`edit.${label}.new`) });
    made.$parent = root;
    form.put(root, { rootElements: [...root.get("rootElements"), made] });
    return form.put(place, { [reference]: made });
  };
  const options = [["", t(`edit.${label}.any`)], ...all.map((each) => [each.id, shown(each)]), ["+", t("edit.add.new")]];
  return form.section(
    t(`edit.${label}`),
    form.field(t(`edit.${label}.which`), () => chosen?.id ?? "", choose, { options, redraw: true }),
    chosen && form.part(t("edit.name"), chosen, "name"),
    chosen && key !== "name" && form.part(t(`edit.${label}.code`), chosen, key, { mono: true, hint: t(`edit.${label}.code.hint`) }),
  );
}
