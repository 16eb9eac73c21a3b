"""Tasks that somebody outside completes by a token: early, late, twice, forged, or never."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from riverstone.engine import (
    BpmnError,
    CallbackSignature,
    Deferral,
    Engine,
    Invalid,
    LimitExceeded,
    Malformed,
    Stone,
    TaskInfo,
    UnknownToken,
    VirtualClock,
)
from riverstone.engine.callback_tokens import secret_part

from .sketch import definitions, flow, line, process, service
from .test_undo_cancel import until


class Outside:
    """Somebody elsewhere, who is handed tokens; and what was called here."""

    def __init__(self) -> None:
        self.given: list[Deferral] = []
        self.calls: list[str] = []
        self.options: dict[str, Any] = {"timeout": 60.0}
        self.then: Callable[[TaskInfo, Deferral], Any] = lambda task, later: later

    @property
    def token(self) -> str:
        """The last that was handed out."""
        return self.given[-1].token

    def stone(self, **options: Any) -> type[Stone]:
        outside = self

        def start(self: Stone, task: TaskInfo) -> Any:
            later = task.defer(**outside.options)
            outside.given.append(later)
            outside.calls.append(f"start {task.attempt}")
            task.add_output("ticket", "T-1")
            return outside.then(task, later)

        def undo(self: Stone, task: TaskInfo) -> None:
            outputs = {name: value for name, value in task.outputs.items() if name != "ticket"}
            outside.calls.append(f"{task.event} {task.phase} {json.dumps(outputs)}")

        members = {"code": "outside", "start": start, "cancel": undo, "rollback": undo, "delete": undo}
        return type("OutsideStone", (Stone,), {**members, **options})


@pytest.fixture
def outside() -> Outside:
    return Outside()


def started(engine: Engine, outside: Outside, *nodes: str, **options: Any) -> str:
    engine.register(outside.stone(**options))
    engine.deploy(line("shop", *(nodes or (service("a", "outside"),))))
    return engine.start(key="shop", name="test").process_instance_id


def test_a_deferred_task_waits_until_its_token_completes_it(engine: Engine, outside: Outside) -> None:
    number = started(engine, outside)
    (task,) = engine.tasks(number)
    assert (engine.get(number).status, task.status) == ("running", "start.begin")
    assert "handed to somebody outside" in " ".join(engine.why(number).sentences)

    assert engine.progress_deferred(outside.token, 40, "half of it")
    assert (engine.tasks(number)[0].progress, engine.tasks(number)[0].log) == (40, ("half of it",))
    assert engine.complete_deferred(outside.token, {"id": "vol-1"})
    ended = engine.get(number)
    assert (ended.status, ended.native_output_values) == ("success", {"a": {"ticket": "T-1", "id": "vol-1"}})
    # Told once more, it does no harm, whatever it is.
    assert not engine.complete_deferred(outside.token, {"id": "vol-2"})
    assert not engine.fail_deferred(outside.token, "no")
    assert not engine.callback(outside.token, b"{}")
    assert not engine.progress_deferred(outside.token, 50)
    assert engine.get(number).native_output_values == ended.native_output_values


def test_the_task_fails_or_throws_an_error_as_its_token_says(engine: Engine, outside: Outside) -> None:
    engine.register(outside.stone(retries=1, retry_backoff=0.0))
    caught = '<boundaryEvent id="caught" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
    nodes = ('<startEvent id="s"/><endEvent id="e1"/><endEvent id="e2"/>', service("a", "outside"), caught)
    flows = (flow("s", "a"), flow("a", "e1"), flow("caught", "e2"))
    engine.deploy(definitions('<error id="e" errorCode="no"/>', process("shop", *nodes, *flows)))

    number = engine.start(key="shop", name="test").process_instance_id
    assert engine.error_deferred(outside.token, "no", "there are none left")
    assert engine.get(number).status == "success"
    assert engine.tasks(number)[0].status == "start.failed"

    number = engine.start(key="shop", name="test").process_instance_id
    first = outside.token
    assert engine.fail_deferred(first, "out of paper")
    engine.run_pending()
    # What it had put out was undone before the second attempt, which has another token.
    assert outside.calls[-2:] == ["rollback partial {}", "start 2"]
    assert outside.token != first
    assert not engine.complete_deferred(first)
    assert engine.fail_deferred(outside.token, "out of ink")
    ended = engine.wait(number, 60)
    assert (ended.status, "out of ink" in (ended.reason or "")) == ("rollback.success", True)
    with pytest.raises(Invalid):
        engine.error_deferred(outside.token, "")


@pytest.mark.parametrize("commit", ["within the start", "before its end is entered"])
def test_what_is_told_faster_than_the_commit_holds(
    engine: Engine, outside: Outside, commit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(task: TaskInfo, later: Deferral) -> Deferral:
        # In another thread, as if by another machine: an inline engine steps it at once.
        threads.append(threading.Thread(target=engine.complete_deferred, args=(later.token, {"id": "early"})))
        threads[0].start()
        if commit == "within the start":
            threads[0].join()
        return later

    threads: list[threading.Thread] = []
    outside.then = told
    number = started(engine, outside)
    threads[0].join()
    ended = engine.wait(number, 60)
    assert (ended.status, ended.native_output_values["a"]["id"]) == ("success", "early")
    assert not engine.complete_deferred(outside.token, {"id": "again"})


def test_what_is_told_early_of_a_start_that_does_not_defer_is_there_for_its_undo(
    engine: Engine, outside: Outside
) -> None:
    def told(task: TaskInfo, later: Deferral) -> None:
        assert engine.complete_deferred(later.token, {"id": "early"})
        raise BpmnError("no", "it went wrong here")

    outside.then = told
    number = started(engine, outside)
    assert engine.wait(number, 60).status == "rollback.success"
    assert outside.calls == ["start 1", 'rollback partial {"id": "early"}']


def test_one_that_forgets_to_return_its_deferral_is_told_so(engine: Engine, outside: Outside) -> None:
    outside.then = lambda task, later: {"id": "now"}
    number = started(engine, outside)
    assert engine.get(number).native_output_values == {"a": {"ticket": "T-1", "id": "now"}}
    assert "not returned" in engine.tasks(number)[0].log[0]
    assert not engine.complete_deferred(outside.token)


def test_nobody_completes_it_in_time_and_what_comes_late_is_undone(
    engine: Engine, outside: Outside, clock: VirtualClock
) -> None:
    number = started(engine, outside)
    clock.advance(61)
    engine.run_pending()
    ended = engine.wait(number, 60)
    assert (ended.status, "within the timeout" in (ended.reason or "")) == ("rollback.success", True)
    assert outside.calls == ["start 1", "rollback partial {}"]

    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.wait(number, 60).status == "rollback.success"
    assert outside.calls[2:] == ['rollback partial {"id": "late"}']
    assert not engine.complete_deferred(outside.token, {"id": "later still"})
    assert len(outside.calls) == 3


def test_a_cancel_while_it_waits_calls_the_cancel_hook_and_a_late_completion_calls_it_once_more(
    engine: Engine, outside: Outside
) -> None:
    number = started(engine, outside)
    engine.cancel(number)
    assert engine.wait(number, 60).status == "cancel.success"
    assert outside.calls == ["start 1", "cancel running {}"]
    assert engine.tasks(number)[0].undo == "undone"

    assert engine.callback(outside.token, b'{"id": 7}', headers={"Content-Type": "application/json"})
    assert engine.wait(number, 60).status == "cancel.success"
    assert outside.calls[2:] == ['cancel running {"callback": {"id": 7}}']
    assert not engine.callback(outside.token, b'{"id": 7}', headers={"Content-Type": "application/json"})
    assert engine.purge(0, even_undeleted=True) >= 1
    with pytest.raises(UnknownToken):
        engine.complete_deferred(outside.token)


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_an_event_that_interrupts_it_leaves_what_comes_late_for_a_delete(
    engine: Engine, outside: Outside, timeout: float | None
) -> None:
    outside.options["timeout"] = timeout
    engine.register(outside.stone())
    stop = '<message id="stop" name="stop"/>'
    caught = '<boundaryEvent id="caught" attachedToRef="a"><messageEventDefinition messageRef="stop"/></boundaryEvent>'
    nodes = ('<startEvent id="s"/><endEvent id="e1"/><endEvent id="e2"/>', service("a", "outside"), caught)
    engine.deploy(definitions(stop, process("shop", *nodes, flow("s", "a"), flow("a", "e1"), flow("caught", "e2"))))
    number = engine.start(key="shop", name="test").process_instance_id
    engine.message("stop")
    assert engine.get(number).status == "success"
    assert engine.complete_deferred(outside.token, {"id": "late"})
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert outside.calls == ["start 1", 'delete running {"id": "late"}']


@pytest.mark.parametrize("who", ["the webhook", "the monitor"])
def test_a_monitor_is_the_safety_net(engine: Engine, outside: Outside, clock: VirtualClock, who: str) -> None:
    polls: list[int] = []

    def monitor(self: Stone, task: TaskInfo) -> bool:
        polls.append(1)
        return len(polls) == 3

    number = started(engine, outside, monitor=monitor, monitor_interval=10.0)
    assert (polls, engine.tasks(number)[0].status) == ([], "monitor.begin")
    clock.advance(10)
    engine.run_pending()
    assert polls == [1]
    if who == "the webhook":
        assert engine.complete_deferred(outside.token, {"id": "told"})
    else:
        for _ in range(2):
            clock.advance(10)
            engine.run_pending()
        assert not engine.complete_deferred(outside.token, {"id": "told"})
    assert engine.get(number).status == "success"
    assert engine.tasks(number)[0].status == "monitor.success"
    assert len(polls) == (1 if who == "the webhook" else 3)


def test_the_timeout_of_a_deferral_holds_for_its_monitor_too(
    engine: Engine, outside: Outside, clock: VirtualClock
) -> None:
    number = started(engine, outside, monitor=lambda self, task: False, monitor_interval=10.0)
    for _ in range(7):
        clock.advance(10)
        engine.run_pending()
    assert engine.wait(number, 60).status == "rollback.success"
    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.wait(number, 60).status == "rollback.success"
    assert outside.calls == ["start 1", "rollback partial {}", 'rollback partial {"id": "late"}']


SECRET = "it's me"


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


@pytest.mark.parametrize("early", [True, False])
def test_a_webhook_proves_who_it_is_where_the_task_asks_for_it(
    engine: Engine, outside: Outside, *, early: bool
) -> None:
    outside.options["signature"] = CallbackSignature(secret=SECRET)
    body = b'{"ok": true}'
    if early:

        def told(task: TaskInfo, later: Deferral) -> Deferral:
            # What was not checked yet moves nothing, and leaves room for nobody else's word.
            assert engine.callback(later.token, body, headers=signed(body, "somebody else"))
            return later

        outside.then = told
    number = started(engine, outside)
    assert engine.get(number).status == "running"
    for wrong in ({}, signed(b"{}"), signed(body, "somebody else"), {"X-Hub-Signature-256": "sha256=zz"}):
        with pytest.raises(Invalid, match="not signed") as refused:
            engine.callback(outside.token, body, headers=wrong)
        assert refused.value.code == "signature-invalid"
        assert SECRET not in str(refused.value)
    assert engine.callback(outside.token, body, headers=signed(body))
    assert engine.get(number).native_output_values["a"]["callback"] == {"ok": True}
    assert SECRET not in repr(outside.options["signature"])


@pytest.mark.parametrize(
    ("kind", "body", "read"),
    [
        ("application/json", b'[1, {"a": null}]', [1, {"a": None}]),
        ("application/cloudevents+json; charset=utf-8", b'"x"', "x"),
        ("application/x-www-form-urlencoded", b"a=1&b=x+y&a=2", {"a": ["1", "2"], "b": "x y"}),
        ("text/plain", "naïve\0".encode(), "naïve"),
        ("", b'{"looks": "like JSON"}', {"looks": "like JSON"}),
        ("application/octet-stream", b"\xff\xfe", "\ufffd\ufffd"),
        ("application/json", b"", None),
    ],
)
def test_the_body_of_a_webhook_is_the_output_callback(
    engine: Engine, outside: Outside, kind: str, body: bytes, read: object
) -> None:
    number = started(engine, outside)
    assert engine.callback(outside.token, body, headers={"Content-Type": kind})
    assert engine.get(number).native_output_values["a"]["callback"] == read


def test_what_cannot_be_an_output_is_refused_and_the_task_stays(engine: Engine, outside: Outside) -> None:
    number = started(engine, outside)
    as_json = {"content-type": "application/json"}
    for body, headers in (
        (b"{", as_json),
        (b"[" * 100_000, as_json),
        (b"x" * 10_000_000, {}),
        (b"", {"x": "y" * 10_000}),
    ):
        with pytest.raises((Invalid, Malformed, LimitExceeded)):
            engine.callback(outside.token, body, headers=headers)
    for outputs in ({"": 1}, {"a": object()}, {"a": "x" * 10_000_000}):
        with pytest.raises((Invalid, LimitExceeded)):
            engine.complete_deferred(outside.token, outputs)
    assert engine.get(number).status == "running"
    assert engine.complete_deferred(outside.token)


def test_the_whole_secret_is_hidden_where_it_has_an_underscore_too(engine: Engine, outside: Outside) -> None:
    """Of base64's 64 signs for addresses one is ``_``, which is also what stands between the parts of a token."""

    def told(task: TaskInfo, later: Deferral) -> Deferral:
        task.add_output("note", f"call with {secret_part(later.token)}")
        return later

    outside.then = told
    while True:
        number = started(engine, outside)
        secret = secret_part(outside.token)
        assert len(secret) == 43
        assert engine.tasks(number)[0].outputs["note"] == "call with *****"
        if "_" in secret:
            return


