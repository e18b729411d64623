"""Lock every data key anew with the active key of the ring, so that an old one can be taken off it."""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import Table, bindparam, select, update

from server.db import Sessions, unit_of_work
from server.vault.keyring import Keyring
from server.vault.models import StoredKey

BATCH = 1000


def locked_with(sessions: Sessions) -> dict[str, int]:
    """Count the data keys that are locked with each key of the ring, by its name."""
    counts: Counter[str] = Counter()
    for page in _pages(sessions):
        counts.update(Keyring.kid_of(wrapped) for _, wrapped in page)
    return dict(sorted(counts.items()))


def rewrap_all(keyring: Keyring, sessions: Sessions, *, batch: int = BATCH) -> int:
    """Lock anew what another key than the active one locks; returns how many were. A repeat finds nothing to do.

    Each batch is a transaction of its own, so service goes on meanwhile; cut short, it is simply run again. A key
    that is destroyed at the same time stays destroyed. Raises KeyringBroken, before that batch is written, when a key
    that still locks something is not on the ring.
    """
    keys = StoredKey.__table__
    assert isinstance(keys, Table)
    change = (
        update(keys)
        .where(keys.c.id == bindparam("the_id"), keys.c.wrapped == bindparam("before"))
        .values(wrapped=bindparam("after"))
    )
    done = 0
    for page in _pages(sessions, batch):
        rows = [
            {"the_id": key_id, "before": wrapped, "after": keyring.rewrap(wrapped, key_id)}
            for key_id, wrapped in page
            if keyring.needs_rewrap(wrapped)
        ]
        if rows:
            with unit_of_work(sessions) as session:
                session.connection().execute(change, rows)
            done += len(rows)
    return done


def _pages(sessions: Sessions, batch: int = BATCH) -> Iterator[list[tuple[UUID, bytes]]]:
    after: UUID | None = None
    while True:
        wanted = select(StoredKey.id, StoredKey.wrapped).order_by(StoredKey.id).limit(batch)
        if after is not None:
            wanted = wanted.where(StoredKey.id > after)
        with unit_of_work(sessions) as session:
            rows = session.execute(wanted).all()
        if not rows:
            return
        after = rows[-1].id
        yield [(row.id, row.wrapped) for row in rows if row.wrapped is not None]
