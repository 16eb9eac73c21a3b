"""The reference says what the code says: every setting, limit, call, command, code, word and key."""

from __future__ import annotations

import ast
import re
from typing import get_args

import pytest

from riverstone.api import settings
from riverstone.engine.bpmn.reading.node_readers import READERS
from riverstone.engine.bpmn.reading.parser import SILENT
from riverstone.engine.bpmn.running.event_definitions import EventKind
from riverstone.engine.language import functions
from riverstone.models import vocabulary

from .blocks import DOCS, ROOT
from .codes import finding_codes
from .examples import ALIKE, EXAMPLES
from .findings import after, before
from .functions import FUNCTIONS, METHODS

VARIABLE = re.compile(r"\bRIVERSTONE_[A-Z_]+[A-Z]\b")
KEY = re.compile(r"[A-Z][a-z]+([A-Z][a-z]+)*")
INTERNAL = {"RIVERSTONE_FAILPOINT", "RIVERSTONE_COMPLETE"}
"""For the project's own tests, and Click's own."""


def page(name: str) -> str:
    return (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_every_finding_has_an_example_and_a_mend() -> None:
    assert {*EXAMPLES, *ALIKE} == finding_codes(), "a new code needs an example in tests/reference/examples.py"
    unmended = [code for code, example in EXAMPLES.items() if after(code, example) is not None]
    unseen = [code for code, example in EXAMPLES.items() if before(code, example) is None]
    assert (unseen, unmended) == ([], [])


def test_every_function_and_method_of_expressions_has_an_example() -> None:
    assert set(FUNCTIONS) == {*functions.FUNCTIONS, "exists"}
    assert set(METHODS) == set(functions.METHODS)


def test_every_environment_variable_and_setting_stands_in_the_reference() -> None:
    read = set()
    for part in ("api", "engine", "models"):
        for path in (ROOT / part).rglob("*.py"):
            read |= set(VARIABLE.findall(path.read_text(encoding="utf-8")))
    told = page("settings.md")
    assert set(VARIABLE.findall(told)) == read - INTERNAL
    assert all(f"`{part}`" in told for part in settings.PARTS)
    assert all(f"`{name}`" in told for name in settings.INTROSPECTION)


def test_every_key_of_a_template_stands_in_the_reference() -> None:
    keys = set()
    tree = ast.parse((ROOT / "engine/authoring/template_variable.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)*", node.value)
        ):
            keys.add(node.value)
    assert {"AllowedPattern", "NameSpace", "Searchable", "CommaDelimitedList"} <= keys
    told = set(re.findall(r"`([^`]+)`", page("templates.md")))
    assert keys <= told


def test_every_element_that_the_readers_know_stands_in_the_reference() -> None:
    events = {{"condition": "conditional"}.get(kind, kind) for kind in get_args(EventKind)}
    known = {*READERS, *SILENT, *(f"{kind}EventDefinition" for kind in events), "boundaryEvent", "sequenceFlow"}
    assert {"complexGateway", "linkEventDefinition", "laneSet"} <= known
    assert known - set(re.findall(r"`([^`]+)`", page("elements.md"))) == set()


@pytest.mark.parametrize("words", ["ProcessStatus", "TaskStatus", "Phase", "UndoMark", "WaitKind", "InstanceKind"])
def test_every_word_of_a_status_stands_in_the_reference(words: str) -> None:
    told = set(re.findall(r"`([^`]+)`", page("statuses.md")))
    known = {str(word) for each in get_args(getattr(vocabulary, words)) for word in (get_args(each) or (each,))}
    assert known
    assert known <= told


def test_every_field_of_the_log_stands_in_the_reference() -> None:
    found = set()
    for part in ("api", "engine"):
        for path in (ROOT / part).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "about":
                    found |= {str(each.arg) for each in node.keywords if each.arg}
    assert "process_instance_id" in found
    assert found <= set(re.findall(r"`([^`]+)`", page("events.md")))


def test_every_attribute_and_method_of_the_reference_says_what_it_is() -> None:
    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    assert re.findall(r"^\|(.*)\|\s*\|$", page, re.MULTILINE) == []
