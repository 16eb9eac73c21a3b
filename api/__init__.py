"""The ways in from outside: an HTTP facade on Flask and the command line.

The names are imported when they are first used, so that the command line starts without Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .access.clients import Client
    from .app import create_app, create_blueprint
    from .console import create_console
    from .docs import create_docs

__all__ = ["Client", "create_app", "create_blueprint", "create_console", "create_docs"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import app, console, docs
    from .access import clients

    homes = {"Client": clients, "create_console": console, "create_docs": docs}
    return getattr(homes.get(name, app), name)
