"""What a user may import is written down here once more, so that it changes only on purpose."""

from __future__ import annotations

import inspect

import riverstone.engine as engine
import riverstone.models as models
from riverstone.engine.async_engine import AsyncPeople
from riverstone.engine.calls.owned import OwnedEngine
from riverstone.engine.calls.tasks.people import PeopleCalls

ENGINE = """
    AllowedOrigins
    AsyncEngine
    Awaited
    Batch
    BatchItem
    BatchPreview
    BpmnError
    CallbackSignature
    CheckSchedule
    Clock
    CloudResource
    CommandFailed
    CommandResult
    Conflict
    Decision
    DecisionMade
    DecisionResult
    Deferral
    Deployment
    Dispatcher
    Draft
    Engine
    EngineClosed
    EnvironmentSecrets
    Explanation
    ExpressionError
    Failure
    Fatal
    FileSecrets
    Finding
    HistoryEntry
    HttpAnswer
    InboxCounts
    InlineDispatcher
    InstanceRecord
    InternalError
    Invalid
    JsonFormatter
    Later
    LimitExceeded
    Limits
    Malformed
    MatchedRules
    MessageReceipt
    MigrationPlan
    Model
    ModelInvalid
    MovedTimer
    NextTimes
    NotAllowed
    NotConnected
    NotFound
    Observer
    OutcomeUnknown
    OutputDeclaration
    Page
    ParameterDeclaration
    Person
    Picture
    ProcessChange
    ProcessInstance
    ProcessSummary
    Quota
    QuotaUse
    ReasonGroup
    Reasons
    ReferenceNotFound
    Resource
    ResourceCount
    ResourceDrift
    RepairPlan
    RepairStep
    RewindPlan
    RiverstoneError
    RunFigures
    SecretReference
    SecretSource
    SecretUnavailable
    SearchPage
    Situation
    Statistics
    Stone
    StoneDeclaration
    StoreUnavailable
    SuspendedKey
    SuspendedStone
    Suspension
    Task
    TaskBinding
    TaskCount
    TaskEvent
    TaskInfo
    ThreadsDispatcher
    Token
    TooLarge
    UndoStep
    Unknown
    UnknownBatch
    UnknownDecision
    UnknownDeployment
    UnknownDraft
    UnknownModel
    UnknownProcessInstance
    UnknownStone
    UnknownTask
    UnknownToken
    UserTask
    VariablesInvalid
    VaultSecrets
    VirtualClock
    Wait
    WaitTimeout
""".split()
MODELS = """
    ALL
    AccessRecords
    AlreadyUsed
    AuditRow
    AwaitedRow
    BatchItemRow
    BatchRecords
    BatchRow
    ChangedVariableRow
    Changes
    Cipher
    ConnectionLost
    ContentRow
    Decided
    DecisionMadeRow
    DeclarationRow
    Declarations
    DeploymentRow
    DraftRow
    EXTERNAL
    EngineForgotten
    EngineRow
    EventRequestRow
    EventRequests
    EventRow
    ExternalFilter
    ExternalRow
    ExternalTasks
    Figures
    FoldRow
    FoundInstances
    FoundTask
    Group
    HandedRow
    Handovers
    HistoryRow
    InDoubt
    InboxOrder
    InstanceFilter
    InstanceRow
    KeptMessageRow
    KeyRow
    Leases
    Listed
    Look
    MOST_COUNTED
    ModelRow
    NewHistoryRow
    NewsListener
    NoKeyFits
    NotStorable
    NoticeRow
    Place
    PutOut
    QuotaChanges
    QuotaClaim
    QuotaCount
    QuotaGone
    QuotaPlace
    QuotaRow
    QuotaSlotRow
    Quotas
    RareChanges
    ReceiverFilter
    RecordRow
    RetraceRow
    RevisionConflict
    SUSPECT
    SessionRecords
    SessionRow
    Sort
    StoppedTask
    Store
    StoreClosed
    StoreError
    StragglerKey
    StragglerRow
    Stragglers
    SubscriptionRow
    SummaryRow
    SuspensionRow
    Suspensions
    SuspensionsChanged
    TaskCheckRow
    TaskGroup
    TaskRow
    ToTell
    TokenRow
    TokenSecretRow
    TokenSecrets
    TopicCount
    USUAL
    UserTaskRow
    UserTasks
    VariableRow
    WORKERS
    WaitRow
    WebhookSecretRow
    Webhooks
    count_instances
    digests
    encrypt_again
    find_instances
    find_places
    find_text_places
    list_of
    news_of
    place_of
    read_awaited
    read_figures
    read_first_failures
    read_instances
    read_told
""".split()
METHODS = """
    accept_gone
    batch
    batch_items
    batch_progress
    batches
    bindings
    callback
    cancel
    check
    check_schedules
    close
    complete
    complete_deferred
    correlate
    counts
    decide
    decisions
    decisions_made
    declare_stone
    delete
    deploy
    deploy_model
    deployment
    deployments
    discard_draft
    done_by_hand
    draft
    drafts
    encrypt_again
    error_deferred
    fail_deferred
    failures
    failures_by_reason
    figures
    forget_stone
    get
    history
    instances
    lint
    lint_model
    message
    migrate
    model
    models
    next_times
    not_ready
    observe
    owned_by
    owner_of
    owner_of_task
    pause_batch
    pause_checks
    picture
    plan_migration
    preview
    preview_batch
    preview_element_repair
    preview_repair
    preview_rewind
    progress_deferred
    protect
    protect_model
    purge
    queues
    quotas
    records
    register
    remove_deployment
    remove_model
    rerun
    resource_counts
    resource_drift
    resources
    restored
    resume
    resume_batch
    resume_checks
    retry
    retry_undo
    rewind
    roll_back
    rotate_token_secret
    run_pending
    save_draft
    save_model
    schedule_checks
    search
    secret_outputs
    set_variables
    signal
    situation
    skip
    skip_element
    sources
    start
    start_form
    start_soon
    start_watched
    statistics
    stone
    stones_declared
    stop_batch
    suspend
    suspend_key
    suspend_stone
    suspended_keys
    suspended_stones
    task
    task_counts
    task_of_token
    tasks
    tokens
    unschedule_checks
    unsuspend
    unsuspend_key
    unsuspend_stone
    variables
    wait
    watch
    why
    write_draft
""".split()


