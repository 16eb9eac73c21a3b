"""The names of HTTP's statuses, the same on every Python."""

from __future__ import annotations

from http import HTTPStatus

# RFC 9110, 15.5: CPython has these names since 3.13, and those of earlier standards before.
_NAMES = {413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}


def phrase(status: int) -> str:
    """The name alone; raises ValueError for a status that no standard knows."""
    return _NAMES.get(status) or HTTPStatus(status).phrase
