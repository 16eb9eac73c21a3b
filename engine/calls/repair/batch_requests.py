"""What a batch is asked to do, and to which processes: checked before anything begins."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ....models import InstanceFilter
from ....models.vocabulary import BatchAction
from ...errors import Invalid
from ...steps.repair import suspending
from ...steps.repair.batching import ACTS
from ..searches import SearchCalls
from .repairs import RepairCalls

SEARCHED = frozenset(inspect.signature(SearchCalls.search).parameters) - {"self", "limit", "cursor", "sort", "owner"}
FASTEST, SLOWEST = 10_000.0, 0.001


class BatchRequests(RepairCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def _options(self, action: BatchAction, **given: Any) -> dict[str, Any]:
        act = ACTS.get(action)
        if act is None:
            text = f"{str(action)[:50]!r} is nothing that a batch does: use {', '.join(ACTS)}."
            raise Invalid(text, code="batch-action", errors={"action": [text]})
        options = {name: value for name, value in given.items() if value not in (None, False, {})}
        wrong = {name: [f"Is no option of {action}."] for name in options if name not in act.options}
        wrong |= {name: [f"Is needed for {action}."] for name in act.required if not options.get(name)}
        if wrong:
            raise Invalid(f"Some options do not fit {action}: {', '.join(wrong)}.", code="batch-options", errors=wrong)
        for name in ("variables", "parameters"):
            if name in options:
                options[name] = self._checked(options[name], name)
        if "reason" in options:
            suspending.check_reason(options["reason"])
        if "mapping" in act.options:
            # Where there is none of that id, nothing begins.
            version = self._version(options.get("deployment_id"), options.get("mapping"))
            if version is not None:
                options["mapping"] = version[1]
        return options

    def _searched_for(
        self, where: Mapping[str, Any], owner: str | None, *, narrowed: bool = True
    ) -> tuple[InstanceFilter, dict[str, Any]]:
        """The filter, and what it was made of as JSON; undos are told apart from what they undo by default."""
        unknown = sorted(set(where) - SEARCHED)
        if unknown:
            errors = {name: ["Is nothing to search for."] for name in unknown}
            raise Invalid(f"{unknown[0][:50]!r} is nothing to search for.", code="batch-filter", errors=errors)
        given = {name: value for name, value in where.items() if value not in (None, "", (), [], {})}
        if narrowed and not set(given) - {"kind"}:
            text = "This would be every process: say which ones, for example by their state."
            raise Invalid(text, code="batch-unfiltered")
        wanted = self._wanted(owner=owner, **{"kind": "start", **given})
        return wanted, {name: _plain(value) for name, value in given.items()}

    def _found(self, wanted: InstanceFilter) -> list[int]:
        """The ids of the processes, newest first; raises Invalid where there are none, or too many."""
        most = self.limits.batch_processes
        numbers = self._lists.numbers(wanted, most=most + 1)
        if not numbers:
            raise Invalid("No process is found by this, so there is nothing to do.", code="batch-empty")
        if len(numbers) > most:
            text = f"More than {most} processes are found (limit batch_processes): search for fewer."
            raise Invalid(text, code="batch-too-large")
        return numbers


def check_rate(rate: Any) -> None:
    """Raise Invalid for what is no number of processes a second."""
    if rate is None:
        return
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not SLOWEST <= rate <= FASTEST:
        text = f"The rate is not a number of processes a second from {SLOWEST:g} to {FASTEST:g}."
        raise Invalid(text, code="batch-rate", errors={"rate": [text]})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, (tuple, list)) else value
