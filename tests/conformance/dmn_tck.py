"""Runs the cases of a DMN Technology Compatibility Kit: ``python3 -m tests.conformance.dmn_tck FOLDER``.

The kit is not part of this project. FOLDER is its ``TestCases`` or any folder below; each group is a folder with models
and ``*-test-*.xml`` files. Prints how many results are as expected by level, and each one that is not with its reason.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lxml import etree

from riverstone.engine.dmn.decisions import Decisions, evaluate
from riverstone.engine.dmn.definitions import DecisionFile
from riverstone.engine.errors import RiverstoneError
from riverstone.engine.findings import Finding
from riverstone.engine.language.compiler import Compiler
from riverstone.engine.language.context import Context
from riverstone.engine.language.feel.border import to_json
from riverstone.engine.language.feel.values import iso
from riverstone.engine.language.feel.values.comparison import is_equal
from riverstone.engine.limits import Limits

LIMITS = Limits(expression_length=100_000, expression_tokens=20_000, model_expressions=10_000_000)
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TEMPORAL = frozenset({"date", "time", "dateTime", "duration"})


class Result(NamedTuple):
    """One expected result of one case; ``why`` is empty where it came out as expected."""

    level: str
    group: str
    case: str
    node: str
    why: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--group", help="only the groups whose names hold this")
    arguments = parser.parse_args()
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for result in results(arguments.folder, arguments.group or ""):
        (failed if result.why else passed)[result.level] += 1
        if result.why:
            print(f"{result.group} {result.case} {result.node}: {result.why}")
    for level in sorted(passed | failed):
        total = passed[level] + failed[level]
        print(f"{level}: {passed[level]} of {total} ({100 * passed[level] / total:.2f} %)")


def results(folder: Path, group: str = "") -> Iterator[Result]:
    for path in sorted(folder.rglob("*.xml")):
        if group in path.parent.name:
            root = etree.parse(path).getroot()
            if etree.QName(root).localname == "testCases":
                yield from _file(path, root)


def _file(path: Path, root: etree._Element) -> Iterator[Result]:
    level = "level 2" if "level-2" in str(path) else "level 3"
    models = sorted(path.parent.glob("*.dmn"))
    wanted = root.findtext("{*}modelName") or ""
    models.sort(key=lambda each: each.name != wanted)
    decisions, refused = None, ""
    try:
        decisions = Decisions([etree.parse(each).getroot() for each in models], Compiler(LIMITS))
    except RiverstoneError as error:
        refused = error.message
    for case in root.iterfind("{*}testCase"):
        variables = {each.get("name", ""): _plain(_value(each)) for each in case.iterfind("{*}inputNode")}
        for node in case.iterfind("{*}resultNode"):
            why = refused if decisions is None else _run(decisions, case, node, variables)
            yield Result(level, path.parent.name, case.get("id", ""), node.get("name", ""), why)


def _run(decisions: Decisions, case: etree._Element, node: etree._Element, variables: dict[str, Any]) -> str:
    invocable, name = case.get("invocableName"), node.get("name", "")
    element = decisions.named(invocable or name)
    if element is None:
        return f"there is no {invocable or name!r}"
    expected = node.find("{*}expected")
    wanted = None if expected is None else _value(expected)
    try:
        outcome = evaluate(element, Context().child(variables))
        found = to_json(outcome.value, LIMITS)
        warnings = outcome.warnings
    except RiverstoneError as error:
        if node.get("errorResult") == "true":
            return ""
        wrong = [each.text for file in decisions.files for each in _wrong(file, element.id)]
        return f"error: {' '.join(wrong) or error.message}"
    if invocable and isinstance(found, dict) and name in found:
        found = found[name]
    if _same(wanted, found):
        return ""
    return f"expected {wanted!r}, found {found!r} {list(warnings)}"


def _wrong(file: DecisionFile, element_id: str) -> Sequence[Finding]:
    return (
        [each for each in file.faults[element_id].found if each.severity == "error"]
        if element_id in file.faults
        else []
    )


def _value(element: etree._Element) -> Any:
    """The JSON of an input or of an expected result."""
    if element.get(_NIL) == "true":
        return None
    components = element.findall("{*}component")
    if components:
        return {each.get("name", ""): _value(each) for each in components}
    items = element.find("{*}list")
    if items is not None:
        return None if items.get(_NIL) == "true" else [_value(each) for each in items.iterfind("{*}item")]
    value = element.find("{*}value")
    return None if value is None or value.get(_NIL) == "true" else _simple(value)


def _simple(value: etree._Element) -> Any:
    kind = (value.get(_TYPE) or "").rpartition(":")[2]
    text = value.text or ""
    if kind == "boolean":
        return text.strip() == "true"
    if kind in ("decimal", "double", "integer", "float", "int", "long"):
        number = float(text)
        return int(text) if text.strip().lstrip("-").isdigit() else number
    return _Temporal(text.strip()) if kind in _TEMPORAL else text


def _plain(value: Any) -> Any:
    """A value that is given: temporal values as a program gives them."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return iso.read(value) if isinstance(value, _Temporal) else value


class _Temporal(str):
    """A text that says a date, a time or a duration: another text may say the same."""


def _same(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and wanted.keys() == found.keys()
            and all(_same(wanted[k], found[k]) for k in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_same, wanted, found))
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None:
        return wanted is found
    if isinstance(wanted, int | float):
        return isinstance(found, int | float) and math.isclose(wanted, found, rel_tol=1e-8, abs_tol=1e-12)
    if isinstance(wanted, _Temporal) and isinstance(found, str):
        one, two = iso.read(str(wanted)), iso.read(found)
        return str(wanted) == found or (one is not None and is_equal(one, two))
    return bool(wanted == found)


if __name__ == "__main__":
    main()
