"""What lists and searches are asked with."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from ....engine.views.tasks import TaskState
from ....models import Sort
from ....models.vocabulary import InstanceKind, ProcessState, ProcessStatus
from ..members import CountText, LocalTimeText, Text, Word
from .strict import CURSOR, KIND, STATE, Strict


class Part(Strict):
    """Which part of a list is asked for."""

    limit = CountText(validate=validate.Range(min=1, max=500), metadata={"description": "50 unless said otherwise."})


class InstanceQuery(Part):
    """Filters of the list of process instances."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)
    status = Word(ProcessStatus)
    key = Text()
    name = Text()


class Searched(Strict):
    """What the found process instances must have."""

    text = Text(description="Words of the name or business key, or what these begin with, a part of the key, or an id.")
    statuses = fields.List(Word(ProcessStatus), data_key="status")
    state = Word(ProcessState, metadata={"description": STATE})
    kind = Word(InstanceKind, metadata={"description": KIND})
    key = Text()
    business_key = Text(data_key="businessKey")
    stone = Text(description="The code of a stone that a forward run has used, or tried to.")
    element = Text(description="The id of an element at which a task is open or a token waits.")
    error = Text(description="A part of what is told of a failure, in any case.")
    variables = fields.List(
        Text(pattern=r"^[^=]+=[\s\S]*$"),
        data_key="variable",
        metadata={"description": "NAME=VALUE of a variable that the model's parameter template declares Searchable."},
    )
    started_from = LocalTimeText(data_key="startedFrom")
    started_before = LocalTimeText(data_key="startedBefore")
    ended_from = LocalTimeText(data_key="endedFrom")
    ended_before = LocalTimeText(data_key="endedBefore")

    @post_load
    def with_values(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The variables by name."""
        pairs = [each.split("=", 1) for each in data.get("variables", ())]
        return {**data, "variables": dict(pairs)} if pairs else data


class HistoryQuery(Part):
    """Which part of the history of a process."""

    cursor = Text(pattern=r"^[0-9]{1,9}$", description=CURSOR)


class SearchQuery(Searched, Part):
    """The same, and which part of them."""

    cursor = Text(pattern=r"^[0-9]{1,18}(-[0-9]{1,18})?$", description=CURSOR)
    sort = Word(Sort, metadata={"description": "The newest first by id, as unless said otherwise, or by a time."})


class CountQuery(Strict):
    """Which process instances are counted."""

    kind = Word(InstanceKind, metadata={"description": KIND})
    key = Text()


class TaskPart(Part):
    """Which part of the tasks of a process instance; all of them without a limit."""

    limit = CountText(validate=validate.Range(min=1, max=500), metadata={"description": "All unless said otherwise."})
    after = Text(pattern=r"^[0-9]{1,18}$", description="The id of the last task of the part before.")


class ProcessTaskQuery(TaskPart):
    """Which of the tasks of one process instance."""

    element_id = Text(data_key="elementId", description="Those of one element of the diagram.")
    state = Word(TaskState, metadata={"description": "Those that have not ended, or failed or could not be undone."})


class StatisticsQuery(Strict):
    """Which runs are counted."""

    since = LocalTimeText(metadata={"description": "Those that began from then on."})
    key = Text()
    runs = CountText(
        validate=validate.Range(min=1, max=5000),
        metadata={"description": "At most so many, the newest; 2,000 unless said otherwise."},
    )
