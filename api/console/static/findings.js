// What the checks say about a BPMN file, place by place.

import { el, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { languageOf } from "./sentences.js";

/** The findings, the worst first; `reach` is called with an element's id when its name, by `nameOf`, is chosen. */
export function findingList(findings, reach = null, nameOf = (elementId) => elementId) {
  const ordered = [...findings].sort((one, other) =>
    one.severity === other.severity ? 0 : one.severity === "error" ? -1 : 1,
  );
  return el(
    "ul",
    { class: "findings" },
    ordered.map((finding) => {
      const state = finding.severity === "error" ? "failed" : "missing";
      const place = [finding.source, finding.line !== null && t("line", { line: finding.line })]
        .filter(Boolean)
        .join(" · ");
      return el(
        "li",
        {},
        el(
          "span",
          { class: `badge is-${state}` },
          icon(state === "failed" ? "failed" : "warning"),
          el("span", {}, t(`finding.${finding.severity}`)),
        ),
        el(
          "div",
          {},
          el("p", { lang: languageOf(finding.text) }, said(finding.text)),
          el(
            "p",
            { class: "sub" },
            finding.elementId &&
              (reach
                ? el(
                    "button",
                    { type: "button", class: "link", onclick: () => reach(finding.elementId) },
                    said(nameOf(finding.elementId)),
                  )
                : el("code", {}, said(finding.elementId))),
            place && el("span", {}, place),
            el("code", {}, finding.code),
          ),
        ),
      );
    }),
  );
}
