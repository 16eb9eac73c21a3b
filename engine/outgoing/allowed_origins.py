"""Which addresses may be called: those that the operator has listed, inside only where that is listed too."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from ..errors import Invalid
from .request import HttpAnswer, send

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PORTS = {"https": 443, "http": 80}
LONGEST = 2000
_NEVER_GLOBAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "3fff::/20")))
"""What IANA's registries of special addresses name (RFC 6890, RFC 9637), and CPython before 3.13 and 3.14 does not.

A cloud has its metadata, with credentials, at an address of the first.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called, taken apart."""

    scheme: str
    host: str
    port: int
    path: str


class AllowedOrigins:
    """What an operator has listed: ``https://hooks.example.com``, ``*.example.com``, networks as ``10.0.0.0/8``.

    A network lets requests go to addresses that are not public; an origin alone never does.

    Args:
        listed: Origins, hosts (for ``https``) and networks.
        setting: Where the operator lists them, for the texts of refusals.

    Raises:
        Invalid: For what is none of them.
    """

    def __init__(self, listed: Sequence[str], *, setting: str = "webhooks") -> None:
        self._setting = setting
        self.networks: list[Network] = []
        self.origins: list[tuple[str, str, int]] = []
        for text in listed:
            try:
                self.networks.append(ipaddress.ip_network(text))
                continue
            except ValueError:
                pass
            origin = _origin(text)
            if origin is None:
                raise Invalid(f"{text!r} is no host, origin or network that {setting} may go to.", code="webhooks")
            self.origins.append(origin)

    def __bool__(self) -> bool:
        return bool(self.origins)

    def check(self, url: str) -> Target:
        """The address taken apart; raises Invalid for one that may not be called."""
        target = _target(url)
        for scheme, host, port in self.origins:
            if scheme == target.scheme and port == target.port and fnmatchcase(target.host, host):
                return target
        text = f"Nothing is sent to {target.scheme}://{target.host}:{target.port}"
        raise Invalid(f"{text}: the operator has not listed it ({self._setting}).", code="webhook-not-allowed")

    def addresses(self, target: Target) -> list[Address]:
        """Where its name leads, each of which may be connected to; raises Invalid where one may not, OSError."""
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found))
        for address in addresses:
            if not self._may_connect(address):
                raise Invalid(f"{target.host} leads to {address}, which is no public address.", code="webhook-inside")
        return addresses

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        seconds: float,
        largest: int,
    ) -> HttpAnswer:
        """Send one request and read the answer, without redirects and proxies.

        Args:
            method: Any that HTTP has.
            url: With all of its path and query.
            headers: What goes with it, beside those that HTTP itself needs.
            body: What is sent, if anything.
            seconds: For all of it, beside looking the name up.
            largest: Bytes of the answer that are read; 0 reads none of them.

        Raises:
            Invalid: The address is not allowed.
            NotConnected: Nothing was sent.
            OSError: The connection failed, the time was over, or the answer was longer; it may have been carried out.
            http.client.HTTPException: The answer is none of HTTP.
        """
        return send(self, method, url, headers, body, seconds=seconds, largest=largest)

    def _may_connect(self, address: Address) -> bool:
        plain = getattr(address, "ipv4_mapped", None) or address
        if any(plain.version == each.version and plain in each for each in self.networks):
            return True
        tunnelled = getattr(plain, "sixtofour", None) or getattr(plain, "teredo", None)
        inside = tunnelled or getattr(plain, "is_site_local", False) or any(plain in each for each in _NEVER_GLOBAL)
        return plain.is_global and not plain.is_multicast and not plain.is_reserved and not inside


def _origin(text: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; None for what is no origin."""
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        return None
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        return None
    return parts.scheme, parts.hostname, port or PORTS[parts.scheme]


def host_of(url: str) -> tuple[str, int]:
    """Host and port of an address that was allowed, however they are spelled; ("", 0) for what is no address."""
    try:
        target = _target(url)
    except Invalid:
        return "", 0
    return target.host, target.port


def spelled_origin(url: str) -> str:
    """What the address begins with up to the sign behind its host, as it is spelled; all of it where nothing follows.

    Other addresses that begin so have the same host and port.
    """
    found = re.match(r"[^/]*//[^/?]*[/?]", url)
    return url if found is None else found[0]


def _target(url: object) -> Target:
    wrong = Invalid("The address is no https://host/path that can be called.", code="webhook-url")
    if not isinstance(url, str) or len(url) > LONGEST or not url.isascii() or not url.isprintable() or " " in url:
        raise wrong
    try:
        parts = urlsplit(url)
        port = parts.port
        # It raises for a name with an empty part or one that is too long, which no resolver takes.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise wrong from None
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None or parts.fragment:
        raise wrong
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or PORTS[parts.scheme], path)
