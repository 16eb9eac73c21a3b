"""What a server's thread waits for: it wakes up for what somebody takes, and for nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from waitress import wasyncore
from waitress.trigger import trigger

from riverstone.api.polling import Poller, serving


class Line(wasyncore.dispatcher):
    """A connection that takes what comes while it has no requests, and has something to send while it is told to."""

    is_heard = False

    def __init__(self, poller: Poller, end: socket.socket) -> None:
        super().__init__(end, map=poller.channels)
        self.requests: list[bytes] = []
        self.waits_to_send = False
        self.turns = 0
        poller.note(self)

    def readable(self) -> bool:
        return not (self.requests or self.waits_to_send)

    def writable(self) -> bool:
        return self.waits_to_send

    def handle_read(self) -> None:
        self.turns += 1
        self.requests.append(self.recv(100))

    def handle_write(self) -> None:
        self.turns += 1
        self.waits_to_send = False


@pytest.fixture
def poller() -> Iterator[Poller]:
    channels: dict[int, Any] = {}
    poller = Poller(channels)
    poller.pull = trigger(channels).pull_trigger  # type: ignore[arg-type]
    yield poller
    wasyncore.close_all(channels)
    poller.close()


@pytest.fixture
def line(poller: Poller) -> Iterator[tuple[Line, socket.socket]]:
    here, there = socket.socketpair()
    with there:
        yield Line(poller, here), there


def from_a_thread(poller: Poller, line: Line) -> None:
    """The thread that serves the line says that it is done."""

    def wake() -> None:
        serving.channel = line
        poller.wake()

    thread = threading.Thread(target=wake)
    thread.start()
    thread.join()


def test_what_comes_is_taken_and_what_nobody_takes_yet_is_not_waited_for(
    poller: Poller, line: tuple[Line, socket.socket]
) -> None:
    taken, there = line
    there.send(b"first")
    poller.look(5, every=60)
    assert taken.requests == [b"first"]
    there.send(b"second")
    poller.look(5, every=60)
    assert taken.requests == [b"first"]
    assert not taken.is_heard
    taken.requests.clear()
    # Whoever has answered the first says so, since the second would be left.
    from_a_thread(poller, taken)
    poller.look(5, every=60)
    poller.look(5, every=60)
    assert taken.requests == [b"second"]


def test_whoever_is_still_listened_to_wakes_nobody(poller: Poller, line: tuple[Line, socket.socket]) -> None:
    taken, there = line
    there.send(b"first")
    poller.look(5, every=60)
    taken.requests.clear()
    pulled: list[None] = []
    poller.pull = lambda: pulled.append(None)
    from_a_thread(poller, taken)
    assert pulled == []
    taken.waits_to_send = True
    from_a_thread(poller, taken)
    from_a_thread(poller, taken)
    assert pulled == [None], "it is woken once for all that happens until it looks"
    poller.look(5, every=60)
    assert not taken.waits_to_send


def test_what_has_come_before_an_answer_is_sent_is_taken_after_it(
    poller: Poller, line: tuple[Line, socket.socket]
) -> None:
    taken, there = line
    there.send(b"first")
    poller.look(5, every=60)
    there.send(b"second")
    poller.look(5, every=60)
    taken.requests.clear()
    taken.waits_to_send = True
    from_a_thread(poller, taken)
    while taken.waits_to_send:
        poller.look(5, every=60)
    poller.look(5, every=60)
    assert taken.requests == [b"second"]


def test_an_answer_that_is_just_being_sent_takes_no_turns(poller: Poller, line: tuple[Line, socket.socket]) -> None:
    taken, there = line
    there.send(b"first")
    poller.look(5, every=60)
    taken.waits_to_send = True
    there.send(b"second")
    poller.look(5, every=60)
    for _ in range(3):
        poller.look(0, every=0)
    assert taken.turns == 1


def test_a_new_connection_with_the_number_of_an_old_one_is_listened_to(
    poller: Poller, line: tuple[Line, socket.socket]
) -> None:
    taken, _ = line
    poller.look(0, every=60)
    taken.close()
    here, there = socket.socketpair()
    with there:
        fresh = Line(poller, here)
        there.send(b"first")
        poller.look(5, every=60)
        assert fresh.requests == [b"first"]
