"""``/callback``: webhooks that tell what came of a task which was deferred."""

from __future__ import annotations

from typing import Any

from flask import Request, request

from ...engine import Engine
from ...engine.limits import Limits
from ..access.clients import TOKEN
from ..wire.body import body_of
from ..wire.operation import Operations
from ..wire.plain_records import TokenAnswer

OPERATIONS = Operations()


class WebhookBody:
    """A body of any kind, with the headers that may sign it."""

    required = False

    def read(self, limits: Limits) -> dict[str, Any]:
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]
        return {"body": body_of(asked, limits.body_size), "headers": dict(asked.headers.items())}

    def content(self) -> dict[str, Any]:
        return {"*/*": {"schema": {}}}


@OPERATIONS.add(
    "/callback/<token>",
    "Take a webhook as the completion of a task",
    TokenAnswer,
    body=WebhookBody(),
    scope=TOKEN,
    problems=(404,),
)
def post_callbacks(engine: Engine, token: str, body: dict[str, Any]) -> dict[str, bool]:
    return {"taken": engine.callback(token, body["body"], headers=body["headers"])}
