"""The commands for who draws models: checks, deployments, pictures, and palettes of stones for modelers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING, Literal

import click

from ..invocation import Invocation, invoked
from ..screen.table import print_table
from ..screen.terminal import binding_line, contents, json_file, local_time, print_record

if TYPE_CHECKING:
    from ....engine import Draft

output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write into this file."
)
strict_option = click.option(
    "--strict", is_flag=True, help="Refuse also what can be run but breaks a formal rule of BPMN."
)


@click.command()
@click.argument("source", metavar="FILE|PROCESS")
@output_option
@invoked
def render(invocation: Invocation, /, source: str, output: Path | None) -> None:
    """Draw a BPMN file or a process as SVG. A process has the colours of its tasks."""
    if source.isascii() and source.isdigit() and not Path(source).exists():
        with invocation.asking(passive=True) as engine:
            svg = engine.picture(source).svg
    else:
        from ....engine.showing.picture import model_picture

        svg = model_picture(contents(source)).svg
    write_text(svg, output)


def write_text(text: str, output: Path | None) -> None:
    """Write a text into a file, or to standard output."""
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"The file {str(output)!r} cannot be written: {error.strerror}.") from error


@click.command()
@click.option("--camunda7", "modeler", flag_value="camunda7", help="For diagrams of Camunda 7 (topics, inputs).")
@click.option("--camunda8", "modeler", flag_value="camunda8", help="For diagrams of Camunda 8 (task definitions).")
@output_option
@invoked
def templates(invocation: Invocation, /, modeler: Literal["camunda7", "camunda8"] | None, output: Path | None) -> None:
    """Print the stones as element templates for modelers. Camunda Modeler and all that use bpmn-js read them.

    Put the file into the modeler's folder resources/element-templates.
    """
    import json

    from ....engine.stones.declarations.element_templates import element_templates

    if modeler is None:
        raise click.UsageError("Say for which diagrams: --camunda7 or --camunda8.")
    declarations = invocation.declarations()
    write_text(json.dumps(element_templates(declarations, modeler), indent=2, ensure_ascii=False), output)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@click.option("--name", help="The model's name.")
@click.option("--parameter-template", type=click.Path(), help="A JSON file.")
@click.option("--outputs-template", type=click.Path(), help="A JSON file.")
@click.option(
    "--protect/--no-protect", "protected", default=None, help="Refuse or allow deletes of what its processes make."
)
@strict_option
@click.option("--external", is_flag=True, help="Topics that no stone serves are those of workers over HTTP.")
@click.option(
    "--on-failure",
    metavar="POLICY",
    help="Where neither the element nor the start says: rollback, pause, keep, or such as 'pause PT2H'.",
)
@click.option(
    "--undo-on-compensation", is_flag=True, help="A compensation has stones undo what they made, unless drawn."
)
@invoked
def deploy(
    invocation: Invocation,
    /,
    files: Sequence[str],
    name: str | None,
    parameter_template: str | None,
    outputs_template: str | None,
    protected: bool | None,
    strict: bool,
    external: bool,
    on_failure: str | None,
    undo_on_compensation: bool,
) -> None:
    """Publish BPMN files as one deployment."""
    from ...wire.records import DeploymentRecord

    templates = {
        "parameter_template": json_file(parameter_template),
        "outputs_template": json_file(outputs_template),
    }
    with invocation.changing(passive=True) as engine:
        deployed = engine.deploy(
            *files,
            name=name,
            protected=protected,
            strict=strict,
            external=external,
            on_failure=on_failure,
            undo_on_compensation=undo_on_compensation,
            **templates,
        )
        print_record(DeploymentRecord, deployed)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path())
@strict_option
@click.option("--external", is_flag=True, help="Topics that no stone serves are those of workers over HTTP.")
@invoked
def lint(invocation: Invocation, /, files: Sequence[str], strict: bool, external: bool) -> None:
    """Check BPMN files without deploying them. It also tells what was read for each of their tasks.

    Whether the stones that they name exist is checked only when stones are named by --stones.
    """
    with replace(invocation, url="sqlite:///:memory:", broker=None, server=None).engine() as engine:
        found = engine.lint(*files, strict=strict, external=external)
        # With --external what is left are delegates, and somebody has to write them.
        findings = [finding for finding in found if engine.stones or external or finding.code != "unknown-stone"]
        unchecked = len(findings) < len(found)
        bindings = engine.bindings(*files)
    for finding in findings:
        click.echo(str(finding))
    for binding in bindings:
        click.echo(binding_line(binding))
    if unchecked:
        click.echo(
            "Not checked: whether the stones exist. riverstone --stones MODULE lint checks it;"
            " lint --external leaves topics to workers.",
            err=True,
        )
    if findings:
        click.echo("riverstone explain CODE shows an example of a finding, and the same mended.", err=True)
    if any(finding.severity == "error" for finding in findings):
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Say what the code of a finding or an error means. Findings come with an example and its mend."""
    from ...codes import explain as explained

    found = explained(code)
    click.echo(found.text)
    for title, example in (("For example:", found.wrong), ("Mended:", found.mended)):
        if example is not None:
            click.echo(f"\n{title}\n\n{indent(example, '  ')}")


@click.group()
def draft() -> None:
    """Drafts: models that authors draw and have not saved yet."""


@draft.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@invoked
def list_drafts(invocation: Invocation, /, limit: int) -> None:
    """List drafts, newest first, and who wrote them when."""
    with invocation.asking(passive=True) as engine:
        page = engine.drafts(limit=limit)
    if not print_table(("MODEL", "KEY", "NAME", "WRITTEN", "BY", ""), map(_draft_cells, page.items)):
        click.echo("There is no draft.", err=True)


def _draft_cells(found: Draft) -> tuple[str, ...]:
    new = "not saved yet" if found.new else ""
    return found.model_id, found.key, found.name, local_time(found.updated), found.who or "-", new


@draft.command("save")
@click.argument("model_id", metavar="MODEL")
@click.option("--replace", "over", is_flag=True, help="Even if the model was saved otherwise since it was begun.")
@invoked
def save_draft(invocation: Invocation, /, model_id: str, over: bool) -> None:
    """Make a draft the model; what the checks refuse is not saved."""
    from ...wire.records import ModelRecord

    with invocation.changing(model_id, passive=True) as engine:
        print_record(ModelRecord, engine.save_draft(model_id, replace=over))


@draft.command("discard")
@click.argument("model_id", metavar="MODEL")
@invoked
def discard_draft(invocation: Invocation, /, model_id: str) -> None:
    """Remove a draft; its model stays as it was saved."""
    from ...wire.records import DraftRecord

    with invocation.changing(model_id, passive=True) as engine:
        print_record(DraftRecord, engine.discard_draft(model_id))


@click.command()
@click.option("--deployment", "deployment_id", metavar="DEPLOYMENT", help="One version.")
@click.option("--model", "model_id", metavar="MODEL", help="A model with all its versions.")
@invoked
def remove(invocation: Invocation, /, deployment_id: str | None, model_id: str | None) -> None:
    """Take a deployment or a model out of use. It is refused while a process still needs it."""
    from ...wire.records import DeploymentRecord, ModelRecord

    if (deployment_id is None) == (model_id is None):
        raise click.UsageError("Name either a --deployment or a --model.")
    with invocation.changing(deployment_id or model_id, passive=True) as engine:
        if deployment_id is not None:
            print_record(DeploymentRecord, engine.remove_deployment(deployment_id))
        elif model_id is not None:
            print_record(ModelRecord, engine.remove_model(model_id))
