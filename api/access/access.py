"""Who is let in: only this machine while no rule is set, else whoever has a key or a token that is good for it."""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, Flask, Request, Response, current_app, request

from ...engine import Engine
from ...engine.observing import logs
from ...engine.operating.access_keys import SCOPES, is_key
from ...engine.operating.audit import AuditedCall
from ..errors import Refused
from ..wire.request_id import request_id
from .introspection import Introspection

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("riverstone.api")

LOOPBACK_HOST = re.compile(
    r"(localhost|127(\.(25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)
FORWARDED = re.compile(
    r".*forwarded.*|via|.*(real|client|connecting|user)-?ip|x-original-(host|url|uri)|x-rewrite-url|x-envoy-.*", re.I
)
BEARER = re.compile(r"bearer +([A-Za-z0-9._~+/-]{1,8000}=*)", re.IGNORECASE)
CLIENT = "riverstone.client"
TOLD = "riverstone.told"
OPEN = "open"
"""The scope of what answers everybody, since it tells nothing: whether the server is alive and ready."""
ADD_A_RULE = "add one with `riverstone key add`, or configure token introspection"


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """Whoever a request comes from, and what it may do.

    ``name`` is written into the audit. It starts process instances for ``owner`` and sees only that owner's; without
    an owner, or with the scope ``admin``, it sees all.
    """

    name: str
    scopes: frozenset[str] = field(default_factory=frozenset)
    owner: str | None = None

    def may(self, scope: str) -> bool:
        """Whether it has this scope, or ``admin``, which includes all."""
        return scope in self.scopes or "admin" in self.scopes

    @property
    def sees(self) -> str | None:
        """The only owner whose process instances it sees; None sees all."""
        return None if "admin" in self.scopes else self.owner


LOCAL = Client(name="local", scopes=frozenset(SCOPES))
Admit = Callable[[str], Client]
"""Called inside a request with the scope that it needs; returns the client, or raises or aborts."""


class Access:
    """The usual rule, over the keys in the engine's store and an OAuth2 server's introspection."""

    def __init__(self, engine: Engine, introspection: Introspection | None = None) -> None:
        self.engine = engine
        self.introspection = introspection
        self._closed = introspection is not None

    def has_rule(self) -> bool:
        """Whether clients must show who they are; once so, it stays so. Raises StoreUnavailable."""
        self._closed = self._closed or self.engine.keys.exist()
        return self._closed

    def __call__(self, scope: str) -> Client:
        """The client of the present request; raises Refused, StoreUnavailable."""
        if not self.has_rule():
            refuse_strangers()
            return LOCAL
        client = self._known()
        if not client.may(scope):
            text = f"{client.name} does not have the scope {scope!r} that this needs: use a key or token that has it."
            challenge = f'Bearer realm="riverstone", error="insufficient_scope", scope="{scope}"'
            refused = Refused(text, status=HTTPStatus.FORBIDDEN, code="scope-missing", challenge=challenge)
            if request.method in ("GET", "HEAD", "OPTIONS"):
                raise refused
            with self.engine.audit.recording(refused_call(client)):
                raise refused
        return client

    def _known(self) -> Client:
        credential = credential_given()
        if is_key(credential):
            key = self.engine.keys.find(credential)
            if key is None:
                raise unknown("The key is not valid, or was revoked: use another one.", code="key-invalid")
            return Client(name=f"key:{key.name}", scopes=frozenset(key.scopes), owner=key.owner)
        if self.introspection is None:
            raise unknown("The token is not valid here: use a key of this server.", code="token-invalid")
        token = self.introspection.ask(credential)
        if token is None:
            raise unknown("The token is not active: get a new one.", code="token-invalid")
        name = f"client:{token.client_id}"
        return Client(name=name, scopes=token.scopes & frozenset(SCOPES), owner=name)


def credential_given() -> str:
    """The key or token of the present request; raises Refused where there is none, or not exactly one."""
    key, authorization = request.headers.get("X-API-Key"), request.headers.get("Authorization")
    if key is not None and authorization is None and is_key(key):
        return key
    if key is not None or authorization is None:
        raise unknown("Send one key or token, as `Authorization: Bearer ...` or a key as `X-API-Key: ...`.", code="")
    found = BEARER.fullmatch(authorization)
    if found is None:
        raise unknown("The Authorization header is not of the form `Bearer TOKEN`.", code="token-invalid")
    return found[1]


def unknown(text: str, *, code: str) -> Refused:
    """The refusal of a client that is not known (RFC 6750, section 3)."""
    challenge = 'Bearer realm="riverstone"' + (', error="invalid_token"' if code else "")
    return Refused(text, status=HTTPStatus.UNAUTHORIZED, code=code or "access-required", challenge=challenge)


def refuse_strangers() -> None:
    """Raise Refused unless the request comes from this machine itself, and not on behalf of some other or of a page."""
    environ = request.environ
    if not is_loopback(environ.get("REMOTE_ADDR")):
        raise _stranger(f"No access rule is set, so only this machine itself is answered: {ADD_A_RULE}.")
    if tells_of_forwarding(tuple(environ)):
        raise _stranger(f"The request was forwarded, and no access rule is set: {ADD_A_RULE}.")
    host = environ.get("HTTP_HOST", "")
    if not LOOPBACK_HOST.fullmatch(host):
        text = f"The Host header names {host[:100]!r}, not this machine, and no access rule is set"
        raise _stranger(f"{text}: use http://127.0.0.1, or {ADD_A_RULE}.")
    origin = environ.get("HTTP_ORIGIN")
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    foreign = origin is not None and origin != f"{request.scheme}://{host}"
    # A browser lets any page send simple requests here; without a rule nothing but these headers tells them apart.
    if foreign or (site not in ("none", "same-origin") and environ["REQUEST_METHOD"] not in ("GET", "HEAD")):
        raise _stranger(f"The request was sent by a page of another site, and no access rule is set: {ADD_A_RULE}.")


@lru_cache(maxsize=256)
def tells_of_forwarding(names: tuple[str, ...]) -> bool:
    """Whether one of these names, of the members of a WSGI environment, is that of a header that a proxy adds.

    Kept, since the requests of a client have the same names again and again.
    """
    headers = (name[len("HTTP_") :].replace("_", "-") for name in names if name.startswith("HTTP_"))
    return any(FORWARDED.fullmatch(header) for header in headers)


def _stranger(text: str) -> Refused:
    return Refused(text, status=HTTPStatus.FORBIDDEN, code="loopback-only")


@lru_cache(maxsize=256)
def is_loopback(address: str | None) -> bool:
    """Whether an IP address can only be of this machine."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


class Gate:
    """Lets the requests of one app or blueprint in, and gives their answers an id and protective headers."""

    def __init__(self, admit: Admit) -> None:
        self.admit = admit

    def guard(self, where: Blueprint | Flask) -> None:
        """Stand before everything in this blueprint or app."""
        where.before_request(self.enter)
        where.after_request(self.leave)

    def enter(self) -> None:
        """Let the request in with the scope that its operation needs; raises what ``admit`` raises."""
        environ = request.environ
        if CLIENT in environ:
            return
        scope = scope_needed()
        if scope != OPEN:
            environ[CLIENT] = self.admit(scope)

    def leave(self, response: Response) -> Response:
        """Add what every answer carries."""
        environ, headers = request.environ, response.headers
        own = request_id(environ)
        present = {name.lower(): value for name, value in headers}
        if "x-request-id" in present:
            if present["x-request-id"] == own:
                # The app has an own gate around that of its blueprint.
                return response
            headers.remove("X-Request-Id")
        html = present.get("content-type", "").partition(";")[0].strip().lower() == "text/html"
        more = [header for header in (PAGE_HEADERS if html else HEADERS) if header[0].lower() not in present]
        headers[len(headers) :] = [*more, ("X-Request-Id", own)]
        if log.isEnabledFor(logging.DEBUG) and TOLD not in environ:
            environ[TOLD] = True
            client = environ.get(CLIENT)
            about = logs.about(request_id=own, client=client and client.name)
            log.debug("%s %r: %d", request.method, request.path, response.status_code, extra=about)
        return response


HEADERS = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' "
    "data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PAGE_HEADERS = tuple(
    {**dict(HEADERS), "Content-Security-Policy": PAGE_POLICY, "Cross-Origin-Opener-Policy": "same-origin"}.items()
)


View = TypeVar("View", bound=Callable[..., Any])


def answers_everybody(view: View) -> View:
    """Mark a view function that tells nothing of any process, so that no key is needed for it."""
    vars(view)["scope"] = OPEN
    return view


def scope_needed() -> str:
    """The scope of the operation or view that the present request asks for; ``read`` where neither has one."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    view: Any = current_app.view_functions.get(asked.endpoint or "")
    operation = getattr(view, "operation", None) if asked.method != "OPTIONS" else None
    scope: str = getattr(operation or view, "scope", "read")
    return scope


def call_of(client: Client, environ: WSGIEnvironment, action: str, target: str | None) -> AuditedCall:
    """A client's request as the audit has it."""
    return AuditedCall(
        client=client.name,
        address=environ.get("REMOTE_ADDR") or "",
        action=action,
        request_id=request_id(environ),
        target=target,
    )


def refused_call(client: Client) -> AuditedCall:
    """The present request as the audit has it, by the names that its route has: it does not come to its operation."""
    view: Any = current_app.view_functions.get(request.endpoint or "")
    action = getattr(getattr(view, "operation", None), "name", request.method.lower())
    return call_of(client, request.environ, action, next(iter((request.view_args or {}).values()), None))


def present_client() -> Client:
    """Whom the present request comes from."""
    client: Client = request.environ[CLIENT]
    return client
