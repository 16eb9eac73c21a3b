"""The tables of the store, as Peewee models that are bound to no database.

A query over them names its database when it runs (``query.execute(database)``), so that several engines
in one process can use several stores. Times are milliseconds since 1970 in UTC; JSON is text.
"""

from __future__ import annotations

from typing import ClassVar

from peewee import BigAutoField, BigIntegerField, CharField, IntegerField, Model, TextField


class LongTextField(TextField):
    """Text without the 64 kB that MariaDB gives a plain TEXT."""

    field_type = "LONGTEXT"


class Sequence(Model):
    """The one sequence of decimal ids that process instances and tasks share, taken in blocks."""

    name = CharField(max_length=32, primary_key=True)
    next = BigIntegerField()

    class Meta:
        table_name = "sequence"


class EngineNode(Model):
    """An engine that works on this store, to tell the tasks of a dead one from those of a live one."""

    id = CharField(max_length=36, primary_key=True)
    host = CharField(max_length=255)
    pid = BigIntegerField()
    pid_started = CharField(max_length=64)
    seen = BigIntegerField()
    committed = BigIntegerField(default=0)
    closing = IntegerField(default=0)

    class Meta:
        table_name = "engine_node"


class ProcessModel(Model):
    """An authored process that can be edited."""

    id = CharField(max_length=36, primary_key=True)
    key = CharField(max_length=255, index=True)
    name = CharField(max_length=255)
    sources = LongTextField()
    parameter_template = LongTextField(null=True)
    outputs_template = LongTextField(null=True)
    created = BigIntegerField(index=True)
    updated = BigIntegerField()
    protected = IntegerField(default=0)

    class Meta:
        table_name = "process_model"


class Deployment(Model):
    """An immutable version; ``version`` 0 is the snapshot behind a trial run or an undo process."""

    id = CharField(max_length=36, primary_key=True)
    model_id = CharField(max_length=36, null=True, index=True)
    key = CharField(max_length=255)
    name = CharField(max_length=255)
    version = IntegerField()
    digest = CharField(max_length=64, index=True)
    sources = LongTextField()
    parameter_template = LongTextField(null=True)
    outputs_template = LongTextField(null=True)
    created = BigIntegerField(index=True)
    removed = BigIntegerField(null=True)

    class Meta:
        table_name = "deployment"
        indexes: ClassVar = ((("key", "version", "digest"), True),)


class ProcessInstance(Model):
    """The hot row of one run: what a step compares, sets and shows."""

    process_instance_id = BigIntegerField(primary_key=True)
    id = CharField(max_length=36)
    model_id = CharField(max_length=36, null=True)
    model_key = CharField(max_length=255, null=True)
    deployment_id = CharField(max_length=36)
    key = CharField(max_length=255)
    name = CharField(max_length=255)
    kind = CharField(max_length=16)
    status = CharField(max_length=24)
    phase = CharField(max_length=16)
    flags = IntegerField()
    revision = BigIntegerField()
    next_token = BigIntegerField()
    steps = BigIntegerField()
    started = BigIntegerField()
    ended = BigIntegerField(null=True)
    due = BigIntegerField(null=True)
    reason = LongTextField(null=True)
    business_key = CharField(max_length=255, null=True)
    origin = BigIntegerField(null=True)
    rollback_id = BigIntegerField(null=True)
    cancel_id = BigIntegerField(null=True)
    delete_id = BigIntegerField(null=True)
    pending = LongTextField(null=True)
    owner_name = CharField(max_length=255, null=True)
    trace = CharField(max_length=64, null=True)
    due_owner = CharField(max_length=36, null=True)

    class Meta:
        table_name = "process_instance"


class Content(Model):
    """The variables of one run, beside its hot row because they can be large."""

    process_instance_id = BigIntegerField(primary_key=True)
    start_variables = LongTextField()
    variables = LongTextField(null=True)
    outputs = LongTextField(null=True)

    class Meta:
        table_name = "content"


class Task(Model):
    """The ledger: one row per execution of a stone (or a user task), written before it is handed over."""

    id = BigIntegerField(primary_key=True)
    process_instance_id = BigIntegerField(index=True)
    token = BigIntegerField()
    scope = BigIntegerField()
    node = CharField(max_length=255)
    name = CharField(max_length=255, null=True)
    namespace = CharField(max_length=255)
    path = LongTextField(null=True)
    stone = CharField(max_length=255, null=True)
    kind = CharField(max_length=16)
    target = BigIntegerField(null=True)
    event = CharField(max_length=16)
    status = CharField(max_length=24)
    open = IntegerField()
    attempt = IntegerField()
    generation = IntegerField()
    parameters = LongTextField()
    outputs = LongTextField(null=True)
    state = LongTextField(null=True)
    progress = IntegerField()
    reason = LongTextField(null=True)
    log = LongTextField(null=True)
    after = LongTextField(null=True)
    run = IntegerField(null=True)
    locals = LongTextField(null=True)
    policy = CharField(max_length=32, null=True)
    undo = CharField(max_length=16, null=True)
    created = BigIntegerField()
    ended = BigIntegerField(null=True)
    due = BigIntegerField(null=True)
    owner = CharField(max_length=36, null=True)
    deadline = BigIntegerField(null=True)
    lost = IntegerField(default=0)
    handed = IntegerField(default=0)

    class Meta:
        table_name = "task"


