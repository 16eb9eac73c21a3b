"""The commands for who draws models: pictures of them, and palettes of stones for modelers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from .connection import Connection, connected
from .terminal import readable

output_option = click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write into this file."
)


@click.command()
@click.argument("source", metavar="FILE|PROCESS")
@output_option
@connected
def render(connection: Connection, /, source: str, output: Path | None) -> None:
    """Draw a BPMN file, or a process instance in the colours of its tasks, as SVG."""
    if source.isascii() and source.isdigit() and not Path(source).exists():
        with connection.asking(passive=True) as engine:
            svg = engine.picture(source).svg
    else:
        from ..engine.picture import model_picture

        svg = model_picture(readable(source).read_bytes()).svg
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
@connected
def templates(connection: Connection, /, modeler: Literal["camunda7", "camunda8"] | None, output: Path | None) -> None:
    """Print element templates of the stones, for Camunda Modeler and all that use bpmn-js.

    Put the file into the modeler's folder resources/element-templates.
    """
    import json

    from ..engine.palette import element_templates

    if modeler is None:
        raise click.UsageError("Say for which diagrams: --camunda7 or --camunda8.")
    declarations = connection.declarations()
    write_text(json.dumps(element_templates(declarations, modeler), indent=2, ensure_ascii=False), output)
