"""What the engine says to people is said in Chinese too."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import pytest
from marshmallow import ValidationError, fields, validate

from riverstone.api.wire.members import Flag, Ids, InstantText, LocalTimeText, Number, Object, Text, Word
from riverstone.api.wire.problems import wrong_fields
from riverstone.api.wire.request_schemas.strict import Strict
from riverstone.engine.errors import ExpressionError
from riverstone.engine.language.feel import faults
from riverstone.engine.language.feel.builtins.table import FUNCTIONS

from ..services import program
from .sentences import ROOT, sentences

CATALOGUE = ROOT / "api/console/static/texts/zh-sentences.js"
PLACE = re.compile(r"\{[#@~]?\}")
SPEAK = """
Object.defineProperty(globalThis, "navigator", { value: { languages: ["zh-CN"] }, configurable: true });
globalThis.localStorage = globalThis.sessionStorage = { getItem: () => null, setItem() {} };
globalThis.document = { documentElement: { dataset: {} } };
const { inWords } = await import(process.argv[1]);
const { readFileSync } = await import("node:fs");
console.log(JSON.stringify(await inWords(JSON.parse(readFileSync(0, "utf-8")))));
"""


def pairs() -> list[tuple[str, str]]:
    found = re.findall(r"^  (\[\".*\"\]),$", CATALOGUE.read_text("utf-8"), re.MULTILINE)
    return [(english, chinese) for english, chinese in map(json.loads, found)]


def in_chinese(content: object) -> object:
    """An answer of the server as the console shows it to who reads Chinese."""
    node = program("node", package="nodejs")
    module = (ROOT / "api/console/static/sentences.js").as_uri()
    asked = [node, "--input-type=module", "-e", SPEAK, module]
    done = subprocess.run(asked, input=json.dumps(content), capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_every_sentence_of_the_engine_has_its_chinese() -> None:
    known = dict(pairs())
    missing = [f"{place}: {text}" for text, place in sentences().items() if text not in known]
    assert missing == [], f"say these in {CATALOGUE.relative_to(ROOT)} too: [english, chinese]"


def test_the_chinese_of_a_sentence_has_the_same_values() -> None:
    for english, chinese in pairs():
        count = len(PLACE.findall(english.replace("${a}${b}", "")))
        said = re.findall(r"\{(\d?)\}", chinese.replace("${a}${b}", ""))
        numbers = [int(number) for number in said if number] + list(range(1, said.count("") + 1))
        assert sorted(numbers) == list(range(1, count + 1)), english


def test_findings_are_said_in_chinese_whatever_they_are_about() -> None:
    page = Path(ROOT / "docs/reference/findings.md").read_text("utf-8")
    found = re.findall(r"^(?:Error|Warning(?:, with `strict` an error)?)\. (.*)$", page, re.MULTILINE)
    texts = [re.sub(r"\\(.)", r"\1", text).replace("&lt;", "<").replace("&gt;", ">") for text in found]
    assert len(texts) > 150
    shown = in_chinese({"findings": [{"text": text, "elementId": "detail"} for text in texts]})
    assert isinstance(shown, dict)
    assert {each["elementId"] for each in shown["findings"]} == {"detail"}
    english = [each["text"] for each in shown["findings"] if not re.search("[一-鿿]", each["text"])]
    assert english == []


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "It failed at 2026-11-29 15:00:00 (2 hours ago), after 3 seconds: Task 7 ('Make a disk', disk, stone"
            " Shop::Disk) failed in start: no room.",
            "它于 2026-11-29 15:00:00（2 小时前）失败，用时 3 秒：任务 7（“Make a disk”（disk），stone Shop::Disk）在"
            " start 中失败：no room.",
        ),
        (
            "Process 3 has the status 'running' and cannot be deleted now: allowed is cancel or delete.",
            "流程 3 的状态是“运行中”，现在不能删除：允许的是取消、删除。",
        ),
        ("userTask 'Approve' (approve) waits for nothing", "用户任务“Approve”（approve）不等待任何内容"),
        ("no more quota", "no more quota"),
    ],
)
def test_values_stay_in_their_sentences_and_what_a_stone_says_stays_as_it_is(english: str, chinese: str) -> None:
    assert in_chinese({"reason": english}) == {"reason": chinese}


def test_no_sentence_has_its_chinese_twice() -> None:
    english = [pair[0] for pair in pairs()]
    assert [text for text in set(english) if english.count(text) > 1] == []


def test_what_is_wrong_is_said_for_each_field_whatever_the_fields_are_called() -> None:
    class Asked(Strict):
        values = Object(required=True)
        outputs = Ids()
        text = Text(longest=5)
        priority = fields.Integer(strict=True)
        due = InstantText()
        at = LocalTimeText()
        state = Word(Literal["one", "two"])
        rate = Number(validate=validate.Range(1, 2))
        flag = Flag()
        name = Text(pattern="^x+$")

    wrong = {"outputs": ["1"] * 10_001, "text": "too long", "priority": "1", "due": "x", "at": "x", "state": "three"}
    with pytest.raises(ValidationError) as refused:
        Asked().load({**wrong, "rate": 3, "flag": 1, "name": "y", "more": 1})
    error = wrong_fields({str(name): texts for name, texts in refused.value.normalized_messages().items()})
    shown = in_chinese({"message": error.message, "errors": error.errors})
    assert isinstance(shown, dict)
    assert shown["errors"].keys() == error.errors.keys() == Asked().fields.keys() | {"more"}
    english = [f"{name}: {text}" for name, [text] in shown["errors"].items() if not re.search("[一-鿿]", text)]
    assert english == []
    assert shown["message"].startswith("请改正请求：")
    assert "缺少必填字段（values）" in shown["message"]


def test_no_text_of_a_stone_holds_the_page_up() -> None:
    hostile = ["a: " * 1300, "a, b and " * 400 + ": x" * 100, "It failed at x, after y: " * 39, "The a of b is c " * 60]
    shown = in_chinese({"items": [{"reason": text} for text in hostile]})
    assert isinstance(shown, dict)
    assert [each["reason"] for each in shown["items"]][:2] == hostile[:2]


def test_what_ready_stones_declare_and_why_feel_gives_null_is_said_in_chinese() -> None:
    declared = {"name": "origin", "displayName": "Origin", "description": "", "default": "Origin"}
    stone = {"code": "x", "parameters": [declared], "outputs": [{"name": "id", "description": "body.id of the answer"}]}
    assert in_chinese([stone]) == [
        {
            "code": "x",
            "parameters": [{**declared, "displayName": "来源"}],
            "outputs": [{"name": "id", "description": "应答中的 body.id"}],
        }
    ]
    warnings = ["number(): 'x' is no number", "abs(): n is a string and not a number", "it divides by zero"]
    assert in_chinese({"warnings": warnings}) == {
        "warnings": ["number()：“x”不是数字", "abs()：n 是字符串（string），不是数字（number）", "除数为零"]
    }


def test_what_functions_of_feel_refuse_is_said_in_chinese() -> None:
    refused: dict[str, None] = {}
    wrong: Sequence[list[Any]] = ([None], ["x"], [1], [True], [[]], [{}], ["x", "y"], ["x", "y", "z"], ["x", "x", 1])
    for function in FUNCTIONS.values():
        for arguments in wrong:
            faults.forget()
            with suppress(ExpressionError):
                function.call(arguments)
            refused.update(dict.fromkeys(faults.reasons()))
    called = re.compile(r" is called with \d+ arguments: it is ")
    texts = [text for text in refused if not called.search(text)]
    assert len(texts) > 200
    shown = in_chinese({"warnings": texts})
    assert isinstance(shown, dict)
    # What is in brackets or quotes, and what a function is called, is FEEL's own.
    own = re.compile(r"（.*?）|“.*?”|^[a-z0-9 ]+\(\)")
    english = [text for text in shown["warnings"] if re.search(r"\b(is|not|no|the|a|an|or|of)\b", own.sub("", text))]
    assert english == []


def test_what_people_have_given_is_left_alone() -> None:
    text = "It was stopped before it had begun."
    given = {"variables": {"reason": text}, "name": text, "params": json.dumps({"reason": text})}
    assert in_chinese(given) == given
    assert in_chinese({"items": [{"reason": text}]}) == {"items": [{"reason": "在开始之前被停止。"}]}
