// Which way is taken: the condition of a sequence flow, at the flow itself and at the node from which it comes.

import { el, said } from "./element.js";
import { act } from "./entrylist.js";
import { t } from "./language.js";

const CHOOSING = ["ExclusiveGateway", "InclusiveGateway", "ComplexGateway"];

/** What becomes of the flows that leave a node, where that is not a matter of conditions. */
function ruleOf(source) {
  if (source.$instanceOf("bpmn:ParallelGateway")) return t("edit.condition.no");
  return source.$instanceOf("bpmn:EventBasedGateway") ? t("edit.condition.event.first") : null;
}

function mayDefault(source) {
  return source.$instanceOf("bpmn:Activity") || CHOOSING.some((type) => source.$instanceOf(`bpmn:${type}`));
}

/** Changes of one flow, for a form that may be that of its source. */
class Way {
  constructor(form, flow) {
    Object.assign(this, { form, flow, source: flow.sourceRef, line: form.editor.find(flow.id) });
  }

  get isDefault() {
    return this.source.default === this.flow;
  }

  /** Whether it is taken when no other is, and when it is taken else. */
  fields() {
    const { form, flow, source, line } = this;
    const { modeling } = form;
    const write = (value) => modeling.updateProperties(line, { conditionExpression: form.expression(value) });
    const putDefault = (on) => modeling.updateProperties(form.editor.find(source.id), { default: on ? flow : undefined });
    return [
      mayDefault(source) && form.check(t("edit.default"), () => this.isDefault, putDefault, { redraw: true }),
      !this.isDefault &&
        form.field(t("edit.condition.is"), () => flow.conditionExpression?.body ?? "", write, {
          hints: true,
          mono: true,
          rows: 2,
          hint: form.object === flow ? t("edit.condition.hint") : "",
          placeholder: "${size > 10}",
        }),
    ];
  }
}

export function flowSection(form) {
  const rule = ruleOf(form.object.sourceRef);
  return form.section(t("edit.condition"), rule ?? new Way(form, form.object).fields());
}

/** The flows that leave a node, in the order in which their conditions are looked at, which is that of the file. */
function waysFrom(source) {
  const all = source.$parent?.get("flowElements") ?? [];
  return all.filter((each) => each.$type === "bpmn:SequenceFlow" && each.sourceRef === source);
}

/** The same flows in another order; what else the file holds stays in its place. */
function inOrder(all, ways) {
  const rest = [...ways];
  return all.map((each) => (ways.includes(each) ? rest.shift() : each));
}

/** All ways that lead on from a gateway, or from an activity that has several. */
export function waysSection(form) {
  const { object, editor } = form;
  const ways = waysFrom(object).filter(({ id }) => editor.find(id));
  if (ways.length < (form.is("Gateway") ? 1 : 2)) return null;
  const rule = ruleOf(object);
  const first = form.is("ExclusiveGateway");
  const put = (next) => {
    form.put(object.$parent, { flowElements: inOrder(object.$parent.get("flowElements"), next) });
    form.again();
  };
  const move = (place, by) => put(ways.toSpliced(place, 1).toSpliced(place + by, 0, ways[place]));
  const row = (flow, place) =>
    el(
      "li",
      {},
      el(
        "div",
        { class: "designer-way" },
        el("button", { type: "button", class: "link", onclick: () => editor.reach(flow.id) }, wordsOf(flow)),
        first && act("up", "edit.move.up", () => move(place, -1), place === 0),
        first && act("down", "edit.move.down", () => move(place, 1), place === ways.length - 1),
      ),
      rule === null && ways.length > 1 && new Way(form, flow).fields(),
    );
  const hint = rule ?? (ways.length > 1 ? t(first ? "edit.ways.first" : "edit.ways.each") : "");
  return form.section(t("edit.ways"), hint && el("p", { class: "hint" }, hint), el("ol", { class: "designer-ways" }, ways.map(row)));
}

function wordsOf(flow) {
  const target = flow.targetRef?.name || flow.targetRef?.id || "";
  return [flow.name && [said(flow.name), " → "], !flow.name && "→ ", said(target)];
}
