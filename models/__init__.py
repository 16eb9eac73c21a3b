"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .access import AccessRecords, AuditRow, KeyRow
from .changes import Changes
from .cipher import Cipher, encrypt_again
from .errors import AlreadyUsed, ConnectionLost, EngineForgotten, RevisionConflict, StoreClosed, StoreError
from .figures import Figures, Group, read_figures
from .leases import SUSPECT, Leases
from .rows import ContentRow, DeploymentRow, EngineRow, EventRow, InstanceRow, ModelRow, TaskRow, TokenRow, WaitRow
from .search import InstanceFilter
from .store import Store

__all__ = [
    "SUSPECT",
    "AccessRecords",
    "AlreadyUsed",
    "AuditRow",
    "Changes",
    "Cipher",
    "ConnectionLost",
    "ContentRow",
    "DeploymentRow",
    "EngineForgotten",
    "EngineRow",
    "EventRow",
    "Figures",
    "Group",
    "InstanceFilter",
    "InstanceRow",
    "KeyRow",
    "Leases",
    "ModelRow",
    "RevisionConflict",
    "Store",
    "StoreClosed",
    "StoreError",
    "TaskRow",
    "TokenRow",
    "WaitRow",
    "encrypt_again",
    "read_figures",
]
