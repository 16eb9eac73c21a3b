"""The rows of those who are told what processes come to, and of what they are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SubscriptionRow:
    """Somebody who is told over HTTP what processes come to."""

    id: str
    url: str
    created: int
    key: str | None = None
    """Whose model's processes; None stands for all, or for one process."""
    process_instance_id: int | None = None
    owner_name: str | None = None
    """Whose processes; None hears of those of all."""
    creator: str | None = None
    """The name of the access key with which it ends."""


@dataclass(slots=True)
class NoticeRow:
    """One thing that somebody is to be told."""

    id: str
    subscription_id: str
    process_instance_id: int
    type: str
    url: str
    body: str
    created: int
    attempts: int
    due: int | None
    """When it is sent next, by the database's clock; None once it was, or is given up."""
    sent: int | None = None
    owner_name: str | None = None
    reason: str | None = None


@dataclass(slots=True)
class WebhookSecretRow:
    """A secret by which what an owner is told is signed."""

    id: str
    owner_name: str
    """Empty for what is nobody's alone."""
    value: str
    made: int
    until: int | None = None
    """When it is over; None for the one that is valid now."""
