"""What undoes, repairs and rewinds is asked with."""

from __future__ import annotations

from marshmallow import validate

from ....engine.views.undo import RepairAction
from ....models.vocabulary import UndoKind
from ..members import Flag, FlagText, Ids, Number, Object, Pairs, Text, Texts, Word
from .strict import Strict
from .tasks import last_attempt


class UndoOptions(Strict):
    """The optional body of a cancel or a delete."""

    force = Flag(metadata={"description": "Skip the grace; a delete of a running process cancels it first."})


class DeleteOptions(UndoOptions):
    """The optional body of a delete."""

    retain = Ids(metadata={"description": "Ids of tasks to give up for good."})


class UndoQuery(Strict):
    """The options of a cancel, in the query."""

    force = FlagText()


class DeleteQuery(UndoQuery):
    """The options of a delete, in the query."""

    retain = Ids()


class RetryOptions(Strict):
    """The optional body of a retry: of what has failed and stands still, or of an undo that has failed."""

    element_id = Text(data_key="elementId", allow_none=True, description="Only what has failed at this element.")
    retain = Ids(metadata={"description": "Ids of tasks to give up for good."})


class PreviewQuery(Strict):
    """Which undo is asked about."""

    kind = Word(UndoKind, load_default="delete")


class ElementSkip(Strict):
    """Which element of a process is gone on without."""

    element_id = Text(data_key="elementId", required=True)


class RewindTo(Strict):
    """To which task a process goes back, and how that begins again."""

    to = Text(required=True, description="The id of the task.")
    variables = Object(metadata={"description": "Variables of the process, set before the task begins again."})
    parameters = Object(metadata={"description": "Values that the task is given in place of its own."})
    retain = Ids(metadata={"description": "Ids of tasks that no rollback can undo: what they made stays."})
    deployment_id = Text(data_key="deploymentId", description="Another version, on which the task begins again.")
    mapping = Texts(metadata={"description": "By the id of an element, that of the one that takes its place there."})


class Moving(Strict):
    """To which version of its model a process is moved."""

    deployment_id = Text(data_key="deploymentId", required=True)
    mapping = Texts(metadata={"description": "By the id of an element, that of the one that takes its place."})


class MovingNow(Moving):
    """The same, and how long hooks may take that are in hand."""

    timeout = Number(
        validate=validate.Range(min=0, max=60),
        metadata={"description": "Seconds to wait for hooks that are in hand; 0 unless said otherwise."},
    )


class RewindQuery(Strict):
    """To which task a process would go back."""

    to = Text(required=True)
    deployment_id = Text(data_key="deploymentId", description="Another version, on which the task begins again.")
    mapping = Pairs(data_key="map", metadata={"description": "OLD=NEW: which element takes the place of which there."})


class ElementRepair(Strict):
    """What would be done about what has failed in a process, or at one element of it."""

    action = Word(RepairAction, required=True)
    element_id = Text(data_key="elementId", description="All that has failed without it.")


class TaskRepair(Strict):
    """What would be done about one failed task."""

    action = Word(RepairAction, required=True)
    attempt = last_attempt()
    parameters = Object(metadata={"description": "Of a retry: values that replace the task's of these names."})
    outputs = Object(metadata={"description": "Of a work done by hand: what the task's stone would have put out."})
