"""The console: pages in which people see, start and steer processes."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from ..http.static_files import create_pages

FILES = Path(__file__).with_name("static")


def create_console(*, name: str = "console") -> Blueprint:
    """The console at ``/console``, to be registered below the same prefix as the calls that it makes."""
    return create_pages("/console", FILES, name=name)
