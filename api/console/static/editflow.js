// Which way is taken: the condition of a sequence flow.

import { t } from "./language.js";

const ALWAYS = ["bpmn:ParallelGateway", "bpmn:EventBasedGateway"];

export function flowSection(form) {
  const { object } = form;
  const from = object.sourceRef;
  if (ALWAYS.some((type) => from.$instanceOf(type)))
    return form.section(t("edit.condition"), t(from.$instanceOf("bpmn:ParallelGateway") ? "edit.condition.no" : "edit.condition.event.first"));
  const isDefault = () => from.default === object;
  const source = form.editor.find(from.id);
  const putDefault = (on) => form.modeling.updateProperties(source, { default: on ? object : undefined });
  const mayDefault = from.$instanceOf("bpmn:ExclusiveGateway") || from.$instanceOf("bpmn:InclusiveGateway") || from.$instanceOf("bpmn:ComplexGateway") || from.$instanceOf("bpmn:Activity");
  const write = (value) => form.set({ conditionExpression: form.expression(value) });
  return form.section(
    t("edit.condition"),
    mayDefault && form.check(t("edit.default"), isDefault, putDefault, { redraw: true }),
    !isDefault() &&
      form.field(t("edit.condition.is"), () => object.conditionExpression?.body ?? "", write, {
        hints: true,
        mono: true,
        rows: 2,
        hint: t("edit.condition.hint"),
        placeholder: "${size > 10}",
      }),
  );
}
