"""Where the documentation says that a name is, it stays, wherever the code behind it moves."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points

import click
import pytest

DOCUMENTED = {
    "riverstone.api": "Client create_app create_blueprint create_console create_docs",
    "riverstone.api.cli": "main",
    "riverstone.api.client": "Client",
    "riverstone.api.errors": "Refused ServerUnavailable",
    "riverstone.engine.dispatch.celery": "CeleryDispatcher make_app run set_up",
    "riverstone.engine.metrics": "Metrics",
    "riverstone.engine.testkit": "Call Check CloudCall CloudFault ContractReport Coverage FaultProxy Injected "
    "Rehearsal Run check_stone fake_of",
    "riverstone.engine.testkit.plugin": "",
}
"""Names by module; those of ``riverstone.engine`` and ``riverstone.models`` are in ``engine/test_public_names.py``."""


@pytest.mark.parametrize("module", DOCUMENTED)
def test_a_documented_name_is_where_it_is_said_to_be(module: str) -> None:
    found = importlib.import_module(module)

    assert [name for name in DOCUMENTED[module].split() if not hasattr(found, name)] == []


def test_the_command_and_the_pytest_plugin_are_found_by_their_entry_points() -> None:
    (command,) = entry_points(group="console_scripts", name="riverstone")
    (plugin,) = entry_points(group="pytest11", name="riverstone")

    assert command.value == "riverstone.api.cli:main"
    assert isinstance(command.load(), click.Group)
    documented = importlib.import_module("riverstone.engine.testkit.plugin")
    assert plugin.load().pytest_addoption is documented.pytest_addoption


def test_what_is_said_over_a_broker_has_the_names_that_other_versions_know() -> None:
    from riverstone.engine.dispatch import messages
    from riverstone.engine.dispatch.celery import make_app
    from riverstone.engine.dispatch.celery.stopping import STOP

    assert make_app("memory://").main == "riverstone"
    assert messages.TASK == "riverstone.perform"
    assert messages.RESULTS == "riverstone.results"
    assert messages.SIGNS == "riverstone.signs"
    assert STOP == "riverstone_stop"
