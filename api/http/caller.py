"""``/client``: whom the server takes a caller for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ...engine import Engine
from ...engine.operating.access_keys import SCOPES
from ..access.clients import KNOWN, present_client
from ..wire.operation import Operations
from ..wire.plain_records import ClientRecord

OPERATIONS = Operations()


@OPERATIONS.add("/client", "Show what the key, token or session of this request allows", ClientRecord, scope=KNOWN)
def get_caller(engine: Engine) -> dict[str, Any]:
    client = present_client()
    scopes = [scope for scope in SCOPES if client.may(scope)]
    return {
        "name": client.name,
        "scopes": scopes,
        "owner": client.sees,
        "user": client.user,
        "groups": client.groups,
        "time": datetime.now().astimezone(),
    }
