"""Tokens of OAuth 2 for a client by itself (RFC 6749, 4.4), kept in memory until shortly before they expire."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from .. import (
    AllowedOrigins,
    EnvironmentSecrets,
    Fatal,
    Invalid,
    Later,
    NotConnected,
    SecretReference,
    SecretSource,
    SecretUnavailable,
)

EARLIER = 30.0
"""Seconds before its end at which a token is not used any more."""
UNTOLD = 300.0
"""Seconds for which a token is used that does not say how long it lasts."""
PATIENCE = 2.0
"""Seconds longer than that for which others wait for one that asks."""
MOST = 200
LARGEST = 100_000
_TOKEN = re.compile(r"[\x21-\x7e]{1,16000}")
_WORD = re.compile(r"[a-z_]{1,60}")
_REFERENCE = re.compile(r"secret:([^#]+/[^#]+)(?:#(.+))?")


class _Kept(NamedTuple):
    token: str
    end: float


class _Asking:
    """A token that one thread asks for, and others wait for."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.kept: _Kept | None = None
        self.error: Exception = NotConnected("it was not asked to the end")


_kept: OrderedDict[bytes, _Kept] = OrderedDict()
_asking: dict[bytes, _Asking] = {}
_lock = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class ClientCredentials:
    """Where a stone gets its tokens, and as which client.

    Args:
        token_url: The token endpoint; its origin counts as listed.
        client_id: The client, or a parameter as ``{name}``.
        client_secret: A secret parameter as ``{name}``, or ``secret:shared/NAME`` in ``secrets``. Never the secret.
        scope: What is asked for.
        more: What else the endpoint wants to be told, such as an ``audience``.
        in_body: Whether it takes id and secret in the body instead of the header.
        secrets: Where references are looked up.
    """

    token_url: str
    client_id: str
    client_secret: str
    scope: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
    in_body: bool = False
    secrets: SecretSource = field(default_factory=EnvironmentSecrets)

    def __post_init__(self) -> None:
        if self.parameter is None and not _REFERENCE.fullmatch(self.client_secret):
            text = "client_secret is a secret parameter as '{name}', or a reference as 'secret:shared/NAME'"
            raise Invalid(f"{text}: a secret is not written into code.", code="stone-invalid")
        AllowedOrigins([self.origin], setting="token_url")

    @property
    def origin(self) -> str:
        """That of the token endpoint."""
        scheme, mark, rest = self.token_url.partition("://")
        return f"{scheme}{mark}{re.split('[/?#]', rest)[0]}"

    @property
    def parameter(self) -> str | None:
        """The parameter that is the secret."""
        return _parameter(self.client_secret)

    @property
    def client_parameter(self) -> str | None:
        """The parameter that is the client's id."""
        return _parameter(self.client_id)

    def secret(self, value_of: Callable[[str], str]) -> str:
        """The secret of the client; raises Fatal and Later."""
        if self.parameter is not None:
            return value_of(self.parameter)
        found = _REFERENCE.fullmatch(self.client_secret)
        assert found is not None
        try:
            secret = self.secrets.find(SecretReference(tuple(found[1].split("/")), found[2]))
        except SecretUnavailable as error:
            raise Later(10.0, f"{self.client_secret!r} cannot be asked for: {error}") from None
        if secret is None:
            raise Fatal(f"The secret {self.client_secret!r} is nowhere to be found.")
        return secret

    def pair(self, secret: str, value_of: Callable[[str], str]) -> str:
        """Id and secret as HTTP's basic scheme encodes them, of which an answer may quote the outcome."""
        return _pair(self._client(value_of), secret)

    def _client(self, value_of: Callable[[str], str]) -> str:
        name = self.client_parameter
        return self.client_id if name is None else value_of(name)

    def token(
        self,
        allowed: AllowedOrigins,
        secret: str,
        value_of: Callable[[str], str],
        seconds: float,
        *,
        not_this: str = "",
    ) -> str:
        """A token that is good for a while.

        Args:
            allowed: The origins and networks that may be reached.
            secret: That of the client.
            value_of: The values of parameters.
            seconds: For which the endpoint may take, or another who asks it for the same.
            not_this: One that was refused.

        Raises:
            Fatal: The endpoint refuses the client, or may not be called.
            Later: It asks for patience, or another still waits for it.
            NotConnected: It cannot be reached, or answers what is none. So nothing was sent with a token.
        """
        client = self._client(value_of)
        told = [
            self.token_url,
            client,
            secret,
            self.scope,
            *(f"{each}={self.more[each]}" for each in sorted(self.more)),
        ]
        mark = hashlib.sha256(json.dumps(told).encode()).digest()
        with _lock:
            kept = _kept.get(mark)
            if kept is not None and kept.token != not_this and kept.end > time.monotonic():
                return kept.token
            asking = _asking.get(mark)
            if asking is None:
                mine = _asking[mark] = _Asking()
        if asking is not None:
            return _waited_for(mark, asking, seconds)
        try:
            mine.kept = self._asked(allowed, client, secret, seconds)
            _keep(mark, mine.kept)
            return mine.kept.token
        except Exception as error:
            mine.error = error
            raise
        finally:
            _forget(mark, mine)
            mine.over.set()

    def _asked(self, allowed: AllowedOrigins, client: str, secret: str, seconds: float) -> _Kept:
        form = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {}), **self.more}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        if self.in_body:
            form |= {"client_id": client, "client_secret": secret}
        else:
            headers["Authorization"] = f"Basic {base64.b64encode(_pair(client, secret).encode()).decode()}"
        began = time.monotonic()
        body = urlencode(form).encode()
        try:
            answer = allowed.send("POST", self.token_url, headers, body, seconds=seconds, largest=LARGEST)
        except Invalid as error:
            raise Fatal(error.message) from error
        except OSError as error:
            raise NotConnected(f"The token endpoint gives no answer: {error}") from error
        except HTTPException as error:
            # Its text quotes the answer, which may quote the secret.
            raise NotConnected(f"The token endpoint answers what is no HTTP ({type(error).__name__})") from error
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            told = None
        told = told if isinstance(told, dict) else {}
        if answer.status in (429, 503):
            raise Later(10.0, f"The token endpoint answers {answer.status}")
        if answer.status != 200:
            word = told.get("error")
            said = f" {word}" if isinstance(word, str) and _WORD.fullmatch(word) else ""
            text = f"The token endpoint answers {answer.status}{said}"
            if answer.status >= 500:
                raise NotConnected(text)
            raise Fatal(f"{text}: check the client's id, secret and scope.")
        token, lasts = told.get("access_token"), told.get("expires_in")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise NotConnected("The token endpoint answers without an access_token")
        seconds = float(lasts) - EARLIER if isinstance(lasts, (int, float)) and 0 < lasts < 10**9 else UNTOLD
        return _Kept(token, began + seconds)


