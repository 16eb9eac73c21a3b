"""Answers in JSON, and those that only say that nothing has changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

encoded = json.JSONEncoder(ensure_ascii=False).encode


class WholeResponse(Response):
    """A response that is all there, so that it is sent as it is."""

    awaited = False
    """Whether somebody wants to know when it is sent."""

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        self.awaited = True
        return super().call_on_close(func)

    def get_wsgi_response(self, environ: WSGIEnvironment) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        body: Any = self.response
        if self.status_code != 200 or type(body) is not list or self.awaited or environ["REQUEST_METHOD"] == "HEAD":
            return super().get_wsgi_response(environ)
        return body, self.status, list(self.headers)


def json_response(content: Any) -> Response:
    """A 200 answer in JSON, with its members' order and its Chinese as they are."""
    return WholeResponse(encoded(content).encode("utf-8", "replace"), content_type="application/json")


def unless_known(response: Response) -> Response:
    """The answer with an ETag, or 304 if that is what the client says that it has (RFC 9110, 13.1.2)."""
    response.add_etag()
    response.make_conditional(request)
    return response
