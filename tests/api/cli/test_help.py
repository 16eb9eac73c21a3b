"""What `riverstone --help` shows: every command once, in a section, and its first sentence as a whole."""

from __future__ import annotations

from itertools import chain

import click
from click.testing import CliRunner

from riverstone.api.cli.command_group import SECTIONS
from riverstone.api.cli.main import main


def test_every_command_stands_in_one_section() -> None:
    listed = list(chain.from_iterable(SECTIONS.values()))

    assert sorted(listed) == sorted(main.commands)


def test_no_line_about_a_command_breaks_off() -> None:
    groups = [name for name, command in main.commands.items() if isinstance(command, click.Group)]
    for group in (None, *groups):
        asked = ["--help"] if group is None else [group, "--help"]
        told = CliRunner().invoke(main, asked, terminal_width=80).output

        assert [line for line in told.splitlines() if line.startswith("  ") and line.endswith("...")] == []
