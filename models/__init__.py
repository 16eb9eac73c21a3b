"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .access import AccessRecords
from .awaited import AwaitedRow, read_awaited
from .batches import BatchRecords, TaskGroup
from .changes import Changes, StragglerKey, ToTell
from .cipher import Cipher, digests
from .declarations import DeclarationRow, Declarations
from .encryption import encrypt_again
from .errors import (
    AlreadyUsed,
    ConnectionLost,
    EngineForgotten,
    InDoubt,
    QuotaGone,
    RevisionConflict,
    StoreClosed,
    StoreError,
    SuspensionsChanged,
)
from .event_requests import EventRequests
from .external_tasks import ExternalFilter, ExternalTasks, TopicCount
from .figures import Figures, Group, read_figures
from .handovers import HandedRow, Handovers
from .inbox_lists import ALL, USUAL, list_of
from .instance_filter import InstanceFilter
from .instance_places import Place, Sort
from .instance_search import FoundInstances, count_instances, find_instances, find_places, place_of
from .leases import EXTERNAL, SUSPECT, WORKERS, Leases
from .news import Listener, news_of
from .quota_changes import Decided, QuotaChanges, QuotaClaim
from .quotas import MOST_COUNTED, QuotaCount, QuotaPlace, Quotas
from .receivers import ReceiverFilter
from .row_types.access import AuditRow, KeyRow, SessionRow, TokenSecretRow
from .row_types.batches import BatchItemRow, BatchRow
from .row_types.deployments import DeploymentRow, DraftRow, ModelRow
from .row_types.engines import EngineRow, SuspensionRow
from .row_types.history import DecisionMadeRow, HistoryRow, NewHistoryRow, RetraceRow
from .row_types.instances import ChangedVariableRow, ContentRow, FoldRow, InstanceRow, VariableRow
from .row_types.messages import EventRequestRow, EventRow, KeptMessageRow
from .row_types.quotas import QuotaRow, QuotaSlotRow
from .row_types.tasks import ExternalRow, Look, PutOut, StragglerRow, TaskCheckRow, TaskRow, UserTaskRow
from .row_types.tokens import TokenRow, WaitRow
from .row_types.webhooks import NoticeRow, SubscriptionRow, WebhookSecretRow
from .sessions import SessionRecords
from .store import Store
from .stragglers import StoppedTask, Stragglers
from .suspensions import Suspensions
from .token_secrets import TokenSecrets
from .user_tasks import FoundTask, InboxOrder, Listed, UserTasks
from .webhooks import Webhooks

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
    "Listener",
    "Look",
    "ModelRow",
    "NewHistoryRow",
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
    "ReceiverFilter",
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
    "list_of",
    "news_of",
    "place_of",
    "read_awaited",
    "read_figures",
]
