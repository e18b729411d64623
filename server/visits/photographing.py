"""Photos of visits: who may add one, what is stored already, and the row that makes a stored photo count."""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from server.errors import Invalid, NotFound
from server.ledger.work import Work
from server.people.models import Person
from server.photos.declaring import PhotoConflict, debt_of
from server.photos.intake import PhotoDigestDiffers, Taken
from server.photos.models import Photo
from server.photos.terms import PhotoKind
from server.vault.fields import DataKey
from server.visits.models import Visit
from server.visits.sight import stored_visit


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


_KNOWN = select(Photo.visit_id, Photo.sha256, Photo.claimed_sha256).where(Photo.id == bindparam("photo_id"))
_VILLAGE = select(Person.village_code).where(Person.id == bindparam("person_id"))


def may_add(work: Work, visit_id: UUID) -> DataKey:
    """Let the sender of a photo through to the visit; give the person's key."""
    try:
        _, key = stored_visit(work, visit_id)
    except NotFound as refusal:
        renamed = VisitNotFound()
        renamed.leaves = refusal.leaves
        raise renamed from None
    if key is None:
        raise VisitNotFound
    return key


def known(session: Session, visit_id: UUID, photo_id: UUID) -> Known:
    """Look a photo id up; one that belongs to another visit is refused."""
    row = session.execute(_KNOWN, {"photo_id": photo_id}).one_or_none()
    if row is None:
        return Known()
    if row.visit_id != visit_id:
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


def attach(work: Work, visit_id: UUID, upload: Upload, taken: Taken) -> tuple[Photo, bool]:
    """Write the row of a photo that is durable in the store; returns it, and whether it was new."""
    visit, key = stored_visit(work, visit_id, lock=True)
    photo = work.session.get(Photo, upload.photo_id)
    _refuse_unagreed(work, visit, upload, photo)
    if photo is None:
        photo = Photo(
            id=upload.photo_id,
            visit_id=visit_id,
            person_id=visit.person_id,
            village_code=work.session.execute(_VILLAGE, {"person_id": visit.person_id}).scalar_one(),
            kind=upload.kind or PhotoKind.ROOM,
            declared=False,
            ordinal=999,
        )
        work.session.add(photo)
    elif photo.visit_id != visit_id or (photo.sha256 is not None and photo.sha256 != taken.sha256):
        raise PhotoConflict
    elif photo.sha256 is not None:
        return photo, False
    if upload.kind is not None:
        photo.kind = upload.kind
    photo.claimed_taken_at = upload.taken_at or photo.claimed_taken_at
    photo.claimed_sha256 = upload.sha256 or photo.claimed_sha256
    photo.received_at, photo.received_from = work.now, work.actor.worker_id
    photo.sha256, photo.size = taken.sha256, taken.size
    photo.format, photo.width, photo.height = taken.facts.format, taken.facts.width, taken.facts.height
    photo.dhash = taken.facts.dhash - (1 << 64) if taken.facts.dhash >= 1 << 63 else taken.facts.dhash
    photo.exif = taken.facts.exif.as_json()
    photo.blob_key = taken.blob_key
    photo.data_key_id = key.key_id if key else None
    work.session.flush()
    work.tell(
        "photo.stored",
        "photo",
        photo.id,
        person_id=photo.person_id,
        payload={"visit": visit_id, "sha256": taken.sha256.hex(), "size": taken.size},
    )
    return photo, True


def _refuse_unagreed(work: Work, visit: Visit, upload: Upload, photo: Photo | None) -> None:
    """Refuse a photo of the person themselves without their consent, also when the visit did not declare it (§3.9)."""
    if upload.kind is not PhotoKind.PERSON or (photo is not None and photo.kind is PhotoKind.PERSON):
        return
    if not work.session.scalar(select(Person.photo_consent).where(Person.id == visit.person_id)):
        raise Invalid(errors={"kind": ["本人没有同意拍照，不能提交本人照片。"]})


def shown(work: Work, photo: Photo) -> dict[str, Any]:
    """Show a stored photo: the server's own figures, and what its visit still owes."""
    return {
        "id": photo.id,
        "visit_id": photo.visit_id,
        "kind": photo.kind,
        "taken_at": photo.claimed_taken_at,
        "received_at": photo.received_at,
        "sha256": photo.sha256.hex() if photo.sha256 else None,
        "size": photo.size,
        "format": photo.format,
        "width": photo.width,
        "height": photo.height,
        "photo_debt": debt_of(work, photo.visit_id),
    }


def seen(work: Work, photo_id: UUID) -> tuple[Photo, DataKey]:
    """Find a stored photo within sight, with the key that opens it."""
    photo = work.session.get(Photo, photo_id)
    if photo is None:
        raise NotFound
    _, key = stored_visit(work, photo.visit_id)
    if key is None or photo.blob_key is None:
        raise NotFound
    return photo, key
