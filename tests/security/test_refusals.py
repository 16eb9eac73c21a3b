"""Who was not let in stands in the audit, and a flood of them does not fill it."""

from __future__ import annotations

from riverstone.api import create_app
from riverstone.api.access.refusals import HOUR, MOST
from riverstone.engine import Engine, VirtualClock

from ..api.asking import Client


def test_a_flood_of_keys_that_are_not_valid_is_counted(sqlite: str) -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine(sqlite, clock=clock) as engine:
        revoked, text = engine.keys.add("old", scopes=["read"])
        engine.keys.revoke("old")
        client = Client(create_app(engine))
        shown = [text, "rsk_made-up", "a.token", f"rsk_0123456789ab_{'s' * 43}"]
        for each in shown:
            assert client.get("/process", headers={"Authorization": f"Bearer {each}"}).status_code == 401
        assert client.get("/process").status_code == 401
        told = [
            (each.client, each.action, each.target, each.outcome, each.address) for each in engine.audit.entries().items
        ]
        assert told[::-1] == [
            ("unknown", "access", revoked.key_id, "key-invalid", "127.0.0.1"),
            ("unknown", "access", None, "key-invalid", "127.0.0.1"),
            ("unknown", "access", None, "token-invalid", "127.0.0.1"),
            ("unknown", "access", "0123456789ab", "key-invalid", "127.0.0.1"),
        ]
        assert text not in repr(engine.audit.entries())

        for _ in range(MOST):
            client.get("/process", headers={"X-API-Key": text})
        assert len(engine.audit.entries(limit=500).items) == MOST
        clock.advance(HOUR / 1000)
        client.get("/process", headers={"X-API-Key": text})
        last, before, *rest = engine.audit.entries(limit=500).items
        assert (last.outcome, before.outcome, before.target) == ("key-invalid", "left-out", f"{len(shown)} more")
        assert len(rest) == MOST


def test_a_clock_that_is_put_back_stops_no_writing(sqlite: str) -> None:
    clock = VirtualClock(1_800_000_000_000)
    with Engine(sqlite, clock=clock) as engine:
        engine.keys.add("some", scopes=["read"])
        client = Client(create_app(engine))
        for _ in range(MOST + 1):
            client.get("/process", headers={"X-API-Key": "rsk_x"})
        clock.advance(-24 * 3600)
        client.get("/process", headers={"X-API-Key": "rsk_x"})
        assert len(engine.audit.entries(limit=500).items) == MOST + 2