def test_the_engine_exports_these_names() -> None:
    assert sorted(engine.__all__) == sorted(ENGINE)
    assert all(hasattr(engine, name) for name in ENGINE)


def test_the_store_exports_these_names() -> None:
    assert sorted(models.__all__) == sorted(MODELS)
    assert all(hasattr(models, name) for name in MODELS)


def test_an_engine_has_these_methods() -> None:
    found = [name for name, _ in inspect.getmembers(engine.Engine, inspect.isfunction) if not name.startswith("_")]

    assert found == METHODS


def test_every_error_that_leaves_the_engine_has_one_root_and_a_code_of_its_own() -> None:
    errors = [
        found for name in ENGINE if inspect.isclass(found := getattr(engine, name)) and issubclass(found, Exception)
    ]
    ours = [error for error in errors if issubclass(error, engine.RiverstoneError)]

    assert {error for error in errors if error not in ours} == {
        engine.BpmnError,
        engine.NotFound,
        engine.CommandFailed,
        engine.Fatal,
        engine.Later,
        engine.NotConnected,
    }
    assert len({error.code for error in ours}) == len(ours)


def test_the_engine_of_an_owner_has_the_calls_about_processes_and_tasks() -> None:
    found = dict(inspect.getmembers(OwnedEngine, inspect.isfunction))
    for name in METHODS:
        whole = inspect.signature(getattr(engine.Engine, name))
        owned = {"process_instance_id", "task_id", "owner"} & whole.parameters.keys()
        assert (name in found) == bool(owned and not name.startswith("own")), name
        if name in found:
            given = [parameter for parameter in whole.parameters.values() if parameter.name != "owner"]
            assert inspect.signature(found[name]) == whole.replace(parameters=given), name
            assert found[name].__doc__ == getattr(engine.Engine, name).__doc__


def test_every_public_name_says_what_it_is() -> None:
    assert [name for name in ENGINE if not (getattr(engine, name).__doc__ or "").strip()] == []
    assert [name for name in METHODS if not (getattr(engine.Engine, name).__doc__ or "").strip()] == []


def test_an_engine_for_programs_that_await_has_the_same_methods() -> None:
    others = {name for name in vars(engine.AsyncEngine) | vars(engine.AsyncEngine.__base__) if not name.startswith("_")}
    # What is called back in a thread has no place among coroutines.
    assert others == {*METHODS} - {"watch", "start_soon", "start_watched"}, (
        "give engine/async_engine.py a line for each call of the engine"
    )
    awaited = {name for name in others if inspect.iscoroutinefunction(getattr(engine.AsyncEngine, name))}
    assert others - awaited == {"stone", "observe", "owned_by"}


def test_what_people_ask_for_can_be_awaited() -> None:
    def calls(of: type) -> set[str]:
        return {name for name in vars(of) if not name.startswith("_")}

    assert calls(AsyncPeople) == calls(PeopleCalls)
    assert all(inspect.iscoroutinefunction(call) for name, call in vars(AsyncPeople).items() if name[0] != "_")
