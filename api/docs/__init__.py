"""A page on which the HTTP calls can be read about and tried.

It is Swagger UI 5.35.0 (Apache-2.0), its files unchanged: they run under a policy without inline code, ``eval`` and
foreign hosts. The few lines of our own ask for a key where one is needed, and keep it in the page's memory.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from ..http.static_files import create_pages

FILES = Path(__file__).with_name("static")


def create_docs(*, name: str = "docs") -> Blueprint:
    """The page at ``/docs``, to be registered below the same prefix as the calls that it tries."""
    return create_pages("/docs", FILES, name=name)
