"""The calls of a client about who is told over HTTP what processes come to."""

from __future__ import annotations

from ...engine.calls.webhooks import Notice, Subscription
from ...engine.views.pages import Page
from . import reading
from .transport import Transport, part


class WebhookClient:
    """As :attr:`Engine.webhooks`; whose processes are told of is whom the server takes this client for."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def subscribe(self, url: str, *, key: str | None = None) -> Subscription:
        """Tell an address what the processes of a model (of all without a ``key``) come to.

        Raises Invalid for an address that the operator of the server has not listed.
        """
        return reading.subscription(self._transport.send("POST", "/subscription", body={"url": url, "key": key}))

    def subscriptions(self) -> list[Subscription]:
        """Who is told of the processes of models."""
        return [reading.subscription(each) for each in self._transport.get("/subscription")]

    def unsubscribe(self, subscription_id: str) -> None:
        """Tell no more; raises UnknownSubscription."""
        self._transport.send("DELETE", f"/subscription/{part(subscription_id)}")

    def notices(self, *, limit: int = 50, cursor: str | None = None) -> Page[Notice]:
        """What was told or is to be, newest first; raises Malformed for a cursor that is none."""
        return reading.notices(self._transport.get("/notice", limit=limit, cursor=cursor))

    def replay(self, notice_id: str) -> None:
        """Tell it again, under the same id; raises UnknownNotice."""
        self._transport.send("PUT", f"/notice/{part(notice_id)}/replay", harmless=True)

    def rotate_secret(self) -> str:
        """A new secret that signs, shown this once; the one before is valid for a day."""
        return str(self._transport.send("POST", "/webhook/secret")["secret"])
