"""What may be started, deployed and removed is decided where it is written, whichever engine asks at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from riverstone.engine import Conflict, Engine, RiverstoneError, VirtualClock

from ..features.sketch import line

ROUNDS = 12
PERSON = '<userTask id="person"/>'
OTHER = '<userTask id="other"/>'


def at_once(*actions: Callable[[], object]) -> list[object]:
    """What comes of actions that begin at the same time: the result or the error of each."""
    together = threading.Barrier(len(actions))

    def act(action: Callable[[], object]) -> object:
        together.wait(timeout=30)
        try:
            return action()
        except RiverstoneError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return [each.result(timeout=60) for each in [threads.submit(act, action) for action in actions]]


@pytest.mark.parametrize("same", [True, False])
def test_of_two_deployments_of_one_key_at_once_both_are_of_one_model_and_its_protection_holds(
    one: Engine, other: Engine, same: bool
) -> None:
    for number in range(ROUNDS):
        key = f"shop{number}"
        at_once(
            lambda key=key: one.deploy(line(key, PERSON), protected=True),  # type: ignore[misc]
            lambda key=key: other.deploy(line(key, PERSON if same else OTHER)),  # type: ignore[misc]
        )
        (model,) = one.models(key=key).items
        assert model.protected
        deployed = one.deployments(key=key).items
        assert {each.model_id for each in deployed} == {model.model_id}
        assert sorted(each.version for each in deployed) == list(range(1, len(deployed) + 1))


def test_of_a_start_and_the_removal_of_what_it_starts_one_is_refused(url: str) -> None:
    with Engine(url, dispatcher="threads") as one, Engine(url, dispatcher="threads") as other:
        for number in range(ROUNDS):
            deployed = one.deploy(line(f"shop{number}", PERSON)).deployment_id
            started, removed = at_once(
                partial(one.start, deployment_id=deployed, name="it"), partial(other.remove_deployment, deployed)
            )
            assert isinstance(started, RiverstoneError) != isinstance(removed, RiverstoneError)


def test_a_model_that_was_protected_meanwhile_is_not_removed(one: Engine, other: Engine) -> None:
    for number in range(ROUNDS):
        deployed = one.deploy(line(f"shop{number}", PERSON))
        assert deployed.model_id is not None
        protected, removed = at_once(
            partial(one.protect_model, deployed.model_id), partial(other.remove_model, deployed.model_id)
        )
        assert isinstance(protected, RiverstoneError) != isinstance(removed, RiverstoneError)


def test_a_trial_whose_snapshot_was_purged_before_it_begins_takes_it_anew(
    one: Engine, other: Engine, clock: VirtualClock
) -> None:
    model = one.save_model(line("shop", PERSON))
    ask = partial(
        one._starts.request, name="it", key=None, deployment_id=None, model_id=model.model_id, variables=None,
        business_key=None, idempotency_key=None, rollback=True, protected=False,
    )  # fmt: skip
    request = ask()
    clock.advance(1)
    other.save_model(line("shop", OTHER), model_id=model.model_id)
    clock.advance(1)
    other.purge(0)
    assert one._pump.step(partial(one._starts.begin_newest, request=request)) is False
    number = one.start(model_id=model.model_id, name="it").process_instance_id
    assert [task.namespace for task in other.tasks(number)] == ["other"]


def test_a_version_that_is_called_meanwhile_is_not_removed(one: Engine, other: Engine) -> None:
    called = one.deploy(line("called", PERSON)).deployment_id
    one.deploy(line("caller", OTHER, '<callActivity id="call" calledElement="called"/>'))
    number = one.start(key="caller", name="it").process_instance_id
    newer = one.deploy(line("called", OTHER)).deployment_id
    other.remove_deployment(called)
    one.complete(one.tasks(number)[0].task_id)
    with pytest.raises(Conflict):
        other.remove_deployment(newer)
