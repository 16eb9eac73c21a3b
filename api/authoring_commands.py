"""The commands for who draws models: pictures of them, and palettes of stones for modelers."""

from __future__ import annotations

from pathlib import Path

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
        with connection.engine(passive=True) as engine:
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
