"""Subscriptions over HTTP: who may hear of what, and what is listed of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner

from riverstone.api import create_app
from riverstone.api.cli import main
from riverstone.api.client import Client as HttpClient
from riverstone.api.server import Server
from riverstone.engine import Engine, Invalid
from riverstone.engine.calls.webhooks import UnknownNotice, UnknownSubscription

from .. import processes
from ..asking import Client


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_key_subscribes_hears_of_its_own_and_lists_what_it_was_told(
    sqlite: str, receiver: ThreadingHTTPServer
) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    with Engine(sqlite, dispatcher="threads", webhooks=[url.removesuffix("/hook"), "127.0.0.0/8"]) as engine:
        engine.deploy(processes.asking())
        client = Client(create_app(engine))
        keys = {name: engine.keys.add(name, scopes=["read", "run"])[1] for name in ("ann", "bob")}
        ann, bob = ({"X-API-Key": keys[name]} for name in ("ann", "bob"))
        refused = client.post("/subscription", json={"url": "https://evil.example/"}, headers=ann)
        assert (refused.status_code, refused.json["code"]) == (422, "webhook-not-allowed")
        made = client.post("/subscription", json={"url": url, "key": "asking"}, headers=ann).json
        assert client.get("/subscription", headers=bob).json == []
        assert client.get("/subscription", headers=ann).json == [made]
        body = {"key": "asking", "processName": "x", "variables": {}}
        for headers in (ann, bob):
            assert client.post("/process", json=body, headers=headers).status_code == 200
        told = client.post("/process", json={**body, "callbackUrl": url}, headers=bob).json["processInstanceId"]
        deadline = time.monotonic() + 60
        while {each["status"] for each in client.get("/notice", headers=ann).json["items"]} != {"sent"}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(client.get("/notice", headers=ann).json["items"]) == 2
        found = client.get("/notice?limit=1", headers=bob).json
        assert found["items"][0]["processInstanceId"] == told
        assert client.get(f"/notice?cursor={found['cursor']}", headers=bob).json["items"] != []
        notice = found["items"][0]["noticeId"]
        assert client.put(f"/notice/{notice}/replay", headers=ann).status_code == 404
        assert client.put(f"/notice/{notice}/replay", headers=bob).status_code == 200
        assert client.post("/webhook/secret", headers=ann).json["secret"].startswith("whsec_")
        path = f"/subscription/{made['subscriptionId']}"
        assert client.delete(path, headers=bob).status_code == 404
        assert client.delete(path, headers=ann).status_code == 200
        assert client.get("/subscription", headers=ann).json == []


def test_the_client_in_python_and_the_command_line_subscribe_and_list(
    sqlite: str, receiver: ThreadingHTTPServer
) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    with Engine(sqlite, dispatcher="threads", webhooks=[url.removesuffix("/hook"), "127.0.0.0/8"]) as engine:
        server = Server(create_app(engine), "127.0.0.1", 0)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            subscribes(engine, server.url, url)
        finally:
            server.stop()
            thread.join()


def subscribes(engine: Engine, address: str, url: str) -> None:
    def run(*arguments: str) -> str:
        return CliRunner().invoke(main, ["--url", address, "webhook", *arguments]).output

    with HttpClient(address) as client:
        engine.deploy(processes.asking())
        with pytest.raises(Invalid, match="has not listed"):
            client.webhooks.subscribe("https://evil.example/")
        made = client.webhooks.subscribe(url, key="asking")
        assert client.webhooks.subscriptions() == [made]
        assert [each.subscription_id for each in engine.webhooks.subscriptions()] == [made.subscription_id]
        client.start(key="asking", name="x")
        deadline = time.monotonic() + 60
        while {each.status for each in client.webhooks.notices().items} != {"sent"}:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        told = client.webhooks.notices(limit=1).items[0]
        client.webhooks.replay(told.notice_id)
        with pytest.raises(UnknownNotice, match="nothing"):
            client.webhooks.replay("nothing")
        assert client.webhooks.rotate_secret().startswith("whsec_")
        assert made.subscription_id in run("list")
        assert "by the key" in run("secret", "--owner", "ann")
        client.webhooks.unsubscribe(made.subscription_id)
        with pytest.raises(UnknownSubscription):
            client.webhooks.unsubscribe(made.subscription_id)
