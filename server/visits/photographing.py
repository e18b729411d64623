"""Photos of visits: who may add one, what is stored already, and the row that makes a stored photo count.

Each step is one statement over plain tables, made once: making one, and objects that watch themselves, cost more than
running it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn, cast
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Insert,
    Integer,
    Table,
    Uuid,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from server.errors import Invalid, NotFound, Unavailable
from server.ledger.work import Work
from server.people.models import Person
from server.permissions import Role
from server.photos.declaring import PhotoConflict, debt_of
from server.photos.intake import PhotoDigestDiffers, Taken
from server.photos.models import Photo, Rendition
from server.photos.terms import PhotoKind
from server.prepared import Prepared, Row
from server.vault.fields import DataKey
from server.vault.models import StoredKey
from server.visits.models import Visit
from server.visits.sight import stored_visit, visit_in_sight

TRIES = 4
KNOWN_AT_ONCE = 100
"""Photos of a visit that are looked up together; one beyond them is looked up by its id."""
_CLAIMED = ("kind", "claimed_taken_at", "claimed_sha256")
"""What the phone says of a photo."""
UNDECLARED = 999
"""Ordinal of a photo that its visit did not declare."""


class VisitNotFound(NotFound):
    """The visit of this photo is not there (or not within sight): send the visit first, then its photos."""

    title = "没有找到走访记录"
    detail = "没有找到这次走访的记录，请先提交走访记录，再上传照片。"


@dataclass(frozen=True, slots=True)
class Upload:
    """What a phone says about the photo that it sends."""

    photo_id: UUID
    kind: PhotoKind | None
    taken_at: dt.datetime | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a photo id before its bytes are taken in: the digest stored under it, and the one announced."""

    stored: bytes | None = None
    announced: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A visit that its sender may add photos to: the person's key, and what is known of the visit's photos."""

    visit_id: UUID
    key: DataKey
    known: Mapping[UUID, Known]


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored photo within sight, with the key that opens it, and its small picture if one was asked for and made."""

    photo: Row
    key: DataKey
    rendition_key: str | None


PHOTOS = cast("Table", Photo.__table__)
_OTHER = PHOTOS.alias("other")
_OWED = (
    select(func.count())
    .select_from(_OTHER)
    .where(
        _OTHER.c.visit_id == bindparam("of_visit"),
        _OTHER.c.blob_key.is_(None),
        _OTHER.c.id != bindparam("of_photo"),
    )
    .scalar_subquery()
)
"""How many other photos the visit still owes."""
_SHOWN = (
    *(PHOTOS.c.id, PHOTOS.c.visit_id, PHOTOS.c.person_id, PHOTOS.c.kind, PHOTOS.c.claimed_taken_at),
    *(PHOTOS.c.received_at, PHOTOS.c.sha256, PHOTOS.c.size, PHOTOS.c.format, PHOTOS.c.width, PHOTOS.c.height),
    PHOTOS.c.blob_key,
)
"""What a photo is shown by."""
_ARRIVED = (
    *("received_at", "received_from", "sha256", "size", "format", "width", "height", "dhash", "exif"),
    "likeness_sealed",
    *("blob_key", "data_key_id", "kind", "claimed_taken_at", "claimed_sha256"),
)


def _said(name: str) -> BindParameter[Any]:
    return bindparam(f"new_{name}", type_=PHOTOS.c[name].type)


def _seen(name: str) -> ColumnElement[bool]:
    return PHOTOS.c[name].is_not_distinct_from(bindparam(f"photo_{name}", type_=PHOTOS.c[name].type))


_STORE = Prepared(
    update(PHOTOS)
    .where(
        PHOTOS.c.id == bindparam("of_photo"),
        PHOTOS.c.visit_id == bindparam("of_visit"),
        PHOTOS.c.blob_key.is_(None),
        *(_seen(name) for name in _CLAIMED),
    )
    .values({name: _said(name) for name in _ARRIVED})
    .returning(_OWED)
)
"""Let a declared photo count, if nobody was quicker and its declaration is still what was read."""


def _add(dialect: str) -> Insert:
    """Add a photo that its visit did not declare, if nobody was quicker."""
    insert = insert_postgresql if dialect == "postgresql" else insert_sqlite
    return (
        insert(PHOTOS)
        .values(
            {name: _said(name) for name in (*_ARRIVED, "person_id", "village_code")}
            | {"id": bindparam("of_photo"), "visit_id": bindparam("of_visit")}
            | {"declared": False, "ordinal": UNDECLARED}
        )
        .on_conflict_do_nothing()
        .returning(_OWED)
    )


