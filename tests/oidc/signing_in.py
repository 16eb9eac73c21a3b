"""Providers of OpenID Connect, an honest one and one that lies, and a browser that goes to them and comes back."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from riverstone.api.access.openid import Provider

from ..api.asking import Client
from ..services import program, skip

HERE = Path(__file__).parent
OURS = "http://127.0.0.1:18080"
"""Where the browser sees the server; nobody listens there, since it is asked in process."""
REDIRECT = f"{OURS}/session/return"
SECRET = "a secret of the client"
PAGE = {"Sec-Fetch-Site": "same-origin", "X-Riverstone-CSRF": "1"}
"""What the console's own pages send."""


@contextmanager
def honest(redirect: str = REDIRECT, *own: str) -> Iterator[str]:
    """The issuer of a provider made with npm's ``oidc-provider``."""
    node = program("node", package="nodejs")
    if not (HERE / "node_modules" / ".package-lock.json").exists():
        skip("The provider of OpenID Connect is not there: npm ci --ignore-scripts in tests/oidc")
    command = [node, "provider.mjs", redirect, *own]
    with subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def asking(issuer: str, **more: Any) -> Provider:
    given: dict[str, Any] = {
        "user_claim": "preferred_username",
        "groups_claim": "groups",
        "scopes_claim": "groups",
        "scopes": {"ops": frozenset({"read", "run"})},
        "client_secret": SECRET,
        **more,
    }
    return Provider(issuer=issuer, client_id="riverstone", **given)


def at_provider(address: str, person: str | None, redirect: str = REDIRECT) -> str:
    """Where a browser comes back to from there, as this person, or as one who has changed their mind."""
    with requests.Session() as browser:
        if person is not None:
            browser.cookies.set("person", person)
        while not address.startswith(redirect):
            answer = browser.get(address, allow_redirects=False, timeout=20)
            assert answer.is_redirect, answer.text
            address = urljoin(address, answer.headers["Location"])
    return address


def sign_in(client: Client, person: str | None) -> Any:
    """The answer to a browser that comes back as this person."""
    begun = client.get("/session/begin", base_url=OURS)
    assert begun.status_code == 302
    return come_back(client, at_provider(begun.headers["Location"], person))


def come_back(client: Client, address: str) -> Any:
    parts = urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}", base_url=OURS)


class Liar(ThreadingHTTPServer):
    """A provider that says what a test wants it to say."""

    daemon_threads = True

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.other = RSAKey.generate_key(2048, {"kid": "one", "alg": "RS256", "use": "sig"})
        self.asked: list[tuple[str, dict[str, list[str]]]] = []
        self.says: dict[str, Callable[[], tuple[int, bytes, dict[str, str]]]] = {}
        """What is answered to a path instead of what is right."""
        self.token: Callable[[dict[str, Any]], str] = self.signed
        """Makes the ID token of the right claims."""
        self.nonce = ""
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.answer(self)

            def do_POST(self) -> None:
                liar.answer(self)

            def log_message(self, *_: Any) -> None:
                """Not on the terminal."""

        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_port}"

    def signed(self, claims: dict[str, Any], key: Any = None, alg: str = "RS256", kid: str | None = "one") -> str:
        header = {"alg": alg} | ({} if kid is None else {"kid": kid})
        return jwt.encode(header, claims, key or self.key, algorithms=[alg])

    def claims(self) -> dict[str, Any]:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": "riverstone", "sub": "ann", "exp": now + 300, "iat": now}
        return {**right, "nonce": self.nonce, "preferred_username": "ann", "groups": ["ops"]}

    def description(self) -> dict[str, Any]:
        ends = ("authorization", "token", "userinfo")
        return {
            "issuer": self.issuer,
            **{f"{end}_endpoint": f"{self.issuer}/{end}" for end in ends},
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        self.asked.append((parts.path, parse_qs(body)))
        if parts.path in self.says:
            status, content, headers = self.says[parts.path]()
        elif parts.path == "/token":
            given = {"access_token": "at", "token_type": "Bearer", "id_token": self.token(self.claims())}
            status, content, headers = 200, json.dumps(given).encode(), {}
        elif parts.path == "/keys":
            public = [self.key.as_dict(private=False), OctKey.import_key("x" * 32, {"kid": "oct"}).as_dict()]
            public.append(ECKey.generate_key("P-256", {"kid": "ec"}).as_dict(private=False))
            status, content, headers = 200, json.dumps({"keys": public}).encode(), {}
        elif parts.path == "/.well-known/openid-configuration":
            status, content, headers = 200, json.dumps(self.description()).encode(), {}
        else:
            status, content, headers = 404, b"{}", {}
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def sign_in(self, client: Client, **parameters: str) -> Any:
        """A browser goes there and comes back at once, with a code or what else it is given."""
        begun = client.get("/session/begin", base_url=OURS)
        query = parse_qs(urlsplit(begun.headers["Location"]).query)
        self.nonce = query["nonce"][0]
        told = {"state": query["state"][0], "code": "c", **parameters}
        return client.get("/session/return", query_string=told, base_url=OURS)


@contextmanager
def lying() -> Iterator[Liar]:
    liar = Liar()
    thread = threading.Thread(target=liar.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield liar
    finally:
        liar.shutdown()
        thread.join()
        liar.server_close()
