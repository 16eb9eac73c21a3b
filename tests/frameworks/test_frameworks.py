"""An engine inside a real FastAPI and a real Django application: many requests wait, and hold no thread."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
WAITRESS = ["-m", "waitress", "--listen", "127.0.0.1:0", "--threads", "8"]
SERVERS = {
    "fastapi": ["-m", "uvicorn", "--port", "0", "tests.frameworks.fastapi_service:app"],
    "django": ["-m", "uvicorn", "--port", "0", "--lifespan", "off", "tests.frameworks.django_service:asgi"],
    "django wsgi": [*WAITRESS, "tests.frameworks.django_service:wsgi"],
}
RUNNING = re.compile(r"(?:running on|Serving on) http://127\.0\.0\.1:(\d+)")


class Service:
    """A server process, asked over plain HTTP."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> tuple[int, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        start, _, content = answer.partition(b"\r\n\r\n")
        return int(start.split()[1]), json.loads(content)


@pytest.fixture(params=SERVERS)
def service(request: pytest.FixtureRequest, sqlite: str) -> Iterator[Service]:
    command = [sys.executable, "-u", *SERVERS[request.param]]
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "ORDERS_DB": sqlite}, stderr=subprocess.STDOUT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    said: list[str] = []
    port = 0
    for raw in process.stdout:
        said.append(raw.decode())
        if found := RUNNING.search(said[-1]):
            port = int(found[1])
            break
    assert port, "".join(said)
    yield Service(port)
    process.terminate()
    rest, _ = process.communicate(timeout=60)
    assert b"Traceback" not in rest, rest.decode()


def test_orders_are_started_awaited_and_taken_back(service: Service) -> None:
    async def story() -> None:
        status, ordered = await service.ask("POST", "/orders/order")
        assert (status, ordered["status"]) == (200, "success")
        assert ordered["outputs"]["b"] == {"reservation": f"r-{ordered['id']}"}
        status, deleted = await service.ask("DELETE", f"/orders/{ordered['id']}")
        assert (status, deleted["status"]) == (200, "delete.success")

    asyncio.run(story())


def test_two_hundred_are_started_and_awaited_at_once(service: Service) -> None:
    async def story() -> None:
        assert (await service.ask("GET", "/inside"))[0] == 200
        answers = [asyncio.create_task(service.ask("POST", "/orders/order")) for _ in range(200)]
        found = await asyncio.gather(*answers)
        assert {(status, answer["status"]) for status, answer in found} == {(200, "success")}
        assert len({answer["id"] for _, answer in found}) == 200
        _, inside = await service.ask("GET", "/inside")
        # The pools of the server, of the engine and of its asynchronous face; none by request.
        assert inside["threads"] < 60

    asyncio.run(story())


def test_a_webhook_completes_what_somebody_waits_for(service: Service) -> None:
    async def story() -> None:
        _, ordered = await service.ask("POST", "/orders/paid?wait=0")
        waiting = asyncio.create_task(service.ask("GET", f"/orders/{ordered['id']}"))
        token = None
        while token is None:
            _, inside = await service.ask("GET", "/inside")
            token = inside["tokens"].get(ordered["id"])
        assert not waiting.done()
        assert (await service.ask("POST", f"/hooks/{token}x", b"{}"))[0] == 404
        assert await service.ask("POST", f"/hooks/{token}", b'{"paid": true}') == (200, {"taken": True})
        status, shown = await waiting
        assert (status, shown["status"], shown["outputs"]) == (200, "success", {"a": {"callback": {"paid": True}}})
        assert await service.ask("POST", f"/hooks/{token}", b'{"paid": true}') == (200, {"taken": False})
        assert (await service.ask("GET", "/orders/4711"))[0] == 404

    asyncio.run(story())
