"""Encryption at rest: which columns hold what processes work with, and how they are written and read."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, TypeVar

from ..errors import NoKeyFits, StoreError
from ..row_types.access import TokenSecretRow
from ..row_types.batches import BatchItemRow, BatchRow
from ..row_types.history import DecisionMadeRow, HistoryRow, RetraceRow
from ..row_types.instances import ChangedVariableRow, ContentRow, FoldRow, InstanceRow, RecordRow, SummaryRow
from ..row_types.messages import EventRow, KeptMessageRow
from ..row_types.quotas import QuotaRow
from ..row_types.tasks import Look, PutOut, TaskCheckRow, TaskRow, Told
from ..row_types.tokens import TokenRow
from ..row_types.webhooks import WebhookSecretRow

Row = TypeVar("Row")

COLUMNS: dict[str, tuple[str, ...]] = {
    "content": ("start_variables", "variables", "outputs"),
    "changed_variable": ("value",),
    "ledger_fold": ("content",),
    "task": ("parameters", "outputs", "state", "reason", "log", "locals"),
    "token": ("internal", "locals"),
    "event": ("payload",),
    "kept_message": ("payload",),
    "decision_made": ("result",),
    "retrace": ("data",),
    "process_instance": ("reason", "suspension"),
    "token_secret": ("value",),
    "webhook_secret": ("value",),
    "variable": ("value",),
    "history": ("entries",),
    "batch": ("options", "searched"),
    "batch_item": ("reason",),
    "task_check": ("reason",),
    "quota": ("value",),
}
"""Whole columns, not single values: a secret turns up in outputs, states, reasons and whatever is made of it."""
OF_ROW: dict[type[Any], tuple[str, ...]] = {
    ContentRow: COLUMNS["content"],
    RecordRow: ("start_variables", "outputs"),
    ChangedVariableRow: COLUMNS["changed_variable"],
    FoldRow: COLUMNS["ledger_fold"],
    TaskRow: COLUMNS["task"],
    TokenRow: COLUMNS["token"],
    EventRow: COLUMNS["event"],
    KeptMessageRow: COLUMNS["kept_message"],
    DecisionMadeRow: COLUMNS["decision_made"],
    RetraceRow: COLUMNS["retrace"],
    InstanceRow: COLUMNS["process_instance"],
    SummaryRow: COLUMNS["process_instance"],
    HistoryRow: COLUMNS["history"],
    TokenSecretRow: COLUMNS["token_secret"],
    WebhookSecretRow: COLUMNS["webhook_secret"],
    BatchRow: COLUMNS["batch"],
    BatchItemRow: COLUMNS["batch_item"],
    TaskCheckRow: COLUMNS["task_check"],
    QuotaRow: COLUMNS["quota"],
    Look: ("parameters", "outputs", "state"),
    PutOut: ("parameters", "outputs", "state"),
    Told: ("reason",),
}
PLAIN = frozenset({"reason", "value"})
"""Columns of free text, where what looks encrypted may be just a text; the others are JSON, which never does."""
MARK = "fernet:"


class Cipher:
    """Fernet (AES-128-CBC with HMAC-SHA256): the first key encrypts, all of them decrypt.

    Raises StoreError for a text that is no Fernet key, and where the package ``cryptography`` is missing.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            from cryptography.fernet import Fernet, InvalidToken, MultiFernet
        except ImportError as error:
            raise StoreError("encryption needs the package cryptography: install riverstone[crypto]") from error
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise StoreError("an encryption key is no Fernet key: make one with Fernet.generate_key()") from error
        self._invalid = InvalidToken
        self._keys = [hmac.digest(key.encode(), b"riverstone digest", "sha256") for key in keys]

    def encrypt(self, text: str) -> str:
        """The text as it is stored."""
        return MARK + self._fernet.encrypt(text.encode()).decode()

    def digests(self, text: str) -> tuple[str, ...]:
        """HMAC-SHA256 of the text by each key, the first to be written."""
        return tuple(hmac.new(key, text.encode(), "sha256").hexdigest() for key in self._keys)

    def decrypt(self, stored: str) -> str | None:
        """The text that was stored, None if no key fits."""
        try:
            return self._fernet.decrypt(stored.removeprefix(MARK)).decode()
        except self._invalid:
            return None


def digests(text: str, cipher: Cipher | None) -> tuple[str, ...]:
    """What a text may be known by in the store, the first to be written now.

    With a key nobody can find out from a digest what it is of, by trying what it might be.
    """
    plain = hashlib.sha256(text.encode()).hexdigest()
    return (plain,) if cipher is None else (*cipher.digests(text), plain)


def opened(row: Row, cipher: Cipher | None) -> Row:
    """The row with its encrypted columns in clear; raises StoreError where there is no key for one."""
    for column in OF_ROW.get(type(row), ()):
        stored: str | None = getattr(row, column)
        if stored is None or not stored.startswith(MARK):
            continue
        text = cipher.decrypt(stored) if cipher is not None else None
        if text is not None:
            setattr(row, column, text)
        elif column not in PLAIN:
            text = f"the column {column} is encrypted and no key fits: give the key that it was written with"
            raise NoKeyFits(f"{text} (RIVERSTONE_ENCRYPTION_KEY)")
    return row


def sealed(values: Sequence[Any], places: Sequence[int], cipher: Cipher) -> list[Any]:
    """The values of a statement, those at ``places`` encrypted."""
    written = list(values)
    for place in places:
        if written[place] is not None:
            written[place] = cipher.encrypt(written[place])
    return written
