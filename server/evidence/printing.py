"""Finds photos that show the same picture as a new one, among everybody's of all years.

A photo is printed once: its hashes are stored, and whoever is its twin is written down for both. Candidates come from an
index of bands; those whose hashes are near enough are opened and laid over each other (`server.photos.likeness`).
"""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from PIL import Image
from sqlalchemy import Table, Uuid, bindparam, insert, select, text

from server.evidence.models import PhotoPrint, PhotoTwin
from server.ledger.work import Work
from server.nested import among
from server.people.models import Person
from server.photos import likeness
from server.photos.intake import likeness_of
from server.photos.models import Photo
from server.photos.sieve import near
from server.prepared import Prepared, Row
from server.vault.blobs import open_bytes
from server.vault.models import StoredKey

MOST_BITS = 11
"""Bits in which the hashes of twins differ at most, in the best of all windows."""
MOST_CANDIDATES = 4000
"""Candidates whose hashes are compared; only pictures like thousands of others have so many."""
MOST_OPENED = 12
"""Candidates that are opened, the nearest first."""
KEPT_FROM = 75
"""From how many per cent on two photos are written down as twins; a setting says from when on it is a finding."""

_PRINTS, _TWINS = cast("Table", PhotoPrint.__table__), cast("Table", PhotoTwin.__table__)
_PHOTOS, _PERSONS, _KEYS = Photo.__table__, Person.__table__, StoredKey.__table__
_BANDS = (("whole_1", "whole_2", "whole_3"), ("middle_1", "middle_2", "middle_3"))
_SEALED = (_PHOTOS.c.id, _PHOTOS.c.likeness_sealed, _PERSONS.c.data_key_id, _KEYS.c.wrapped)
_NEW = Prepared(
    select(*_SEALED)
    .join_from(_PHOTOS, _PERSONS, _PERSONS.c.id == _PHOTOS.c.person_id)
    .join(_KEYS, _KEYS.c.id == _PERSONS.c.data_key_id)
    .outerjoin(_PRINTS, _PRINTS.c.photo_id == _PHOTOS.c.id)
    .where(
        _PHOTOS.c.visit_id == bindparam("visit_id", type_=Uuid()),
        _PHOTOS.c.likeness_sealed.is_not(None),
        _PRINTS.c.photo_id.is_(None),
    )
    .order_by(_PHOTOS.c.id)
)
_OPENED = Prepared(
    select(*_SEALED)
    .join_from(_PHOTOS, _PERSONS, _PERSONS.c.id == _PHOTOS.c.person_id)
    .join(_KEYS, _KEYS.c.id == _PERSONS.c.data_key_id)
    .where(among(_PHOTOS.c.id, "photos"), _PHOTOS.c.likeness_sealed.is_not(None))
)


def print_new(work: Work, visit_id: UUID) -> None:
    """Print the photos of a visit that are not printed yet, and write down their twins."""
    for row in _NEW.all(work.session, {"visit_id": visit_id}):
        image = _opened(work, row)
        if image is None or likeness.shows_nothing(image):
            work.session.execute(insert(_PRINTS), {"photo_id": row.id})
            continue
        twins = [(other, alike) for other, alike in _compared(work, image) if alike >= KEPT_FROM]
        if twins:
            work.session.execute(
                insert(_TWINS),
                [
                    {"photo_id": one, "other_id": two, "alike": alike}
                    for other, alike in twins
                    for one, two in ((row.id, other), (other, row.id))
                ],
            )
        work.session.execute(insert(_PRINTS), _columns(row.id, image))


def _compared(work: Work, image: Image.Image) -> list[tuple[UUID, int]]:
    """Compare a picture with those that may be its twins; gives each with the per cent to which they are alike."""
    asked = likeness.search_for(image)
    rows = candidates(work, asked)
    pairs = [(likeness.unsigned(row.whole), likeness.unsigned(row.middle)) for row in rows]
    places = near(asked.hashes, [one for pair in pairs for one in pair], MOST_BITS)
    nearest = sorted(
        (asked.bits_from(pairs[place]), rows[place].photo_id) for place in {one // 2 for one in places}
    )
    chosen = [photo_id for _, photo_id in nearest[:MOST_OPENED]]
    if not chosen:
        return []
    found = []
    for row in _OPENED.all(work.session, {"photos": chosen}):
        other = _opened(work, row)
        if other is not None:
            found.append((row.id, int(100 * likeness.alike(image, other))))
    return found


def candidates(work: Work, asked: likeness.Search) -> Sequence[Row]:
    """Find the prints that have a band in common with what is asked for."""
    # Whole numbers of our own, written into the statement: handing over five hundred would cost more than finding them.
    bands = " OR ".join(
        f"{name} IN ({','.join(map(str, sorted(values)))})"
        for names in _BANDS
        for name, values in zip(names, asked.values, strict=True)
    )
    words = f"SELECT photo_id, whole, middle FROM photo_prints WHERE {bands} LIMIT {MOST_CANDIDATES}"  # noqa: S608
    columns = _PRINTS.c.photo_id, _PRINTS.c.whole, _PRINTS.c.middle
    return list(work.session.execute(text(words).columns(*columns)))


def _columns(photo_id: UUID, image: Image.Image) -> dict[str, Any]:
    made = likeness.print_of(image)
    columns: dict[str, Any] = {"photo_id": photo_id, "whole": made.hashes[0], "middle": made.hashes[1]}
    for names, values in zip(_BANDS, made.bands, strict=True):
        columns |= dict(zip(names, values, strict=True))
    return columns


def _opened(work: Work, row: Row) -> Image.Image | None:
    key = work.keys.unwrap(row.data_key_id, row.wrapped)
    if key is None:
        return None
    return likeness.picture(open_bytes(row.likeness_sealed, key, likeness_of(row.id)))