_ADD = Prepared(_add)
_KNOWN = Prepared(
    select(Photo.visit_id, Photo.sha256, Photo.claimed_sha256).where(
        Photo.id == bindparam("photo_id", type_=Uuid())
    )
)


@lru_cache(maxsize=1024)
def _place_in_sight(role: Role, area_code: str) -> Prepared:
    """Select `:visit_id` if `:worker_id` sees it, with its person's key; a row for each of its photos."""
    return Prepared(
        select(StoredKey.id.label("key_id"), StoredKey.wrapped, Photo.id, Photo.sha256, Photo.claimed_sha256)
        .select_from(Visit)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .outerjoin(Photo, Photo.visit_id == Visit.id)
        .where(Visit.id == bindparam("visit_id", type_=Uuid()), visit_in_sight(role, area_code))
        .limit(bindparam("most", KNOWN_AT_ONCE, type_=Integer()))
    )


@lru_cache(maxsize=1024)
def _spot_in_sight(role: Role, area_code: str) -> Prepared:
    """Select the same visit and what is stored as `:photo_id`; makes other changes of the visit wait (PostgreSQL)."""
    return Prepared(
        select(
            Visit.person_id,
            Visit.village_code,  # the locked row's: a move that came first has changed it, one that waits will
            Person.photo_consent,
            StoredKey.wrapped.is_not(None).label("has_key"),
            *(PHOTOS.c[name].label(f"photo_{name}") for name in ("id", "visit_id", "sha256", *_CLAIMED)),
        )
        .select_from(Visit)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .outerjoin(PHOTOS, PHOTOS.c.id == bindparam("photo_id", type_=Uuid()))
        .where(Visit.id == bindparam("visit_id", type_=Uuid()), visit_in_sight(role, area_code))
        .with_for_update(of=Visit, key_share=True)
    )


@lru_cache(maxsize=1024)
def _photo_in_sight(role: Role, area_code: str) -> Prepared:
    """Select `:photo_id` if `:worker_id` sees its visit, with the person's key and the small picture of `:box`."""
    return Prepared(
        select(
            *_SHOWN,
            StoredKey.id.label("key_id"),
            StoredKey.wrapped,
            Rendition.blob_key.label("rendition_key"),
        )
        .join_from(PHOTOS, Visit, Visit.id == PHOTOS.c.visit_id)
        .join(Person, Person.id == Visit.person_id)
        .outerjoin(StoredKey, StoredKey.id == Person.data_key_id)
        .outerjoin(Rendition, (Rendition.photo_id == PHOTOS.c.id) & (Rendition.box == bindparam("box")))
        .where(PHOTOS.c.id == bindparam("photo_id", type_=Uuid()), visit_in_sight(role, area_code))
    )


def place_for(work: Work, visit_id: UUID) -> Place:
    """Let the sender of a photo through to the visit; give the person's key, and what is known of its photos."""
    actor = work.actor
    rows = _place_in_sight(actor.role, actor.area_code).all(
        work.session, {"visit_id": visit_id, "worker_id": actor.worker_id}
    )
    key = work.keys.unwrap(rows[0].key_id, rows[0].wrapped) if rows else None
    if key is None:
        _refuse_visit(work, visit_id)
    known = {row.id: Known(row.sha256, row.claimed_sha256) for row in rows if row.id is not None}
    return Place(visit_id, key, known)


def known(session: Session, place: Place, photo_id: UUID) -> Known:
    """Look up a photo id that its visit did not declare; one that belongs to another visit is refused."""
    row = _KNOWN.first(session, {"photo_id": photo_id})
    if row is None:
        return Known()
    if row.visit_id != place.visit_id:
        raise PhotoConflict
    return Known(row.sha256, row.claimed_sha256)


def compare(upload: Upload, sha256: bytes, there: Known) -> bool:
    """Say whether exactly these bytes are stored already; refuse other bytes, and bytes other than announced."""
    for announced in (upload.sha256, there.announced if there.stored is None else None):
        if announced is not None and announced.lower() != sha256.hex():
            raise PhotoDigestDiffers(errors={"sha256": ["照片内容与校验值不符。"]})
    if there.stored is not None and there.stored != sha256:
        raise PhotoConflict
    return there.stored is not None


