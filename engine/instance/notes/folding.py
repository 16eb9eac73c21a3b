"""Folding the ledger of a long process: what steps still need of the rows that have ended, written beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models import FoldRow
from ....models.vocabulary import Phase
from ... import jsontext
from ...bpmn.running.weight import weight_of
from ...ledger import secrets
from ...ledger.window import Fold
from ..flags import Flags

if TYPE_CHECKING:
    from ...jsontext import JSON
    from ..instance import Instance

GOES_ON: frozenset[Phase] = frozenset({"queued", "running", "suspended", "paused", "draining"})
"""The phases of a process whose steps look at some of its rows; an undo goes through all of them."""


def note_fold(instance: Instance) -> None:
    """Write a fold with this commit where much has ended since the last, or that does not tell what is so any more."""
    row, tasks, changes = instance.row, instance.tasks, instance.changes
    if tasks.outdated:
        instance.gather_results_anew()
        tasks.unfold()
        row.folded = 0
        changes.rare.gone_folds.append(row.process_instance_id)
    if not tasks.is_long and (not tasks.older or tasks.older.isdisjoint(changes.tasks)):
        return
    if row.phase not in GOES_ON or row.kind != "start":
        return
    if row.process_instance_id not in changes.instances and row.process_instance_id not in changes.new_instances:
        return
    before, here = tasks.fold, tasks.here()
    since = tasks.since_fold()
    fold = Fold(
        last=max(before.last, *[each.id for each in here]),
        also=tuple(sorted(each.id for each in here if each.open)),
        results=instance.results.kept(),
        put_out=instance.put_out_last,
        ended={
            str(token.id): sorted(token.ended)
            for token in instance.workflow.tasks.values()
            if token.ended and token.node.runs_are_tasks
        },
        weight=before.weight + weight_of(since),
        secrets=_secrets(instance),
    )
    text = fold.text()
    tasks.folds(fold, text)
    row.folded = fold.last
    changes.rare.folds.append(FoldRow(row.process_instance_id, text))


def _secrets(instance: Instance) -> list[JSON]:
    """Those that were known, and those of the rows that have ended since, each once."""
    known = instance.tasks.fold.secrets
    if not instance.has(Flags.SECRETS):
        return known
    since = secrets.values_in(instance.tasks.since_fold(), instance.facilities.stones)
    return list({jsontext.dumps(value): value for value in (*known, *since)}.values())


def narrow(instance: Instance) -> None:
    """Let go of what is committed and what no next step needs."""
    if instance.tasks.older and instance.row.phase in GOES_ON:
        instance.tasks.narrow()
