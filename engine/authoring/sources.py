"""The BPMN files of a model: read from wherever they are, packed for the store, and told apart by their digest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from ...models.row_types.deployments import MEANING
from ..errors import Malformed, TooLarge
from ..jsontext import dumps

LONGEST_FILE = 64 << 20
"""Bytes that are read of a file: more than ``model_size`` is ever set to, and less than ``/dev/zero`` has."""

Source = str | os.PathLike[str] | bytes | IO[bytes]
Template = Sequence[Any] | None


def read_source(source: Source) -> tuple[bytes, str | None]:
    """The bytes of a BPMN file given as a path, as bytes or as an open file, and its name if it has one."""
    if isinstance(source, bytes):
        return source, None
    if isinstance(source, str) and source.lstrip("\ufeff \t\r\n").startswith("<"):
        raise Malformed("This is the text of a file and not its name: give it as bytes, by text.encode().")
    if isinstance(source, (str, os.PathLike)):
        path = Path(source)
        try:
            with path.open("rb") as file:
                return _bounded(file, path.name), path.name
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise Malformed(f"The file {os.fspath(source)!r} cannot be read: {reason}.") from error
    content = _bounded(source, getattr(source, "name", "model"))
    if not isinstance(content, bytes):
        raise Malformed("A BPMN file must be opened in binary mode: its encoding is told by the XML itself.")
    return content, os.path.basename(str(getattr(source, "name", ""))) or None


def _bounded(file: IO[bytes], name: object) -> bytes:
    content = file.read(LONGEST_FILE + 1)
    if len(content) > LONGEST_FILE:
        raise TooLarge(f"The file {str(name)!r} is longer than {LONGEST_FILE >> 20} MiB: split it.", limit="model_size")
    return content


def template_text(template: Template) -> str | None:
    """A template as the store keeps it."""
    return None if template is None else dumps(list(template))


def digest_of(
    sources: Sequence[bytes],
    parameter_template: str | None,
    outputs_template: str | None,
    options: Sequence[str] = (),
) -> str:
    """Tells whether two deployments hold the same."""
    whole = hashlib.sha256(bytes((MEANING,)))
    texts = (parameter_template or "", outputs_template or "", *options)
    for part in (*sources, *(text.encode() for text in texts)):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()


def pack(sources: Sequence[bytes]) -> str:
    """The files of a deployment as the text that the store keeps."""
    texts: list[str] = []
    for source in sources:
        try:
            texts.append(source.decode("utf-8"))
        except UnicodeDecodeError:
            texts.append("base16:" + source.hex())
    return dumps(texts)


def unpack(text: str) -> list[bytes]:
    """The files of a deployment from the store."""
    return [bytes.fromhex(part[7:]) if part.startswith("base16:") else part.encode() for part in json.loads(text)]


def texts_of(sources: str) -> tuple[str, ...]:
    """Packed BPMN files as texts."""
    return tuple(source.decode("utf-8", "replace") for source in unpack(sources))


def read_sources(source: Source, more: Sequence[Source]) -> tuple[list[bytes], list[str | None]]:
    """The same of several files: what they hold, and their names."""
    read = [read_source(each) for each in (source, *more)]
    return [content for content, _ in read], [name for _, name in read]
