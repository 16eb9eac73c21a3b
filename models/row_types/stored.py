"""What a column can hold."""

from __future__ import annotations

from typing import Any

Stored = tuple[Any, ...] | None
"""What the store is known to hold of a row, so that a commit writes only what differs; None where it is not known."""
