"""What a turn has to tell: written in its commit, so nothing is told that did not happen, and nothing is missed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Literal, Protocol

from ...models import Changes, InstanceRow, NoticeRow, SubscriptionRow, TaskRow, ToTell
from .. import jsontext
from ..identifiers import new_uuid

NoticeType = Literal["started", "ended", "failed", "paused", "person", "undone", "undo-failed", "kept"]
TYPE = "riverstone.process."
Seen = tuple[str, str, str | None]


class Ledger(Protocol):
    """The rows of one instance."""

    def open_rows(self) -> list[TaskRow]:
        """Those that have not ended."""


KEPT = ("left", "retained")


class ToldInstance(Protocol):
    """An instance in a turn, and what was last told of it."""

    row: InstanceRow
    seen: Seen | None

    @property
    def tasks(self) -> Ledger:
        """Its rows, as far as they are in memory."""


class NoticeWriter:
    """One engine's; ``source`` is where its server is reached from outside, if anywhere."""

    def __init__(self, source: str | None) -> None:
        self._source = source or "riverstone"

    def note(self, instances: Iterable[ToldInstance], changes: Changes, now: int) -> None:
        """Add what is to be told to the transaction, which finds who wants to hear it."""
        kept = {row.process_instance_id for row in changes.tasks.values() if row.undo in KEPT}
        asked: dict[int, list[int]] = {}
        for task in changes.new_tasks.values():
            if task.event == "user" and task.open:
                asked.setdefault(task.process_instance_id, []).append(task.id)
        for instance in instances:
            row = instance.row
            if row.kind != "start" or (instance.seen == seen_of(row) and not (kept or asked)):
                continue
            types = [*_types(row, instance.seen), *(["kept"] if row.process_instance_id in kept else [])]
            people = asked.get(row.process_instance_id, [])
            if "person" in types:
                # Each task is told of by itself; one that was there before, if it is what the process waits for now.
                types.remove("person")
                people = people or [task.id for task in instance.tasks.open_rows() if task.event == "user"][:1]
            about = row.process_instance_id, row.key, row.owner_name
            if types:
                changes.to_tell.append(ToTell(about, types, partial(self._notice, row=row, now=now)))
            for number in people:
                notice = partial(self._notice, row=row, now=now, task_id=str(number))
                changes.to_tell.append(ToTell(about, ["person"], notice))

    def committed(self, instances: Iterable[ToldInstance]) -> None:
        """What these have come to is told."""
        for instance in instances:
            instance.seen = seen_of(instance.row)

    def _notice(
        self, subscription: SubscriptionRow, kind: str, *, row: InstanceRow, now: int, task_id: str | None = None
    ) -> NoticeRow:
        identifier = new_uuid()
        number = str(row.process_instance_id)
        # Ids, status and kind: whoever is told more has to ask for it, with a key.
        body = {
            "specversion": "1.0",
            "id": identifier,
            "source": self._source,
            "type": f"{TYPE}{kind}",
            "subject": number,
            "time": datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds"),
            "datacontenttype": "application/json",
            "data": {
                "processInstanceId": number,
                "processStatus": row.status,
                "key": row.key,
                "kind": row.kind,
                **({} if task_id is None else {"taskId": task_id}),
            },
        }
        return NoticeRow(
            id=identifier,
            subscription_id=subscription.id,
            process_instance_id=row.process_instance_id,
            type=kind,
            url=subscription.url,
            body=jsontext.dumps(body),
            created=now,
            attempts=0,
            due=0,
            owner_name=subscription.owner_name,
        )


def seen_of(row: InstanceRow) -> Seen:
    """What is compared to find what is new of an instance."""
    return row.status, row.phase, row.awaits


def _types(row: InstanceRow, before: Seen | None) -> list[str]:
    found = ["started"] if before is None else []
    _, phase, awaits = before or ("", "", None)
    if row.phase == "ended" and (phase != "ended" or before != seen_of(row)):
        _, dot, end = row.status.partition(".")
        found.append(
            ("undone" if end == "success" else "undo-failed")
            if dot
            else ("ended" if row.status == "success" else "failed")
        )
    elif row.awaits == "attention" and awaits != "attention":
        found.append("paused")
    elif row.awaits == "person" and awaits != "person":
        found.append("person")
    return found
