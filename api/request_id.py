"""The id by which a request is found again in answers, logs and the audit."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import request

FORM = re.compile(r"[A-Za-z0-9._:-]{1,64}")
KEPT = "riverstone.request_id"


def request_id() -> str:
    """The id of the present request: the client's own in ``X-Request-Id`` if it has a usable form, else a new one."""
    # In the WSGI environment and not in ``g``, which outlives a request where the host keeps its context open.
    found: str | None = request.environ.get(KEPT)
    if found is None:
        given = request.headers.get("X-Request-Id", "")
        found = request.environ[KEPT] = given if FORM.fullmatch(given) else str(uuid4())
    return found
