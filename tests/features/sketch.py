"""BPMN in a few words: the models that the stories need."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:tests">'
)


def service(node: str, stone: str, inputs: Mapping[str, str] | None = None, inside: str = "", **attributes: str) -> str:
    """A service task that is bound to a stone, with its own inputs."""
    given = "".join(
        f"<camunda:inputParameter name={quoteattr(name)}>{escape(value)}</camunda:inputParameter>"
        for name, value in (inputs or {}).items()
    )
    mapped = f"<extensionElements><camunda:inputOutput>{given}</camunda:inputOutput></extensionElements>"
    more = "".join(f" {name}={quoteattr(value)}" for name, value in attributes.items())
    return (
        f'<serviceTask id="{node}" camunda:type="external" camunda:topic={quoteattr(stone)}{more}>'
        f"{mapped if given else ''}{inside}</serviceTask>"
    )


def runs(count: str, *, sequential: bool = False) -> str:
    """The marker of an activity that runs so many times."""
    return (
        f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}">'
        f"<loopCardinality>{escape(count)}</loopCardinality></multiInstanceLoopCharacteristics>"
    )


def catch(node: str, definition: str) -> str:
    """An event in the flow that waits."""
    return f'<intermediateCatchEvent id="{node}">{definition}</intermediateCatchEvent>'


def flow(source: str, target: str, condition: str | None = None) -> str:
    """A sequence flow."""
    inside = f"<conditionExpression>{escape(condition)}</conditionExpression>" if condition else ""
    return f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inside}</sequenceFlow>'


def process(key: str, *parts: str) -> str:
    """A process of these elements."""
    return f'<process id="{key}" name="{key}" isExecutable="true">{"".join(parts)}</process>'


def definitions(*parts: str) -> bytes:
    """A file of these processes, messages and signals."""
    return f"{HEAD}{''.join(parts)}</definitions>".encode()


def line(key: str, *nodes: str, before: str = "", start: str = "") -> bytes:
    """A file with one process: a start, these nodes one after the other, an end."""
    return definitions(before, row(key, *nodes, start=start))


def row(key: str, *nodes: str, start: str = "") -> str:
    """One process: a start, these nodes one after the other, an end."""
    names = ["begin", *(re.search(r'id="([^"]*)"', node)[1] for node in nodes), "done"]  # type: ignore[index]
    flows = [flow(source, target) for source, target in pairwise(names)]
    return process(key, f'<startEvent id="begin">{start}</startEvent>', *nodes, '<endEvent id="done"/>', *flows)
