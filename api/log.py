"""Where a server's log goes: to standard error, as text for people or as JSON for machines."""

from __future__ import annotations

import logging
from typing import Literal

from ..engine import JsonFormatter

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def write_log(form: Literal["text", "json"], level: str) -> None:
    """Write what riverstone and its web server log from this level on.

    Other packages keep their own settings: what they say at ``debug``, such as every statement with its values, is not
    for a log.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(TEXT))
    for name, least in (("riverstone", level.upper()), ("waitress", "WARNING")):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(least)
        logger.propagate = False
