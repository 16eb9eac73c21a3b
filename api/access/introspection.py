"""Asking an OAuth2 server whether a token is good (RFC 7662), and believing it only when it says so plainly."""

from __future__ import annotations

import base64
import hashlib
import logging
import math
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

from ...engine import jsontext
from ...engine.errors import Invalid, RiverstoneError, StoreUnavailable
from ...engine.limits import Limits
from ...engine.outgoing.certificates import trusting
from ...engine.person import MOST_GROUPS, is_person
from .address import parts_of
from .loopback import is_local

log = logging.getLogger("riverstone.api")

TIMEOUT = 3.0
"""Seconds for the whole conversation with the server."""
LONGEST_KEPT = 30.0
"""Seconds for which an answer is believed."""
REST = 2.0
"""Seconds for which a server that did not answer in time is not asked again, so that its callers do not queue up."""
MOST_KEPT = 10_000
LARGEST_ANSWER = 64 * 1024
LONGEST_CLIENT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ActiveToken:
    """What the server says of an active token."""

    client_id: str
    scopes: frozenset[str]
    expires: float | None
    """Seconds since 1970."""
    user: str | None = None
    groups: tuple[str, ...] = ()


class IntrospectionFailed(StoreUnavailable):
    """The token server did not answer, or not in a way that can be believed."""

    code = "token-server-unavailable"

    def __init__(self, why: str) -> None:
        super().__init__(f"The token cannot be checked, because its server {why}: try again later.")


