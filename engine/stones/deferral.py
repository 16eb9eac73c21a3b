"""A start that hands its task to somebody outside, who tells by a token what came of it."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from ..errors import Invalid

Algorithm: TypeAlias = Literal["sha1", "sha256", "sha512"]
Encoding: TypeAlias = Literal["hex", "base64"]

LONGEST_DEFERRAL = 366 * 24 * 3600
"""Seconds."""


@dataclass(frozen=True, kw_only=True)
class CallbackSignature:
    """How the sender of a webhook proves that it is who it says: an HMAC over the body, in a header.

    Args:
        secret: What the sender and the stone share.
        header: The header that has the HMAC, in any case.
        prefix: What the header's value begins with.
    """

    secret: str = field(repr=False)
    header: str = "X-Hub-Signature-256"
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = "sha256="

    def __post_init__(self) -> None:
        if not self.secret or not self.header:
            raise Invalid("A callback's signature needs a secret and a header.", code="signature-declaration")
        if self.algorithm not in get_args(Algorithm) or self.encoding not in get_args(Encoding):
            text = f"Use {' or '.join(get_args(Algorithm))}, and {' or '.join(get_args(Encoding))}"
            raise Invalid(f"{text}, not {self.algorithm} and {self.encoding}.", code="signature-declaration")

    def fits(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Whether the body was signed with the secret, by what the headers (names in lower case) say."""
        given = headers.get(self.header.lower(), "")
        if not given.startswith(self.prefix):
            return False
        text = given[len(self.prefix) :].strip()
        try:
            told = bytes.fromhex(text) if self.encoding == "hex" else b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(told, hmac.digest(self.secret.encode(), body, self.algorithm))

    def kept(self) -> dict[str, str]:
        """As the ledger keeps it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Deferral:
    """What a start returns that has handed its task to somebody outside.

    ``token`` is for a service of your own: ``POST /task/{id}/complete`` and the like with it as bearer. ``url`` is for
    a foreign webhook, and None unless the engine has a ``public_url``. Both stay the same when the start is delivered
    again.
    """

    token: str = field(repr=False)
    url: str | None = field(repr=False)
    timeout: float | None = None
    """Seconds after which the task has failed; None waits for as long as it takes."""
    signature: CallbackSignature | None = None


def read_signature(kept: Mapping[str, Any]) -> CallbackSignature:
    """A signature as the ledger or a worker's answer has it; raises Invalid."""
    if not all(isinstance(value, str) for value in kept.values()):
        raise Invalid("A callback's signature is told in texts.", code="signature-declaration")
    try:
        return CallbackSignature(**kept)
    except TypeError as error:
        raise Invalid(f"A callback's signature is wrong: {error}.", code="signature-declaration") from error
