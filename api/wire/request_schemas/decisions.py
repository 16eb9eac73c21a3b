"""What decisions are asked with."""

from __future__ import annotations

from marshmallow import validate

from ..members import CountText, Object, Text
from .lists import Part
from .strict import CURSOR, Strict


class DecisionMadeQuery(Part):
    """Which part of the decisions that a process has made."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)


class DecisionList(Part):
    """Which part of the decisions."""

    cursor = Text(description=CURSOR)


class DecisionQuery(Strict):
    """Which version of a decision, the newest without any."""

    version = CountText(
        validate=validate.Range(min=1, max=999_999_999),
        metadata={"description": "Another version of what holds it last."},
    )
    version_tag = Text(data_key="versionTag", description="The last version with this tag.")
    deployment_id = Text(data_key="deploymentId", description="The deployment that holds it.")


class DecisionVariables(Strict):
    """What a decision is made from."""

    variables = Object(load_default=dict)
