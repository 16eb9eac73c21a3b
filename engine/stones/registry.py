"""The stones that an engine knows, by code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ...models.vocabulary import HOOKS
from .. import jsontext
from ..coroutines import is_coroutine, refuse_generator
from ..errors import Invalid
from .declarations.declaration import OutputDeclaration, ParameterDeclaration, StoneDeclaration
from .quota import Quota
from .stone import Stone


class Stones(Mapping[str, tuple[type[Stone], ...]]):
    """Stone classes by code; several share one where each serves other parameter values.

    Beside those with their code there are those that workers on other machines have declared. They count where tasks
    are carried out there (``elsewhere``); otherwise they are only known of. Those of workers over HTTP always count.
    """

    def __init__(
        self,
        *,
        elsewhere: bool = False,
        look_again: Callable[[], None] | None = None,
        quotas: Mapping[str, Quota] | None = None,
    ) -> None:
        """``look_again`` is called where a stone is missed that a worker may just have declared to another engine.

        ``quotas`` are those that settings give stones, by code.
        """
        self.elsewhere = elsewhere
        self._set_quotas = dict(quotas or {})
        self.quotas: dict[type[Stone], Quota] = {}
        """The quotas of those that have one."""
        self._look_again = look_again
        self._own: dict[str, list[type[Stone]]] = {}
        self._learnt: dict[str, list[type[Stone]]] = {}
        self._by_code: dict[str, tuple[type[Stone], ...]] = {}
        self._aliases: dict[str, str] = {}
        """Present codes by those that stones had before."""
        self._served: dict[str, tuple[type[Stone], ...]] = {}
        """The classes of each code, present or former."""
        self._alone: dict[str, type[Stone]] = {}
        """The class of each that has only one, whatever the parameters: of nearly all, and each step asks twice."""
        self.version = 0
        """What changes whenever anything else is known."""
        self.external: frozenset[str] = frozenset()
        """The codes whose tasks workers fetch over HTTP."""
        self._awaited = False
        """Whether any hook is a coroutine function, so that it is worth asking of each."""

    def __getitem__(self, code: str) -> tuple[type[Stone], ...]:
        known = self._served.get(code) or self._missed(code)
        if not known:
            raise KeyError(code)
        return known

    def names_of(self, code: str) -> list[str]:
        """The code that a stone of this one has now, and those that it had before."""
        present = self.present_code(code)
        known = self._by_code.get(present) or tuple(self._learnt.get(present, ()))
        return list(dict.fromkeys([present, *(alias for stone in known for alias in stone.aliases)]))

    def present_code(self, code: str) -> str:
        """The code that a stone of this one has now."""
        return code if code in self._by_code or code in self._learnt else self._aliases.get(code, code)

    def __contains__(self, code: object) -> bool:
        return code in self._served or (isinstance(code, str) and bool(self._missed(code)))

    def _missed(self, code: str) -> tuple[type[Stone], ...]:
        self.refresh()
        return self._served.get(code, ())

    def refresh(self) -> None:
        """Take in what was declared to another engine."""
        if self._look_again is not None:
            self._look_again()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_code)

    @property
    def have_secret_outputs(self) -> bool:
        """Whether one of them puts out anything secret."""
        return any(stone.secret_outputs for known in self._by_code.values() for stone in known)

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
        for hook in HOOKS:
            if stone.has(hook):
                refuse_generator(getattr(stone, hook), f"The hook {hook!r} of the stone {stone.code!r}")
        plain = [hook for hook in HOOKS if stone.has(hook) and not is_awaited(stone, hook)]
        if plain and (is_coroutine(stone.open) or is_coroutine(stone.close)):
            text = f"The stone {stone.code!r} opens or closes as a coroutine, and its hook {plain[0]!r} is none"
            raise Invalid(f"{text}: make all of them async, or none.", code="stone-invalid")
        self._check_quota(stone)
        others = [known for known in self._own.get(stone.code, ()) if known.serves != stone.serves]
        self._own[stone.code] = [*others, stone]
        self._awaited = self._awaited or any(is_awaited(stone, hook) for hook in HOOKS)
        self._sort(stone.code)
        self._index()

    def _check_quota(self, stone: type[Stone]) -> None:
        """Raise Invalid for a quota by what the stone does not declare or keeps secret, or that others have otherwise.

        What it is counted by is shown to whoever sees quotas, and others may try what it might be.
        """
        quota = self._set_quotas.get(stone.code, stone.quota)
        if quota is None:
            return
        if not isinstance(quota, Quota):
            raise Invalid(f"The quota of the stone {stone.code!r} is {quota!r}: give a Quota.", code="quota-invalid")
        if quota.by is not None and stone.parameters:
            from .declarations.parameters import is_declared, no_echo  # late, like all that imports marshmallow

            secret = quota.by in no_echo(stone)
            if secret or not is_declared(stone, quota.by):
                why = "which is secret: take another" if secret else "which is none of its parameters"
                text = f"The quota of the stone {stone.code!r} is counted by {quota.by!r}, {why}."
                raise Invalid(text, code="quota-invalid")
        for other, known in self.quotas.items():
            if known.name is not None and known.name == quota.name and known != quota and other.code != stone.code:
                text = f"The stones {other.code!r} and {stone.code!r} share the quota {quota.name!r}:"
                raise Invalid(f"{text} give both the same numbers.", code="quota-invalid")

    def remove(self, code: str) -> None:
        """Forget every class with this code; tasks that need it wait until it is back."""
        self._own.pop(code, None)
        self._sort(code)
        self._index()

    def learn(self, stones: Iterable[type[Stone]]) -> None:
        """Take these for all that workers have declared."""
        learnt: dict[str, list[type[Stone]]] = {}
        for stone in stones:
            learnt.setdefault(stone.code, []).append(stone)
        before, self._learnt = self._learnt, learnt
        self.version += 1
        for code in (*before, *learnt):
            self._sort(code)
        self._index()
        self.external = frozenset(code for code in learnt if any(each.external for each in self._by_code.get(code, ())))

    def _sort(self, code: str) -> None:
        self.version += 1
        own = self._own.get(code, [])
        learnt = [stone for stone in self._learnt.get(code, ()) if self.elsewhere or stone.external]
        known = [*own, *(stone for stone in learnt if all(stone.serves != each.serves for each in own))]
        if known:
            # The most particular first, so that the one that serves the rest is asked last.
            self._by_code[code] = tuple(sorted(known, key=lambda stone: -len(stone.serves)))
        else:
            self._by_code.pop(code, None)

    def _index(self) -> None:
        """Look again which codes stones had before, and which of those that are carried out here have a quota."""
        every = [*self._own.values(), *self._learnt.values()]
        self._aliases = {alias: stone.code for stones in every for stone in stones for alias in stone.aliases}
        former = {alias: self._by_code[code] for alias, code in self._aliases.items() if code in self._by_code}
        self._served = {**former, **self._by_code}
        self._alone = {
            code: known[0] for code, known in self._served.items() if len(known) == 1 and not known[0].serves
        }
        quotas = {
            stone: self._set_quotas.get(code, stone.quota) for code, known in self._by_code.items() for stone in known
        }
        self.quotas = {stone: quota for stone, quota in quotas.items() if quota is not None}

    def codes(self) -> set[str]:
        """The codes of all that are known, here or elsewhere."""
        return {*self._by_code, *self._learnt}

    def classes(self, code: str) -> tuple[type[Stone], ...]:
        """The classes of a known code, here or elsewhere."""
        code = self.present_code(code)
        return self._by_code.get(code) or tuple(self._learnt[code])

    def known_to_serve(self, code: str | None) -> tuple[type[Stone], ...]:
        """The classes of a code that are known already, here or elsewhere; all that there are where it is None."""
        codes = self.codes() if code is None else self.codes() & {self.present_code(code)}
        return tuple(stone for each in codes for stone in self.classes(each))

    def is_known(self, code: str) -> bool:
        """Whether anybody carries out this code, here or elsewhere."""
        if not self._is_there(code) and self._look_again is not None:
            self._look_again()
        return self._is_there(code)

    def _is_there(self, code: str) -> bool:
        code = self.present_code(code)
        return code in self._by_code or code in self._learnt

    def declared(self) -> tuple[StoneDeclaration, ...]:
        """What all of them declare, by code, the one that serves the rest after the particular ones."""
        every = {code: self._by_code.get(code) or self._learnt[code] for code in self.codes()}
        stones = [stone for code in sorted(every) for stone in every[code]]
        return tuple(replace(declaration_of(stone), quota=self.quotas.get(stone)) for stone in stones)

    def is_awaited(self, code: str, event: str, parameters: str) -> bool:
        """Whether the hook that serves a task with these parameters (JSON text) is a coroutine function."""
        stone = self.choose(code, parameters) if self._awaited else None
        return stone is not None and is_awaited(stone, event)

    def choose(self, code: str | None, parameters: str) -> type[Stone] | None:
        """The class for a task with these parameters (JSON text), or None while none is registered."""
        code = code or ""
        if (alone := self._alone.get(code)) is not None:
            return alone
        known = self._served.get(code) or self._missed(code)
        values = jsontext.read(parameters) if known else {}
        for stone in known:
            if all(values.get(name) == value for name, value in stone.serves.items()):
                return stone
        return None


def is_awaited(stone: type[Stone], event: str) -> bool:
    """Whether this hook of a stone is a coroutine function."""
    return is_coroutine(getattr(stone, event))


def declaration_of(stone: type[Stone]) -> StoneDeclaration:
    """What the class declares, with its docstring as the description."""
    outputs = {**stone.outputs, **{name: "" for name in sorted(stone.secret_outputs) if name not in stone.outputs}}
    return StoneDeclaration(
        code=stone.code,
        display_name=stone.display_name,
        description=inspect.cleandoc(stone.__doc__ or ""),
        parameters=_parameters(stone) if stone.parameters else (),
        outputs=tuple(
            OutputDeclaration(name=name, description=text, secret=name in stone.secret_outputs)
            for name, text in outputs.items()
        ),
        hooks=tuple(hook for hook in HOOKS if stone.has(hook)),
        serves=dict(stone.serves),
    )


def _parameters(stone: type[Stone]) -> tuple[ParameterDeclaration, ...]:
    from .declarations.schema import parameter_declaration  # late, like all that imports marshmallow

    return tuple(parameter_declaration(name, field) for name, field in stone.parameters.items())
