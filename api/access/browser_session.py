"""The session of somebody who has signed in: a cookie that counts only for what the console's own pages ask."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Response, request

from ...engine import Engine
from ...engine.operating.sessions import LONGEST
from ...engine.operating.sessions import Session as Known
from ..errors import Refused
from .address import origin_of
from .clients import Client, view_asked
from .loopback import LOOPBACK_HOST
from .openid import SignInSecrets

CSRF_HEADER = "X-Riverstone-CSRF"
"""A header that no page of another site can send here unasked, and no form or link at all."""
SIGNING_IN = 600
"""Seconds for which somebody may be at the provider."""
SKEW = 30
"""Seconds by which the clock of the server that they come back to may be behind that of the one they left."""
_BEGUN = re.compile(r"([0-9]{1,12})\.[A-Za-z0-9_-]{43}")


class BrowserSession:
    """The cookies of one server; ``public_url`` is where its pages are seen, if that is not this machine itself."""

    def __init__(self, engine: Engine, public_url: str | None) -> None:
        self.engine = engine
        self.public_url = public_url
        self.origin = origin_of(public_url) if public_url else None
        self.is_secure = urlsplit(public_url or "").scheme == "https"
        prefix = "__Host-" if self.is_secure else ""
        self._session, self._begun = f"{prefix}riverstone", f"{prefix}riverstone-sign-in"

    # -- who asks

    def client(self) -> Client | None:
        """The client whose session the present request is of; None without one, or where none counts.

        Raises Refused for what a page of another site may have sent.
        """
        text = request.cookies.get(self._session)
        view = view_asked()
        if text is None or not getattr(getattr(view, "operation", view), "takes_session", True):
            return None
        self._refuse_foreign()
        quiet = "wait" in request.args or "If-None-Match" in request.headers
        found = self.engine.sessions.find(text, used=not quiet)
        if found is None:
            raise Refused("The session is over: sign in again.", status=HTTPStatus.UNAUTHORIZED, code="session-over")
        return client_of(found)

    def _refuse_foreign(self) -> None:
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        own = self.origin or f"{request.scheme}://{request.host}"
        same = site == "same-origin" if site is not None else origin == own
        if not same or origin not in (None, own) or not request.headers.get(CSRF_HEADER):
            text = f"A session counts only for pages of this server, which send the header {CSRF_HEADER}."
            raise Refused(text, status=HTTPStatus.FORBIDDEN, code="foreign-page")

    # -- signing in and out

    @property
    def base(self) -> str:
        """Where the server is seen from the browser; raises Refused where that cannot be known."""
        if self.public_url is not None:
            return self.public_url.rstrip("/")
        if not LOOPBACK_HOST.fullmatch(request.host):
            text = "The operator has not set public_url, so people sign in on this machine alone."
            raise Refused(text, status=HTTPStatus.FORBIDDEN, code="public-url-missing")
        return f"{request.scheme}://{request.host}{request.script_root}"

    @property
    def root(self) -> str:
        """The path below which the browser sees the server; a proxy that takes it off tells nothing of it."""
        return request.script_root if self.public_url is None else urlsplit(self.public_url).path.rstrip("/")

    def begin(self, answer: Response) -> SignInSecrets:
        """Let the browser remember by a cookie that it has begun to sign in."""
        text = f"{int(time.time())}.{secrets.token_urlsafe(32)}"
        self._set(answer, self._begun, text, SIGNING_IN)
        return _secrets(text)

    def begun(self, state: str) -> SignInSecrets | None:
        """What the browser has begun, if that is what this state is of, and not too long ago."""
        text = request.cookies.get(self._begun, "")
        form = _BEGUN.fullmatch(text)
        if form is None or not -SKEW <= time.time() - int(form[1]) <= SIGNING_IN:
            return None
        found = _secrets(text)
        return found if hmac.compare_digest(found.state.encode(), state.encode()) else None

    def keep(self, answer: Response, text: str) -> None:
        """Give the browser its session in place of the one that it had: nobody could end that one any more."""
        self.engine.sessions.end(request.cookies.get(self._session, ""))
        self._set(answer, self._session, text, LONGEST // 1000)
        self._set(answer, self._begun, "", 0)

    def end(self, answer: Response) -> None:
        """End the session of the present request, if there is one."""
        self.engine.sessions.end(request.cookies.get(self._session, ""))
        self._set(answer, self._session, "", 0)

    def _set(self, answer: Response, name: str, value: str, seconds: int) -> None:
        answer.set_cookie(name, value, max_age=seconds, path="/", secure=self.is_secure, httponly=True, samesite="Lax")


def client_of(found: Known) -> Client:
    """Whoever has a session, as all clients are known."""
    return Client(
        name=f"user:{found.user}",
        scopes=frozenset(found.scopes),
        owner=found.owner,
        user=found.user,
        groups=found.groups,
    )


def _secrets(text: str) -> SignInSecrets:
    """All that a sign-in needs, made of what its browser alone has: so no engine keeps anything of those under way."""
    state, nonce, verifier = (
        base64.urlsafe_b64encode(hmac.digest(text.encode(), name, hashlib.sha256)).rstrip(b"=").decode()
        for name in (b"state", b"nonce", b"verifier")
    )
    return SignInSecrets(state=state, nonce=nonce, verifier=verifier)
