"""What a use case works with: one transaction, who acts, when, and the pen that writes the ledger."""

import datetime as dt
import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from server.errors import NotSignedIn
from server.ledger.models import Event
from server.permissions import Actor
from server.prepared import Prepared
from server.tools import Tools, business_day
from server.vault.fields import DataKey
from server.vault.keys import KeyStore

NONCE_BYTES = 16
_LINE = Prepared(
    insert(Event).inline(),
    (
        *("at", "actor_id", "action", "subject_kind", "subject_id", "person_id", "changes", "request_id"),
        *("commitment", "payload"),
    ),
)


@dataclass(slots=True)
class Work:
    """One request, one transaction, one fate.

    `now` is one instant for the whole piece of work (UTC, whole seconds). Ledger lines are gathered and inserted
    together by `close`, in the same transaction as what they tell. `signed_in` is None before sign-in and for timers.
    Whoever changes a fact that duties follow from (an enrolment, a pause, a death) puts the person into
    `changed_people`; `settle`, handed in by the app, then brings their duties up to date before the commit.
    """

    session: Session
    tools: Tools
    keys: KeyStore
    now: dt.datetime
    signed_in: Actor | None = None
    request_id: str | None = None
    changed_people: set[UUID] = field(default_factory=set)
    settle: Callable[["Work", set[UUID]], None] | None = None
    _lines: list[dict[str, Any]] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        """The worker on whose behalf this is done."""
        if self.signed_in is None:
            raise NotSignedIn
        return self.signed_in

    @property
    def actor_id(self) -> UUID | None:
        """The acting worker's id; None for timers and commands."""
        return self.signed_in.worker_id if self.signed_in else None

    @property
    def today(self) -> dt.date:
        """The business day of `now` (Asia/Shanghai)."""
        return business_day(self.now)

    @property
    def only_looked(self) -> bool:
        """Whether nothing is to be written but who looked at what."""
        unsaved = self.session.new or self.session.dirty or self.session.deleted
        return not (unsaved or self.changed_people or any(line["changes"] for line in self._lines))

    def new_id(self) -> UUID:
        """Give a new time-ordered id."""
        return self.tools.new_id()

    def tell(
        self,
        action: str,
        subject_kind: str,
        subject_id: UUID | None = None,
        *,
        person_id: UUID | None = None,
        key: DataKey | None = None,
        changes: bool = True,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one ledger line: `action` on a subject; `changes` is False when it was only looked at.

        `payload` (before, after, reasons) is committed to by a salted hash and sealed under `key`, the person's;
        without a key it must hold no personal datum.
        """
        self._lines.append(
            {
                "at": self.now,
                "actor_id": self.actor_id,
                "action": action,
                "subject_kind": subject_kind,
                "subject_id": subject_id,
                "person_id": person_id,
                "changes": changes,
                "request_id": self.request_id,
                **self._committed(subject_id, key, payload or {}),
            }
        )

    def looked(
        self,
        action: str,
        subject_kind: str,
        subject_id: UUID | None = None,
        *,
        person_id: UUID | None = None,
        **payload: Any,
    ) -> None:
        """Write that something was looked at; the payload holds ids and counts only."""
        self.tell(action, subject_kind, subject_id, person_id=person_id, changes=False, payload=payload)

    def _committed(
        self, subject_id: UUID | None, key: DataKey | None, payload: Mapping[str, Any]
    ) -> dict[str, Any]:
        nonce = self.tools.random_bytes(NONCE_BYTES)
        text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
        kept = f"{b64encode(nonce).decode()}.{text}"
        if key is not None:
            kept = key.seal(kept, table="ledger_events", column="payload", row=str(subject_id))
        return {"commitment": hashlib.sha256(nonce + text.encode()).digest(), "payload": kept}

    def close(self) -> None:
        """Settle the duties of the people whose facts changed, insert the ledger lines; the caller commits."""
        while self.changed_people and self.settle is not None:
            changed, self.changed_people = self.changed_people, set()
            self.session.flush()
            self.settle(self, changed)
        self.close_lines()

    def close_lines(self) -> None:
        """Insert the ledger lines gathered so far."""
        self.session.flush()
        lines, self._lines = self._lines, []
        if lines:
            _LINE.write_all(self.session, lines)