class Handover(Model):
    """A task that workers on other machines have had in hand for more than a moment; by the database's own clock."""

    task_id = BigIntegerField(primary_key=True)
    delivery = IntegerField()
    since = BigIntegerField()
    lease = BigIntegerField(null=True)
    running = IntegerField(default=0)
    owner = CharField(max_length=36, null=True)

    class Meta:
        table_name = "handover"


class Stone(Model):
    """A stone that a worker on another machine has declared, by the digest of its code and of what it serves."""

    id = CharField(max_length=64, primary_key=True)
    code = CharField(max_length=255, index=True)
    declaration = LongTextField()
    updated = BigIntegerField()

    class Meta:
        table_name = "stone"


class Token(Model):
    """A token that waits for anything but a stone or a user; those live in their task's row."""

    process_instance_id = BigIntegerField()
    id = BigIntegerField()
    scope = BigIntegerField(null=True)
    node = CharField(max_length=255)
    state = IntegerField()
    flow = CharField(max_length=255, null=True)
    internal = LongTextField(null=True)
    locals = LongTextField(null=True)
    causes = LongTextField(null=True)

    class Meta:
        table_name = "token"
        primary_key = False
        indexes: ClassVar = ((("process_instance_id", "id"), True),)


class Wait(Model):
    """What a waiting token waits for from outside: a message, a signal, or a time."""

    process_instance_id = BigIntegerField()
    token = BigIntegerField()
    number = IntegerField()
    kind = CharField(max_length=16)
    name = CharField(max_length=255, null=True)
    correlation = CharField(max_length=255, null=True)
    due = BigIntegerField(null=True)
    owner = CharField(max_length=36, null=True)

    class Meta:
        table_name = "wait"
        primary_key = False
        indexes: ClassVar = (
            (("process_instance_id", "token", "number"), True),
            (("kind", "name"), False),
        )


class Event(Model):
    """Something that a committed step owes to others: a thrown message or signal, not yet delivered."""

    id = CharField(max_length=36, primary_key=True)
    kind = CharField(max_length=16)
    name = CharField(max_length=255)
    payload = LongTextField(null=True)
    process_instance_id = BigIntegerField(null=True)
    created = BigIntegerField()

    class Meta:
        table_name = "event"


class StartTrigger(Model):
    """Which newest deployment a message or a signal starts an instance of."""

    key = CharField(max_length=255)
    kind = CharField(max_length=16)
    name = CharField(max_length=255)
    node = CharField(max_length=255)
    deployment_id = CharField(max_length=36)

    class Meta:
        table_name = "start_trigger"
        primary_key = False
        indexes: ClassVar = ((("kind", "name"), False), (("key",), False))


class StartRequest(Model):
    """An ``Idempotency-Key`` that was used, with the digest of what it was used for."""

    idempotency_key = CharField(max_length=255, primary_key=True)
    digest = CharField(max_length=64)
    process_instance_id = BigIntegerField()
    created = BigIntegerField(index=True)

    class Meta:
        table_name = "start_request"


class AccessKey(Model):
    """By what a client is known; the secret itself is not kept."""

    id = CharField(max_length=16, primary_key=True)
    name = CharField(max_length=255, unique=True)
    digest = CharField(max_length=64)
    scopes = CharField(max_length=64)
    owner_name = CharField(max_length=255, null=True)
    created = BigIntegerField()
    revoked = BigIntegerField(null=True)

    class Meta:
        table_name = "access_key"


class Audit(Model):
    """Every changing call: who did what, when and from where."""

    id = BigAutoField()
    created = BigIntegerField(index=True)
    request_id = CharField(max_length=64)
    client = CharField(max_length=255)
    address = CharField(max_length=64)
    action = CharField(max_length=64)
    target = CharField(max_length=255, null=True)
    outcome = CharField(max_length=64)

    class Meta:
        table_name = "audit"


TABLES: tuple[type[Model], ...] = (
    Sequence,
    EngineNode,
    ProcessModel,
    Deployment,
    ProcessInstance,
    Content,
    Task,
    Handover,
    Stone,
    Token,
    Wait,
    Event,
    StartTrigger,
    StartRequest,
    AccessKey,
    Audit,
)
