"""With a key, what processes work with is unreadable in the database, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from riverstone.engine import Conflict, Engine, Invalid, Stone, StoreUnavailable

from . import attacks

fernet = pytest.importorskip("cryptography.fernet")
SECRET = "hunter2-hunter2"
SAY = attacks.around('<serviceTask id="m" camunda:type="external" camunda:topic="echo"/>')
ASK = attacks.around('<userTask id="m"/>').replace(b'"attack"', b'"asking"')


class Echo(Stone):
    """Puts out, logs and complains about all it knows."""

    code = "echo"

    def start(self, task: Any) -> None:
        task.log(SECRET)
        task.add_output("said", SECRET)
        raise RuntimeError(SECRET)


def new_key() -> str:
    return str(fernet.Fernet.generate_key().decode())


def engine(folder: Path, *keys: str) -> Engine:
    return Engine(f"sqlite:///{folder}/river.db", stones=[Echo], encryption_keys=keys)


def stored(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("river.db*"))


def run(engine: Engine) -> tuple[str, str]:
    """A process that has failed, and one that still waits."""
    engine.deploy(SAY)
    engine.deploy(ASK)
    failed = engine.start(key="attack", name="x", variables={"password": SECRET})
    waiting = engine.start(key="asking", name="x", variables={"password": SECRET})
    return failed.process_instance_id, waiting.process_instance_id


def test_with_a_key_nothing_of_a_secret_is_stored(tmp_path: Path) -> None:
    key = new_key()
    with engine(tmp_path, key) as first:
        failed, waiting = run(first)
    assert SECRET.encode() not in stored(tmp_path)

    with engine(tmp_path, key) as second:
        assert SECRET in second.get(failed).process_content
        assert SECRET in (second.get(failed).reason or "")
        (task,) = second.tasks(waiting)
        second.complete(task.task_id, {"more": SECRET})
        assert second.get(waiting).status == "success"
    assert SECRET.encode() not in stored(tmp_path)


def test_without_a_key_it_is_stored_as_it_is(tmp_path: Path) -> None:
    with engine(tmp_path) as plain:
        run(plain)

    assert SECRET.encode() in stored(tmp_path)


@pytest.mark.parametrize("keys", [(), (new_key(),)])
def test_without_the_right_key_it_cannot_be_read(tmp_path: Path, keys: tuple[str, ...]) -> None:
    with engine(tmp_path, new_key()) as first:
        failed, _ = run(first)

    with engine(tmp_path, *keys) as other, pytest.raises(StoreUnavailable, match=r"cannot be read: .* no key fits"):
        other.get(failed)


def test_a_key_is_changed_without_losing_anything(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    with engine(tmp_path) as plain:
        failed, waiting = run(plain)
    with engine(tmp_path, old) as first:
        assert first.get(failed).process_content == '{"password":"hunter2-hunter2"}'
        assert first.encrypt_again() > 0
    with engine(tmp_path, new, old) as both:
        assert both.encrypt_again() > 0
    with engine(tmp_path, new) as last:
        (task,) = last.tasks(waiting)
        last.complete(task.task_id)
        assert SECRET in last.get(waiting).process_content


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="Fernet"):
        engine(tmp_path, "not a key")
    with engine(tmp_path) as plain, pytest.raises(Invalid, match="encryption key"):
        plain.encrypt_again()


def test_a_reason_that_looks_encrypted_is_just_a_text(tmp_path: Path) -> None:
    class Joker(Stone):
        code = "echo"

        def start(self, task: Any) -> None:
            raise RuntimeError("fernet:gAAAA")

    with Engine(f"sqlite:///{tmp_path}/river.db", stones=[Joker]) as joking:
        joking.deploy(SAY)
        failed = joking.start(key="attack", name="x").process_instance_id
        assert "fernet:gAAAA" in (joking.get(failed).reason or "")


def test_the_digest_of_a_repeated_request_tells_nothing_without_the_key(tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    request: dict[str, Any] = {"key": "asking", "name": "x", "variables": {"pin": "1234"}, "idempotency_key": "again"}
    with engine(tmp_path) as clear:
        clear.deploy(ASK)
        first = clear.start(**request)
        plain = clear._store.start_request("again")
    with engine(tmp_path, old) as keyed:
        # What was stored before there was a key is still known.
        assert keyed.start(**request).process_instance_id == first.process_instance_id
        second = keyed.start(**{**request, "idempotency_key": "once more"})
        stored_now = keyed._store.start_request("once more")
    assert plain is not None
    assert stored_now is not None
    assert stored_now[0] != plain[0]
    with engine(tmp_path, new, old) as rotated:
        assert rotated.start(**{**request, "idempotency_key": "once more"}).id == second.id
        with pytest.raises(Conflict, match="another request"):
            rotated.start(**{**request, "idempotency_key": "once more", "variables": {"pin": "1235"}})
