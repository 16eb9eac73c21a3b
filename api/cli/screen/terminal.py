"""What the commands read from their options, and what they print."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

if TYPE_CHECKING:
    from marshmallow import Schema

    from ....engine import TaskBinding
    from ....models.vocabulary import ProcessStatus

STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What is printable JSON and yet steers a terminal, or turns the text around."""

LONGEST_FILE = 64 << 20
"""Bytes of a file that an option names: more than any value may have."""


def readable(path: str) -> Path:
    """The path of a file that can be read; raises ClickException."""
    try:
        Path(path).open("rb").close()
    except OSError as error:
        raise click.ClickException(f"The file {path!r} cannot be read: {error.strerror}.") from error
    return Path(path)


def contents(path: str) -> bytes:
    """What a file holds; raises ClickException for one that cannot be read, or has no end that could be waited for."""
    with readable(path).open("rb") as file:
        data = file.read(LONGEST_FILE + 1)
    if len(data) > LONGEST_FILE:
        raise click.ClickException(f"The file {path!r} is longer than {LONGEST_FILE >> 20} MiB: give a shorter one.")
    return data


def json_file(path: str | None) -> Any:
    """The JSON value in a file, None without one."""
    from ....engine import jsontext
    from ....engine.limits import Limits

    return None if path is None else jsontext.loads(contents(path), limits=Limits(), name=path)


def json_option(option: str, text: str | None) -> dict[str, Any] | None:
    """The JSON object of an option that is JSON or ``@FILE``, None without one; raises Malformed."""
    if text is None:
        return None
    value = json_value(option, text)
    if not isinstance(value, dict):
        raise click.ClickException(f"{option} must be a JSON object.")
    return value


def json_value(option: str, text: str | None) -> Any:
    """The same of any kind."""
    from ....engine import jsontext
    from ....engine.limits import Limits

    if text is None:
        return None
    return json_file(text[1:]) if text.startswith("@") else jsontext.loads(text, limits=Limits(), name=option)


def statuses_named(status: str | None) -> tuple[ProcessStatus, ...]:
    """The status that ``--status`` names, none without it; raises ClickException."""
    from ....models.vocabulary import ProcessStatus

    words: tuple[ProcessStatus, ...] = get_args(ProcessStatus)
    if status is not None and status not in words:
        raise click.ClickException(f"--status is {status!r}: use one of {', '.join(words)}.")
    # Whoever looks for what failed looks for what was rolled back for that, too.
    return tuple(word for word in words if word == status or (status == "failed" and word.startswith("rollback.")))


def age(option: str, text: str) -> float:
    """The seconds of a text such as ``30d``; raises ClickException."""
    seconds = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
    number, unit = text[:-1], text[-1:]
    if not number.isascii() or not number.isdigit() or len(number) > 9 or unit not in seconds:
        raise click.ClickException(f"{option} is {text!r}: give a number with s, m, h, d or w, such as 30d.")
    return float(int(number) * seconds[unit])


def mapped(option: str, pairs: Sequence[str]) -> dict[str, str]:
    """OLD=NEW as often as it was given, as NEW by OLD."""
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} has no =: write OLD=NEW.", param_hint=option)
    return {old: new for old, _, new in (pair.partition("=") for pair in pairs)}


def binding_line(binding: TaskBinding) -> str:
    """What was read for one task, in one line."""
    by = {"stone": "the stone", "decision": "the decision", "person": "a person"}[binding.kind]
    code = "" if binding.code is None else f" {binding.code!r} ({binding.dialect})"
    line = f"{binding.process}: {binding.element_id!r} is carried out by {by}{code}"
    given = {name: json.dumps(value, ensure_ascii=False) for name, value in binding.parameters.items()}
    empty = [name for name, value in given.items() if value == "null"]
    if len(given) > len(empty):
        line += f", with {', '.join(f'{name}={value}' for name, value in given.items() if value != 'null')}"
    if empty:
        line += f"; {', '.join(empty)} left to the start variables"
    made = list(dict.fromkeys([*filter(None, [binding.result_variable]), *binding.outputs]))
    return f"{line}; sets {', '.join(made)}" if made else line


def print_record(schema: type[Schema], view: Any) -> None:
    """Print a view as HTTP would show it."""
    record: Mapping[str, Any] = schema().dump(view)
    text = json.dumps(record, indent=2, ensure_ascii=False)
    click.echo(STEERING.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text))


def local_time(time: datetime) -> str:
    """A moment by the clock and the zone of this machine, as all lists tell it."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def user_name() -> str:
    """Who runs the command, as the operating system knows them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def printable(text: str) -> str:
    """The text without what would steer a terminal: reasons and names may come from anywhere."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def in_runs(name: str, runs: Sequence[int]) -> str:
    """The name of a task with the numbers of the runs that it is inside of: ``server[2]``."""
    return name + "".join(f"[{number}]" for number in runs)
