"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .access import AccessRecords, AuditRow, KeyRow
from .changes import Changes
from .cipher import Cipher, digests, encrypt_again
from .declarations import DeclarationRow, Declarations
from .errors import AlreadyUsed, ConnectionLost, EngineForgotten, RevisionConflict, StoreClosed, StoreError
from .figures import Figures, Group, read_figures
from .handovers import HandedRow, Handovers
from .leases import SUSPECT, WORKERS, Leases
from .rows import (
    ContentRow,
    DeploymentRow,
    EngineRow,
    EventRow,
    InstanceRow,
    Look,
    ModelRow,
    TaskRow,
    TokenRow,
    WaitRow,
)
from .search import InstanceFilter
from .store import Store

__all__ = [
    "SUSPECT",
    "WORKERS",
    "AccessRecords",
    "AlreadyUsed",
    "AuditRow",
    "Changes",
    "Cipher",
    "ConnectionLost",
    "ContentRow",
    "DeclarationRow",
    "Declarations",
    "DeploymentRow",
    "EngineForgotten",
    "EngineRow",
    "EventRow",
    "Figures",
    "Group",
    "HandedRow",
    "Handovers",
    "InstanceFilter",
    "InstanceRow",
    "KeyRow",
    "Leases",
    "Look",
    "ModelRow",
    "RevisionConflict",
    "Store",
    "StoreClosed",
    "StoreError",
    "TaskRow",
    "TokenRow",
    "WaitRow",
    "digests",
    "encrypt_again",
    "read_figures",
]
