"""The places at which the tests kill engines."""

from __future__ import annotations

from riverstone.engine.failpoints import PLACES

from .blocks import table


def places() -> str:
    """All of them, in the order in which an engine comes to them."""
    return table(("place", "what has happened by then"), ((f"`{name}`", told) for name, told in PLACES.items()))
