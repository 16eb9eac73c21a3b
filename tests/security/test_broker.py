"""What a broker hands over may be from anybody who can write there: it is read strictly, and fits or moves nothing."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from riverstone.api import create_app
from riverstone.engine import Engine, Invalid, Limits, Stone
from riverstone.engine.dispatch import answer_messages, messages
from riverstone.engine.steps import outcomes

from . import attacks

ANSWER: dict[str, Any] = {
    "kind": "answer",
    "task_id": "2",
    "process_instance_id": "1",
    "event": "monitor",
    "attempt": 1,
    "delivery": 0,
    "result": "done",
    "outputs": {"forged": True},
}


class Patient(Stone):
    """Waits for something that never comes."""

    code = "patient"

    def start(self, task: Any) -> None:
        task.progress(1)

    def monitor(self, task: Any) -> bool:
        return False


@pytest.mark.parametrize("member", ["task_id", "process_instance_id", "attempt", "delivery"])
@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", "NaN", "1" + "0" * 30, "null", "[]", '"x"', "-5", '"' + "9" * 5000 + '"']
)
def test_a_number_that_is_none_spoils_its_message_and_nothing_else(member: str, value: str) -> None:
    text = json.dumps({**ANSWER, member: "?"}).replace('"?"', value)

    with pytest.raises(Invalid):
        answer_messages.read_answer(messages.read(text), Limits())


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "{" * 100_000, "[" * 100_000, '{"kind": ["answer"]}', b"\x80\x04K\x01."]
)
def test_what_is_no_message_is_refused(text: str | bytes) -> None:
    with pytest.raises(Invalid):
        messages.read(text)


@pytest.mark.parametrize("wrong", [{"attempt": 2}, {"delivery": 1}, {"event": "start"}, {"task_id": "3"}])
def test_a_forged_answer_that_fits_no_delivery_moves_nothing(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Patient]) as engine:
        engine.deploy(attacks.around('<serviceTask id="m" camunda:type="external" camunda:topic="patient"/>'))
        number = engine.start(key="attack", name="x").process_instance_id
        (task,) = engine.tasks(number)
        fitting = {**ANSWER, "process_instance_id": number, "task_id": task.task_id}
        forged = answer_messages.read_answer(messages.read(json.dumps({**fitting, **wrong})), engine.limits)

        engine._river.now(lambda turn: outcomes.apply_outcome(turn.instance(int(number)), forged))

        assert engine.get(number).status == "running"
        assert engine.tasks(number)[0].status == task.status


WHOLE: dict[str, Any] = {
    "code": "declared",
    "display_name": "Declared",
    "description": "By somebody",
    "parameters": [{"name": "size", "type": "integer", "required": True, "allowed_values": [1, 2], "variable": False}],
    "outputs": {"id": "what it made"},
    "secret_outputs": ["token"],
    "serves": {"region": "bj"},
    "hooks": ["start", "delete"],
    "retries": 2,
    "grace": 1.5,
    "timeouts": {"start": 5},
}
ODD: list[Any] = [None, True, -1, 1e300, 2.5, "", "x", [], [None], ["x"], {}, {"x": None}, {"": "x"}, [{}]]
ODD += [[{"name": 1}]]
MEMBERS = [*WHOLE, "retry_backoff", "retry_backoff_max", "monitor_interval"]
OF_PARAMETERS = """name type required default supplied allow_none allowed_values display_name description visible
    variable no_echo""".split()


def test_no_declaration_spoils_the_list_of_stones(tmp_path: Path) -> None:
    """It was a 500 for ever: what had been taken in once was read again by every engine."""
    strange = [{**WHOLE, member: value} for member in MEMBERS for value in ODD]
    parameter = WHOLE["parameters"][0]
    strange += [{**WHOLE, "parameters": [{**parameter, name: value}]} for name in OF_PARAMETERS for value in ODD]
    names = ["Meta", "fields", "load", "opts", "__class__", "context", "validate", "x" * 2000]
    strange += [{**WHOLE, "parameters": [{"name": name}]} for name in names]
    taken = 0
    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Patient]) as engine:
        for number, each in enumerate(strange):
            each = {**each, "code": f"declared{number}"} if each["code"] == "declared" else each
            with suppress(Invalid):
                engine._reports.declare([each])
                taken += 1
            client = create_app(engine).test_client() if number % 50 == 0 else None
            assert client is None or client.get("/stone").status_code == 200
        assert create_app(engine).test_client().get("/stone").status_code == 200
        assert len(engine.stones_declared()) == taken + 1
        assert 20 < taken < len(strange) / 2
        # Whatever is in the table all the same, by an earlier version or by hand, spoils nothing but itself.
        engine._store.execute("INSERT INTO `stone` VALUES ('x', 'broken', '{\"code\": 5}', 99999999999999)")
        engine._store.execute("INSERT INTO `stone` VALUES ('y', 'broken', '[', 99999999999999)")
        assert len(engine.stones_declared()) == taken + 1
