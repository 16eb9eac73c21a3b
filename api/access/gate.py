"""What stands before every request and behind every answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, request

from ...engine.callback_tokens import hidden
from ...engine.observing import logs
from ..parking import ADMIT
from .clients import CLIENT, OPEN, TOKEN, Client, scope_needed
from .request_id import request_id

log = logging.getLogger("riverstone.api")

TOLD = "riverstone.told"
Admit = Callable[[str], Client]
"""Called inside a request with the scope that it needs; returns the client, or raises or aborts."""


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
        if scope not in (OPEN, TOKEN):
            environ[CLIENT] = self.admit(scope)
            environ[ADMIT] = partial(self.admit, scope)

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
            log.debug("%s %r: %d", request.method, hidden(request.path), response.status_code, extra=about)
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
