"""Lawful erasure of a person: the key is destroyed, what stands in the clear is overwritten, pictures go (TRUST §2).

What stays is what counts and whom it was due from: days, outcomes, duties, the file number, and the ledger, whose entries
verify as before. A table that a later room adds must say here what becomes of it: a test compares.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Table, delete, insert, or_, select, update

from server.accounts.signed_in import who_is
from server.db import Base
from server.errors import Conflict, Invalid, NotAllowed, NotSignedIn
from server.ledger.models import Event
from server.ledger.work import Work
from server.people.models import Enrolment, Person
from server.people.sight import see
from server.permissions import Actor, Role
from server.photos.models import Orphan
from server.storage import BlobStore

ERASED = "（已依法删除）"
TOLD = "person.erased"
SHORTEST_REASON, LONGEST_REASON = 4, 500
MAY_ASK = frozenset({Role.CHIEF})
MAY_APPROVE = frozenset({Role.CHIEF, Role.COUNTY_INSPECTOR})
HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Erasure:
    """Who asked for it, who agreed, and why (sealed under the house's key)."""

    person_id: UUID
    by: UUID
    approved_by: UUID
    reason: str


@dataclass(slots=True)
class Erased:
    """What was done: the pictures that are still to be deleted from the store, once this is committed."""

    blobs: list[str] = field(default_factory=list)
    again: bool = False


class StillEnrolled(Conflict):
    """The person still receives assistance: their file is needed, and nothing of it may be erased."""

    title = "仍在册，不能删除"
    detail = "此人仍在救助名册上，不能删除个人信息；请先办理退出或死亡登记。"


OVERWRITTEN: Mapping[str, Mapping[str, Any]] = {
    "persons": {
        **dict.fromkeys(("relation_to_head", "legacy_no", "birth_date", "care_level"), None),
        **dict.fromkeys(("id_number_index", "last4_index", "phone_index"), None),
        "name": ERASED,
        "name_initials": "",
        "no_id_reason": ERASED,
        "photo_consent": False,
    },
    "caregivers": {"name": ERASED},
    "care_assessments": {"assessor": ERASED},
    "person_tags": {"detail": None},
    "homes": {
        **dict.fromkeys(("latitude", "longitude", "wgs_latitude", "wgs_longitude"), 0.0),
        "accuracy_m": None,
    },
    "back_checks": {
        "open_answers": {},
        "photo_ids": [],
        "recalled_on": None,
        "fingerprint": bytes(HASH_BYTES),
    },
    "rectification_steps": {"photo_ids": []},
    "problem_steps": {"photo_ids": []},
}
"""What becomes of columns in the clear; sealed ones are emptied in every table that has the person's id."""

BODIES = ("visits", "visit_revisions")
"""Tables whose `open_body` keeps only what counts, and whose `fingerprint` is forgotten."""

OF_PICTURES = {
    "photo_prints": ("photo_id",),
    "photo_twins": ("photo_id", "other_id"),
    "renditions": ("photo_id",),
}
"""Rows that hang on a picture, by the columns that name one; they go with it."""

DELETED = ("findings", "visit_marks", "photos")
"""Rows about the person that say nothing without what was erased, or are the pictures themselves."""

LEFT = (
    *("dwellings", "enrolments", "responsibilities", "pauses", "care_agreements", "problems", "duties"),
    *("emergency_people", "escalations", "kinships", "visit_decisions", "spot_checks", "rectifications"),
    *("problem_escalations", "blind_reviews"),
    *("spot_check_judgements", "ledger_events", "ledger_positions", "ledger_looks"),
)
"""Tables of ids, days, words and sealed texts alone."""


def erase(work: Work, asked: Erasure) -> Erased:
    """Erase a person whom two workers agree to erase; running it again finishes what was left."""
    reason = asked.reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise Invalid(
            errors={"reason": [f"请写明删除的依据和原因，{SHORTEST_REASON}至{LONGEST_REASON}个字。"]}
        )
    person = see(work, asked.person_id, to_change=True)
    by = _may(work, asked.by, MAY_ASK, person, "by")
    approver = _may(work, asked.approved_by, MAY_APPROVE, person, "approved_by")
    if by.worker_id == approver.worker_id:
        raise NotAllowed("删除须由两人办理：申请人和批准人不能是同一人。")
    _refuse_enrolled(work, person)
    done = Erased(again=was_erased(work, person))
    done.blobs = overwrite(work, person)
    if not done.again:
        work.keys.destroy(work.session, person.data_key_id)
        work.tell(
            TOLD,
            "person",
            person.id,
            person_id=person.id,
            key=work.keys.house_key(),
            payload={"by": by.worker_id, "approved_by": approver.worker_id, "reason": reason},
        )
    return done


def was_erased(work: Work, person: Person) -> bool:
    """Say whether the ledger tells of the person's erasure."""
    told = select(Event.id).where(Event.person_id == person.id, Event.action == TOLD).limit(1)
    return work.session.scalar(told) is not None


def replay(work: Work, person: Person) -> None:
    """Do an erasure again on records from before it; the ledger of then gets its line."""
    if not was_erased(work, person):
        work.tell(TOLD, "person", person.id, person_id=person.id, payload={"replayed": True})
    overwrite(work, person)


def overwrite(work: Work, person: Person) -> list[str]:
    """Empty and overwrite everything about a person; gives the names of their pictures in the store."""
    session = work.session
    session.flush()
    visits = [
        row.id
        for row in session.execute(select(_table("visits").c.id).where(_of(_table("visits"), person.id)))
    ]
    blobs = _forget_pictures(work, person)
    for table in Base.metadata.sorted_tables:
        here = _of(table, person.id)
        if here is None or table.schema is not None or table.name in DELETED:
            continue
        values = _emptied(table) | dict(OVERWRITTEN.get(table.name, {}))
        if values:
            session.execute(update(table).where(here).values(values))
        if table.name in BODIES:
            _empty_bodies(work, table, person.id)
    for name in DELETED:
        table = _table(name)
        session.execute(delete(table).where(_of(table, person.id)))
    session.execute(
        delete(_table("evidence_pending")).where(_table("evidence_pending").c.visit_id.in_(visits))
    )
    session.refresh(person)
    person.revision += 1
    session.flush()
    return blobs


def delete_blobs(store: BlobStore, blobs: list[str]) -> int:
    """Delete pictures from the store; one that fails now is swept later, and nobody can open it."""
    for key in blobs:
        store.delete(key)
    return len(blobs)


def _forget_pictures(work: Work, person: Person) -> list[str]:
    """Take the rows of a person's pictures away and leave their blobs to the sweep, in case deleting them fails."""
    photos, renditions = _table("photos"), _table("renditions")
    ids = select(photos.c.id).where(photos.c.person_id == person.id)
    named = [
        *work.session.scalars(select(renditions.c.blob_key).where(renditions.c.photo_id.in_(ids))),
        *work.session.scalars(
            select(photos.c.blob_key).where(photos.c.person_id == person.id, photos.c.blob_key.is_not(None))
        ),
    ]
    for name, columns in OF_PICTURES.items():
        table = _table(name)
        work.session.execute(delete(table).where(or_(*(table.c[column].in_(ids) for column in columns))))
    if named:
        marked = set(work.session.scalars(select(Orphan.blob_key).where(Orphan.blob_key.in_(named))))
        fresh = [{"blob_key": key, "found_at": work.now} for key in named if key not in marked]
        if fresh:
            work.session.execute(insert(Orphan), fresh)
    return named


def _empty_bodies(work: Work, table: Table, person_id: UUID) -> None:
    keys = list(table.primary_key.columns)
    for row in work.session.execute(
        select(*keys, table.c.open_body).where(table.c.person_id == person_id)
    ).all():
        work.session.execute(
            update(table)
            .where(*(key == getattr(row, key.name) for key in keys))
            .values(open_body=_what_counts(row.open_body), fingerprint=work.tools.random_bytes(HASH_BYTES))
        )


def _what_counts(body: Mapping[str, Any]) -> dict[str, Any]:
    """Keep words, days and ids of a visit's open body; places, answers and lists of what was found go."""

    def kept(name: str, value: Any) -> Any:
        if name in {"purposes", "visitors"} or not isinstance(value, (dict, list)):
            return value
        return {} if name == "answers" else [] if isinstance(value, list) else None

    return {name: kept(name, value) for name, value in body.items()}


def _emptied(table: Table) -> dict[str, Any]:
    """Empty whatever is sealed, though nobody can open it any more."""
    return {
        column.name: None if column.nullable else "" for column in table.c if column.name.endswith("_sealed")
    }


def _of(table: Table, person_id: UUID) -> Any:
    if table.name == "persons":
        return table.c.id == person_id
    if table.name.startswith("ledger_"):
        return None
    return table.c.person_id == person_id if "person_id" in table.c else None


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _may(work: Work, worker_id: UUID, roles: frozenset[Role], person: Person, name: str) -> Actor:
    try:
        actor: Actor | None = who_is(work.session, worker_id)
    except NotSignedIn:
        actor = None
    if actor is None or actor.role not in roles or not person.village_code.startswith(actor.area_code):
        words = "申请人须是本辖区的民政负责人" if name == "by" else "批准人须是本辖区的民政负责人或县级督查"
        raise NotAllowed(f"{words}，且账户没有停用。", errors={name: [f"{words}。"]})
    return actor


def _refuse_enrolled(work: Work, person: Person) -> None:
    if person.died_on is not None:
        return
    enrolled = select(Enrolment.id).where(
        Enrolment.person_id == person.id,
        Enrolment.superseded_at.is_(None),
        or_(Enrolment.valid_to.is_(None), Enrolment.valid_to >= work.today),
    )
    if work.session.scalar(enrolled.limit(1)) is not None:
        raise StillEnrolled
