"""What goes over the wire to workers on other machines fits the schema, and what comes back is not trusted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from marshmallow import Schema, fields

from riverstone.bpmn_samples.cloud import Cloud
from riverstone.bpmn_samples.stones import stones
from riverstone.engine import Invalid, Limits, Stone
from riverstone.engine.dispatch import answer_messages, messages, work_messages
from riverstone.engine.stones import remote
from riverstone.engine.stones.declarations.parameters import supplied
from riverstone.engine.stones.registry import declaration_of
from riverstone.engine.work import LiveLines, Outcome, ProcessFacts, Saving, Work

SCHEMA = json.loads((Path(messages.__file__).parent / "messages.schema.json").read_text(encoding="utf-8"))
WORK = Work(
    task_id=10**18 - 1,
    process_instance_id=1,
    stone="SIP::Mail",
    event="monitor",
    attempt=2,
    delivery=3,
    idempotency_key="k",
    start_key="s",
    namespace="tell",
    element_id="tell",
    name="Tell her",
    parameters='{"to":"Änne"}',
    outputs='{"x":[1]}',
    state=None,
)
OUTCOME = Outcome(
    task_id=10**18 - 1,
    process_instance_id=1,
    event="monitor",
    attempt=2,
    delivery=3,
    result="again",
    outputs={"x": 1.5},
    state={"looks": 1},
    progress=40,
    log=("one", "two"),
    reason="not yet",
    stone="SIP::Mail",
    seconds=0.25,
)
SOUND = {"kind": "answer", "task_id": "7", "process_instance_id": "1", "event": "start", "attempt": 1, "delivery": 1}


def fits(text: str) -> Any:
    """The message, which is one of the schema's."""
    told = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(told, SCHEMA)
    return told


def test_a_work_and_its_answer_come_through_whole() -> None:
    assert work_messages.read_work(fits(work_messages.work_text(WORK))[1]["work"]) == WORK
    assert answer_messages.read_answer(fits(answer_messages.answer_text(OUTCOME)), Limits()) == OUTCOME
    lost = messages.read(work_messages.work_text(WORK))
    assert (lost["kind"], work_messages.read_work(lost)) == ("lost", WORK)


def test_what_is_saved_and_what_came_of_it_fit_the_schema() -> None:
    work = replace(
        WORK,
        event="start",
        saved='{"volumeId":"v-1"}',
        references=("password",),
        run=2,
        deadline=9,
        process=ProcessFacts("u", "shop", "my shop", 3, None, "acme"),
    )
    assert work_messages.read_work(fits(work_messages.work_text(work))[1]["work"]) == work
    saving = Saving(
        task_id=7, process_instance_id=1, event="start", attempt=1, delivery=2, number=3, name="n", value=[1, "ä"]
    )
    told = fits(messages.saving_text(saving, "riverstone.permits.x"))
    assert messages.read_saving(told, Limits()) == (saving, "riverstone.permits.x")
    assert fits(messages.saved_text(saving, None))["refused"] is None
    for wrong in ({"name": ""}, {"event": "monitor"}, {"reply_to": "elsewhere"}, {"number": "x"}, {"task_id": None}):
        with pytest.raises(Invalid):
            messages.read_saving({**told, **wrong}, Limits())


def test_signs_progress_and_declarations_fit_the_schema() -> None:
    signs = [messages.Sign(5, 1, True), messages.Sign(10**18 - 1, 0, False)]
    assert messages.read_signs(fits(messages.signs_text(signs))) == signs
    fits(messages.progress_text(WORK, 40))
    lines = LiveLines(
        task_id=7, process_instance_id=1, event="start", attempt=1, delivery=2, first=3, lines=("one", "ä")
    )
    told = fits(messages.log_text(lines))
    assert messages.read_lines(told) == lines
    for wrong in ({"lines": "one"}, {"event": "x"}, {"first": "y"}, {"task_id": None}):
        with pytest.raises(Invalid):
            messages.read_lines({**told, **wrong})
    assert len(messages.read_lines({**told, "lines": ["x" * 5000] * 5000}).lines) == 200
    fits(json.dumps({"kind": "stones", "stones": [remote.declared(each) for each in stones(Cloud())]}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"result": "perhaps"},
        {"result": "again"},
        {"result": "supplied", "parameters": {"x": "\x00"}},
        {"result": "supplied", "parameters": [1]},
        {"result": "supplied", "event": "delete", "parameters": {"x": 1}},
        {"result": "done", "outputs": ["x"]},
        {"result": "done", "outputs": {"": 1}},
        {"result": "done", "outputs": {"x": "\x00"}},
        {"result": "done", "outputs": {"x": "y" * 2_000_000}},
        {"result": "done", "progress": "half"},
        {"result": "done", "log": "words"},
        {},
    ],
)
def test_a_wrong_answer_about_a_known_work_is_a_failure(wrong: dict[str, Any]) -> None:
    outcome = answer_messages.read_answer({**SOUND, **wrong}, Limits())
    assert outcome.result == "failed"
    assert (outcome.reason or "").startswith("The worker's answer is wrong: ")


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', "{}", '{"kind": 1}', "[1, 2, 3]", "[" * 100_000])
def test_what_is_no_message_is_refused(body: str) -> None:
    with pytest.raises(Invalid):
        messages.read(body)