def _waited_for(mark: bytes, asking: _Asking, seconds: float) -> str:
    """The token that another asks for, or what came of that: asked one by one, each would take as long."""
    # The one that asks for it gives up after as long, and what it then knows says more.
    if not asking.over.wait(seconds + PATIENCE):
        _forget(mark, asking)
        raise Later(5.0, f"The token endpoint has not answered another task within {seconds:g} seconds")
    if asking.kept is not None:
        return asking.kept.token
    error = asking.error
    # Anew, since one error that several threads raise would gather the lines of all.
    if isinstance(error, Later):
        raise Later(error.seconds, error.message) from error
    raise Fatal(str(error)) if isinstance(error, Fatal) else NotConnected(str(error))


def _keep(mark: bytes, kept: _Kept) -> None:
    with _lock:
        _kept[mark] = kept
        _kept.move_to_end(mark)
        while len(_kept) > MOST:
            _kept.popitem(last=False)


def _forget(mark: bytes, asking: _Asking) -> None:
    with _lock:
        if _asking.get(mark) is asking:
            del _asking[mark]


def _pair(client: str, secret: str) -> str:
    return f"{quote_plus(client)}:{quote_plus(secret)}"


def _parameter(text: str) -> str | None:
    name = text[1:-1]
    return name if text.startswith("{") and text.endswith("}") and name.isidentifier() else None
