"""Asking an application in process."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient


class Client(FlaskClient):
    """Flask's client for tests, with answers of no fixed type, since their JSON has no fixed shape."""

    def __init__(self, app: Flask) -> None:
        super().__init__(app, app.response_class)

    def get(self, *args: Any, **options: Any) -> Any:
        return super().get(*args, **options)

    def post(self, *args: Any, **options: Any) -> Any:
        return super().post(*args, **options)

    def put(self, *args: Any, **options: Any) -> Any:
        return super().put(*args, **options)

    def delete(self, *args: Any, **options: Any) -> Any:
        return super().delete(*args, **options)
