"""Who is told over HTTP what processes come to, with real receivers, honest and other ones."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from riverstone.engine import Engine, Invalid, Unknown
from riverstone.engine.outgoing.allowed_origins import AllowedOrigins
from riverstone.engine.webhooks import sender
from riverstone.models import StoreError
from riverstone.models.commit import changes

from .sketch import line, service


class Receiver(ThreadingHTTPServer):
    """What it was sent, and what it answers."""

    daemon_threads = True

    def __init__(
        self,
        answer: Callable[[BaseHTTPRequestHandler], None] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        received: list[tuple[dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                if answer is not None:
                    answer(self)
                    return
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not on the terminal."""

        super().__init__((host, port), Handler)
        self.received = received
        self.url = f"http://{host}:{self.server_port}/hook?x=1"

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"].rpartition(".")[2] for _, body in self.received]


@contextmanager
def receiving(answer: Callable[[BaseHTTPRequestHandler], None] | None = None) -> Iterator[Receiver]:
    receiver = Receiver(answer)
    thread = threading.Thread(target=receiver.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


def allowing(*receivers: Receiver) -> tuple[str, ...]:
    return (*(f"http://127.0.0.1:{each.server_port}" for each in receivers), "127.0.0.0/8")


@contextmanager
def hanging_until(let_go: threading.Event) -> Iterator[Receiver]:
    """A receiver that does not answer before that."""

    def hang(_: BaseHTTPRequestHandler) -> None:
        let_go.wait(20)

    with receiving(hang) as receiver:
        try:
            yield receiver
        finally:
            let_go.set()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def ready(engine: Engine) -> Engine:
    engine.stone("make")(lambda task: task.add_output("secret", "in the outputs"))
    engine.deploy(line("shop", service("a", "make")))
    engine.deploy(line("asks", '<userTask id="a"/>'))
    return engine


def test_a_caller_is_told_what_its_process_comes_to_and_nothing_of_what_is_in_it(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine:
        engine.start(key="asks", name="not told")
        number = engine.start(
            key="shop", name="x", variables={"password": "hidden"}, callback_url=receiver.url
        ).process_instance_id
        until(lambda: len(receiver.received) == 2)
        assert sorted(receiver.types) == ["ended", "started"]
        for headers, body in receiver.received:
            event = json.loads(body)
            assert headers["content-type"] == "application/cloudevents+json"
            assert (event["specversion"], event["subject"]) == ("1.0", number)
            assert event["id"] == headers["webhook-id"]
            assert event["data"].keys() == {"processInstanceId", "processStatus", "key", "kind"}
            assert b"hidden" not in body
            assert b"outputs" not in body
        until(lambda: {each.status for each in engine.webhooks.notices().items} == {"sent"})


def test_two_secrets_sign_while_one_takes_the_place_of_the_other(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine:
        old, new = engine.webhooks.rotate_secret(owner="ann"), engine.webhooks.rotate_secret(owner="ann")
        engine.start(key="shop", name="x", callback_url=receiver.url, owner="ann")
        until(lambda: len(receiver.received) == 2)
        headers, body = receiver.received[0]
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = []
        for secret in (new, old):
            key = base64.b64decode(secret.removeprefix("whsec_"))
            wanted.append("v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode())
        assert headers["webhook-signature"].split(" ") == wanted
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


def test_without_a_list_nothing_is_sent_and_nobody_can_ask_for_it(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads")) as engine:
        for ask in (
            lambda: engine.start(key="shop", name="x", callback_url=receiver.url),
            lambda: engine.webhooks.subscribe(receiver.url),
        ):
            with pytest.raises(Invalid) as refused:
                ask()
            assert refused.value.code == "webhook-not-allowed"
        assert engine.instances().items == ()


def test_a_subscription_hears_of_its_owners_processes_of_its_model(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine:
        found = engine.webhooks.subscribe(receiver.url, key="asks", owner="ann")
        engine.start(key="asks", name="x", owner="bob")
        engine.start(key="shop", name="x", owner="ann")
        number = engine.start(key="asks", name="x", owner="ann").process_instance_id
        until(lambda: len(receiver.received) == 2)
        assert sorted(receiver.types) == ["person", "started"]
        engine.cancel(number)
        until(lambda: len(receiver.received) == 3)
        assert receiver.types[-1] == "undone"
        with pytest.raises(Unknown):
            engine.webhooks.unsubscribe(found.subscription_id, owner="bob")
        engine.webhooks.unsubscribe(found.subscription_id, owner="ann")
        engine.start(key="asks", name="x", owner="ann")
        time.sleep(0.3)
        assert len(receiver.received) == 3


def test_each_task_of_a_person_is_told_of_by_its_id(sqlite: str) -> None:
    """So that a mail or a chat can lead there."""
    with receiving() as receiver, Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver)) as engine:
        engine.deploy(line("p", '<userTask id="a"/>', '<userTask id="b"/>'))
        number = engine.start(key="p", name="x", callback_url=receiver.url).process_instance_id
        until(lambda: len(receiver.received) == 2)
        first = engine.tasks(number)[0].task_id
        engine.people.complete(first)
        until(lambda: len(receiver.received) == 3)
        told = [json.loads(body) for _, body in receiver.received]
        people = [each["data"]["taskId"] for each in told if each["type"].endswith("person")]
        assert people == [task.task_id for task in engine.tasks(number)]
        assert ["taskId" in each["data"] for each in told if each["type"].endswith("started")] == [False]


def test_a_subscription_made_at_one_engine_is_known_at_once_to_another(url: str) -> None:
    with receiving() as receiver:
        allowed = allowing(receiver)
        with (
            ready(Engine(url, dispatcher="threads", webhooks=allowed)) as one,
            ready(Engine(url, dispatcher="threads", webhooks=allowed)) as other,
        ):
            # The other one has just seen that nobody wants to hear of anything.
            other.wait(other.start(key="shop", name="before").process_instance_id, timeout=30)
            subscription = one.webhooks.subscribe(receiver.url, key="shop")
            number = other.start(key="shop", name="x").process_instance_id
            until(lambda: len(receiver.received) == 2)
            assert {json.loads(body)["subject"] for _, body in receiver.received} == {number}
            one.webhooks.unsubscribe(subscription.subscription_id)
            other.wait(other.start(key="shop", name="after").process_instance_id, timeout=30)
            assert {each.process_instance_id for each in other.webhooks.notices().items} == {number}


def test_an_engine_that_may_tell_nobody_writes_down_what_others_are_to_tell(url: str) -> None:
    with (
        receiving() as receiver,
        ready(Engine(url, dispatcher="threads", webhooks=allowing(receiver))) as one,
        ready(Engine(url, dispatcher="threads")) as other,
    ):
        one.webhooks.subscribe(receiver.url, key="shop")
        number = other.start(key="shop", name="x").process_instance_id
        until(lambda: sorted(receiver.types) == ["ended", "started"])
        assert {json.loads(body)["subject"] for _, body in receiver.received} == {number}


def test_whoever_subscribes_waits_for_the_commits_that_are_under_way(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What such a commit has to tell was looked up before; what is committed after the answer is told."""
    with (
        receiving() as receiver,
        ready(Engine(url, dispatcher="threads", webhooks=allowing(receiver))) as one,
        ready(Engine(url, dispatcher="threads")) as other,
    ):
        written, go_on, answered = threading.Event(), threading.Event(), threading.Event()
        stepping = other._loop.thread

        def hold() -> None:
            if threading.current_thread() is stepping and not written.is_set():
                written.set()
                go_on.wait(30)

        def subscribe() -> None:
            one.webhooks.subscribe(receiver.url, key="asks")
            answered.set()

        monkeypatch.setattr(changes, "on_written", hold)
        before = threading.Thread(target=other.start, kwargs={"key": "asks", "name": "before"})
        before.start()
        assert written.wait(30)
        asking = threading.Thread(target=subscribe)
        asking.start()
        assert not answered.wait(0.5)
        go_on.set()
        assert answered.wait(30)
        number = other.start(key="asks", name="after").process_instance_id
        before.join()
        asking.join()
        until(lambda: len(receiver.received) == 2)
        assert {json.loads(body)["subject"] for _, body in receiver.received} == {number}


def test_a_subscription_ends_with_the_key_that_made_it(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine:
        key, _ = engine.keys.add("ann", scopes=["run"])
        engine.webhooks.subscribe(receiver.url, owner="key:ann", creator="ann")
        engine.start(key="shop", name="x", owner="key:ann")
        until(lambda: len(receiver.received) == 2)
        engine.keys.revoke(key.key_id)
        time.sleep(1.2)
        engine.start(key="shop", name="x", owner="key:ann")
        time.sleep(0.5)
        assert len(receiver.received) == 2
        assert engine.webhooks.subscriptions() == []


def test_what_does_not_arrive_is_sent_again_listed_and_can_be_replayed(sqlite: str) -> None:
    broken = threading.Event()
    broken.set()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(500 if broken.is_set() else 200)
        handler.end_headers()

    with (
        receiving(answer) as receiver,
        ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine,
    ):
        engine.start(key="shop", name="x", callback_url=receiver.url)
        until(lambda: {each.reason for each in engine.webhooks.notices().items} == {"the receiver answered 500"})
        assert {each.status for each in engine.webhooks.notices().items} == {"pending"}
        broken.clear()
        before = len(receiver.received)
        for notice in engine.webhooks.notices().items:
            engine.webhooks.replay(notice.notice_id)
        until(lambda: {each.status for each in engine.webhooks.notices().items} == {"sent"})
        ids = [headers["webhook-id"] for headers, _ in receiver.received]
        assert set(ids[before:]) == set(ids[:before]), "the same notice keeps its id"
        with pytest.raises(Unknown):
            engine.webhooks.replay("nothing")


def test_a_redirect_is_not_followed(sqlite: str) -> None:
    with receiving() as other:

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(307)
            handler.send_header("Location", other.url)
            handler.end_headers()

        with receiving(answer) as receiver:
            listed = allowing(receiver, other)
            with ready(Engine(sqlite, dispatcher="threads", webhooks=listed)) as engine:
                engine.start(key="shop", name="x", callback_url=receiver.url)
                until(lambda: any("307" in (each.reason or "") for each in engine.webhooks.notices().items))
                assert other.received == []


def test_one_that_hangs_holds_no_other_up(sqlite: str) -> None:
    let_go = threading.Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        let_go.wait(20)

    with (
        receiving(hang) as hanging,
        receiving() as honest,
        ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(hanging, honest))) as engine,
    ):
        for _ in range(10):
            engine.start(key="shop", name="x", callback_url=hanging.url)
        until(lambda: len(hanging.received) >= 2)
        engine.start(key="shop", name="x", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        let_go.set()


def test_one_that_hangs_holds_no_other_up_however_much_it_is_to_be_told(url: str) -> None:
    let_go = threading.Event()

    with (
        hanging_until(let_go) as hanging,
        receiving() as honest,
        ready(Engine(url, dispatcher="threads", webhooks=allowing(hanging, honest))) as engine,
    ):
        for _ in range(sender.MOST):
            engine.start(key="asks", name="x", callback_url=hanging.url)
        engine.start(key="shop", name="x", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        let_go.set()


@pytest.mark.parametrize("spelled", ["http://LOCALHOST:{}/", "http://localhost:0{}?", "HTTP://localhost:{}"])
def test_a_host_that_hangs_is_one_host_however_it_is_spelled(sqlite: str, spelled: str) -> None:
    let_go = threading.Event()

    with (
        hanging_until(let_go) as hanging,
        receiving() as honest,
        ready(
            Engine(
                sqlite,
                dispatcher="threads",
                webhooks=(*allowing(honest), f"http://localhost:{hanging.server_port}", "::1/128"),
            )
        ) as engine,
    ):
        for text in ("http://localhost:{}/", spelled):
            for _ in range(sender.PER_HOST):
                engine.start(key="asks", name="x", callback_url=text.format(hanging.server_port))
        engine.start(key="shop", name="x", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        assert len(hanging.received) == sender.PER_HOST
        let_go.set()


def test_no_number_of_spellings_of_a_host_that_hangs_holds_another_owner_up(sqlite: str) -> None:
    let_go = threading.Event()

    with (
        hanging_until(let_go) as hanging,
        receiving() as honest,
        ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(hanging, honest))) as engine,
    ):
        for zeros in range(sender.MOST_PASSED + sender.PER_HOST + 1):
            address = f"http://127.0.0.1:{'0' * zeros}{hanging.server_port}/"
            engine.start(key="asks", name="x", owner="ann", callback_url=address)
        engine.start(key="shop", name="x", owner="bob", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        assert len(hanging.received) == sender.PER_HOST
        let_go.set()


def told_by(receivers: Sequence[Receiver]) -> int:
    return sum(len(each.received) for each in receivers)


def are_told(receivers: Sequence[Receiver], times: int) -> bool:
    return told_by(receivers) >= times


def test_owners_with_many_hosts_that_hang_hold_no_other_up(sqlite: str) -> None:
    let_go = threading.Event()

    with ExitStack() as stack:
        hosts = sender.THREADS // sender.PER_HOST
        hanging = [[stack.enter_context(hanging_until(let_go)) for _ in range(hosts)] for _ in range(3)]
        honest = stack.enter_context(receiving())
        allowed = allowing(*hanging[0], *hanging[1], *hanging[2], honest)
        engine = stack.enter_context(ready(Engine(sqlite, dispatcher="threads", webhooks=allowed)))
        taken = 0
        for number, receivers in enumerate(hanging):
            for receiver in receivers * sender.PER_HOST:
                engine.start(key="asks", name="x", owner=f"owner {number}", callback_url=receiver.url)
            # Each has half of what is left at least.
            share = (sender.THREADS - taken) // 2
            taken += share
            until(partial(are_told, receivers, share))
        engine.start(key="shop", name="x", owner="other", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        assert max(map(told_by, hanging)) <= sender.PER_OWNER
        let_go.set()


def test_owners_who_all_hang_for_the_first_time_hold_no_other_up(sqlite: str) -> None:
    let_go = threading.Event()

    with ExitStack() as stack:
        hosts = sender.THREADS // sender.PER_HOST
        hanging = [[stack.enter_context(hanging_until(let_go)) for _ in range(hosts)] for _ in range(6)]
        honest = stack.enter_context(receiving())
        everyone = [each for receivers in hanging for each in receivers]
        engine = stack.enter_context(ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(*everyone, honest))))
        for number, receivers in enumerate(hanging):
            for receiver in receivers:
                engine.start(key="asks", name="x", owner=f"owner {number}", callback_url=receiver.url)
        until(lambda: told_by(everyone) >= sender.THREADS)
        engine.start(key="shop", name="x", owner="other", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        # None of the calls that hang has ended meanwhile.
        assert {each.reason for each in engine.webhooks.notices(limit=100).items} == {None}
        assert max(map(told_by, hanging)) <= sender.PER_OWNER
        let_go.set()


def test_owners_take_turns_however_much_some_of_them_are_to_be_told(sqlite: str) -> None:
    """There are more of them than threads, and none of their calls lasts long enough to leave its thread."""

    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(sender.LASTING * 0.8)
        handler.send_response(204)
        handler.end_headers()

    with ExitStack() as stack:
        slow = [[stack.enter_context(receiving(slowly)) for _ in range(1)] for _ in range(2 * sender.THREADS)]
        honest = stack.enter_context(receiving())
        everyone = [each for receivers in slow for each in receivers]
        engine = stack.enter_context(ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(*everyone, honest))))
        for _ in range(12):
            for number, receivers in enumerate(slow):
                for receiver in receivers:
                    engine.start(key="asks", name="x", owner=f"owner {number}", callback_url=receiver.url)
        until(lambda: told_by(everyone) >= sender.THREADS)
        before = told_by(everyone)
        engine.start(key="shop", name="x", owner="other", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        # Two rounds of all threads, and what was on its way; there are 400.
        assert told_by(everyone) - before < 5 * sender.THREADS


def test_what_the_database_does_not_let_it_send_takes_nothing_of_what_a_host_may_get(sqlite: str) -> None:
    """Two calls at a time go to one host: none of them was one that never began."""
    with (
        receiving() as receiver,
        Engine(sqlite, webhooks=allowing(receiver)) as one,
        Engine(sqlite, webhooks=allowing(receiver)) as other,
        closing(sqlite3.connect(sqlite.removeprefix("sqlite:///"), isolation_level=None)) as writer,
    ):
        ready(one)
        one.webhooks.subscribe(receiver.url)
        senders = one.webhooks.sender, other.webhooks.sender
        assert senders[0] is not None
        assert senders[1] is not None
        for number in range(2):
            one.start(key="shop", name="it")
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError):
                senders[0].send_due()
            writer.execute("ROLLBACK")
            senders[1].send_due()
            until(lambda number=number: len(receiver.received) == 2 * number + 2)  # type: ignore[misc]
        one.start(key="shop", name="it")
        senders[0].send_due()
        until(lambda: len(receiver.received) == 6)
        senders[0].close()
        senders[1].close()


def test_an_owner_whose_calls_hung_has_one_at_a_time(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SLOW", 0.0)
    let_go = threading.Event()

    with ExitStack() as stack:
        first = stack.enter_context(receiving())
        hanging = [stack.enter_context(hanging_until(let_go)) for _ in range(4)]
        honest = stack.enter_context(receiving())
        allowed = allowing(first, *hanging, honest)
        engine = stack.enter_context(ready(Engine(sqlite, dispatcher="threads", webhooks=allowed)))
        engine.start(key="asks", name="x", owner="slow", callback_url=first.url)
        until(lambda: {each.status for each in engine.webhooks.notices().items} == {"sent"})
        for receiver in hanging:
            engine.start(key="asks", name="x", owner="slow", callback_url=receiver.url)
        until(lambda: told_by(hanging) == 1)
        engine.start(key="shop", name="x", owner="other", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
        assert told_by(hanging) == 1
        let_go.set()


def test_what_one_owner_is_told_is_found_beside_any_number_of_others(sqlite: str) -> None:
    with Engine(sqlite) as engine:
        plan = engine._store.read(
            "EXPLAIN QUERY PLAN SELECT * FROM `notice` WHERE 1 = 1 AND `owner_name` = ?"
            " ORDER BY `created` DESC, `id` DESC LIMIT 51",
            ("ann",),
        )
        assert "notice_owner" in str([tuple(line) for line in plan])


def test_one_that_wants_no_more_is_told_no_more(sqlite: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(410)
        handler.end_headers()

    with (
        receiving(answer) as receiver,
        ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine,
    ):
        engine.webhooks.subscribe(receiver.url)
        engine.start(key="shop", name="x")
        until(lambda: {each.status for each in engine.webhooks.notices().items} == {"failed"})
        assert engine.webhooks.subscriptions() == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "::ffff:169.254.169.254",
        "0.0.0.0",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "fec0::1",
        "100.64.0.1",
    ],
)
def test_no_name_leads_inside(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """A name that is listed, and whose owner lets it lead to the machine's own services or those of its cloud."""
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(kind, socket.SOCK_STREAM, 6, "", (address, 443))])
    allowed = AllowedOrigins(["hooks.example.com"])
    with pytest.raises(Invalid) as refused:
        allowed.addresses(allowed.check("https://hooks.example.com/x"))
    assert refused.value.code == "webhook-inside"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://hooks.example.com/x",
        "https://hooks.example.com:8443/x",
        "https://user@hooks.example.com/x",
        "https://hooks.example.com.evil.example/",
        "https://hooks.example.com\\@evil.example/",
        "ftp://hooks.example.com/x",
        "https://hooks.example.com:99999/",
        "//hooks.example.com/",
        "",
        "https://hooks.example.com/ x",
    ],
)
def test_what_is_not_listed_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        AllowedOrigins(["hooks.example.com"]).check(url)


def test_a_start_that_is_refused_tells_nobody(sqlite: str) -> None:
    with receiving() as receiver, ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(receiver))) as engine:
        with pytest.raises(Unknown):
            engine.start(key="nothing", name="x", callback_url=receiver.url)
        assert engine.webhooks.notices().items == ()


