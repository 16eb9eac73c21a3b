"""Link events, which join two places of one level without a line (BPMN 2.0, 10.4.5)."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from ...findings import Report
from ..reading.words import all_text, child, children, label
from .outline import Outline


def check_links(outline: Outline, report: Report) -> None:
    """Report links that lead nowhere, to several places, to another level, or are used like flows."""
    entered: set[etree._Element] = set()
    sources = {event: _sources(event) for event in outline.by_tag["intermediateCatchEvent"]}
    for event in outline.by_tag["intermediateThrowEvent"]:
        for definition in children(event, "linkEventDefinition"):
            _check_ends(report, event, outline.flows_out(event), "leaves")
            targets = outline.link_targets(definition)
            entered.update(targets)
            _check_targets(outline, report, event, definition, targets, sources)
    for event in outline.by_tag["intermediateCatchEvent"]:
        for definition in children(event, "linkEventDefinition"):
            _check_ends(report, event, outline.flows_in(event), "enters")
            if event not in entered:
                report.error(
                    "link-without-source",
                    event,
                    f"No link of the same level goes to {label(event)} (link {definition.get('name')!r}): add a throw"
                    " event with that link.",
                )
            for source in children(definition, "source"):
                _check_source(outline, report, event, source)


def _sources(event: etree._Element) -> set[str]:
    return {
        all_text(source) for entry in children(event, "linkEventDefinition") for source in children(entry, "source")
    }


def _check_ends(report: Report, event: etree._Element, flows: list[etree._Element], verb: str) -> None:
    if flows:
        report.error(
            "link-flow",
            event,
            f"The {label(flows[0])} {verb} {label(event)}, where the link takes over: remove the flow.",
        )


def _check_targets(
    outline: Outline,
    report: Report,
    event: etree._Element,
    definition: etree._Element,
    targets: list[etree._Element],
    sources: Mapping[etree._Element, set[str]],
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
    if child(definition, "target") is not None and definition.get("id") not in sources.get(targets[0], ()):
        report.error(
            "link-not-mutual",
            event,
            f"The {label(event)} names {label(targets[0])} as its target, which does not name it as a source: add it"
            " there.",
        )


def _check_source(outline: Outline, report: Report, event: etree._Element, source: etree._Element) -> None:
    throwing = outline.find(source, source.text)
    owner = throwing.getparent() if throwing is not None else None
    if throwing is None or owner is None or child(throwing, "target") is None:
        return
    if event not in outline.link_targets(throwing):
        report.error(
            "link-not-mutual",
            event,
            f"The {label(event)} names {label(owner)} as a source, which leads elsewhere: make the two agree.",
        )
