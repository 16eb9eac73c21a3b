"""A command on another machine, by OpenSSH's client, to hosts that the operator lists and knows."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from marshmallow import fields, validate

from .. import CommandResult, Fatal, Invalid, TaskInfo
from .command_stone import CommandStone

LOST = 255
"""The code of ``ssh`` itself, whatever has failed: the connection, or the word of who answers."""
NEVER_BEGAN = (
    "Host key verification failed",
    "Permission denied (",
    "ssh: connect to host",
    "ssh: Could not resolve hostname",
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "Connection timed out during banner",
)
"""What it says where no command has begun: in a file of its own, since a command may say the same."""


class SshStone(CommandStone):
    """Subclass it with ``hosts``, ``known_hosts``, ``identity`` and the commands, which run there.

    The parameter ``host`` chooses by name among the hosts. There a shell reads the command, as always with SSH, so each
    word is quoted for it.
    """

    hosts: ClassVar[Mapping[str, str]] = {}
    """``user@host`` or ``user@host:port``, by the names that models use."""
    known_hosts: ClassVar[str] = ""
    """The file with the keys of these hosts: no other is spoken to."""
    identity: ClassVar[str] = ""
    """The file with the private key."""
    connect_timeout: ClassVar[int] = 20
    program: ClassVar[str] = "ssh"

    def __init_subclass__(cls) -> None:
        if cls.hosts:
            field = fields.String(
                required=True, validate=validate.OneOf(sorted(cls.hosts)), metadata={"display_name": "Host"}
            )
            cls.parameters = {**cls.parameters, "host": field}
        super().__init_subclass__()
        if cls.code and not (cls.hosts and cls.known_hosts and cls.identity):
            raise Invalid(f"{cls.__name__} needs hosts, known_hosts and identity.", code="stone-invalid")
        if cls.environment:
            raise Invalid(
                f"{cls.__name__} has an environment, which SSH does not hand on: use stdin.", code="stone-invalid"
            )

    def line(self, task: TaskInfo, words: Sequence[str]) -> Sequence[str]:
        """The client, and the words as one, quoted for the shell there."""
        target, _, port = self.hosts[task.parameters["host"]].partition(":")
        options = {
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
            "IdentitiesOnly": "yes",
            "IdentityFile": self.identity,
            "ForwardAgent": "no",
            "ClearAllForwardings": "yes",
            "ConnectTimeout": str(self.connect_timeout),
            "ServerAliveInterval": "15",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        return [self.program, "-F", "/dev/null", "-T", *given, "-p", port or "22", "--", target, shlex.join(words)]

    def run(
        self,
        task: TaskInfo,
        command: Sequence[str],
        *,
        rerunnable: bool = True,
        check: bool = True,
        options: Sequence[str] = (),
    ) -> CommandResult:
        """Run one of them there; raises Fatal where the connection was lost and nobody can tell what came of it."""
        own = ""
        with TemporaryDirectory(prefix="riverstone-ssh-", ignore_cleanup_errors=True) as place:
            # Whoever finds the command again has no such file of it: then nobody can tell.
            file = Path(place, "said")
            more = [*options, "-E", str(file)]
            told = super().run(task, command, rerunnable=rerunnable, check=False, options=more)
            with suppress(OSError):
                own = file.read_text("utf-8", "replace")
        if told.exit_code == LOST:
            said = f"{told.output}\n{own}".strip()[-500:]
            if rerunnable or any(text in own for text in NEVER_BEGAN):
                raise ConnectionError(f"{task.parameters['host']} cannot be reached. {said}")
            raise Fatal(f"Nobody can tell what came of the command on {task.parameters['host']}: {said}")
        if check and told.exit_code != 0:
            raise RuntimeError(f"The command ended with {told.exit_code}. It said: {told.output.strip()[-500:]}")
        return told
