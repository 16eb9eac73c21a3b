"""What a broker hands over may be from anybody who can write there: it is read strictly, and fits or moves nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Engine, Invalid, Limits, Stone
from riverstone.engine.dispatch import messages
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
        messages.read_answer(messages.read(text), Limits())


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
        forged = messages.read_answer(messages.read(json.dumps({**fitting, **wrong})), engine.limits)

        engine._river.now(lambda turn: outcomes.apply_outcome(turn.instance(int(number)), forged))

        assert engine.get(number).status == "running"
        assert engine.tasks(number)[0].status == task.status
