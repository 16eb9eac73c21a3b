"""Hides secret values wherever they turn up: in variables, outputs, reasons and logs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from .jsontext import JSON, dumps
from .language.context import Path

MASKED = "*****"
"""What is shown in place of a secret value."""

# Shorter ones would blot out harmless text, and are hidden where they belong all the same.
_SHORTEST = 4


class Mask:
    """Knows the paths at which secrets stand, and the secrets themselves.

    A secret of fewer than four characters is hidden at its path only.
    """

    __slots__ = ("_paths", "_secrets")

    def __init__(self, paths: Iterable[Path], secrets: Iterable[JSON]) -> None:
        self._paths = frozenset(paths)
        texts = {text for secret in secrets for text in _texts(secret) if len(text) >= _SHORTEST}
        # A secret with a quote or a line break looks different inside of JSON text, and there again inside of JSON.
        for _ in range(2):
            texts |= {dumps(text)[1:-1] for text in texts}
        texts |= {form for text in texts for form in (json.dumps(text)[1:-1], repr(text)[1:-1], quote(text))}
        longest_first = sorted(texts, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if texts else None

    def mask_text(self, text: str) -> str:
        """The text with ``*****`` for each occurrence of a secret."""
        return text if self._secrets is None else self._secrets.sub(MASKED, text)

    def mask_value(self, value: JSON) -> JSON:
        """A copy of the value with ``*****`` at the secret paths and for each occurrence in its texts and numbers."""
        if not self._paths and self._secrets is None:
            return value
        return self._masked(value, ())

    def _masked(self, value: JSON, path: Path) -> JSON:
        if path in self._paths and value is not None:
            return MASKED
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, dict):
            return {self.mask_text(key): self._masked(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item, (*path, str(index))) for index, item in enumerate(value)]
        if type(value) in (int, float) and self._secrets is not None and self._secrets.fullmatch(dumps(value)):
            return MASKED
        return value


def _texts(secret: JSON) -> Iterator[str]:
    """The texts in a secret that would give it away."""
    stack = [secret]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            stack.extend(part.values())
        elif isinstance(part, list):
            stack.extend(part)
        elif type(part) in (int, float):
            yield dumps(part)
