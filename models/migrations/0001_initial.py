"""The first schema: models, deployments, process instances, the ledger, tokens and waits."""

from typing import Any

from peewee import BigIntegerField, CharField, Database, IntegerField, Model, MySQLDatabase, TextField


class LongTextField(TextField):
    field_type = "LONGTEXT"


class Sequence(Model):
    name = CharField(max_length=32, primary_key=True)
    next = BigIntegerField()

    class Meta:
        table_name = "sequence"


class EngineNode(Model):
    id = CharField(max_length=36, primary_key=True)
    host = CharField(max_length=255)
    pid = BigIntegerField()
    pid_started = CharField(max_length=64)
    seen = BigIntegerField()

    class Meta:
        table_name = "engine_node"


class ProcessModel(Model):
    id = CharField(max_length=36, primary_key=True)
    key = CharField(max_length=255, index=True)
    name = CharField(max_length=255)
    sources = LongTextField()
    parameter_template = LongTextField(null=True)
    outputs_template = LongTextField(null=True)
    created = BigIntegerField(index=True)
    updated = BigIntegerField()

    class Meta:
        table_name = "process_model"


class Deployment(Model):
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

    class Meta:
        table_name = "deployment"
        indexes = ((("key", "version", "digest"), True),)


class ProcessInstance(Model):
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

    class Meta:
        table_name = "process_instance"


class Content(Model):
    process_instance_id = BigIntegerField(primary_key=True)
    start_variables = LongTextField()
    variables = LongTextField(null=True)
    outputs = LongTextField(null=True)

    class Meta:
        table_name = "content"


class Task(Model):
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

    class Meta:
        table_name = "task"


class Token(Model):
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
        indexes = ((("process_instance_id", "id"), True),)


class Wait(Model):
    process_instance_id = BigIntegerField()
    token = BigIntegerField()
    number = IntegerField()
    kind = CharField(max_length=16)
    name = CharField(max_length=255, null=True)
    correlation = CharField(max_length=255, null=True)
    due = BigIntegerField(null=True)

    class Meta:
        table_name = "wait"
        primary_key = False
        indexes = (
            (("process_instance_id", "token", "number"), True),
            (("kind", "name"), False),
        )


class Event(Model):
    id = CharField(max_length=36, primary_key=True)
    kind = CharField(max_length=16)
    name = CharField(max_length=255)
    payload = LongTextField(null=True)
    process_instance_id = BigIntegerField(null=True)
    created = BigIntegerField()

    class Meta:
        table_name = "event"


class StartTrigger(Model):
    key = CharField(max_length=255)
    kind = CharField(max_length=16)
    name = CharField(max_length=255)
    node = CharField(max_length=255)
    deployment_id = CharField(max_length=36)

    class Meta:
        table_name = "start_trigger"
        primary_key = False
        indexes = ((("kind", "name"), False), (("key",), False))


class StartRequest(Model):
    idempotency_key = CharField(max_length=255, primary_key=True)
    digest = CharField(max_length=64)
    process_instance_id = BigIntegerField()
    created = BigIntegerField(index=True)

    class Meta:
        table_name = "start_request"


# Rows that have ended leave these indexes, so a store full of finished work costs its sweeps nothing.
PARTIAL_INDEXES = (
    ("task", "task_due", "due", "due IS NOT NULL"),
    ("process_instance", "process_instance_due", "due", "due IS NOT NULL"),
    ("wait", "wait_due", "due", "due IS NOT NULL"),
    ("process_instance", "process_instance_active", "phase", "phase <> 'ended'"),
    ("process_instance", "process_instance_business_key", "business_key", "business_key IS NOT NULL"),
)


def up(migrator: Any, database: Database) -> None:
    tables: list[type[Model]] = [
        Sequence,
        EngineNode,
        ProcessModel,
        Deployment,
        ProcessInstance,
        Content,
        Task,
        Token,
        Wait,
        Event,
        StartTrigger,
        StartRequest,
    ]
    database.bind(tables)
    database.create_tables(tables)
    for table, name, columns, condition in PARTIAL_INDEXES:
        where = "" if isinstance(database, MySQLDatabase) else f" WHERE {condition}"
        database.execute_sql(f"CREATE INDEX {name} ON {table} ({columns}){where}")
