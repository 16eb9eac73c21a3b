"""What the services of these tests run: an order that awaits twice, and one that a webhook completes."""

from __future__ import annotations

import asyncio
from typing import Any

from riverstone.engine import Deferral, Stone, TaskInfo

from ..features.sketch import line, service

GIVEN: dict[str, str] = {}
"""Tokens of deferred tasks, by process."""


class Reserve(Stone):
    """Reserves something, as slowly as another service would."""

    code = "reserve"

    async def start(self, task: TaskInfo) -> dict[str, Any]:
        await asyncio.sleep(0.2)
        return {"reservation": f"r-{task.process_instance_id}"}

    async def delete(self, task: TaskInfo) -> None:
        await asyncio.sleep(0)

    rollback = cancel = delete


class Pay(Stone):
    """A payment that its provider confirms by a webhook."""

    code = "pay"

    async def start(self, task: TaskInfo) -> Deferral:
        later = task.defer(timeout=60)
        GIVEN[task.process_instance_id] = later.token
        return later


MODELS = (
    line("order", service("a", "reserve"), service("b", "reserve")),
    line("paid", service("a", "pay")),
)
