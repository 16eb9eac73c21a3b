"""Where the process that runs a hook finds the secrets that a model refers to, in the moment in which the hook begins.

What is found is handed to that hook alone. It is in no store, message or log: whatever the hook tells is masked before
it leaves the process.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..errors import Invalid, Later, RiverstoneError
from ..mask import Mask
from .references import SecretReference, read_reference

LARGEST = 64 * 1024
"""Characters of one secret."""
SHORTEST = 4
"""Characters of one: what is shorter could not be told from other words where it has to be hidden."""
TELLING = 8
"""Characters from which on a secret is hidden in what the ledger keeps too: a shorter one may be a part of ids by
chance, and by a masked id nothing is found again."""
AGAIN = 10.0
"""Seconds after which a hook is tried again whose secret could not be asked for."""


class SecretSource(Protocol):
    """A place with secrets."""

    def find(self, reference: SecretReference) -> str | None:
        """The secret, None where there is none; raises SecretUnavailable where that cannot be told now."""


class SecretUnavailable(RiverstoneError):
    """A place with secrets does not answer; the text tells nothing of them."""

    code = "secret-unavailable"


class Secrets:
    """The places of one process, asked in their order."""

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self.sources = tuple(sources)

    def resolve(self, references: Mapping[str, str], owner: str | None) -> dict[str, str]:
        """The secrets that parameters refer to, by parameter.

        Raises Invalid for a reference that is none, is not for this owner or is found nowhere, and Later where a place
        does not answer.
        """
        return {name: self._one(text, owner) for name, text in references.items()}

    def _one(self, text: str, owner: str | None) -> str:
        reference = read_reference(text)
        reference.refuse_other(owner)
        for source in self.sources:
            try:
                found = source.find(reference)
            except SecretUnavailable as error:
                raise Later(AGAIN, f"{text!r} cannot be asked for: {error}") from None
            if found is not None:
                if not SHORTEST <= len(found) <= LARGEST:
                    lengths = f"{SHORTEST} to {LARGEST} characters"
                    raise Invalid(f"The secret {text!r} does not have {lengths}.", code="secret-invalid")
                return found
        raise Invalid(f"The secret {text!r} is nowhere to be found: ask the operator for it.", code="secret-unknown")


class Hidden:
    """Hides resolved secrets in what a hook tells."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self.told = Mask((), secrets.values())
        """In what is told to people."""
        self.kept = Mask((), [secret for secret in secrets.values() if len(secret) >= TELLING])
        """In what the ledger keeps, by which things are found again."""
