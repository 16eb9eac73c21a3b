"""The commands for who writes decisions: evaluate one, or a single expression of FEEL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from ..invocation import Invocation, invoked
from ..screen.terminal import json_option, print_record

variables_option = click.option(
    "--variables", "--context", metavar="JSON|@FILE", help="What it is made from, a JSON object."
)


@click.command()
@click.argument("arguments", metavar="[FILE]... DECISION", nargs=-1, required=True)
@variables_option
@click.option("--version", type=click.IntRange(1), help="Another version than the newest.")
@click.option("--version-tag", help="The last version with this tag.")
@invoked
def decide(invocation: Invocation, /, arguments: Sequence[str], variables: str | None, **which: Any) -> None:
    """Evaluate a decision that is deployed, or one of DMN files. The files are not deployed by it."""
    from ...wire.records import DecisionResultRecord

    *files, decision_id = arguments
    values = json_option("--variables", variables)
    if files:
        with replace(invocation, url="sqlite:///:memory:", broker=None, server=None).engine(passive=True) as engine:
            engine.deploy(*files)
            result = engine.decide(decision_id, values, **which)
    else:
        with invocation.asking(passive=True) as asked:
            result = asked.decide(decision_id, values, **which)
    print_record(DecisionResultRecord, result)


@click.command()
@click.argument("expression")
@variables_option
@invoked
def feel(invocation: Invocation, /, expression: str, variables: str | None) -> None:
    """Evaluate an expression of FEEL and print its value as JSON. Why values became null goes to standard error."""
    from ....engine.language import effort
    from ....engine.language.context import Context
    from ....engine.language.expressions import compile_expression, reasons_of_null

    limits = invocation.settings().limits
    values = json_option("--variables", variables)
    with effort.turn(limits):
        text = expression if expression.lstrip().startswith("=") else f"={expression}"
        value = compile_expression(text, language="feel", limits=limits).evaluate(Context(values or {}))
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
    for reason in reasons_of_null():
        click.echo(f"Null: {reason}.", err=True)
