"""The engine's calls that let nothing begin for a while."""

from __future__ import annotations

from ..errors import UnknownProcessInstance
from ..steps import suspending
from ..views import ProcessInstance
from .undo import UndoCalls
from .workings import number_of


class SuspensionCalls(UndoCalls):
    """A part of :class:`~riverstone.engine.Engine`."""

    def suspend(
        self, process_instance_id: str, *, reason: str | None = None, who: str | None = None
    ) -> ProcessInstance:
        """Let nothing of a process begin, its undo included, until :meth:`unsuspend`; what runs ends and is entered.

        Timers and retries that come due wait. Messages and the answers of people are taken in. Asked again, the reason
        is replaced.

        Args:
            process_instance_id: The process, or an undo of it.
            reason: Why, for whoever looks at it; at most 1,000 characters.
            who: Who wants it so, where it is not the client that asks over HTTP.

        Raises UnknownProcessInstance, Conflict (it has ended), Invalid.
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("suspend", number, lambda process: suspending.suspend(process, reason, who), reason=reason)
        return self.get(process_instance_id)

    def unsuspend(self, process_instance_id: str) -> ProcessInstance:
        """Let a suspended process, and its undo, go on where it stands.

        Raises UnknownProcessInstance, Conflict (it is not suspended).
        """
        number = number_of(process_instance_id, UnknownProcessInstance)
        self._asked("unsuspend", number, suspending.unsuspend)
        return self.get(process_instance_id)
