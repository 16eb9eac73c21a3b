"""A playbook of Ansible, run by the command ``ansible-runner`` (extra ``riverstone[ansible]``)."""

from __future__ import annotations

import json
import os
import sys
from typing import ClassVar

from .. import CommandResult, Invalid, TaskInfo
from . import playbook_run
from .program_stone import ProgramStone


class PlaybookStone(ProgramStone):
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
    rerunnable: ClassVar[bool] = True
    """A play may run twice where nobody can tell what came of it: plays should be idempotent."""
    grace = 60.0

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in (cls.playbook, cls.undo_playbook, cls.check_playbook) if cls.code else ():
            if name and not os.path.isfile(os.path.join(cls.project, name)):
                raise Invalid(
                    f"{cls.__name__}: there is no playbook {name!r} in {cls.project!r}.", code="stone-invalid"
                )
        if cls.code and not (cls.playbook and cls.inventory):
            raise Invalid(f"{cls.__name__} needs project, inventory and playbook.", code="stone-invalid")
        cls.take_hooks(undone=bool(cls.undo_playbook), checked=bool(cls.check_playbook))

    def start(self, task: TaskInfo) -> None:
        """Run the playbook."""
        self.put_out(task, self.play(task, self.playbook, rerunnable=self.rerunnable))

    def mock(self, task: TaskInfo) -> None:
        """Say what would be run."""
        task.log(f"would play {self.playbook}")
        task.add_output("output", "")

    def run_undo(self, task: TaskInfo) -> None:
        """Run ``undo_playbook``."""
        self.play(task, self.undo_playbook)

    def run_check(self, task: TaskInfo) -> CommandResult:
        """Run ``check_playbook``."""
        return self.play(task, self.check_playbook, check=False)

    def play(self, task: TaskInfo, playbook: str, *, rerunnable: bool = True, check: bool = True) -> CommandResult:
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