def attach(work: Work, visit_id: UUID, upload: Upload, taken: Taken) -> tuple[dict[str, Any], bool]:
    """Write the row of a photo that is durable in the store; shows the photo, and says whether it is new.

    What was read may have changed while this waited for the visit, so the row is written only as long as it fits what
    was read, and read again where it does not.
    """
    actor = work.actor
    for _ in range(TRIES):
        there = _spot_in_sight(actor.role, actor.area_code).first(
            work.session,
            {"visit_id": visit_id, "worker_id": actor.worker_id, "photo_id": upload.photo_id},
        )
        if there is None or not there.has_key:
            _refuse_visit(work, visit_id)
        _refuse_unagreed(upload, there)
        if there.photo_id is not None and there.photo_visit_id != visit_id:
            raise PhotoConflict
        if there.photo_sha256 is not None:
            if there.photo_sha256 != taken.sha256:
                raise PhotoConflict
            return shown(work, seen(work, upload.photo_id).photo), False
        values = _values(work, visit_id, upload, taken, there)
        written = (_ADD if there.photo_id is None else _STORE).first(work.session, values)
        if written is not None:
            break
    else:
        raise Unavailable
    work.tell(
        "photo.stored",
        "photo",
        upload.photo_id,
        person_id=there.person_id,
        payload={"visit": visit_id, "sha256": taken.sha256.hex(), "size": taken.size},
    )
    stored = {
        "id": upload.photo_id,
        "visit_id": visit_id,
        "kind": values["new_kind"],
        "taken_at": values["new_claimed_taken_at"],
        "received_at": work.now,
        "sha256": taken.sha256.hex(),
        "size": taken.size,
        "format": taken.facts.format,
        "width": taken.facts.width,
        "height": taken.facts.height,
    }
    return stored | {"photo_debt": debt_of(work, visit_id) if written[0] else []}, True


def _values(work: Work, visit_id: UUID, upload: Upload, taken: Taken, there: Row) -> dict[str, Any]:
    """Give what is written of a photo that arrived, over what was declared of it."""
    return {
        "of_photo": upload.photo_id,
        "of_visit": visit_id,
        **{f"photo_{name}": getattr(there, f"photo_{name}") for name in _CLAIMED},
        "new_person_id": there.person_id,
        "new_village_code": there.village_code,
        "new_kind": upload.kind or there.photo_kind or PhotoKind.ROOM,
        "new_claimed_taken_at": upload.taken_at or there.photo_claimed_taken_at,
        "new_claimed_sha256": upload.sha256 or there.photo_claimed_sha256,
        "new_received_at": work.now,
        "new_received_from": work.actor.worker_id,
        "new_sha256": taken.sha256,
        "new_size": taken.size,
        "new_format": taken.facts.format,
        "new_width": taken.facts.width,
        "new_height": taken.facts.height,
        "new_dhash": taken.facts.signed_dhash,
        "new_likeness_sealed": taken.likeness_sealed,
        "new_exif": taken.facts.exif.as_json(),
        "new_blob_key": taken.blob_key,
        "new_data_key_id": taken.key_id,
    }


def _refuse_unagreed(upload: Upload, there: Row) -> None:
    """Refuse a photo of the person themselves without their consent, also when the visit did not declare it (§3.9)."""
    is_new_face = upload.kind is PhotoKind.PERSON and there.photo_kind is not PhotoKind.PERSON
    if is_new_face and not there.photo_consent:
        raise Invalid(errors={"kind": ["本人没有同意拍照，不能提交本人照片。"]})


def _refuse_visit(work: Work, visit_id: UUID) -> NoReturn:
    """Refuse a photo whose visit is not there, not within sight, or of a person whose data were erased."""
    try:
        stored_visit(work, visit_id)
    except NotFound as refusal:
        renamed = VisitNotFound()
        renamed.leaves = refusal.leaves
        raise renamed from None
    raise VisitNotFound


def shown(work: Work, photo: Row) -> dict[str, Any]:
    """Show a stored photo: the server's own figures, and what its visit still owes."""
    return {
        "id": photo.id,
        "visit_id": photo.visit_id,
        "kind": photo.kind,
        "taken_at": photo.claimed_taken_at,
        "received_at": photo.received_at,
        "sha256": photo.sha256.hex(),
        "size": photo.size,
        "format": photo.format,
        "width": photo.width,
        "height": photo.height,
        "photo_debt": debt_of(work, photo.visit_id),
    }


def seen(work: Work, photo_id: UUID, box: int = 0) -> Seen:
    """Find a stored photo within sight, with the key that opens it and its small picture of `box` pixels."""
    actor = work.actor
    row = _photo_in_sight(actor.role, actor.area_code).first(
        work.session, {"photo_id": photo_id, "worker_id": actor.worker_id, "box": box}
    )
    if row is None:
        photo = work.session.get(Photo, photo_id)
        # Refuses, and leaves a trace; one that is not there is looked for as long: time tells nobody which it was.
        stored_visit(work, photo.visit_id if photo else photo_id)
        raise NotFound
    key = work.keys.unwrap(row.key_id, row.wrapped) if row.key_id else None
    if key is None or row.blob_key is None:
        raise NotFound
    return Seen(row, key, row.rendition_key)
