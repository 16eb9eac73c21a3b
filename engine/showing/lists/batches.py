"""Batches as they are shown: of the values given to them only the names."""

from __future__ import annotations

from typing import Any

from ....models import BatchItemRow, BatchRow
from ... import jsontext
from ...clock import moment
from ...mask import MASKED
from ...views.batches import Batch, BatchItem


def show_batch(row: BatchRow) -> Batch:
    return Batch(
        batch_id=row.id,
        action=row.action,
        options={name: _hidden(name, value) for name, value in jsontext.read(row.options).items()},
        where=jsontext.read(row.searched),
        state=row.state,
        total=row.total,
        done=row.done,
        refused=row.refused,
        rate=row.rate,
        created=moment(row.created),
        ended=moment(row.ended),
        client=row.client or None,
        owner=row.owner_name,
    )


def _hidden(name: str, value: Any) -> Any:
    """An option as it is shown: any of the values may be a secret of one of the processes."""
    return dict.fromkeys(value, MASKED) if name in ("variables", "parameters") else value


def show_batch_item(row: BatchItemRow) -> BatchItem:
    return BatchItem(
        process_instance_id=str(row.process_instance_id),
        result=row.result,
        code=row.code,
        reason=row.reason,
        ended=moment(row.ended),
    )
