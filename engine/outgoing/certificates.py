"""Whose certificates are trusted, and how strictly they are read: the same on every Python."""

from __future__ import annotations

import ssl


def trusting(ca: str | None = None) -> ssl.SSLContext:
    """What connections are encrypted with, that trust the authorities of the file ``ca``, else the system's.

    Raises OSError for a file that cannot be read.
    """
    return strictly(ssl.create_default_context(cafile=ca))


def strictly(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, which reads certificates as RFC 5280 says, and ends a chain at any that is trusted.

    CPython has asked for both since 3.13 and not before, so that one of two engines of a store would have reached
    what the other refused. How old a TLS may be is a matter of how it was built.
    """
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    return context
