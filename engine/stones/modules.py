"""Finding stones by the names of modules."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ..errors import Invalid
from .stone import Stone


def stones_in(name: str) -> list[type[Stone]]:
    """The stones of a module: its list ``stones``, else the Stone subclasses that it defines.

    Raises Invalid when it cannot be imported or holds no stone.
    """
    try:
        module = importlib.import_module(name)
    except Exception as error:
        text = f"The stones' module {name!r} cannot be imported: {error}. Is it in this folder or in PYTHONPATH?"
        if name.endswith(".py"):
            module_name = name.removesuffix(".py").replace("/", ".").strip(".")
            text = f"{name!r} is a file, and a module is wanted: say {module_name!r} in the folder where it is found."
        raise Invalid(text, code="stones-module") from error
    listed = getattr(module, "stones", None)
    if not isinstance(listed, list | tuple):
        own = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, Stone))
        listed = [stone for stone in own if stone.__module__ == name and stone.code]
    if not listed:
        raise Invalid(f"The module {name!r} defines no stone: give it a list named stones.", code="stones-module")
    return list(listed)


def stone_classes(path: str) -> list[type[Stone]]:
    """The stones that ``module`` or ``module:Class`` names; raises Invalid."""
    if ":" not in path:
        return stones_in(path)
    found = _named(path)
    if not (isinstance(found, type) and issubclass(found, Stone)):
        raise Invalid(f"{path!r} is no subclass of Stone.", code="stones-module")
    return [found]


def function_named(path: str) -> Callable[[], Any]:
    """The function that ``module:function`` names; raises Invalid."""
    found = _named(path)
    if not callable(found):
        raise Invalid(f"{path!r} is no function.", code="stones-module")
    return found


def _named(path: str) -> object:
    module, _, name = path.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        raise Invalid(f"{path!r} cannot be found: {error}. Write module:Name.", code="stones-module") from error
    return found