def test_a_forged_token_is_unknown(engine: Engine, outside: Outside) -> None:
    number = started(engine, outside)
    mac = secret_part(outside.token)
    head = outside.token.removesuffix(f"_{mac}")
    other = f"rst_{int(outside.token.split('_')[1]) + 1}_1_{mac}"
    for token in ("", "x", head, f"{head}_{'A' * 43}", other, f"{outside.token}x", outside.token.upper(), "rst_1_1_\0"):
        with pytest.raises(UnknownToken):
            engine.complete_deferred(token)
    assert engine.get(number).status == "running"


def test_a_token_stays_good_for_its_task_when_the_secret_is_rotated(
    engine: Engine, outside: Outside, url: str, clock: VirtualClock
) -> None:
    number = started(engine, outside)
    old = outside.token
    secrets = engine._facilities.tokens._secrets.all()
    for _ in range(3):
        engine.rotate_token_secret()
    with Engine(url, clock=clock, passive=True, stones=[outside.stone()]) as other:
        assert other._facilities.tokens.token_of(int(old.split("_")[1]), 1) == old
        assert other.complete_deferred(old)
    assert engine.get(number).status == "success"
    assert len(secrets[0].value) == 64
    second = engine.start(key="shop", name="test").process_instance_id
    assert engine.complete_deferred(outside.token)
    assert engine.get(second).status == "success"
    # Once no task has them any more, they are forgotten.
    engine.purge(0, even_undeleted=True)
    engine.rotate_token_secret()
    kept = engine._facilities.tokens._secrets.all()
    assert secrets[0] not in kept
    assert len(kept) == 1


