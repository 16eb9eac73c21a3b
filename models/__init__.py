"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .access import AccessRecords
from .claims.external_tasks import ExternalFilter, ExternalTasks, TopicCount
from .claims.handovers import HandedRow, Handovers
from .claims.leases import EXTERNAL, SUSPECT, WORKERS, Leases
from .claims.quotas import MOST_COUNTED, QuotaCount, QuotaPlace, Quotas
from .claims.stragglers import StoppedTask, Stragglers
from .commit.changes import Changes, ToTell
from .commit.inbox_lists import ALL, USUAL, list_of
from .commit.quota_changes import Decided, QuotaChanges, QuotaClaim
from .commit.rare_changes import RareChanges, StragglerKey
from .commit.receivers import ReceiverFilter
from .databases.cipher import Cipher, digests
from .databases.news import NewsListener, news_of
from .declarations import DeclarationRow, Declarations
from .encryption import encrypt_again
from .errors import (
    AlreadyUsed,
    ConnectionLost,
    EngineForgotten,
    InDoubt,
    NoKeyFits,
    NotStorable,
    QuotaGone,
    RevisionConflict,
    StoreClosed,
    StoreError,
    SuspensionsChanged,
)
from .operating.batches import BatchRecords, TaskGroup
from .operating.event_requests import EventRequests
from .operating.suspensions import Suspensions
from .operating.webhooks import Webhooks
from .row_types.access import AuditRow, KeyRow, SessionRow, TokenSecretRow
from .row_types.batches import BatchItemRow, BatchRow
from .row_types.deployments import DeploymentRow, DraftRow, ModelRow
from .row_types.engines import EngineRow, SuspensionRow
from .row_types.history import DecisionMadeRow, HistoryRow, NewHistoryRow, RetraceRow
from .row_types.instances import (
    ChangedVariableRow,
    ContentRow,
    FoldRow,
    InstanceRow,
    RecordRow,
    SummaryRow,
    VariableRow,
)
from .row_types.messages import EventRequestRow, EventRow, KeptMessageRow
from .row_types.quotas import QuotaRow, QuotaSlotRow
from .row_types.tasks import ExternalRow, Look, PutOut, StragglerRow, TaskCheckRow, TaskRow, UserTaskRow
from .row_types.tokens import TokenRow, WaitRow
from .row_types.webhooks import NoticeRow, SubscriptionRow, WebhookSecretRow
from .search.awaited import AwaitedRow, read_awaited
from .search.figures import Figures, Group, read_figures
from .search.first_failures import read_first_failures, read_told
from .search.instance_filter import InstanceFilter
from .search.instance_places import Place, Sort
from .search.instance_search import (
    FoundInstances,
    count_instances,
    find_instances,
    find_places,
    find_text_places,
    place_of,
    read_instances,
)
from .search.user_tasks import FoundTask, InboxOrder, Listed, UserTasks
from .sessions import SessionRecords
from .store import Store
from .token_secrets import TokenSecrets

__all__ = [
    "ALL",
    "EXTERNAL",
    "MOST_COUNTED",
    "SUSPECT",
    "USUAL",
    "WORKERS",
    "AccessRecords",
    "AlreadyUsed",
    "AuditRow",
    "AwaitedRow",
    "BatchItemRow",
    "BatchRecords",
    "BatchRow",
    "ChangedVariableRow",
    "Changes",
    "Cipher",
    "ConnectionLost",
    "ContentRow",
    "Decided",
    "DecisionMadeRow",
    "DeclarationRow",
    "Declarations",
    "DeploymentRow",
    "DraftRow",
    "EngineForgotten",
    "EngineRow",
    "EventRequestRow",
    "EventRequests",
    "EventRow",
    "ExternalFilter",
    "ExternalRow",
    "ExternalTasks",
    "Figures",
    "FoldRow",
    "FoundInstances",
    "FoundTask",
    "Group",
    "HandedRow",
    "Handovers",
    "HistoryRow",
    "InDoubt",
    "InboxOrder",
    "InstanceFilter",
    "InstanceRow",
    "KeptMessageRow",
    "KeyRow",
    "Leases",
    "Listed",
    "Look",
    "ModelRow",
    "NewHistoryRow",
    "NewsListener",
    "NoKeyFits",
    "NotStorable",
    "NoticeRow",
    "Place",
    "PutOut",
    "QuotaChanges",
    "QuotaClaim",
    "QuotaCount",
    "QuotaGone",
    "QuotaPlace",
    "QuotaRow",
    "QuotaSlotRow",
    "Quotas",
    "RareChanges",
    "ReceiverFilter",
    "RecordRow",
    "RetraceRow",
    "RevisionConflict",
    "SessionRecords",
    "SessionRow",
    "Sort",
    "StoppedTask",
    "Store",
    "StoreClosed",
    "StoreError",
    "StragglerKey",
    "StragglerRow",
    "Stragglers",
    "SubscriptionRow",
    "SummaryRow",
    "SuspensionRow",
    "Suspensions",
    "SuspensionsChanged",
    "TaskCheckRow",
    "TaskGroup",
    "TaskRow",
    "ToTell",
    "TokenRow",
    "TokenSecretRow",
    "TokenSecrets",
    "TopicCount",
    "UserTaskRow",
    "UserTasks",
    "VariableRow",
    "WaitRow",
    "WebhookSecretRow",
    "Webhooks",
    "count_instances",
    "digests",
    "encrypt_again",
    "find_instances",
    "find_places",
    "find_text_places",
    "list_of",
    "news_of",
    "place_of",
    "read_awaited",
    "read_figures",
    "read_first_failures",
    "read_instances",
    "read_told",
]
