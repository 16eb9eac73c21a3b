// What the checks say about a BPMN file, place by place.

import { el, fill, said } from "./element.js";
import { icon } from "./icon.js";
import { t } from "./language.js";
import { problemBox } from "./notice.js";
import { languageOf } from "./sentences.js";
import { get } from "./server.js";

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
          ),
          explained(finding.code),
        ),
      );
    }),
  );
}

/** The code of a finding, which opens with an example and the same mended; asked for when it is opened. */
function explained(code) {
  const inside = el("div", {});
  const open = async () => {
    if (!details.open || inside.childElementCount) return;
    try {
      const { wrong, mended } = await get(`code/${code}`);
      fill(inside, ...example("finding.wrong", wrong), ...example("finding.mended", mended));
      if (wrong === null) fill(inside, el("p", {}, t("finding.alone")));
    } catch (problem) {
      fill(inside, problemBox(problem));
    }
  };
  const details = el("details", { ontoggle: open }, el("summary", {}, el("code", {}, code)), inside);
  return details;
}

function example(title, xml) {
  return xml === null ? [] : [el("p", { class: "sub" }, t(title)), el("pre", { tabindex: "0" }, said(xml))];
}
