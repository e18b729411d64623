"""The photos of one visit, for whoever was let through to the visit."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table, Uuid, bindparam, select
from sqlalchemy.orm import Session

from server.photos.models import Photo
from server.prepared import Prepared, Row

_PHOTOS = cast("Table", Photo.__table__)
_OF_VISIT = Prepared(
    select(
        *[
            _PHOTOS.c[name]
            for name in (
                "id",
                "kind",
                "declared",
                "claimed_taken_at",
                "received_at",
                "width",
                "height",
                "blob_key",
            )
        ]
    )
    .where(_PHOTOS.c.visit_id == bindparam("visit_id", type_=Uuid()))
    .order_by(_PHOTOS.c.ordinal, _PHOTOS.c.id)
)


def photos_of(session: Session, visit_id: UUID) -> list[Row]:
    """List a visit's photos in the order in which they were declared; those without `blob_key` have not arrived."""
    return _OF_VISIT.all(session, {"visit_id": visit_id})
