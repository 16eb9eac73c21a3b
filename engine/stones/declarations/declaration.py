"""What a stone says of itself, for whoever draws a form, a palette or a list: never the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ....models.vocabulary import Hook
from ...jsontext import JSON
from ..quota import Quota


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterDeclaration:
    """One parameter that a stone takes."""

    name: str
    type: str
    """The kind of its field in lower case, such as ``string``, ``integer``, ``boolean``; ``json`` is anything."""
    required: bool = False
    default: JSON = None
    """As JSON; ``*****`` for a secret one, None where there is none or where it is made anew each time."""
    display_name: str = ""
    description: str = ""
    visible: bool = True
    """Whether a designer shows it; the others are for experts."""
    no_echo: bool = False
    """Whether its values, or any inside of them, are secret."""
    allowed_values: tuple[JSON, ...] | None = None
    variable: bool | None = None
    """Whether it takes the start variable of its name; False never does, None does and lint warns of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputDeclaration:
    """One output of a stone."""

    name: str
    description: str = ""
    secret: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class StoneDeclaration:
    """What a stone takes, puts out and can do."""

    code: str
    display_name: str = ""
    description: str = ""
    parameters: tuple[ParameterDeclaration, ...] = ()
    outputs: tuple[OutputDeclaration, ...] = ()
    hooks: tuple[Hook, ...] = ()
    """The hooks that it has, in the order of a task's life; an undo hook that is missing leaves the task retained."""
    serves: Mapping[str, JSON] = field(default_factory=dict)
    """The parameter values for which this one is chosen where several share a code."""
    quota: Quota | None = None
    """How many of its hooks may act at once and begin in a minute, by its class or a setting."""


class Unfit(Exception):
    """Values that do not fit what a stone declares, with what is wrong by parameter."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors)
        self.errors = errors
