"""Secrets of HashiCorp Vault, or OpenBao, over HTTP: version 2 of its key/value engine.

``secret:acme/db#password`` is the field ``password`` of ``acme/db`` at the mount. Without a field it is the field
``value``, or the only one that there is.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, urlsplit

from ..errors import Invalid
from ..outgoing.certificates import trusting
from .references import SecretReference
from .source import SecretUnavailable

TIMEOUT = 10.0
"""Seconds for a whole conversation."""
LARGEST_ANSWER = 1024 * 1024
KEPT = 5.0
"""Seconds for which an answer is used again."""
MOST_KEPT, LARGEST_KEPT = 200, 64 * 1024
"""Answers, and bytes of one, that are kept in memory for that."""
LOCAL = ("127.0.0.1", "::1", "localhost")
VALUE = "value"
_Answer: TypeAlias = tuple[int, bytes]


class VaultSecrets:
    """Those of one Vault server, asked by the hook that begins.

    ``address`` is ``https://HOST[:PORT]``; plain ``http`` only for this machine. ``token`` is the token itself or the
    path of the file in which an agent keeps it fresh. ``ca`` is a file of certificates to trust in place of the
    system's. It follows no redirect and uses no proxy, so the token goes to this server alone. Where many hooks begin
    together one of them asks, and its answer serves those of the next ``kept`` seconds, from memory alone; 0 asks anew
    for each. Raises Invalid.
    """

    def __init__(
        self,
        address: str,
        token: str | Path,
        *,
        mount: str = "secret",
        namespace: str | None = None,
        ca: str | None = None,
        timeout: float = TIMEOUT,
        kept: float = KEPT,
    ) -> None:
        text = f"The address of Vault {address[:200]!r} is not https://HOST[:PORT], or http:// for this machine."
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:
            raise Invalid(text, code="settings-invalid") from None
        plain = parts.scheme == "http" and parts.hostname in LOCAL
        odd = parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/")
        if not parts.hostname or odd or not (plain or parts.scheme == "https"):
            raise Invalid(text, code="settings-invalid")
        if not mount.strip("/") or not token:
            raise Invalid("Vault needs a mount and a token, or the file of one.", code="settings-invalid")
        self._host, self._port, self._plain = parts.hostname, port, plain
        self._token, self._mount, self._namespace, self._timeout = token, mount.strip("/"), namespace, timeout
        self._kept = kept
        self._lock = threading.Lock()
        self._answers: OrderedDict[tuple[str, str], tuple[float, Future[_Answer]]] = OrderedDict()
        """By token and path, so that one with another token asks itself."""
        self._tls = None if plain else trusting(ca)

    def __repr__(self) -> str:
        return f"<VaultSecrets {self._host}>"

    def find(self, reference: SecretReference) -> str | None:
        path = quote("/".join((self._mount, "data", *reference.parts)), safe="/")
        status, body = self._answer(f"/v1/{path}")
        if status == 404:
            return None
        if status in (400, 401, 403):
            raise Invalid(f"Vault does not let this process read {str(reference)!r} ({status}).", code="secret-refused")
        if status != 200:
            # A redirect too: it would carry the token elsewhere.
            raise SecretUnavailable(f"Vault answers {status}")
        try:
            return _value(body, reference)
        except SecretUnavailable:
            with self._lock:
                self._answers.clear()
            raise

    def _answer(self, path: str) -> _Answer:
        """What Vault answers, or has answered just now."""
        token = self._read_token()
        if self._kept <= 0:
            return self._get(path, token)
        now, mine = time.monotonic(), Future[_Answer]()
        with self._lock:
            while self._answers and (len(self._answers) > MOST_KEPT or next(iter(self._answers.values()))[0] <= now):
                self._answers.popitem(last=False)
            found = self._answers.setdefault((token, path), (now + self._kept, mine))[1]
        if found is not mine:
            return found.result()
        keeps = False
        try:
            answer = self._get(path, token)
            keeps = answer[0] == 200 and len(answer[1]) <= LARGEST_KEPT
            mine.set_result(answer)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            if not keeps:
                with self._lock:
                    self._answers.pop((token, path), None)
        return answer

    def _read_token(self) -> str:
        token = self._token
        if isinstance(token, os.PathLike):
            try:
                return Path(token).read_text(encoding="utf-8").strip()
            except (OSError, ValueError) as error:
                raise SecretUnavailable(f"the token's file cannot be read ({type(error).__name__})") from None
        return token

    def _get(self, path: str, token: str) -> _Answer:
        if self._tls is None:
            connection = HTTPConnection(self._host, self._port, timeout=self._timeout)
        else:
            connection = HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
        headers = {"X-Vault-Token": token, "X-Vault-Request": "true", "Accept": "application/json"}
        if self._namespace is not None:
            headers["X-Vault-Namespace"] = self._namespace
        watch = threading.Timer(self._timeout, _abort(connection))
        watch.daemon = True
        watch.start()
        try:
            connection.request("GET", path, headers=headers)
            with connection.getresponse() as answer:
                body = answer.read(LARGEST_ANSWER + 1)
                status = answer.status
        except (OSError, HTTPException, ValueError) as error:
            raise SecretUnavailable(f"Vault cannot be reached ({type(error).__name__})") from None
        finally:
            watch.cancel()
            connection.close()
        if len(body) > LARGEST_ANSWER:
            raise SecretUnavailable("Vault's answer is too long")
        return status, body


def _abort(connection: HTTPConnection) -> Callable[[], None]:
    """What ends a conversation that drips, from another thread."""

    def abort() -> None:
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(2)

    return abort


def _value(body: bytes, reference: SecretReference) -> str | None:
    try:
        data = json.loads(body)["data"]["data"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SecretUnavailable("Vault's answer is none of its key/value engine, version 2") from None
    if not isinstance(data, dict):
        return None
    field = reference.field
    if field is None:
        field = VALUE if VALUE in data or len(data) != 1 else next(iter(data))
    found = data.get(field)
    return found if isinstance(found, str) else None
