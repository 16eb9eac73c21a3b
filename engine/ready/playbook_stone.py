"""A playbook of Ansible, run by the command ``ansible-runner`` (extra ``riverstone[ansible]``)."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, ClassVar

from .. import Invalid, Stone, TaskInfo
from . import playbook_run

LONGEST_OUTPUT = 10_000


class PlaybookStone(Stone):
    """Subclass it with a ``code``, ``parameters``, and the playbooks of the operator's folder.

    The parameters are the play's extra variables, secrets too, and no value is taken for a template. ``riverstone_key``
    is the key of the start, for the undo too.
    """

    project: ClassVar[str] = ""
    """The folder of the playbooks."""
    inventory: ClassVar[str] = ""
    """The file with the hosts."""
    playbook: ClassVar[str] = ""
    undo_playbook: ClassVar[str] = ""
    """The play that makes it absent, also where nobody knows how far the first has come. Without it the task is listed
    as retained."""
    check_playbook: ClassVar[str] = ""
    """A play that fails where it is not as it was made."""
    limit: ClassVar[float | None] = 3600.0
    """Seconds after which a play is stopped."""
    rerunnable: ClassVar[bool] = True
    """Whether a play may run twice where nobody can tell what came of it: plays should be idempotent."""
    grace = 60.0

    outputs = {"output": "what Ansible has said, its last 10,000 characters"}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in (cls.playbook, cls.undo_playbook, cls.check_playbook) if cls.code else ():
            if name and not os.path.isfile(os.path.join(cls.project, name)):
                raise Invalid(
                    f"{cls.__name__}: there is no playbook {name!r} in {cls.project!r}.", code="stone-invalid"
                )
        if cls.code and not (cls.playbook and cls.inventory):
            raise Invalid(f"{cls.__name__} needs project, inventory and playbook.", code="stone-invalid")
        if cls.undo_playbook and not cls.has("delete"):
            cls.rollback = cls.cancel = cls.delete = cls._undo  # type: ignore[method-assign, assignment]
        if cls.check_playbook and not cls.has("check"):
            cls.check = cls._check  # type: ignore[method-assign, assignment]

    def start(self, task: TaskInfo) -> None:
        """Run the playbook."""
        task.add_output("output", self.play(task, self.playbook, rerunnable=self.rerunnable).output[-LONGEST_OUTPUT:])

    def mock(self, task: TaskInfo) -> None:
        """Say what would be run."""
        task.log(f"would play {self.playbook}")
        task.add_output("output", "")

    def _undo(self, task: TaskInfo) -> None:
        self.play(task, self.undo_playbook)

    def _check(self, task: TaskInfo) -> str | None:
        told = self.play(task, self.check_playbook, check=False)
        return None if told.exit_code == 0 else f"The check ended with {told.exit_code}. {told.output[-500:]}"

    def play(self, task: TaskInfo, playbook: str, *, rerunnable: bool = True, check: bool = True) -> Any:
        """Run one of them with the parameters of the task."""
        told = {
            "project": os.path.abspath(self.project),
            "inventory": os.path.abspath(self.inventory),
            "playbook": playbook,
            "variables": {**task.parameters, "riverstone_key": task.start_key},
        }
        return task.run(
            [sys.executable, "-I", playbook_run.__file__],
            stdin=json.dumps(told, default=str),
            environment={"ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"},
            timeout=self.limit,
            grace=self.grace / 2,
            rerunnable=rerunnable,
            check=check,
        )
