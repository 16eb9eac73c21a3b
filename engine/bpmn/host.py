"""What a workflow asks of whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ..limits import Limits

if TYPE_CHECKING:
    from .node import Node, Process
    from .token import Token


class Host(Protocol):
    """What a workflow asks of the instance that it drives; none of it waits."""

    limits: Limits

    def now(self) -> int:
        """The engine's clock, in milliseconds since 1970."""

    def begin_task(self, token: Token) -> None:
        """A stone or a person has something to do; ``task_done`` tells when it is done."""

    def withdraw_task(self, token: Token) -> None:
        """The token whose task was begun is gone."""

    def throw(self, kind: str, name: str, payload: Mapping[str, Any]) -> None:
        """A message or a signal goes out to whoever waits for it, here or in other instances."""

    def called_process(self, key: str) -> tuple[str, Process]:
        """The id of the newest deployment of a key, and its process."""

    def deployed_process(self, deployment_id: str) -> Process:
        """The process of a deployment."""

    def run_script(self, token: Token) -> None:
        """Run a trusted script with the token's variables."""

    def compensated(self, activity: Node, last: Sequence[int], call_path: Sequence[str]) -> None:
        """A handler in the model has taken an activity back.

        ``last`` are the tasks after which that was complete: its own last ones or, if it had none, those before it.
        """
