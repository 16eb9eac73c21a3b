"""What is kept of a decision that a process has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....models import DecisionMadeRow
from ... import jsontext

if TYPE_CHECKING:
    from ...bpmn.running.host import DeployedDecision
    from ...bpmn.running.token import Token
    from ...dmn.outcome import DecisionOutcome
    from ..instance import Instance

MOST = 16_000
"""Characters that are kept of one result; what is larger is named in its place."""


def row_of(
    instance: Instance, token: Token, outcome: DecisionOutcome, elsewhere: DeployedDecision | None
) -> DecisionMadeRow:
    """The row of a decision that is of the process's own deployment, or of one ``elsewhere``."""
    facilities, node, place = instance.facilities, token.node, token.place
    if elsewhere is None:
        deployment_id = token.process_place(instance.row.deployment_id).partition("/")[0]
        version = facilities.definitions.get(deployment_id).version
    else:
        deployment_id, version = elsewhere.deployment_id, elsewhere.version
    result = jsontext.dumps(outcome.told_within(MOST, instance.limits))
    return DecisionMadeRow(
        id=facilities.store.ids.next(),
        process_instance_id=instance.number,
        node=node.bpmn_id.partition(":")[0],
        decision_id=outcome.element.id,
        decision_name=outcome.element.name[:255],
        deployment_id=deployment_id,
        version=version,
        made=instance.now(),
        size=len(result),
        result=result,
        name=(node.bpmn_name or "")[:255] or None,
        path=jsontext.dumps(place) if place else None,
    )
