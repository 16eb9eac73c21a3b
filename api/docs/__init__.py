"""A page on which the HTTP calls can be read about and tried, by Swagger UI."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint

from ..pages import create_pages

FILES = Path(__file__).with_name("static")


def create_docs(*, name: str = "docs") -> Blueprint:
    """The page at ``/docs``, to be registered below the same prefix as the calls that it tries."""
    return create_pages("/docs", FILES, name=name)
