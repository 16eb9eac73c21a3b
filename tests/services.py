"""What tests need of the machine beside Python, where it is looked for, and what is said where it is missing."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from contextlib import suppress
from typing import NoReturn

import pytest

POSTGRESQL = os.environ.get("RIVERSTONE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432/test")
MARIADB = os.environ.get("RIVERSTONE_TEST_MARIADB", "mysql://root@127.0.0.1:3306/test")
RABBITMQ = os.environ.get("RIVERSTONE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672")


def skip(missing: str) -> NoReturn:
    """Skip the test for want of a service; tests that give the same sentence are counted in one line at the end.

    With ``CI`` set every skipped test fails (``tests/conftest.py``).
    """
    pytest.skip(missing)


def free_port() -> int:
    """A port of the loopback for a server that has to be told one before it is there.

    It is below those that the system gives to connections. One of these could be in use again before the server is.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def program(*names: str, package: str) -> str:
    """The path of the first of these programs that is installed; skips the test if none is."""
    for name in names:
        if (path := shutil.which(name)) is not None:
            return path
    skip(f"{names[0]} is not installed (Debian's package {package})")
