"""What expressions call now is the moment of the engine's clock, so that a test can move it."""

from __future__ import annotations

from riverstone.engine import Engine, VirtualClock

from .sketch import line, service


def test_now_and_today_are_by_the_clock_of_the_engine() -> None:
    asks = (
        '<scriptTask id="ask"><extensionElements>'
        '<zeebe:script xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" expression="= [now(), today()]"'
        ' resultVariable="told"/></extensionElements></scriptTask>'
    )
    clock = VirtualClock(1_000_000_000_123)
    with Engine("sqlite:///:memory:", clock=clock) as engine:
        engine.stone("note")(lambda task: task.add_outputs(task.parameters))
        engine.deploy(line("p", asks, service("note", "note", {"x": "${told}"})))
        told = []
        for _ in range(2):
            ended = engine.start(key="p", name="x")
            told.append(engine.get(ended.process_instance_id).native_output_values["note"]["x"])
            clock.advance(86_400)
    assert told == [["2001-09-09T01:46:40.123Z", "2001-09-09"], ["2001-09-10T01:46:40.123Z", "2001-09-10"]]
