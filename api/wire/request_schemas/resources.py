"""What is asked of what exists by the ledger."""

from __future__ import annotations

from marshmallow import validate

from ....models.vocabulary import ResourceState
from ..members import Ids, Number, Text, Word
from .lists import Part
from .strict import CURSOR, Strict


class ResourceCountQuery(Strict):
    """Which of what exists is counted."""

    process_instance_id = Text(data_key="processInstanceId", description="What this process made.")
    stone = Text(description="What the stone with this code made.")
    key = Text(description="What processes of this key made.")
    state = Word(ResourceState)
    owner = Text(description="What processes of this owner made. A client that sees one owner sees that of no other.")


class ResourceExportQuery(ResourceCountQuery):
    """Which of what exists is listed as a whole."""

    text = Text(description="With this text in an output, an id, a name or a code, in any case.")


class ResourceQuery(ResourceExportQuery, Part):
    """Which part of what exists is asked for."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)


class ResourceDriftQuery(Part):
    """Whose drift is asked for."""

    process_instance_id = Text(data_key="processInstanceId", description="Of what this process made.")
    stone = Text(description="Of what the stone with this code made.")
    key = Text(description="Of what processes of this key made.")
    owner = Text(description="Of what processes of this owner made.")
    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9]{1,9}$", description=CURSOR)


class GoneTasks(Strict):
    """What is taken for undone: that of these tasks, or all that was found gone."""

    tasks = Ids(data_key="taskIds", metadata={"description": "Ids of tasks; without any, all that was found gone."})


class CheckTimes(Strict):
    """When what exists is checked, and how fast."""

    every = Text(
        required=True,
        longest=255,
        description="An ISO 8601 repetition or duration, or cron; at most once a minute (limit check_interval).",
    )
    stone = Text(description="Only what the stone with this code made.")
    key = Text(description="Only in processes of this key.")
    rate = Number(
        validate=validate.Range(0.001, 10_000),
        metadata={"description": "The most processes a second; 5 without it."},
    )
