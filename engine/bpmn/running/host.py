"""What a workflow asks of whoever runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ....models.catalogue import WantedVersion
from ....models.vocabulary import ThrownKind
from ...limits import Limits
from .results import Results
from .weight import Weight

if TYPE_CHECKING:
    from ...dmn.elements import DecisionElement
    from ...dmn.outcome import DecisionOutcome
    from .failure_policy import FailurePolicy
    from .node import Node, Process
    from .token import Token
    from .token_data import Compensable, Executed
    from .waits import Wait


class Called(NamedTuple):
    """What a call activity calls: a process, or (in a rollback) the handler of one activity of a process."""

    process: Process
    deployment_id: str
    """By which the process is found again."""
    parameters: dict[str, Any] | None = None
    """What is seen inside, in place of what the model passes."""
    compensates: Compensable | None = None
    """The entry to be compensated, in place of running the process."""


class DeployedDecision(NamedTuple):
    """A decision of another deployment than that of the process that makes it."""

    decision: DecisionElement
    deployment_id: str
    version: int


class Host(Protocol):
    """What a workflow asks of the instance that it drives; none of it waits."""

    limits: Limits
    weight: Weight
    results: Results

    def now(self) -> int:
        """The engine's clock, in milliseconds since 1970."""

    def begin_task(self, token: Token) -> None:
        """A stone or a person has something to do; ``task_done`` tells when it is done."""

    def withdraw_task(self, token: Token) -> None:
        """The token whose task was begun is gone."""

    def pauses(self, token: Token, *, unforeseen: bool = False) -> FailurePolicy | None:
        """By which policy only this token, which has failed, stops; None where the process does.

        Whatever the policies say, it is undone by no defect of the engine.
        """

    def came(self, token: Token, wait: Wait, payload: Mapping[str, Any]) -> None:
        """Something for which a token has waited has come."""

    def throw(self, kind: ThrownKind, name: str, payload: Mapping[str, Any]) -> None:
        """A message or a signal goes out to whoever waits for it, here or in other instances."""

    def called_process(self, token: Token, key: str, version: WantedVersion) -> Called:
        """What a call activity calls: a version of a key."""

    def deployed_process(self, deployment_id: str) -> Process:
        """The process of a deployment."""

    def deployed_decision(self, decision_id: str, version: WantedVersion) -> DeployedDecision:
        """A version of a decision in whatever deployment holds it; raises RiverstoneError."""

    def decision_made(self, token: Token, outcome: DecisionOutcome, elsewhere: DeployedDecision | None) -> None:
        """Keep what came of a decision, which is of the process's own deployment or of one ``elsewhere``."""

    def run_script(self, token: Token) -> None:
        """Run a trusted script with the token's variables."""

    def compensable(self, token: Token, entry: Compensable) -> tuple[int, ...]:
        """An activity with a handler has completed; the ids of the tasks that what comes now follows."""

    def held_up(self, asker: Token) -> Callable[[Node, Executed], bool]:
        """What tells whether an activity is not to be compensated now, since others take back what came after it."""

    def put_out_by(self, handler: Token) -> Mapping[str, Any]:
        """What the execution of an activity has put out that a handler compensates."""

    def compensated(self, activity: Node, handler: Token) -> None:
        """A handler in the model has taken an activity back."""

    def not_compensated(self, activity: Node, handler: Token) -> None:
        """A handler in the model was left by an event on its border, before it had taken its activity back."""
