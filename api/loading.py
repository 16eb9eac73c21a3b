"""Finding the stones that a user names by module."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable

from ..engine import Stone
from ..engine.errors import Invalid


def stones_named(modules: Iterable[str]) -> list[type[Stone]]:
    """The stones of these modules: each one's list ``stones``, else the Stone subclasses that it defines.

    Blank names are passed over. The working directory is searched too, as ``python -m`` does.
    Raises Invalid when a module cannot be imported or holds no stone.
    """
    found: list[type[Stone]] = []
    for name in filter(None, map(str.strip, modules)):
        if os.getcwd() not in sys.path:
            sys.path.insert(0, os.getcwd())
        try:
            module = importlib.import_module(name)
        except Exception as error:
            raise Invalid(f"The stones' module {name!r} cannot be imported: {error}.", code="stones-module") from error
        listed = getattr(module, "stones", None)
        if not isinstance(listed, list | tuple):
            own = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Stone))
            listed = [stone for stone in own if stone.__module__ == name and stone.code]
        if not listed:
            raise Invalid(f"The module {name!r} defines no stone: give it a list named stones.", code="stones-module")
        found.extend(listed)
    return found
