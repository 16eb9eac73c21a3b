"""Sample processes, one idea a file, with the made-up stones and the made-up cloud that they work on."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The samples' names, such as ``app_server``, in alphabetical order."""
    return sorted(file.stem for file in FOLDER.glob("*.bpmn"))


def path(name: str) -> Path:
    """The BPMN file of a sample; raises FileNotFoundError for a name that :func:`names` does not list."""
    file = FOLDER / f"{name}.bpmn"
    if name not in names():
        raise FileNotFoundError(f"There is no sample {name!r}: take one of {', '.join(names())}.")
    return file
