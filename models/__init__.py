"""The store: a Peewee schema, its migrations, and constant statements where a step is hot."""

from .changes import Changes
from .errors import AlreadyUsed, RevisionConflict, StoreError
from .rows import ContentRow, DeploymentRow, EventRow, InstanceRow, ModelRow, TaskRow, TokenRow, WaitRow
from .store import Store

__all__ = [
    "AlreadyUsed",
    "Changes",
    "ContentRow",
    "DeploymentRow",
    "EventRow",
    "InstanceRow",
    "ModelRow",
    "RevisionConflict",
    "Store",
    "StoreError",
    "TaskRow",
    "TokenRow",
    "WaitRow",
]
