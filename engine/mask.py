"""Hides secret values wherever they turn up: in variables, outputs, reasons and logs."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from html import escape
from itertools import chain
from typing import Protocol, Self
from urllib.parse import quote, quote_plus

from .jsontext import JSON, dumps
from .language.context import Path

MASKED = "*****"
"""What is shown in place of a secret value."""

# Shorter ones would blot out harmless text, and are hidden where they belong all the same.
_SHORTEST = 4
_SHORTEST_CODED = 8
"""The same of what Base64 makes of it inside of something else."""
CUT = "…"
"""What stands where the rest of a text was cut off; before it a secret may have only begun."""
_LONGEST_CUT = 2_000
"""Signs at least of a secret that was cut are found."""
_FEW = 16
"""Up to so many are sought by one regular expression, which tries all of them at each place."""
_LONGEST_PATTERN = 5_000
"""Signs of such a regular expression: to compile 100,000 takes a second."""
_MOST = 1_000
"""Beyond that they are not told apart from anything else any more: every text is hidden."""


def cut(text: str, most: int) -> str:
    """The text in no more than so many signs; a mask still finds a secret of which only the beginning is left."""
    return text if len(text) <= most else text[: most - 1] + CUT


class Mask:
    """Knows the paths at which secrets stand, and the secrets themselves.

    A secret of fewer than four characters is hidden at its path only.
    """

    __slots__ = ("_paths", "_secrets")

    def __init__(self, paths: Iterable[Path], secrets: Iterable[JSON]) -> None:
        self._paths = frozenset(paths)
        texts: set[str] = set()
        for text in chain.from_iterable(map(_texts, secrets)):
            if len(text) >= _SHORTEST:
                texts.add(text)
                if len(texts) > _MOST:
                    break
        self._secrets = _finder(texts)

    @classmethod
    def of(cls, paths: Iterable[Path], variables: Mapping[str, JSON], more: Iterable[JSON] = ()) -> Self:
        """What hides what stands at these paths among the variables, and ``more`` secrets."""
        paths = frozenset(paths)
        found = (value_at(variables, path) for path in paths)
        return cls(paths, chain((value for value in found if value is not None), more))

    def mask_text(self, text: str) -> str:
        """The text with ``*****`` for each occurrence of a secret."""
        if self._secrets is None:
            return text
        text = self._secrets.hidden(text)
        return self._secrets.hidden_beginnings(text) if CUT in text else text

    def mask_value(self, value: JSON) -> JSON:
        """A copy of the value with ``*****`` at the secret paths and for each occurrence in its texts and numbers."""
        if not self._paths and self._secrets is None:
            return value
        return self._masked(value, ())

    def mask_errors(self, errors: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
        """What is wrong by name, with ``*****`` for each occurrence of a secret in what is said of it."""
        return {name: [self.mask_text(text) for text in texts] for name, texts in errors.items()}

    def _masked(self, value: JSON, path: Path) -> JSON:
        if path in self._paths and value is not None:
            return MASKED
        if isinstance(value, str):
            return self.mask_text(value)
        if isinstance(value, dict):
            return {self.mask_text(key): self._masked(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._masked(item, (*path, str(index))) for index, item in enumerate(value)]
        if type(value) in (int, float) and self._secrets is not None and self._secrets.holds(dumps(value)):
            return MASKED
        return value


def value_at(variables: JSON, path: Path) -> JSON:
    """What stands at a path among variables; None where nothing does."""
    for key in path:
        variables = variables.get(key) if isinstance(variables, Mapping) else None
    return variables


class _Finder(Protocol):
    """Finds secrets in a text: at each place the longest."""

    def hidden(self, text: str) -> str:
        """The text without them."""

    def hidden_beginnings(self, text: str) -> str:
        """The text without what such a secret begins with, where the rest of it was cut off."""

    def holds(self, text: str) -> bool:
        """Whether the text is one of them."""


class _Beginnings:
    """Finds of each cut text the first place at which a secret begins that would go on behind the cut."""

    def __init__(self, forms: Set[str]) -> None:
        self._forms = forms
        self._starts: Set[str] = frozenset()
        self._sorted: list[str] | None = None

    def hidden_beginnings(self, text: str) -> str:
        if self._sorted is None:
            self._starts = {form[:_SHORTEST] for form in self._forms}
            # Last: another thread that finds it relies on the other one too.
            self._sorted = sorted(self._forms)
        parts: list[str] = []
        shown = after = 0
        while (end := text.find(CUT, after)) >= 0:
            for at in range(max(after, end - _LONGEST_CUT), end - _SHORTEST + 1):
                if text[at : at + _SHORTEST] in self._starts and _begins(self._sorted, text[at:end]):
                    parts += text[shown:at], MASKED
                    shown = end
                    break
            after = end + 1
        return "".join((*parts, text[shown:]))


def _begins(forms: Sequence[str], text: str) -> bool:
    """Whether one of these, in their order, begins so."""
    place = bisect_left(forms, text)
    return place < len(forms) and forms[place].startswith(text)


class _FewSecrets(_Beginnings):
    """By a regular expression."""

    def __init__(self, forms: Set[str]) -> None:
        super().__init__(forms)
        self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))

    def hidden(self, text: str) -> str:
        return self._pattern.sub(MASKED, text)

    def holds(self, text: str) -> bool:
        return self._pattern.fullmatch(text) is not None


class _ManySecrets(_Beginnings):
    """By their first signs, so that their number does not matter; it lets other threads run meanwhile."""

    def __init__(self, forms: Set[str]) -> None:
        super().__init__(forms)
        lengths: dict[str, dict[int, set[str]]] = {}
        for form in forms:
            lengths.setdefault(form[:_SHORTEST], {}).setdefault(len(form), set()).add(form)
        self._by_start = {start: sorted(found.items(), reverse=True) for start, found in lengths.items()}

    def hidden(self, text: str) -> str:
        parts: list[str] = []
        begin = at = 0
        while at + _SHORTEST <= len(text):
            length = self._length_at(text, at)
            if length:
                parts += text[begin:at], MASKED
                begin = at = at + length
            else:
                at += 1
        return "".join((*parts, text[begin:]))

    def _length_at(self, text: str, at: int) -> int:
        for length, forms in self._by_start.get(text[at : at + _SHORTEST], ()):
            if text[at : at + length] in forms:
                return length
        return 0

    def holds(self, text: str) -> bool:
        return text in self._forms


class _AllIsSecret:
    """Where there are too many to look for."""

    def hidden(self, text: str) -> str:
        return MASKED

    def hidden_beginnings(self, text: str) -> str:
        return MASKED

    def holds(self, text: str) -> bool:
        return True


def _finder(texts: Set[str]) -> _Finder | None:
    if not texts:
        return None
    if len(texts) > _MOST:
        return _AllIsSecret()
    forms = set(texts)
    special = {text for text in texts if not _PLAIN.fullmatch(text)}
    forms |= {form for text in special for form in _marked_up(text)}
    # A secret with a quote or a line break looks different inside of JSON text, and there again inside of JSON.
    for _ in range(2):
        special |= {dumps(text)[1:-1] for text in special}
    forms |= special
    forms |= {form for text in special for form in _written(text)}
    forms |= {form for text in texts for form in _in_base64(text)}
    is_pattern = len(forms) <= _FEW and sum(map(len, forms)) <= _LONGEST_PATTERN
    return _FewSecrets(forms) if is_pattern else _ManySecrets(forms)


_PLAIN = re.compile("[A-Za-z0-9_.~-]*")
"""What everybody writes as it is."""
_ESCAPED = re.compile("%[0-9A-F]{2}")
_QUOTES = (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&#39;"), ("&quot;", "&apos;"))
"""How a double and a single quote are written."""
_URL_SAFE = str.maketrans("+/", "-_")


def _written(text: str) -> Iterator[str]:
    """The text as JSON of ASCII alone, Python, URLs and forms write it."""
    yield json.dumps(text)[1:-1]
    yield repr(text)[1:-1]
    for quoted in {quote(text), quote(text, safe=""), quote_plus(text)}:
        yield quoted
        yield _ESCAPED.sub(lambda found: found[0].lower(), quoted)


def _marked_up(text: str) -> Iterator[str]:
    """The text as HTML and XML write it."""
    marked = escape(text, quote=False)
    yield marked
    for double, single in _QUOTES if '"' in text or "'" in text else ():
        yield marked.replace('"', double)
        yield marked.replace('"', double).replace("'", single)


def _in_base64(text: str) -> Iterator[str]:
    """What Base64 makes of the text alone, and of it inside of something else (RFC 4648, 4 and 5).

    Each sign has six bits, so inside of something else there are three ways to write it, without the signs at both
    ends that have bits of that too.
    """
    raw = text.encode("utf-8", "surrogatepass")
    for before, foreign in ((0, 0), (1, 2), (2, 3)):
        coded = b64encode(bytes(before) + raw).decode()
        found = coded[foreign : coded.index("=") - 1 if coded.endswith("=") else None]
        for each in (found, *((coded,) if before == 0 else ())):
            if len(each) >= _SHORTEST_CODED:
                yield each
                yield each.translate(_URL_SAFE)


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
