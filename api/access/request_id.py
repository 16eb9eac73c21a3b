"""The id by which a request is found again in answers, logs and the audit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request

from ...engine.identifiers import new_uuid

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FORM = re.compile(r"[A-Za-z0-9._:-]{1,64}")
KEPT = "riverstone.request_id"


def request_id(environ: WSGIEnvironment | None = None) -> str:
    """The id of the present request: the client's own in ``X-Request-Id`` if it has a usable form, else a new one."""
    # In the WSGI environment and not in ``g``, which outlives a request where the host keeps its context open.
    environ = request.environ if environ is None else environ
    found: str | None = environ.get(KEPT)
    if found is None:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        found = environ[KEPT] = given if FORM.fullmatch(given) else new_uuid()
    return found
