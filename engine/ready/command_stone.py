"""A program of the operator's: its words are fixed, and a parameter is one whole word of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .. import CommandResult, Fatal, Invalid, NotFound, TaskInfo
from .program_stone import LONGEST_OUTPUT, ProgramStone


class CommandStone(ProgramStone):
    """Subclass it with a ``code``, ``parameters``, and the ``command`` that is run.

    A word such as ``{unit}`` stands for the parameter of that name, as one argument: no shell reads it. ``{key}`` is
    the key of the start, for the undo too. A value that begins with ``-`` is refused, since programs would take it for
    an option.
    """

    command: ClassVar[Sequence[str]] = ()
    """The program and its words."""
    undo_command: ClassVar[Sequence[str]] = ()
    """What takes it back; it is called too where nobody knows how far the command has come. Without it the task is
    listed as retained."""
    check_command: ClassVar[Sequence[str]] = ()
    """What looks whether it is still there: code 0 for yes, ``gone_code`` for gone, any other is different."""
    gone_code: ClassVar[int] = 3
    environment: ClassVar[Mapping[str, str]] = {}
    """Variables for all of them; here ``{password}`` may be a secret parameter."""
    stdin: ClassVar[str] = ""
    """What they read: a text, or one parameter."""
    folder: ClassVar[str] = "/"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        known = {"key", *cls.parameters}
        secret = {name for name, field in cls.parameters.items() if field.metadata.get("no_echo")}
        words = [*cls.command, *cls.undo_command, *cls.check_command]
        for name in _names([*words, *cls.environment.values(), cls.stdin]):
            if name not in known:
                raise Invalid(
                    f"{cls.__name__} has no parameter {name!r} for the word '{{{name}}}'.", code="stone-invalid"
                )
        for name in _names(words):
            if name in secret:
                text = f"The secret {name!r} of {cls.__name__} would be seen by everybody on the machine"
                raise Invalid(f"{text}: hand it on by environment or stdin.", code="stone-invalid")
        cls.take_hooks(undone=bool(cls.undo_command), checked=bool(cls.check_command))

    def start(self, task: TaskInfo) -> None:
        """Run the command."""
        self.put_out(task, self.run(task, self.command, rerunnable=self.rerunnable))

    def mock(self, task: TaskInfo) -> None:
        """Say what would be run."""
        task.log(f"would run {' '.join(self.words(task, self.command))}")
        task.add_output("output", "")

    def run_undo(self, task: TaskInfo) -> None:
        """Run ``undo_command``."""
        self.run(task, self.undo_command)

    def run_check(self, task: TaskInfo) -> CommandResult:
        """Run ``check_command``."""
        told = self.run(task, self.check_command, check=False)
        if told.exit_code == self.gone_code:
            raise NotFound(told.output[-LONGEST_OUTPUT:])
        return told

    def run(
        self,
        task: TaskInfo,
        command: Sequence[str],
        *,
        rerunnable: bool = True,
        check: bool = True,
        options: Sequence[str] = (),
    ) -> CommandResult:
        """Run one of them; the options stand behind the program."""
        program, *more = self.line(task, self.words(task, command))
        return task.run(
            [program, *options, *more],
            environment={name: self.filled(task, value) for name, value in self.environment.items()},
            stdin=self.filled(task, self.stdin),
            folder=self.folder,
            timeout=self.limit,
            grace=max(1.0, min(60.0, self.grace / 2)),
            rerunnable=rerunnable,
            check=check,
        )

    def line(self, task: TaskInfo, words: Sequence[str]) -> Sequence[str]:
        """The words with which that is begun here."""
        return words

    def words(self, task: TaskInfo, command: Sequence[str]) -> list[str]:
        """The words of a command with the values of a task; raises Fatal for one that would be an option."""
        return [self._word(task, word) for word in command]

    def _word(self, task: TaskInfo, word: str) -> str:
        value = self.filled(task, word)
        if _name(word) is not None and value.startswith("-"):
            raise Fatal(f"The value of {word} begins with '-', so the program would take it for an option.")
        if "\0" in value:
            raise Fatal(f"The value of {word} holds a NUL.")
        return value

    def filled(self, task: TaskInfo, text: str) -> str:
        """A text, or the value of the parameter that it stands for."""
        name = _name(text)
        if name is None:
            return text
        value = task.start_key if name == "key" else task.parameters[name]
        return value if isinstance(value, str) else _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, dict)):
        raise Fatal("A list or an object is no word of a command.")
    return "" if value is None else str(value)


def _name(word: str) -> str | None:
    """The parameter that a word stands for."""
    name = word[1:-1]
    return name if word.startswith("{") and word.endswith("}") and name.isidentifier() else None


def _names(words: Sequence[str]) -> Iterator[str]:
    return (name for name in map(_name, words) if name is not None)
