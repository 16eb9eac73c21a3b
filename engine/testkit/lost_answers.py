"""A stone and its cloud, where answers are lost and errors come although all was done."""

from __future__ import annotations

from collections.abc import Iterator

from ..work import Outcome
from .fault_proxy import CloudFault, FaultProxy
from .report import Check, ok, wrong
from .trial import Trial
from .trials import Trials

LOST: tuple[CloudFault, ...] = ("error-after", "drop-after")


def lost_answers(trials: Trials, proxy: FaultProxy, makes: int) -> Iterator[Check]:
    """Each call that a start and an undo make has its answer lost once, in a trial of its own."""
    starts, undos = _actions(trials, proxy)
    for fault in LOST:
        flaws = [told for action in starts for told in _in_start(trials, proxy, action, fault, makes)]
        flaws += [told for action in undos for told in _in_undo(trials, proxy, action, fault)]
        name = f"answers that are lost ({fault})"
        for flaw in flaws:
            yield wrong(name, flaw)
        if not flaws:
            yield ok(name, f"whichever of {', '.join(dict.fromkeys([*starts, *undos]))} it was, one thing was made")


def _actions(trials: Trials, proxy: FaultProxy) -> tuple[list[str], list[str]]:
    """What the start and the undo of one thing ask of the cloud."""
    trial, mark = trials.new(), len(proxy.calls)
    trial.carried_out("start")
    half = len(proxy.calls)
    trials.take_back(trial)
    starts, undos = proxy.calls[mark:half], proxy.calls[half:]
    return list(dict.fromkeys(call.action for call in starts)), list(dict.fromkeys(call.action for call in undos))


def _in_start(trials: Trials, proxy: FaultProxy, action: str, fault: CloudFault, makes: int) -> Iterator[str]:
    trial, before = trials.new(), trials.existing()
    started = _with(trial, proxy, action, fault)
    if started.result != "done":
        yield f"start failed for good with {action}: {started.reason}"
    elif trials.existing(lambda count: count > before + makes) > before + makes:
        yield f"start made a second thing with {action}: look for the key first"
    if told := trials.take_back(trial):
        yield f"what start had made with {action} was not undone: {told}"


def _in_undo(trials: Trials, proxy: FaultProxy, action: str, fault: CloudFault) -> Iterator[str]:
    trial, before = trials.new(), trials.existing()
    trial.carried_out("start")
    proxy.fail(action, fault)
    told = trials.take_back(trial)
    proxy.heal()
    if told:
        yield f"the undo failed for good with {action}: {told}"
    elif trials.existing(lambda count: count <= before) > before:
        yield f"the undo said that it was done with {action}, and left the thing"


def _with(trial: Trial, proxy: FaultProxy, action: str, fault: CloudFault) -> Outcome:
    proxy.fail(action, fault)
    try:
        return trial.carried_out("start")
    finally:
        proxy.heal()
