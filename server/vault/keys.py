"""Data keys in use: one per person, written first and in a transaction of their own (docs/adr/0004).

A key must be durable before anything is sealed with it, so keys are made in advance: `reserve` writes a few, `take`
hands one out. What was reserved and never taken does no harm.
"""

import threading
from collections import deque
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from server.db import Sessions, unit_of_work
from server.tools import Tools
from server.vault.fields import DataKey
from server.vault.keyring import Keyring
from server.vault.models import StoredKey

HOUSE_KEY = UUID(int=0)
SECRET_BYTES = 32
BATCH = 5000


class KeyStore:
    """The keys that seal what belongs to one person; safe to share between threads."""

    def __init__(self, keyring: Keyring, sessions: Sessions, tools: Tools) -> None:
        self.keyring = keyring
        self._sessions = sessions
        self._tools = tools
        self._reserved: deque[DataKey] = deque()
        self._lock = threading.Lock()
        self._house: DataKey | None = None

    def reserve(self, count: int) -> None:
        """Make sure that `count` keys can be taken; call it with no transaction open."""
        with self._lock:
            missing = count - len(self._reserved)
            if missing <= 0:
                return
            made = []
            rows = []
            for _ in range(max(missing, 16)):
                key_id, secret = self._tools.new_id(), self._tools.random_bytes(SECRET_BYTES)
                made.append(DataKey(key_id, secret, self._tools.random_bytes))
                rows.append(
                    {
                        "id": key_id,
                        "wrapped": self.keyring.wrap(secret, key_id),
                        "created_at": self._tools.now(),
                    }
                )
            with unit_of_work(self._sessions) as session:
                for start in range(0, len(rows), BATCH):
                    session.execute(insert(StoredKey), rows[start : start + BATCH])
            self._reserved.extend(made)

    def take(self) -> DataKey:
        """Hand out a key that nothing is sealed with yet."""
        return self._reserved.popleft()

    def unwrap(self, key_id: UUID, wrapped: bytes | None) -> DataKey | None:
        """Open a wrapped key; None when it was destroyed, and with it all that it sealed."""
        if wrapped is None:
            return None
        return DataKey(key_id, self.keyring.unwrap(wrapped, key_id), self._tools.random_bytes)

    def fetch(self, session: Session, key_ids: Iterable[UUID]) -> dict[UUID, DataKey]:
        """Read the keys of many people at once; destroyed ones are left out."""
        found: dict[UUID, DataKey] = {}
        wanted = list(set(key_ids))
        for start in range(0, len(wanted), 500):
            rows = session.execute(
                select(StoredKey.id, StoredKey.wrapped).where(StoredKey.id.in_(wanted[start : start + 500]))
            )
            for key_id, wrapped in rows:
                key = self.unwrap(key_id, wrapped)
                if key is not None:
                    found[key_id] = key
        return found

    def fetch_one(self, session: Session, key_id: UUID) -> DataKey | None:
        """Read one key; None when it was destroyed."""
        return self.fetch(session, [key_id]).get(key_id)

    def destroy(self, session: Session, key_id: UUID) -> None:
        """Destroy a key for ever (lawful erasure): what it sealed can never be read again."""
        session.execute(
            update(StoredKey)
            .where(StoredKey.id == key_id)
            .values(wrapped=None, destroyed_at=self._tools.now())
        )

    def house_key(self) -> DataKey:
        """Give the key for what belongs to no person (a sign-in that is not bound yet)."""
        if self._house is None:
            with self._lock, unit_of_work(self._sessions) as session:
                wanted = select(StoredKey.wrapped).where(StoredKey.id == HOUSE_KEY)
                wrapped = session.scalar(wanted)
                if wrapped is None:
                    self._make_house_key(session)  # another process may do so at the same moment
                    wrapped = session.scalar(wanted)
                self._house = self.unwrap(HOUSE_KEY, wrapped)
        assert self._house is not None
        return self._house

    def _make_house_key(self, session: Session) -> None:
        insert_once = insert_postgresql if session.get_bind().dialect.name == "postgresql" else insert_sqlite
        wrapped = self.keyring.wrap(self._tools.random_bytes(SECRET_BYTES), HOUSE_KEY)
        session.execute(
            insert_once(StoredKey)
            .values(id=HOUSE_KEY, wrapped=wrapped, created_at=self._tools.now())
            .on_conflict_do_nothing()
        )
