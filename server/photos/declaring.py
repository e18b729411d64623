"""Photos that a visit declares before they arrive: photo debt (CONTRACT §4)."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Uuid, bindparam, func, select

from server.errors import Conflict
from server.ledger.work import Work
from server.people.terms import Living
from server.photos.models import Photo
from server.photos.terms import PhotoKind
from server.prepared import Prepared, insert_once


class PhotoConflict(Conflict):
    """This photo id belongs to another photo already; a stored original is never replaced."""

    title = "照片编号已被占用"
    detail = "这个照片编号下已有另一张照片，请重新拍摄或换一个编号上传。"


_TAKEN = {"photos": ["有照片编号已被别的走访使用。"]}


_DECLARED = Prepared(
    insert_once(Photo),
    (
        *("id", "visit_id", "person_id", "village_code", "kind", "declared", "ordinal"),
        *("claimed_taken_at", "claimed_sha256"),
    ),
)


class Declared(Protocol):
    """A photo as a visit's body declares it."""

    @property
    def id(self) -> UUID: ...
    @property
    def kind(self) -> PhotoKind: ...
    @property
    def taken_at(self) -> dt.datetime | None: ...
    @property
    def sha256(self) -> str | None: ...


def declare(work: Work, visit_id: UUID, person: Living, photos: Sequence[Declared]) -> None:
    """Write what a visit declares; what an earlier body declared and this one doesn't is owed no more.

    A photo that has arrived stays, declared or not: evidence is never dropped.
    """
    there = {
        photo.id: photo for photo in work.session.scalars(select(Photo).where(Photo.visit_id == visit_id))
    }
    _refuse_taken(work, visit_id, [photo.id for photo in photos if photo.id not in there])
    for ordinal, photo in enumerate(photos):
        known = there.pop(photo.id, None)
        if known is None:
            work.session.add(Photo(**_columns(visit_id, person, photo, ordinal)))
        else:
            known.declared, known.ordinal, known.kind = True, ordinal, photo.kind
            known.claimed_taken_at, known.claimed_sha256 = photo.taken_at, photo.sha256
    for left in there.values():
        if left.blob_key is None:
            work.session.delete(left)
        else:
            left.declared = False


def declare_first(work: Work, visit_id: UUID, person: Living, photos: Sequence[Declared]) -> None:
    """Write what a new visit declares, in one insert."""
    if not photos:
        return
    written = _DECLARED.write_all(
        work.session, [_columns(visit_id, person, photo, ordinal) for ordinal, photo in enumerate(photos)]
    )
    if written < len(photos):
        raise PhotoConflict(errors=_TAKEN)


_DEBT = Prepared(
    select(Photo.id)
    .where(Photo.visit_id == bindparam("visit_id", type_=Uuid()), Photo.blob_key.is_(None))
    .order_by(Photo.ordinal)
)


def debt_of(work: Work, visit_id: UUID) -> list[UUID]:
    """List the photos that a visit declared and that have not arrived, in the order of the declaration."""
    return [row.id for row in _DEBT.all(work.session, {"visit_id": visit_id})]


def _refuse_taken(work: Work, visit_id: UUID, ids: Sequence[UUID]) -> None:
    if ids and work.session.scalar(
        select(func.count()).select_from(Photo).where(Photo.id.in_(ids), Photo.visit_id != visit_id)
    ):
        raise PhotoConflict(errors=_TAKEN)


def _columns(visit_id: UUID, person: Living, photo: Declared, ordinal: int) -> dict[str, Any]:
    return {
        "id": photo.id,
        "visit_id": visit_id,
        "person_id": person.id,
        "village_code": person.village_code,
        "kind": photo.kind,
        "declared": True,
        "ordinal": ordinal,
        "claimed_taken_at": photo.taken_at,
        "claimed_sha256": photo.sha256,
    }
