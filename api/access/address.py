"""Addresses that an operator or a provider writes."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

USUAL = {"http": 80, "https": 443}


def parts_of(address: str) -> SplitResult | None:
    """The parts of an address with a host; None for what cannot be one, also for its port."""
    try:
        parts = urlsplit(address)
        return parts if parts.hostname and parts.port != 0 else None
    except ValueError:
        return None


def origin_of(address: str) -> str:
    """The origin of an address as browsers tell it: its host in small letters, no port where that is the usual one."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    port = "" if parts.port in (None, USUAL.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"
