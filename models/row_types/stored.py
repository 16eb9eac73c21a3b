"""What a column can hold."""

from __future__ import annotations

import re
from typing import Any

Stored = tuple[Any, ...] | None
"""What the store is known to hold of a row, so that a commit writes only what differs; None where it is not known."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_id(text: str) -> bool:
    """Whether it may be the id of a model, a draft or a deployment: PostgreSQL looks for nothing that is no UUID."""
    return _ID.fullmatch(text) is not None