@dataclass(frozen=True, kw_only=True)
class Introspection:
    """An introspection endpoint and how it is asked. Raises Invalid for an URL that would carry secrets in clear.

    ``form`` is ``rfc7662`` (parameter ``token``, client id and secret as HTTP Basic) or ``original`` (parameters
    ``access_token``, ``client_id`` and ``client_secret``); both in the body of a POST, never in the URL. A token's
    scopes count where they begin with ``scope_prefix``, which is taken off. With an ``audience``, only tokens for it.
    Who has a token is told by the members ``user_claim`` (of RFC 7662: ``username`` or ``sub``) and ``groups_claim`` of
    the answer; without these settings, by none.
    """

    url: str
    client_id: str
    client_secret: str = field(repr=False)
    form: Literal["rfc7662", "original"] = "rfc7662"
    scope_prefix: str = ""
    audience: str | None = None
    user_claim: str | None = None
    groups_claim: str | None = None
    timeout: float = TIMEOUT
    _kept: OrderedDict[bytes, tuple[float, ActiveToken | None]] = field(default_factory=OrderedDict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _silent: list[float] = field(default_factory=lambda: [0.0], repr=False)

    def __post_init__(self) -> None:
        parts = parts_of(self.url)
        if parts is None or parts.scheme not in ("http", "https") or parts.username or parts.query:
            raise _wrong(f"The introspection URL {self.url[:200]!r} is not https://HOST/PATH without a query.")
        if parts.scheme == "http" and not is_local(parts.hostname or ""):
            raise _wrong(f"The introspection URL {self.url[:200]!r} would send secrets in clear: use https.")
        if self.form not in ("rfc7662", "original"):
            raise _wrong(f"{self.form!r} is no form of introspection: use rfc7662 or original.")
        if not self.client_id:
            raise _wrong("Introspection needs a client id of this server at the token server.")

    def ask(self, token: str) -> ActiveToken | None:
        """What the token stands for, or None if it is not active; raises IntrospectionFailed."""
        digest = hashlib.sha256(token.encode()).digest()
        now = time.monotonic()
        with self._lock:
            kept = self._kept.get(digest)
        if kept is not None and now < kept[0]:
            return self._unexpired(kept[1])
        if now < self._silent[0]:
            raise IntrospectionFailed("did not answer just now")
        found = self._read(*self._converse(token))
        until = now + LONGEST_KEPT
        with self._lock:
            self._kept[digest] = (until, found)
            self._kept.move_to_end(digest)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return self._unexpired(found)

    @staticmethod
    def _unexpired(token: ActiveToken | None) -> ActiveToken | None:
        return None if token is None or (token.expires is not None and token.expires <= time.time()) else token

    # -- the conversation

    def _converse(self, token: str) -> tuple[int, bytes]:
        """Status and body; no longer than the timeout, however slowly the server drips."""
        line = _Line()
        connection = self._connection()
        connection._create_connection = line.open  # type: ignore[attr-defined]
        answer: Future[tuple[int, bytes]] = Future()

        def run() -> None:
            try:
                answer.set_result(self._request(connection, token))
            except BaseException as error:
                answer.set_exception(error)
            finally:
                line.close()

        # A thread, because neither looking up a name nor reading many small pieces ends by a socket's timeout.
        threading.Thread(target=run, daemon=True, name="riverstone-introspection").start()
        try:
            return answer.result(self.timeout)
        except TimeoutError:
            self._silent[0] = time.monotonic() + REST
            line.hang_up()
            raise self._failed("did not answer in time") from None
        except (OSError, HTTPException, ValueError) as error:
            raise self._failed("cannot be reached", error) from error

    def _connection(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            return HTTPSConnection(parts.hostname, parts.port, timeout=self.timeout, context=trusting())
        return HTTPConnection(parts.hostname, parts.port, timeout=self.timeout)

    def _request(self, connection: HTTPConnection, token: str) -> tuple[int, bytes]:
        values = {"token": token, "token_type_hint": "access_token"}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        if self.form == "original":
            values = {"access_token": token, "client_id": self.client_id, "client_secret": self.client_secret}
        else:
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        try:
            connection.request("POST", urlsplit(self.url).path or "/", urlencode(values), headers)
            # A connection forgets an answer that ends with it: its socket would stay open where reading fails.
            with connection.getresponse() as answer:
                return answer.status, answer.read(LARGEST_ANSWER + 1)
        finally:
            connection.close()

    # -- the answer

    def _read(self, status: int, body: bytes) -> ActiveToken | None:
        try:
            # Strictly: of a member that comes twice, nobody knows which one counts.
            answer = jsontext.loads(body, limits=Limits(body_size=LARGEST_ANSWER), name="answer")
        except RiverstoneError:
            answer = None
        if not isinstance(answer, dict):
            raise self._failed(f"answers {status} without a JSON object")
        if self.form == "original" and answer.get("error") == "invalid_token":
            return None
        active = answer.get("active")
        if status != 200 or not isinstance(active, bool):
            raise self._failed(f"answers {status} without saying whether the token is active")
        return self._active(answer) if active else None

    def _active(self, answer: Mapping[str, Any]) -> ActiveToken | None:
        client, scope, expires = answer.get("client_id"), answer.get("scope", ""), answer.get("exp")
        names = scope.split() if isinstance(scope, str) else scope
        if not isinstance(client, str) or not 0 < len(client) <= LONGEST_CLIENT or not client.isprintable():
            raise self._failed("does not say whose the active token is")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise self._failed("answers a scope that is no text")
        begins = answer.get("nbf")
        for time_given in (expires, begins):
            if time_given is not None and not _is_time(time_given):
                raise self._failed("answers a time that is no number")
        audience = answer.get("aud")
        if self.audience is not None and self.audience not in (audience if isinstance(audience, list) else [audience]):
            return None
        if begins is not None and begins > time.time():
            return None
        prefix = self.scope_prefix
        scopes = frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))
        user, groups = self._person(answer)
        return ActiveToken(client_id=client, scopes=scopes, expires=expires, user=user, groups=groups)

    def _person(self, answer: Mapping[str, Any]) -> tuple[str | None, tuple[str, ...]]:
        user = answer.get(self.user_claim) if self.user_claim else None
        groups = answer.get(self.groups_claim, []) if self.groups_claim else []
        named = [*([] if user is None else [user]), *(groups if isinstance(groups, list) else [None])]
        if not all(isinstance(name, str) and is_person(name) for name in named) or len(named) > MOST_GROUPS:
            raise self._failed("does not say by usable texts who has the token")
        return user, tuple(sorted(set(groups)))

    def _failed(self, why: str, error: BaseException | None = None) -> IntrospectionFailed:
        log.warning("The token server %s%s.", why, f": {error}" if error is not None else "")
        return IntrospectionFailed(why)


def _wrong(text: str) -> Invalid:
    return Invalid(text, code="introspection-invalid")


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(min(value, 1e12))


class _Line:
    """The connection to a token server from below, so that it can be ended in any moment: also within its handshake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_over = False

    def open(self, *given: Any, **more: Any) -> socket.socket:
        """As socket.create_connection."""
        opened = socket.create_connection(*given, **more)
        with self._lock:
            if self._is_over:
                opened.close()
                raise TimeoutError("nobody waits for it any more")
            # What TLS and the reading of an answer make of it hide or replace the other.
            self._socket = opened.dup()
        return opened

    def hang_up(self) -> None:
        """End the conversation, wherever it is."""
        with self._lock:
            self._is_over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Forget it once it has ended."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None
