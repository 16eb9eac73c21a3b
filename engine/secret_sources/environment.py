"""Secrets in environment variables: ``secret:acme/db-password`` is ``ACME__DB_PASSWORD`` behind the prefix."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from .references import SecretReference

VARIABLE = "RIVERSTONE_SECRET_"
# What is written in capitals, with other signs or with two hyphens in a row could meet another owner's variable.
_PART = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class EnvironmentSecrets:
    """Those of this process: names in small letters and digits, with single hyphens inside."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def find(self, reference: SecretReference) -> str | None:
        if reference.field is not None or not all(_PART.fullmatch(part) for part in reference.parts):
            return None
        name = "__".join(part.replace("-", "_").upper() for part in reference.parts)
        return self._environment.get(VARIABLE + name)