def test_a_token_is_hidden_wherever_its_hook_has_put_it(
    url: str, clock: VirtualClock, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    def tells(task: TaskInfo, later: Deferral) -> Deferral:
        task.log(f"called {later.url}")
        task.add_output("url", later.url)
        assert later.token not in repr(later)
        return later

    outside.then = tells
    with caplog.at_level(logging.DEBUG), Engine(url, clock=clock, public_url="https://bpm.example.com/x/") as engine:
        engine.stone("mail")(lambda task: {"sent": task.parameters["text"]})
        nodes = (service("a", "outside"), service("b", "mail", {"text": "see ${outputs.a.url}"}))
        number = started(engine, outside, *nodes)
        assert outside.given[-1].url == f"https://bpm.example.com/x/callback/{outside.token}"
        secret = secret_part(outside.token)
        assert secret not in repr(engine.tasks(number))
        assert engine.complete_deferred(outside.token)
        ended = engine.get(number)
        assert ended.status == "success"
        shown = repr((ended, engine.tasks(number), engine.why(number), engine.picture(number)))
        assert secret not in shown
        assert "callback/rst_" in shown
    # The database's own log of statements is nobody's but who switches it on.
    assert secret not in "".join(each.getMessage() for each in caplog.records if each.name.startswith("riverstone"))


@pytest.mark.parametrize("event", ["monitor", "cancel"])
def test_only_a_start_defers(engine: Engine, event: str) -> None:
    refusals: list[str] = []

    def hook(self: Stone, task: TaskInfo) -> bool:
        with pytest.raises(Invalid, match="Only start") as refused:
            task.defer()
        refusals.append(refused.value.code)
        return True

    engine.register(type("Never", (Stone,), {"code": "never", "start": lambda self, task: None, event: hook}))
    engine.deploy(line("shop", service("a", "never"), *([] if event == "monitor" else ['<userTask id="b"/>'])))
    number = engine.start(key="shop", name="test").process_instance_id
    if event == "cancel":
        engine.cancel(number)
        engine.wait(number, 60)
    assert refusals == ["defer-start"]


def test_a_coroutine_and_a_function_may_defer(sqlite: str) -> None:
    given: list[Deferral] = []

    async def awaited(task: TaskInfo) -> Deferral:
        given.append(task.defer())
        return given[-1]

    def plain(task: TaskInfo) -> Deferral:
        given.append(task.defer(timeout=5))
        return given[-1]

    with Engine(sqlite, dispatcher="threads") as engine:
        engine.stone("awaited")(awaited)
        engine.stone("plain")(plain)
        engine.deploy(line("shop", service("a", "awaited"), service("b", "plain")))
        number = engine.start(key="shop", name="test").process_instance_id
        for count in (1, 2):
            until(lambda count=count: len(given) == count)  # type: ignore[misc]
            assert engine.callback(given[-1].token, b"done")
        ended = engine.wait(number, 60)
    assert ended.native_output_values == {"a": {"callback": "done"}, "b": {"callback": "done"}}


def test_a_start_that_defers_only_after_its_timeout_is_waited_for_outside(sqlite: str, outside: Outside) -> None:
    """Its straggler has ended, and somebody outside has what it began: that is undone once more when they tell."""
    go_on = threading.Event()

    def slow(task: TaskInfo, later: Deferral) -> Deferral:
        assert go_on.wait(60)
        return later

    outside.then = slow
    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, outside, grace=0.1)
        until(lambda: bool(outside.given))
        engine.cancel(number)
        assert engine.wait(number, 60).status == "cancel.success"
        assert outside.calls == ["start 1", "cancel unknown {}"]
        go_on.set()
        until(lambda: len(outside.calls) == 3)
        assert engine.wait(number, 60).status == "cancel.success"
        assert engine.complete_deferred(outside.token, {"id": "late"})
        until(lambda: len(outside.calls) == 4)
        assert engine.wait(number, 60).status == "cancel.success"
        assert outside.calls[2:] == ["cancel unknown {}", 'cancel unknown {"id": "late"}']


