"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .access import AccessRecords, AuditRow, KeyRow
from .changes import Changes
from .errors import AlreadyUsed, RevisionConflict, StoreError
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, ModelRow, TaskRow, TokenRow, WaitRow
from .store import Store

__all__ = [
    "AccessRecords",
    "AlreadyUsed",
    "AuditRow",
    "Changes",
    "ContentRow",
    "DeploymentRow",
    "EventRow",
    "InstanceRow",
    "KeyRow",
    "ModelRow",
    "RevisionConflict",
    "Store",
    "StoreError",
    "TaskRow",
    "TokenRow",
    "WaitRow",
]
