"""What calls for many processes are asked with."""

from __future__ import annotations

from marshmallow import validate

from ....models.vocabulary import BatchAction, BatchResult
from ..members import Flag, Number, Object, Pairs, Text, Word
from .lists import Part, Searched
from .strict import CURSOR, Strict


class BatchRequest(Strict):
    """What is done to each process that the query finds, and how fast."""

    action = Word(BatchAction, required=True)
    rate = Number(
        allow_none=True,
        validate=validate.Range(0.001, 10_000),
        metadata={"description": "The most processes a second; as many as can be without it."},
    )
    force = Flag(metadata={"description": "Of a cancel and a delete."})
    element_id = Text(
        data_key="elementId",
        allow_none=True,
        description="Where a rewind goes back to, or the only element that is tried again.",
    )
    variables = Object(metadata={"description": "Of a rewind: variables set before its task begins again."})
    parameters = Object(metadata={"description": "Of a rewind: values that its task is given in place of its own."})
    deployment_id = Text(
        data_key="deploymentId", allow_none=True, description="Of a migration or a rewind: the other version."
    )
    mapping = Object(metadata={"description": "With that: ids of elements by those whose place they take."})
    reason = Text(longest=1000, allow_none=True, description="Of a suspension: why.")


class BatchPreviewQuery(Searched):
    """What would be done, and to which processes."""

    action = Word(BatchAction, required=True)
    element_id = Text(data_key="elementId", description="Of a rewind or a retry.")
    deployment_id = Text(data_key="deploymentId", description="Of a migration or a rewind: the other version.")
    mapping = Pairs(
        data_key="map",
        metadata={"description": "OLD=NEW of a migration or a rewind: which element takes the place of which."},
    )


class BatchList(Part):
    """Which part of the batches."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9a-f-]{1,36}$", description=CURSOR)


class BatchItemQuery(Part):
    """Which part of the processes of a batch, and what came of them."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)
    result = Word(BatchResult)


class BatchRate(Strict):
    """The optional body of what lets a batch go on."""

    rate = Number(allow_none=True, validate=validate.Range(0.001, 10_000))