def test_one_that_waits_for_its_next_attempt_is_completed_by_what_comes_late(
    engine: Engine, outside: Outside, clock: VirtualClock
) -> None:
    """Its key is the same, so what was ordered first is what the second attempt would ask for."""

    def quiet(self: Stone, task: TaskInfo) -> Deferral:
        outside.given.append(task.defer(timeout=60))
        outside.calls.append(f"start {task.attempt}")
        return outside.given[-1]

    number = started(engine, outside, start=quiet, retries=1, retry_backoff=30.0)
    clock.advance(61)
    engine.run_pending()
    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.get(number).status == "running"
    clock.advance(40)
    engine.run_pending()
    assert engine.wait(number, 60).native_output_values == {"a": {"id": "late"}}
    assert outside.calls == ["start 1", "start 2"]


def test_one_that_is_stopped_between_two_attempts_still_hears_of_the_first(
    engine: Engine, outside: Outside, clock: VirtualClock
) -> None:
    def quiet(self: Stone, task: TaskInfo) -> Deferral:
        outside.given.append(task.defer(timeout=60))
        return outside.given[-1]

    number = started(engine, outside, start=quiet, retries=1, retry_backoff=30.0)
    clock.advance(61)
    engine.run_pending()
    engine.cancel(number)
    assert engine.wait(number, 60).status == "cancel.success"
    before = list(outside.calls)
    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.wait(number, 60).status == "cancel.success"
    assert outside.calls[len(before) :] == ['cancel running {"id": "late"}']
    assert not engine.complete_deferred(outside.token, {"id": "late"})


