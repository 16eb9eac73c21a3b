"""Link events, which join two places of one level without a line (BPMN 2.0, 10.4.5)."""

from __future__ import annotations

from lxml import etree

from .outline import Outline, child, children, label, text
from .report import Report


def check_links(outline: Outline, report: Report) -> None:
    """Report links that lead nowhere, to several places, to another level, or are used like flows."""
    entered: set[etree._Element] = set()
    for event in outline.by_tag["intermediateThrowEvent"]:
        for definition in children(event, "linkEventDefinition"):
            _check_link_ends(outline, report, event, outline.flows_out(event), "leaves")
            targets = outline.link_targets(definition)
            entered.update(targets)
            _check_link_targets(outline, report, event, definition, targets)
    for event in outline.by_tag["intermediateCatchEvent"]:
        for definition in children(event, "linkEventDefinition"):
            _check_link_ends(outline, report, event, outline.flows_in(event), "enters")
            for source in children(definition, "source"):
                throwing = outline.find(source, source.text)
                owner = throwing.getparent() if throwing is not None else None
                if throwing is None or owner is None or child(throwing, "target") is None:
                    continue
                if event not in outline.link_targets(throwing):
                    report.error(
                        "link-not-mutual",
                        event,
                        f"The {label(event)} names {label(owner)} as a source, which leads elsewhere: make the two"
                        " agree.",
                    )
            if event not in entered:
                report.error(
                    "link-without-source",
                    event,
                    f"No link of the same level goes to {label(event)} (link {definition.get('name')!r}): add a throw"
                    " event with that link.",
                )


def _check_link_ends(
    outline: Outline, report: Report, event: etree._Element, flows: list[etree._Element], verb: str
) -> None:
    if flows:
        report.error(
            "link-flow",
            event,
            f"The {label(flows[0])} {verb} {label(event)}, where the link takes over: remove the flow.",
        )


def _check_link_targets(
    outline: Outline,
    report: Report,
    event: etree._Element,
    definition: etree._Element,
    targets: list[etree._Element],
) -> None:
    shown = definition.get("name")
    if len(targets) != 1:
        found = "nowhere" if not targets else f"to {len(targets)} catch events"
        report.error(
            "link-without-target",
            event,
            f"The link {shown!r} of {label(event)} leads {found}: exactly one catch event of its level must have that"
            " link.",
        )
        return
    if outline.scope.get(targets[0]) is not outline.scope.get(event):
        report.error(
            "link-crosses-boundary",
            event,
            f"The link {shown!r} leads from {label(event)} to {label(targets[0])} on another level: links stay on"
            " one level.",
        )
    sources = [source for entry in children(targets[0], "linkEventDefinition") for source in children(entry, "source")]
    if child(definition, "target") is not None and definition.get("id") not in {text(source) for source in sources}:
        report.error(
            "link-not-mutual",
            event,
            f"The {label(event)} names {label(targets[0])} as its target, which does not name it as a source: add it"
            " there.",
        )
