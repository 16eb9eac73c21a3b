"""What is asked of quotas."""

from __future__ import annotations

from ..members import Text
from .lists import Part
from .strict import CURSOR


class QuotaQuery(Part):
    """Which quotas are asked for."""

    name = Text(description="The quota's name: the code of its stone where it has no other.")
    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)
