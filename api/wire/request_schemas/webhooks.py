"""What webhooks are asked with."""

from __future__ import annotations

from ..members import Text
from .lists import Part
from .strict import CURSOR, Strict


class NoticeQuery(Part):
    """Which part of what was told."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)


class Subscribed(Strict):
    """Who is told what processes come to."""

    url = Text(
        longest=2000, required=True, pattern="^https?://[!-~]+$", description="One that the operator has listed."
    )
    key = Text(allow_none=True, description="Whose model's processes; all without one.")
