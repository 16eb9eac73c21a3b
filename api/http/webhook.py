"""``/subscription``, ``/notice`` and ``/webhook``: who is told what processes come to, and what they were told."""

from __future__ import annotations

from typing import Any

from ...engine import Engine, Page
from ...engine.calls.webhooks import Notice, Subscription
from ..access.clients import present_client
from ..wire.body import JsonBody
from ..wire.operation import Operations
from ..wire.plain_records import WebhookDone, WebhookSecretRecord
from ..wire.records import NoticePage, SubscriptionRecord
from ..wire.request_schemas.webhooks import NoticeQuery, Subscribed

OPERATIONS = Operations()


@OPERATIONS.add("/subscription", "List who is told what processes come to", SubscriptionRecord, many=True)
def get_subscriptions(engine: Engine) -> list[Subscription]:
    return engine.webhooks.subscriptions(owner=present_client().sees)


@OPERATIONS.add(
    "/subscription", "Tell an address what processes come to", SubscriptionRecord, body=JsonBody(Subscribed)
)
def post_subscriptions(engine: Engine, body: dict[str, Any]) -> Subscription:
    client = present_client()
    # Whoever sees all hears of all; a subscription ends with the key that made it.
    creator = client.name.removeprefix("key:") if client.name.startswith("key:") else None
    return engine.webhooks.subscribe(**body, owner=client.sees, creator=creator)


@OPERATIONS.add("/subscription/<subscription_id>", "Tell an address no more", WebhookDone, problems=(404,))
def delete_subscription(engine: Engine, subscription_id: str) -> dict[str, bool]:
    engine.webhooks.unsubscribe(subscription_id, owner=present_client().sees)
    return {"done": True}


@OPERATIONS.add("/notice", "List what was told or is to be, newest first", NoticePage, query=NoticeQuery)
def get_notices(engine: Engine, query: dict[str, Any]) -> Page[Notice]:
    return engine.webhooks.notices(**query, owner=present_client().sees)


@OPERATIONS.add("/notice/<notice_id>/replay", "Tell it once more", WebhookDone, problems=(404,))
def put_replay(engine: Engine, notice_id: str) -> dict[str, bool]:
    engine.webhooks.replay(notice_id, owner=present_client().sees)
    return {"done": True}


@OPERATIONS.add("/webhook/secret", "Sign with a new secret; the one before is valid for a day", WebhookSecretRecord)
def post_webhook_secret(engine: Engine) -> dict[str, str]:
    return {"secret": engine.webhooks.rotate_secret(owner=present_client().sees)}
