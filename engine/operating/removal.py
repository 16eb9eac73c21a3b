"""Taking a model or one version out of use, unless a process instance still needs it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...models.catalogue import NEWEST
from ...models.operating.removal import Removal, Successor
from ..authoring.deployments import Deployments
from ..authoring.model_views import Deployment, Model, deployment_view, model_view
from ..bpmn.elements.subprocesses import CallActivity
from ..errors import Conflict
from ..ledger.ledger import DONE_WITH

if TYPE_CHECKING:
    from ..bpmn.elements.decisions import DecisionTask

MOST_NAMED = 10


def remove_deployment(deployments: Deployments, deployment_id: str, owner: str | None = None) -> Deployment:
    """Take one version out of use: nothing is started from it any more, and its key means the newest that is left.

    What processes of it have done is shown as before until they are purged. A refusal names processes of ``owner``
    alone, where there is one. Raises UnknownDeployment, Conflict while
    processes run in it, may still call it, or have something left to undo.
    """
    row = deployments.row_in_use(deployment_id)
    if row.version == 0:
        raise Conflict(
            f"Deployment {deployment_id} is what one process or trial run runs and goes when that is purged.",
            code="deployment-in-use",
        )
    removal = Removal(deployments.store)
    versions = {deployment_id: row.key}

    def refuse() -> None:
        needed = removal.needing("deployment_id", deployment_id, tuple(DONE_WITH))
        needed += _called(deployments, removal, versions)
        what = f"Deployment {deployment_id} (version {row.version} of {row.key!r})"
        _refuse(what, "deployment-in-use", needed, partial(_named, removal, owner))

    _remove(deployments, removal, versions, None, refuse)
    return deployment_view(row)


def remove_model(deployments: Deployments, model_id: str, owner: str | None = None) -> Model:
    """Take a model with all its versions out of use. A refusal names processes of ``owner`` alone, where there is one.

    Raises UnknownModel, Conflict while it is protected or as for a deployment.
    """
    model = deployments.model_row(model_id)
    removal = Removal(deployments.store)
    versions = dict(removal.versions_of(model_id))

    def refuse() -> None:
        if deployments.model_row(model_id).protected:
            raise Conflict(f"Model {model_id} is protected: lift the protection first.", code="protected")
        needed = removal.needing("model_id", model_id, tuple(DONE_WITH)) + _called(deployments, removal, versions)
        _refuse(f"Model {model_id} ({model.key!r})", "model-in-use", needed, partial(_named, removal, owner))

    _remove(deployments, removal, versions, model_id, refuse)
    return model_view(model)


def _named(removal: Removal, owner: str | None, numbers: Sequence[int]) -> Sequence[int]:
    return numbers[:MOST_NAMED] if owner is None else removal.of_owner(numbers, owner, MOST_NAMED)


def _refuse(what: str, code: str, needed: Iterable[int], choose: Callable[[Sequence[int]], Sequence[int]]) -> None:
    numbers = sorted(set(needed))
    if not numbers:
        return
    named = choose(numbers)
    more = f" and {len(numbers) - len(named)} more" if len(numbers) > len(named) else ""
    listed = f"{', '.join(map(str, named))}{more}" if named else "of other owners"
    count = "1 process needs" if len(numbers) == 1 else f"{len(numbers)} processes need"
    raise Conflict(
        f"{what} cannot be removed: {count} it to go on or to be undone ({listed}); cancel or delete them first.",
        code=code,
        related=str(named[0]) if named else None,
    )


def _remove(
    deployments: Deployments,
    removal: Removal,
    versions: dict[str, str],
    model_id: str | None,
    refuse: Callable[[], None],
) -> None:
    # Twice: the first time reads the models that may call these, so that the second takes no time.
    refuse()
    ids = list(versions)
    successors: list[Successor] = []
    for key in sorted(set(versions.values())):
        newest = removal.others_of(key, ids)
        triggers = deployments.triggers_of(newest) if newest is not None else []
        successors.append(Successor(key, newest, triggers))
    removal.remove(ids, successors, deployments.clock.now(), model_id=model_id, refuse=refuse)


# -- what calls it


def _called(deployments: Deployments, removal: Removal, versions: dict[str, str]) -> list[int]:
    """The running instances that are in a call of one of these, or that may come to a call that only these answer."""
    needed = [number for number, called in removal.calls() if called.partition("/")[0] in versions]
    last = {key for key in versions.values() if removal.others_of(key, list(versions)) is None}
    gone = {each for key in last for each in deployments.store.catalogue.decisions_of(key)}
    for deployment_id, numbers in removal.active().items():
        if _may_need(deployments, deployment_id, versions, last, gone):
            needed += numbers
    return needed


def _may_need(
    deployments: Deployments, deployment_id: str, removed: Collection[str], keys: set[str], decisions: set[str]
) -> bool:
    """Whether a version, or what it calls, needs one of these, or one that an expression tells only then.

    ``keys`` are those of which nothing would be left, ``decisions`` what those hold.
    """
    from ..bpmn.elements.decisions import DecisionTask  # late, like all that knows decisions

    seen = {deployment_id}
    pending = [deployments.definitions.get(deployment_id).process]
    while pending:
        for node in pending.pop().walk():
            if isinstance(node, DecisionTask) and (node.may_make(decisions) or _is_bound(deployments, node, removed)):
                return True
            if not isinstance(node, CallActivity):
                continue
            if node.own_process is not None:
                if node.own_process.name not in seen:
                    seen.add(node.own_process.name)
                    pending.append(node.own_process)
                continue
            if node.called_expression is not None or node.called in keys:
                return True
            called = deployments.store.catalogue.deployment_id(node.called, node.version)
            if node.version != NEWEST and called in removed:
                return True
            if called is not None and called not in seen:
                seen.add(called)
                pending.append(deployments.definitions.get(called).process)
    return False


def _is_bound(deployments: Deployments, node: DecisionTask, removed: Collection[str]) -> bool:
    """Whether a task is bound to a version of a decision that one of these deployments holds."""
    call = node.call
    if call.version == NEWEST or node.named is not None or node.is_deployed_together:
        return False
    return deployments.store.catalogue.deployment_of_decision(call.decision, call.version) in removed
