"""What the stones that run a program of the operator's have in common: their bounds, their hooks, what they put out."""

from __future__ import annotations

from typing import ClassVar

from .. import CommandResult, Invalid, Stone, TaskInfo

LONGEST_OUTPUT = 10_000
"""Characters of what a program has said that become an output: the last of them."""


class ProgramStone(Stone):
    """Its subclasses say what is run for an undo and for a check, and have these hooks where there is something."""

    limit: ClassVar[float | None] = 3600.0
    """Seconds after which a program is stopped."""
    rerunnable: ClassVar[bool] = False
    """Whether it may run twice where nobody can tell what came of it."""

    outputs = {"output": "what the program has said, its last 10,000 characters"}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if cls.parameters_type is not None:
            text = f"{cls.__name__} fills in its words by the names of its parameters: declare them by fields."
            raise Invalid(text, code="stone-invalid")

    @classmethod
    def take_hooks(cls, *, undone: bool, checked: bool) -> None:
        """Have the undo hooks and ``check`` where they have something to run and the class has none of its own."""
        undo = dict.fromkeys(("rollback", "cancel", "delete") if undone else (), cls._undo)
        for hook, ran in {**undo, **({"check": cls._check} if checked else {})}.items():
            if not cls.has(hook):
                setattr(cls, hook, ran)

    def run_undo(self, task: TaskInfo) -> None:
        """Run what takes back what was made."""
        raise NotImplementedError

    def run_check(self, task: TaskInfo) -> CommandResult:
        """Run what looks whether it is still there; raise NotFound where that says that it is not."""
        raise NotImplementedError

    def put_out(self, task: TaskInfo, told: CommandResult) -> None:
        """Put out what the program has said."""
        task.add_output("output", told.output[-LONGEST_OUTPUT:])

    def _undo(self, task: TaskInfo) -> None:
        self.run_undo(task)

    def _check(self, task: TaskInfo) -> str | None:
        told = self.run_check(task)
        return None if told.exit_code == 0 else f"The check ended with {told.exit_code}. {told.output[-500:]}"
