"""New UUIDs are random ones, and nobody gets what another has."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from riverstone.engine.identifiers import new_uuid


def test_a_new_uuid_is_a_random_one_in_its_usual_form() -> None:
    made = [new_uuid() for _ in range(200)]

    assert {UUID(text).version for text in made} == {4}
    assert [str(UUID(text)) for text in made] == made


def test_no_two_threads_get_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_uuid(), range(20_000)))

    assert len(set(made)) == len(made)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system makes no copies of processes")
def test_a_forked_process_gets_others_than_its_parent() -> None:
    new_uuid()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_uuid().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 100).decode()
    os.close(reading)
    os.close(writing)

    assert UUID(theirs).version == 4
    assert theirs not in [new_uuid() for _ in range(200)]