def test_an_answer_of_the_dns_that_changes_leads_nowhere_else(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made to the address that was checked; what the name leads to a moment later is nobody's."""
    with receiving() as honest, Receiver(host="127.0.0.66", port=honest.server_port) as inside:
        thread = threading.Thread(target=inside.serve_forever, args=(0.02,))
        thread.start()
        asked: list[str] = []
        resolve = socket.getaddrinfo

        def lies(host: Any, *given: Any, **more: Any) -> Any:
            if host != "hooks.example.com":
                return resolve(host, *given, **more)
            asked.append(host)
            return resolve("127.0.0.1" if len(asked) == 1 else "127.0.0.66", *given, **more)

        monkeypatch.setattr(socket, "getaddrinfo", lies)
        url = f"http://hooks.example.com:{honest.server_port}/x"
        listed = [f"http://hooks.example.com:{honest.server_port}", "127.0.0.1/32"]
        with ready(Engine(sqlite, dispatcher="threads", webhooks=listed)) as engine:
            engine.start(key="shop", name="x", callback_url=url)
            until(lambda: any("no public address" in (each.reason or "") for each in engine.webhooks.notices().items))
            until(lambda: len(honest.received) == 1)
        assert inside.received == []
        inside.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "said",
    [b"", b"nothing of HTTP\r\n\r\n", b"HTTP/1.1 204 No\r\n" + b"a: b\r\n" * 5000, b"HTTP/1.1 999999999999 x\r\n"],
)
def test_one_that_lies_is_asked_again_and_its_words_are_not_believed(sqlite: str, said: bytes) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(said)
        handler.close_connection = True

    with (
        receiving(answer) as liar,
        receiving() as honest,
        ready(Engine(sqlite, dispatcher="threads", webhooks=allowing(liar, honest))) as engine,
    ):
        engine.start(key="shop", name="x", callback_url=liar.url)
        until(lambda: all(each.reason for each in engine.webhooks.notices().items))
        assert {each.status for each in engine.webhooks.notices().items} == {"pending"}
        engine.start(key="shop", name="x", callback_url=honest.url)
        until(lambda: len(honest.received) == 2)
