"""Signatures of what is sent, by the Standard Webhooks specification, for which receivers find libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"


def new_secret() -> str:
    """A secret of 256 random bits, as receivers are given it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def headers(notice_id: str, moment: int, body: bytes, valid: Sequence[str]) -> dict[str, str]:
    """The three headers by which a receiver knows it; ``moment`` is in seconds, each valid secret signs."""
    signed = b".".join((notice_id.encode(), str(moment).encode(), body))
    signatures = [f"v1,{base64.b64encode(_sign(each, signed)).decode()}" for each in valid]
    return {"webhook-id": notice_id, "webhook-timestamp": str(moment), "webhook-signature": " ".join(signatures)}


def _sign(secret: str, signed: bytes) -> bytes:
    return hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
