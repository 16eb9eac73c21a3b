"""Finding the stones that a user names by module."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from ..engine import Stone
from ..engine.stones.modules import stones_in


def stones_named(modules: Iterable[str]) -> list[type[Stone]]:
    """The stones of these modules: each one's list ``stones``, else the Stone subclasses that it defines.

    Blank names are passed over. The working directory is searched too, as ``python -m`` does.
    Raises Invalid when a module cannot be imported or holds no stone.
    """
    found: list[type[Stone]] = []
    for name in filter(None, map(str.strip, modules)):
        look_here_too()
        found.extend(stones_in(name))
    return found


def look_here_too() -> None:
    """Let modules of the working directory be imported."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
