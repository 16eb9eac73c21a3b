"""Every finding with what brings it about, what it says then, and the same model without it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from marshmallow import fields

from riverstone.engine import Engine, Finding, Stone

from .examples import ALIKE, EXAMPLES, GROUPS, Around, Example

BPMN = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:x" xmlns:own="urn:x"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
    ' xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:flowable="http://flowable.org/bpmn"'
    ' xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:activiti="http://activiti.org/bpmn">{}</definitions>'
)
PROCESS = '<process id="p" isExecutable="true">{}</process>'
ENDS = '<startEvent id="start"/>{}<endEvent id="end"/>'
ITEMS = (
    '<itemDefinition id="text" structureRef="String"/><itemDefinition id="number" structureRef="Integer"/>'
    '<itemDefinition id="texts" structureRef="String" isCollection="true"/>'
    '<message id="order" itemRef="text"/><message id="answer" itemRef="number"/>'
    '<interface id="shop" name="shop"><operation id="sell" name="sell"><inMessageRef>order</inMessageRef>'
    "<outMessageRef>answer</outMessageRef></operation></interface>"
    '<resource id="team" name="team"><resourceParameter id="size"/></resource><resource id="crew" name="crew"/>'
)
OBJECTS = '<dataObject id="letter" itemSubjectRef="text" name="Letter"/>'
FLOWS = (
    '<sequenceFlow id="f1" sourceRef="start" targetRef="work"/><sequenceFlow id="f2" sourceRef="work" targetRef="end"/>'
)
WORK = '<serviceTask id="work" camunda:type="external" camunda:topic="work"/>'
SPACE = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DMN = f'<definitions xmlns="{SPACE}" id="d" name="d" namespace="urn:d">{{}}</definitions>'
PLAN = DMN.format(
    '<decision id="plan" name="Plan"><decisionTable hitPolicy="FIRST"><output name="type"/><output name="count"/>'
    "<rule><outputEntry><text>1</text></outputEntry><outputEntry><text>2</text></outputEntry></rule>"
    "</decisionTable></decision>"
)
TEMPLATE = [{"Key": name} for name in ("serverId", "size", "a", "b", "a-b")]


class Disk(Stone):
    """A disk."""

    code = "Shop::Disk"
    parameters = {"serverId": fields.String(required=True), "size": fields.Integer(required=True)}
    outputs = {"volumeId": "its id"}


class Work(Stone):
    """Takes and gives anything."""

    code = "work"


def whole(around: Around, fragment: str) -> str:
    """The file in which a fragment stands."""
    return {
        "whole": "{}",
        "file": BPMN,
        "process": BPMN.format(PROCESS),
        "flow": BPMN.format(PROCESS.format(ENDS + FLOWS)),
        "beside": BPMN.format(PROCESS.format(ENDS.format(WORK) + FLOWS + "{}")),
        "data": BPMN.format(ITEMS + PROCESS.format("{}" + OBJECTS)),
        "decisions": DMN,
    }[around].replace("{}", fragment)


@cache
def _engine(*, scripts: bool) -> Engine:
    engine = Engine("sqlite:///:memory:", stones=[Disk, Work], scripts="trusted" if scripts else None)
    engine.deploy(PLAN.encode())
    return engine


def found(code: str, around: Around, fragment: str, *, strict: bool = True) -> Sequence[Finding]:
    """What the checks say of an example of this code."""
    template = TEMPLATE if code in ("taken-by-name", "name-ambiguous") else None
    engine = _engine(scripts=code.startswith("script-") and code != "script-refused")
    return engine.lint(whole(around, fragment).encode(), strict=strict, parameter_template=template)


def before(code: str, example: Example) -> Finding | None:
    """The finding of an example."""
    return _of(code, found(code, example.around, example.wrong, strict=example.strict))


def after(code: str, example: Example) -> Finding | None:
    """The same of its mended form."""
    return _of(code, found(code, example.around, example.mended, strict=example.strict))


def _of(code: str, findings: Sequence[Finding]) -> Finding | None:
    return next((each for each in findings if each.code == code), None)


LONGEST = 400


def findings() -> str:
    """A section for each code: how serious it is, its text, an example, and the example mended."""
    parts = []
    for code, example in EXAMPLES.items():
        if code in GROUPS:
            parts.append(f"## {GROUPS[code]}")
        told = before(code, example)
        assert told is not None, code
        parts += [f"### {code}", f"{_severity(code, example, told)}. {_short(told.text.replace('<', '&lt;'))}"]
        parts.append(_fenced(example.wrong))
        parts.append("Mended:" if example.mended else "Mended: leave it out.")
        if example.mended:
            parts.append(_fenced(example.mended))
    parts.append("## Seen only in odd files")
    parts += [f"### {code}\n\n{told}" for code, told in ALIKE.items()]
    return "\n\n".join(parts)


def _severity(code: str, example: Example, told: Finding) -> str:
    if told.severity == "warning":
        return "Warning"
    easy = _of(code, found(code, example.around, example.wrong, strict=False))
    return "Error" if easy is None or easy.severity == "error" else "Warning, with `strict` an error"


def _fenced(fragment: str) -> str:
    shown, depth = [], 0
    for line in fragment.replace("><", ">\n<").split("\n")[:31]:
        depth -= line.startswith("</")
        shown.append("  " * depth + _short(line))
        depth += line.startswith("<") and not line.startswith("</") and "/>" not in line and "</" not in line
    more = ["..."] if len(shown) > 30 else []
    return "\n".join(("```xml", *shown[:30], *more, "```"))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-100:]}"
