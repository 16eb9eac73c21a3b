"""A project of one's own: a stone, a model, a test, and what runs a server of it in containers."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import click

FILES = {
    "README.md": "README.md.txt",
    "stones.py": "stones.py.txt",
    "{key}.bpmn": "flow.bpmn",
    "test_flow.py": "test_flow.py.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "Containerfile": "Containerfile.txt",
    "compose.yaml": "compose.yaml.txt",
}
"""What is written, and the file beside this module that it is made of."""
KEY = re.compile(r"[a-z]([a-z0-9-]{0,48}[a-z0-9])?")


@click.command()
@click.argument("name")
def new(name: str) -> None:
    """Make a project with a stone, a model, a test and a server. NAME is the folder of the project."""
    folder = Path(name)
    key = folder.name.lower().replace("_", "-")
    if not KEY.fullmatch(key):
        text = f"{folder.name!r} cannot be a key: use up to 50 letters, digits and '-', such as my-flows."
        raise click.ClickException(text)
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise click.ClickException(f"{name!r} is there already: choose another name.") from error
    except OSError as error:
        raise click.ClickException(f"The folder {name!r} cannot be made: {error.strerror}.") from error
    for target, source in FILES.items():
        text = files(__package__).joinpath("project", source).read_text(encoding="utf-8")
        made = text.replace("@name@", folder.name).replace("@key@", key)
        (folder / target.format(key=key)).write_text(made, encoding="utf-8")
    click.echo(f"Made {name}. Next: cd {name}, then see README.md.")
