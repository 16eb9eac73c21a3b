"""The stones that an engine knows, by code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from . import jsontext
from .declaration import StoneDeclaration, declaration_of
from .errors import Invalid
from .stone import Stone


class Stones(Mapping[str, tuple[type[Stone], ...]]):
    """Stone classes by code; several share one where each serves other parameter values."""

    def __init__(self) -> None:
        self._by_code: dict[str, tuple[type[Stone], ...]] = {}

    def __getitem__(self, code: str) -> tuple[type[Stone], ...]:
        return self._by_code[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    def __len__(self) -> int:
        return len(self._by_code)

    def add(self, stone: object) -> None:
        """Register a class; one with the same code and the same ``serves`` is replaced."""
        if not (isinstance(stone, type) and issubclass(stone, Stone)):
            raise Invalid(f"{stone!r} is not a subclass of Stone.", code="stone-invalid")
        if not stone.code:
            raise Invalid(
                f"The stone {stone.__name__} has no code: set its class attribute 'code'.", code="stone-invalid"
            )
        others = [known for known in self._by_code.get(stone.code, ()) if known.serves != stone.serves]
        # The most particular first, so that the one that serves the rest is asked last.
        self._by_code[stone.code] = tuple(sorted([*others, stone], key=lambda known: -len(known.serves)))

    def remove(self, code: str) -> None:
        """Forget every class with this code; tasks that need it wait until it is back."""
        self._by_code.pop(code, None)

    def declared(self) -> tuple[StoneDeclaration, ...]:
        """What all of them declare, by code, the one that serves the rest after the particular ones."""
        return tuple(declaration_of(stone) for code in sorted(self._by_code) for stone in self._by_code[code])

    def choose(self, code: str | None, parameters: str) -> type[Stone] | None:
        """The class for a task with these parameters (JSON text), or None while none is registered."""
        known = self._by_code.get(code or "", ())
        if len(known) == 1 and not known[0].serves:
            return known[0]
        values = jsontext.read(parameters) if known else {}
        for stone in known:
            if all(values.get(name) == value for name, value in stone.serves.items()):
                return stone
        return None
