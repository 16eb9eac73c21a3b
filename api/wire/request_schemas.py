"""What HTTP takes, read strictly: a member that is not listed here is refused, never ignored."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from marshmallow import RAISE, Schema, ValidationError, fields, missing, post_load, validate, validates_schema

from ...engine.bpmn.running.cycles import TimerKind
from ...engine.calls.processes import LONGEST_TTL
from ...engine.stones.element_templates import Modeler
from ...engine.triggers.starts import Drain
from ...models import InboxOrder, Sort
from ...models.vocabulary import (
    BatchAction,
    BatchResult,
    Hook,
    InstanceKind,
    ProcessState,
    ProcessStatus,
    ResourceState,
    UndoKind,
)
from ..parking import LONGEST
from .members import NOT_BLANK, CountText, Flag, FlagText, Ids, LocalTimeText, Number, Object, Text, Texts, Word

KIND = "Forward runs (start), or the undos of one kind; all unless said otherwise."
STATE = (
    "How its own work ended, whatever was undone since (success, failed, canceled); for whom it waits: somebody who"
    " decides what becomes of a failure (attention), a person with a task, an event; or running: the rest."
)
CURSOR = "The cursor of the part before."
ME = "me"
"""In place of a user or group: whoever asks."""
PROCESS = "process_instance_id"
OF_PROCESS = frozenset({PROCESS, "limit", "after"})
"""What is said of the tasks of a process, where all kinds of them are asked for."""
TasksAsked: TypeAlias = Literal["user"]
MODEL_IDS = {"modelId": "model_id", "deploymentId": "deployment_id", "key": "key"}
"""The ways to say what is to be started, by their outside names."""


_COUNT = "[1-9][0-9]{0,3}"
FAILURE_POLICY = f"^(rollback|keep|pause( P(?!$)({_COUNT}D)?(T(?=[1-9])({_COUNT}H)?({_COUNT}M)?({_COUNT}S)?)?)?)$"


class Strict(Schema):
    """Root of what comes in."""

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        named = [(field.data_key or name, name, field) for name, field in self.load_fields.items()]
        self._plain_members = {
            outside: (name, field.is_plain, field.allow_none)
            for outside, name, field in named
            if hasattr(field, "is_plain")
        }
        self._needed = {outside for outside, _, field in named if field.required or field.load_default is not missing}

    def load(self, data: Any, **options: Any) -> Any:
        """The values by the engine's names, quickly where all of them are plain; raises ValidationError."""
        if type(data) is dict and not options and (plain := self._plain(data)) is not None:
            return plain
        return super().load(data, **options)

    def _plain(self, data: dict[str, Any]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        for outside, value in data.items():
            name, is_plain, allow_none = self._plain_members.get(outside, ("", None, False))
            if is_plain is None or not (is_plain(value) or (value is None and allow_none)):
                return None
            values[name] = value
        return values if self._needed <= data.keys() and self.is_whole(values) else None

    def is_whole(self, values: dict[str, Any]) -> bool:
        """Whether members that are right one by one are so together."""
        return True


class Nothing(Strict):
    """No member at all."""


class ProcessStart(Strict):
    """The body of a start. Exactly one of ``modelId``, ``deploymentId`` and ``key`` is given; null counts as absent."""

    model_id = Text(data_key="modelId", allow_none=True, description="A trial run of this model as it now stands.")
    deployment_id = Text(data_key="deploymentId", allow_none=True, description="This version.")
    key = Text(allow_none=True, description="The newest deployment of this key.")
    name = Text(data_key="processName", required=True, pattern=NOT_BLANK)
    variables = Object(required=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    callback_url = Text(
        data_key="callbackUrl",
        longest=2000,
        allow_none=True,
        pattern="^https?://[!-~]+$",
        description="An address that the operator has listed: it is told what the process comes to.",
    )
    rollback = Flag(metadata={"description": "Whether a failure rolls back; true unless said otherwise."})
    protected = Flag(data_key="deleteProtection", metadata={"description": "Whether a delete is refused."})
    on_failure = Text(
        data_key="onFailure",
        allow_none=True,
        shown=FAILURE_POLICY,
        description="rollback, pause, keep, or pause and for how long before the rollback, such as pause PT2H.",
    )
    drain = Word(
        Drain,
        metadata={
            "description": "After a failure: stop what runs (as unless said otherwise), or let all run to its end."
        },
    )

    def is_whole(self, values: dict[str, Any]) -> bool:
        return len(_ids_in(values)) == 1

    @validates_schema(skip_on_field_errors=False)
    def names_one_model(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse none and several of the three ids."""
        given = _ids_in(data)
        if len(given) == 1:
            return
        found = f"{' and '.join(given)} are given" if given else "none is"
        text = f"Exactly one of modelId, deploymentId and key must be given: {found}."
        raise ValidationError({name: [text] for name in given or MODEL_IDS})


def _ids_in(values: dict[str, Any]) -> list[str]:
    return [name for name, attribute in MODEL_IDS.items() if values.get(attribute) is not None]


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


class Part(Strict):
    """Which part of a list is asked for."""

    limit = CountText(validate=validate.Range(min=1, max=500), metadata={"description": "50 unless said otherwise."})


class InstanceQuery(Part):
    """Filters of the list of process instances."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)
    status = Word(ProcessStatus)
    key = Text()
    name = Text()


class DecisionMadeQuery(Part):
    """Which part of the decisions that a process has made."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)


class Searched(Strict):
    """What the found process instances must have."""

    text = Text(description="A part of the name or key in any case, or the whole business key or id.")
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
    deployment_id = Text(data_key="deploymentId", allow_none=True, description="Of a migration: the other version.")
    mapping = Object(metadata={"description": "Of a migration: ids of elements by those whose place they take."})
    reason = Text(longest=1000, allow_none=True, description="Of a suspension: why.")


class BatchPreviewQuery(Searched):
    """What would be done, and to which processes."""

    action = Word(BatchAction, required=True)
    element_id = Text(data_key="elementId", description="Of a rewind or a retry.")
    deployment_id = Text(data_key="deploymentId", description="Of a migration: the other version.")
    mapping = fields.List(
        Text(pattern=r"^[^=]+=[\s\S]+$"),
        data_key="map",
        metadata={"description": "OLD=NEW of a migration: which element takes the place of which."},
    )

    @post_load
    def with_mapping(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The ids of elements by those whose place they take."""
        pairs = [each.split("=", 1) for each in data.get("mapping", ())]
        return {**data, "mapping": dict(pairs)} if pairs else data


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


class CountQuery(Strict):
    """Which process instances are counted."""

    kind = Word(InstanceKind, metadata={"description": KIND})
    key = Text()


class ModelQuery(Part):
    """Filters of the list of models."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)
    key = Text()


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


class DeploymentQuery(ModelQuery):
    """Filters of the list of deployments."""

    model_id = Text(data_key="modelId")


class RetryOptions(Strict):
    """The optional body of a retry: of what has failed and stands still, or of an undo that has failed."""

    element_id = Text(data_key="elementId", allow_none=True, description="Only what has failed at this element.")
    retain = Ids(metadata={"description": "Ids of tasks to give up for good."})


class PreviewQuery(Strict):
    """Which undo is asked about."""

    kind = Word(UndoKind, load_default="delete")


class TaskPart(Part):
    """Which part of the tasks of a process instance; all of them without a limit."""

    limit = CountText(validate=validate.Range(min=1, max=500), metadata={"description": "All unless said otherwise."})
    after = Text(pattern=r"^[0-9]{1,18}$", description="The id of the last task of the part before.")


class TaskQuery(TaskPart):
    """Whose tasks are asked for."""

    process_instance_id = Text(data_key="processInstanceId")
    kind = Word(TasksAsked, metadata={"description": "The open tasks of people, of all processes unless one is named."})
    assignee = Text(description=f"Who has them; {ME} is whoever asks.")
    candidate = Text(description=f"A user who may take them; {ME} is whoever asks. With a group either is enough.")
    groups = fields.List(
        Text(),
        data_key="group",
        metadata={"description": f"A group that may take them; may be given again. {ME} is who asks, in every group."},
    )
    assigned = FlagText(metadata={"description": "Whether somebody has them."})
    key = Text(description="The key of their processes.")
    text = Text(description="A part of their name, or of the name or key of their process, or its business key.")
    due_before = LocalTimeText(data_key="dueBefore")
    sort = Word(
        InboxOrder, metadata={"description": "The newest first, the first due first, or the highest priority first."}
    )
    cursor = Text(pattern=r"^-?[0-9]{1,18}\.[0-9]{1,18}$", description=CURSOR)

    def is_whole(self, values: dict[str, Any]) -> bool:
        return "after" not in values if "kind" in values else PROCESS in values and values.keys() <= OF_PROCESS

    @validates_schema
    def asks_of_one_kind(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is said of people's tasks where all tasks of a process are asked for."""
        if "kind" in data:
            if "after" in data:
                raise ValidationError({"after": ["Is for all tasks of a process; those of people have a cursor."]})
            return
        wrong = {self.fields[name].data_key or name: ["Needs kind=user."] for name in data if name not in OF_PROCESS}
        if PROCESS not in data:
            wrong["processInstanceId"] = ["Missing data for required field."]
        if wrong:
            raise ValidationError(wrong)


class FormValues(Strict):
    """What a form is filled in with, as variables."""

    values = Object()


class Assignee(Strict):
    """To whom a task of a person is given."""

    assignee = Text(required=True)


class StartHeaders(Strict):
    """What a start reads from the request's headers."""

    idempotency_key = Text(
        data_key="Idempotency-Key",
        pattern=r"^[!-~]*$",
        description="The same key with the same body gives the same process instance.",
    )
    prefer = fields.String(
        data_key="Prefer",
        metadata={
            "description": "`wait=30`: answer when it has ended or needs somebody, at the latest after so many seconds."
        },
    )


class WaitQuery(Strict):
    """How long a look at a process may wait, and for what."""

    wait = CountText(
        validate=validate.Range(0, LONGEST),
        metadata={"description": "Seconds to wait until it has ended or needs somebody, or differs from `since`."},
    )
    since = Text(description="An ETag of this address: any other is what is waited for; 304 if there is none.")


class ModelOptions(Strict):
    """What is said of a model beside its BPMN."""

    name = Text()
    protected = FlagText(data_key="deleteProtection")


class DraftHeaders(Strict):
    """Which draft a request is about."""

    revision = Text(
        data_key="If-Match", description="The ETag of the draft that was read; another one is left as it is (412)."
    )


class DraftList(Part):
    """Which part of the drafts."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)


class StatisticsQuery(Strict):
    """Which runs are counted."""

    since = LocalTimeText(metadata={"description": "Those that began from then on."})
    key = Text()
    runs = CountText(
        validate=validate.Range(min=1, max=5000),
        metadata={"description": "At most so many, the newest; 2,000 unless said otherwise."},
    )


class TimerQuery(Strict):
    """What a model says of a timer."""

    kind = Word(TimerKind, required=True)
    text = Text(required=True, description="As a constant: ISO 8601, or cron.")


class DraftOptions(Strict):
    """What is said of a draft beside its BPMN."""

    name = Text()


class DraftSaving(Strict):
    """How a draft becomes the model."""

    replace = FlagText(
        metadata={"description": "Save it although the model was saved otherwise since the draft was begun."}
    )


STRICT = "Whether a breach of a formal rule of BPMN is an error, even where the model can be run."


class TemplateQuery(Strict):
    """For which modeler the forms of stones are."""

    modeler = Word(Modeler, load_default="camunda7")


class Strictness(Strict):
    """How strictly a model is checked."""

    strict = FlagText(metadata={"description": STRICT})


ON_FAILURE = "What follows a failure where neither the element nor the start says: rollback, pause, keep or pause PT2H."

ON_COMPENSATION = "Whether a compensation has stones take back what they made where no handler is drawn."


class DeployedModelOptions(Strictness):
    """What is said of the deployment of a model that is kept."""

    on_failure = Text(data_key="onFailure", shown=FAILURE_POLICY, description=ON_FAILURE)
    undo_on_compensation = FlagText(data_key="undoOnCompensation", metadata={"description": ON_COMPENSATION})


class DeploymentOptions(ModelOptions):
    """What is said of a deployment beside its BPMN."""

    on_failure = Text(data_key="onFailure", shown=FAILURE_POLICY, description=ON_FAILURE)
    undo_on_compensation = FlagText(data_key="undoOnCompensation", metadata={"description": ON_COMPENSATION})
    strict = FlagText(metadata={"description": STRICT})
    external = FlagText(metadata={"description": "Whether topics that no stone serves are those of workers over HTTP."})


ParameterType: TypeAlias = Literal["string", "integer", "float", "boolean", "object", "list", "json"]


class DeclaredParameter(Strict):
    """What a stone takes."""

    name = Text(required=True)
    type = Word(ParameterType)
    required = Flag()
    no_echo = Flag(data_key="noEcho", metadata={"description": "Whether it is secret."})
    description = Text(longest=4000)


class NoticeQuery(Part):
    """Which part of what was told."""

    cursor = Text(pattern=r"^[0-9]{1,18}-[0-9A-Za-z-]{1,36}$", description=CURSOR)


class Subscribed(Strict):
    """Who is told what processes come to."""

    url = Text(
        longest=2000, required=True, pattern="^https?://[!-~]+$", description="One that the operator has listed."
    )
    key = Text(allow_none=True, description="Whose model's processes; all without one.")


class StoneDeclared(Strict):
    """A stone whose tasks workers fetch over HTTP."""

    code = Text(required=True, description="By which models name it, and under which workers fetch it.")
    hooks = fields.List(
        Word(Hook), metadata={"description": "All that it has; each but start is fetched as CODE.HOOK."}
    )
    parameters = fields.List(
        fields.Nested(DeclaredParameter), metadata={"description": "Without any it takes all variables."}
    )
    outputs = Texts(metadata={"description": "What it puts out, by name, in words."})
    display_name = Text(data_key="displayName")
    description = Text(longest=4000)
    monitor_interval = Number(data_key="monitorInterval", validate=validate.Range(0, 10**6))
    grace = Number(validate=validate.Range(0, 10**6))


class Rerun(Strict):
    """The optional body of a rerun."""

    parameters = Object(metadata={"description": "Values that replace the task's parameters of these names."})


class ElementSkip(Strict):
    """Which element of a process is gone on without."""

    element_id = Text(data_key="elementId", required=True)


class RewindTo(Strict):
    """To which task a process goes back, and how that begins again."""

    to = Text(required=True, description="The id of the task.")
    variables = Object(metadata={"description": "Variables of the process, set before the task begins again."})
    parameters = Object(metadata={"description": "Values that the task is given in place of its own."})
    retain = Ids(metadata={"description": "Ids of tasks that no rollback can take back: what they made stays."})


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


class Variables(Strict):
    """Variables of a process, new values by name."""

    variables = Object(required=True)
    task_id = Text(data_key="taskId", allow_none=True, description="As they are seen from this open task.")


class HandWork(Strict):
    """The optional body of what was done by hand: what the task's stone would have put out."""

    outputs = Object()


class Completion(Strict):
    """The optional body of the completion of a user task."""

    outputs = Object()


class DeferredFailure(Strict):
    """Why a deferred task has failed, and what it has made so far."""

    reason = Text(longest=2000, allow_none=True)
    outputs = Object()


class DeferredError(Strict):
    """The BPMN error with which a deferred task ended, and what it has made so far."""

    code = Text(required=True)
    reason = Text(longest=2000, allow_none=True)
    outputs = Object()


class DeferredProgress(Strict):
    """How far a deferred task is, in percent, with a word for its log."""

    percent = Number(required=True, validate=validate.Range(0, 100))
    text = Text(longest=1000, allow_none=True)


class Message(Strict):
    """A BPMN message, and whom it is for."""

    name = Text(required=True)
    payload = Object(allow_none=True)
    business_key = Text(data_key="businessKey", allow_none=True)
    correlation = Text(allow_none=True)
    ttl = Number(
        allow_none=True,
        validate=validate.Range(min=0, min_inclusive=False, max=LONGEST_TTL),
        metadata={
            "description": "Seconds for which the message is kept if nobody waits for it yet.",
            "exclusiveMinimum": 0,  # apispec tells of a range as if its end belonged to it
        },
    )
    process_instance_id = Text(data_key="processInstanceId", allow_none=True)


class Signal(Strict):
    """A BPMN signal, for everyone who waits for it."""

    name = Text(required=True)
    payload = Object(allow_none=True)


class StoneCode(Strict):
    """Which stone is meant."""

    code = Text(required=True, description="By which models name it.")


class StoneSuspension(StoneCode):
    """A stone of which nothing is to begin."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")


class ResourceCountQuery(Strict):
    """Which of what exists is counted."""

    process_instance_id = Text(data_key="processInstanceId", description="What this process made.")
    stone = Text(description="What the stone with this code made.")
    key = Text(description="What processes of this key made.")
    state = Word(ResourceState)


class ResourceQuery(ResourceCountQuery, Part):
    """Which part of what exists is asked for."""

    cursor = Text(pattern=r"^[0-9]{1,18}$", description=CURSOR)


class GoneTasks(Strict):
    """What is taken for undone: that of these tasks, or all that was found gone."""

    tasks = Ids(data_key="taskIds", metadata={"description": "Ids of tasks; without any, all that was found gone."})


class ModelKey(Strict):
    """Which processes are meant."""

    key = Text(required=True, description="That of their model.")


class KeySuspension(ModelKey):
    """A key of whose processes nothing is to begin."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")


class SuspensionReason(Strict):
    """The optional body of a suspension."""

    reason = Text(longest=1000, allow_none=True, description="Why, for whoever looks at it.")


class Protection(Strict):
    """Whether a delete is refused from now on."""

    protected = Flag(data_key="deleteProtection", required=True)
