"""The engine's calls about decisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...models.catalogue import WantedVersion
from ..authoring.deployed_decisions import decide, find_decision
from ..store_errors import engine_errors
from ..views.decisions import Decision, DecisionResult
from ..views.pages import Page, refuse_limit
from .workings import Workings


class DecisionCalls(Workings):
    """A part of :class:`~riverstone.engine.Engine`."""

    def decide(
        self,
        decision_id: str,
        variables: Mapping[str, Any] | None = None,
        *,
        version: int | None = None,
        version_tag: str | None = None,
        deployment_id: str | None = None,
    ) -> DecisionResult:
        """Evaluate a decision of DMN with these variables, in the caller's thread; nothing is started or stored.

        It is that of the newest deployment that holds one with this id, or of another ``version`` of that, of the last
        one with a ``version_tag``, or of the ``deployment_id``. Dates, times and durations come and go as ISO 8601
        texts. Raises UnknownDecision, UnknownDeployment, Invalid for variables that are no JSON, and ExpressionError
        for a decision that has errors or takes more than a limit allows.
        """
        with engine_errors():
            row, decision = find_decision(
                self._store,
                self._deployments.definitions,
                decision_id,
                version=WantedVersion(version, version_tag),
                deployment_id=deployment_id,
            )
        return decide(row, decision, variables or {}, self.limits, self.clock.now)

    def decisions(self, *, limit: int = 50, cursor: str | None = None) -> Page[Decision]:
        """The decisions that can be evaluated, by id, each in its newest version; ``cursor`` is the last id before."""
        refuse_limit(limit)
        wanted = min(limit, 1000)
        with engine_errors():
            rows = self._store.catalogue.decisions(limit=wanted + 1, after=cursor)
        # Where two models hold an id, the one that was deployed last comes first.
        newest = {row[0]: row for row in reversed(rows[:wanted])}
        found = [
            Decision(decision_id=decision_id, name=name, key=key, deployment_id=deployment, version=version)
            for decision_id, name, key, deployment, version in sorted(newest.values())
        ]
        return Page(items=tuple(found), cursor=rows[wanted - 1][0] if len(rows) > wanted else None)
