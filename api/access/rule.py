"""Who is let in: only this machine while no rule is set, else whoever has a key or a token that is good for it."""

from __future__ import annotations

import base64
import re
from http import HTTPStatus

from flask import request

from ...engine import Engine
from ...engine.operating.access_keys import SCOPES, is_key, key_id_of
from ..errors import Refused
from .browser_session import BrowserSession
from .clients import KNOWN, Client, refused_call, view_asked
from .introspection import Introspection
from .loopback import refuse_foreign_pages, refuse_strangers
from .openid import Provider
from .refusals import Refusals

BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,8000}=*)", re.IGNORECASE)
LOCAL = Client(name="local", scopes=frozenset(SCOPES), user="local")
BASIC = re.compile(r"basic +([A-Za-z0-9+/]{0,8000}={0,2})", re.IGNORECASE)


class Access:
    """The usual rule, over the keys in the engine's store and an OAuth2 server's introspection."""

    def __init__(
        self,
        engine: Engine,
        introspection: Introspection | None = None,
        provider: Provider | None = None,
        public_url: str | None = None,
    ) -> None:
        """With a ``provider`` people sign in with their browsers, which see the server at ``public_url``."""
        self.engine = engine
        self.introspection = introspection
        self.provider = provider
        self.session = BrowserSession(engine, public_url) if provider is not None else None
        self.refusals = Refusals(engine)
        self._closed = introspection is not None or provider is not None

    def has_rule(self) -> bool:
        """Whether clients must show who they are; once so, it stays so. Raises StoreUnavailable."""
        self._closed = self._closed or self.engine.keys.exist()
        return self._closed

    def __call__(self, scope: str) -> Client:
        """The client of the present request; raises Refused, StoreUnavailable."""
        basic = bool(getattr(view_asked(), "takes_basic", False))
        if basic:
            refuse_foreign_pages()
        if not self.has_rule():
            refuse_strangers(modelers=basic)
            return LOCAL
        client = self._known(basic)
        if scope != KNOWN and not client.may(scope):
            text = f"{client.name} does not have the scope {scope!r} that this needs: use a key or token that has it."
            challenge = f'Bearer realm="riverstone", error="insufficient_scope", scope="{scope}"'
            refused = Refused(text, status=HTTPStatus.FORBIDDEN, code="scope-missing", challenge=challenge)
            if request.method in ("GET", "HEAD", "OPTIONS"):
                raise refused
            with self.engine.audit.recording(refused_call(client)):
                raise refused
        return client

    def _known(self, basic: bool) -> Client:
        unnamed = not ("Authorization" in request.headers or "X-API-Key" in request.headers)
        if self.session is not None and unnamed and not basic and (client := self.session.client()) is not None:
            return client
        credential = credential_given(basic)
        if is_key(credential):
            key = self.engine.keys.find(credential)
            if key is None:
                self.refusals.note("access", "key-invalid", key_id_of(credential))
                raise unknown("The key is not valid, or was revoked: use another one.", code="key-invalid")
            return Client(
                name=f"key:{key.name}",
                scopes=frozenset(key.scopes),
                owner=key.owner,
                topics=key.topics,
                user=key.user,
                groups=key.groups,
            )
        if self.introspection is None:
            self.refusals.note("access", "token-invalid")
            raise unknown("The token is not valid here: use a key of this server.", code="token-invalid")
        token = self.introspection.ask(credential)
        if token is None:
            self.refusals.note("access", "token-invalid")
            raise unknown("The token is not active: get a new one.", code="token-invalid")
        name = f"client:{token.client_id}"
        scopes = token.scopes & frozenset(SCOPES)
        return Client(name=name, scopes=scopes, owner=name, user=token.user, groups=token.groups)


def credential_given(basic: bool = False) -> str:
    """The key or token of the present request; raises Refused where there is none, or not exactly one.

    Where ``basic`` is taken, the password (or the user alone) is the key.
    """
    key, authorization = request.headers.get("X-API-Key"), request.headers.get("Authorization")
    if key is not None and authorization is None and is_key(key):
        return key
    if key is not None or authorization is None:
        if basic:
            text = "Send a key of this server as the password of HTTP Basic with any user name, or as `Authorization:"
            raise unknown(f"{text} Bearer ...`.", code="")
        raise unknown("Send one key or token, as `Authorization: Bearer ...` or a key as `X-API-Key: ...`.", code="")
    if basic and (told := BASIC.fullmatch(authorization)) is not None:
        user, _, password = _decoded(told[1]).partition(":")
        if not (user or password):
            raise unknown("Give a key of this server as the password.", code="")
        return password or user
    found = BEARER.fullmatch(authorization)
    if found is None:
        raise unknown("The Authorization header is not of the form `Bearer TOKEN`.", code="token-invalid")
    return found[1]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except ValueError:
        return ""


def unknown(text: str, *, code: str) -> Refused:
    """The refusal of a client that is not known (RFC 6750, section 3)."""
    challenge = 'Bearer realm="riverstone"' + (', error="invalid_token"' if code else "")
    return Refused(text, status=HTTPStatus.UNAUTHORIZED, code=code or "access-required", challenge=challenge)