@pytest.mark.parametrize("wrong", [{"task_id": "x"}, {"event": "party"}, {"attempt": None}, {"delivery": []}])
def test_an_answer_that_names_no_work_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        answer_messages.read_answer({**SOUND, **wrong}, Limits())


def test_a_stone_is_known_by_what_it_declares() -> None:
    class Volume(Stone):
        """A cloud volume."""

        code = "SIP::EC2::Volume"
        display_name = "Volume"
        parameters = {
            "size": fields.Integer(load_default=10, metadata={"allowed_values": [10, 20]}),
            "tags": fields.List(fields.String(), load_default=list),
            "until": fields.Date(required=True),
            "secret": fields.String(load_default=None, allow_none=True, metadata={"no_echo": True}),
        }
        outputs = {"volumeId": "the volume's id"}
        serves = {"region": "beijing"}
        aliases = ("SIP::Disk",)
        retries = 3
        timeouts = {"start": 5.0}

        def monitor(self, task: object) -> bool:
            return True

        def delete(self, task: object) -> None: ...

    known = remote.stone_of(remote.checked(json.loads(json.dumps(remote.declared(Volume)))))
    same = ("code", "aliases", "display_name", "outputs", "serves", "retries", "timeouts", "monitor_interval", "grace")
    assert [getattr(known, name) for name in same] == [getattr(Volume, name) for name in same]
    assert [known.has(event) for event in ("start", "monitor", "rollback", "delete")] == [False, True, False, True]
    assert messages.queues_of(known) == [
        "beijing.SIP::EC2::Volume",
        "beijing.SIP::EC2::Volume.monitor",
        "beijing.SIP::EC2::Volume.delete",
    ]
    assert known.parameters["size"].load_default == 10
    assert known.parameters["tags"].load_default == []
    assert known.parameters["until"].required
    assert known.parameters["secret"].metadata == {"no_echo": True}


def test_a_secret_default_and_one_that_is_made_anew_stay_with_the_code() -> None:
    class Login(Schema):
        name = fields.String()
        password = fields.String(metadata={"no_echo": True})
        inner = fields.Nested(lambda: Login())

    class Keyed(Stone):
        code = "keyed"
        parameters = {
            "password": fields.String(load_default="hunter2", metadata={"no_echo": True}),
            "login": fields.Nested(Login, load_default={"name": "ann", "password": "hunter2"}),
            "logins": fields.List(fields.Nested(Login), load_default=lambda: [{"password": "hunter2"}]),
            "pair": fields.Tuple((fields.Integer(), fields.String(metadata={"no_echo": True}))),
            "serial": fields.Integer(load_default=lambda: 7),
            "empty": fields.String(load_default="", metadata={"no_echo": True}),
        }

    told = remote.declared(Keyed)
    fits(json.dumps({"kind": "stones", "stones": [told]}))
    assert "hunter2" not in json.dumps(told)
    for stone in (Keyed, remote.stone_of(remote.checked(told))):
        shown = {each.name: (each.default, each.no_echo) for each in declaration_of(stone).parameters}
        assert (shown.pop("serial"), shown.pop("pair")) == ((None, False), (None, True))
        assert set(shown.values()) == {("*****", True)}
    assert supplied(Keyed, '{"password":"mine"}') == {
        "login": {"name": "ann", "password": "hunter2"},
        "logins": [{"password": "hunter2"}],
        "serial": 7,
    }


def test_what_a_default_that_cannot_be_made_says_is_not_told() -> None:
    def fetched() -> str:
        raise LookupError("hunter2")

    class Wrong(Stone):
        code = "wrong"
        parameters = {"pin": fields.String(load_default=fetched, metadata={"no_echo": True})}

    with pytest.raises(Invalid) as caught:
        supplied(Wrong, "{}")
    assert caught.value.message == "The default of parameter 'pin' cannot be made: LookupError."


@pytest.mark.parametrize(
    "declaration",
    [
        None,
        {},
        {"code": ""},
        {"code": "x", "hooks": ["party"]},
        {"code": "x", "parameters": [{}]},
        {"code": "x", "retries": -1},
        {"code": "x", "serves": []},
        {"code": "x", "secret_outputs": [1]},
        {"code": "x", "parameters": [{"name": "password", "no_echo": True, "default": "hunter2"}]},
    ],
)
def test_what_is_no_declaration_is_refused(declaration: object) -> None:
    with pytest.raises(Invalid):
        remote.checked(declaration)