def test_what_is_told_while_a_stopped_start_still_runs_is_undone_once_more(sqlite: str, outside: Outside) -> None:
    go_on = threading.Event()

    def slow(task: TaskInfo, later: Deferral) -> Deferral:
        assert go_on.wait(60)
        return later

    outside.then = slow
    with Engine(sqlite, dispatcher="threads") as engine:
        number = started(engine, outside, grace=0.1)
        until(lambda: bool(outside.given))
        engine.cancel(number)
        assert engine.wait(number, 60).status == "cancel.success"
        assert engine.complete_deferred(outside.token, {"id": "late"})
        assert not engine.complete_deferred(outside.token, {"id": "late"})
        until(lambda: len(outside.calls) == 3)
        assert engine.wait(number, 60).status == "cancel.success"
        assert outside.calls == ["start 1", "cancel unknown {}", 'cancel unknown {"id": "late"}']
        go_on.set()
        # The end of the start brings what it has put out itself, which nobody knew either.
        until(lambda: len(outside.calls) == 4)
        assert engine.wait(number, 60).status == "cancel.success"
        assert not engine.complete_deferred(outside.token, {"id": "late"})
        assert len(outside.calls) == 4


def breaks_off(task: TaskInfo, later: Deferral) -> Any:
    raise RuntimeError("the line broke after the order")


def test_a_start_that_breaks_off_after_it_gave_its_token_still_hears_of_what_was_made(
    engine: Engine, outside: Outside
) -> None:
    outside.then = breaks_off
    number = started(engine, outside)
    assert engine.wait(number, 60).status == "rollback.success"
    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.wait(number, 60).status == "rollback.success"
    assert outside.calls == ["start 1", "rollback partial {}", 'rollback partial {"id": "late"}']


def test_one_that_broke_off_and_was_skipped_is_left_until_a_delete(engine: Engine, outside: Outside) -> None:
    outside.then = breaks_off
    engine.register(outside.stone())
    engine.deploy(line("shop", service("a", "outside")))
    number = engine.start(key="shop", name="test", on_failure="pause").process_instance_id
    engine.skip(engine.tasks(number)[0].task_id)
    assert engine.wait(number, 60).status == "success"
    assert engine.complete_deferred(outside.token, {"id": "late"})
    assert engine.tasks(number)[0].undo == "left"
    engine.delete(number)
    assert engine.wait(number, 60).status == "delete.success"
    assert outside.calls[-1] == 'delete partial {"id": "late"}'
