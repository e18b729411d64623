"""The archives in use: finding files, reading one whole, revealing one masked datum. Each look leaves its entry."""

import datetime as dt
from typing import Any
from uuid import UUID

from sqlalchemy import select

from server.accounts.limits import Limit, count_try, refuse_too_many
from server.archives.file import whole_file
from server.archives.queries import files, number_of_cursor, village_of_cursor
from server.archives.terms import RevealField, Wanted
from server.archives.timeline import Place, events, place_of_cursor, written_place
from server.errors import Invalid, NotAllowed
from server.http import paging
from server.ledger.work import Work
from server.people.editing import FileErased
from server.people.models import Caregiver, Person
from server.people.sight import see
from server.permissions import Role
from server.policies.service import in_force
from server.vault.fields import DataKey
from server.worklists.people import shown

SHORTEST_REASON = 4
HOUR = dt.timedelta(hours=1)
VISITORS_REVEAL = frozenset({RevealField.PHONE, RevealField.ADDRESS})
"""What visitors see whole anyway; the rest only the township may reveal."""


def search(work: Work, wanted: Wanted, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """List the files within sight as lists show people; one entry in the ledger names those on the page."""
    after = paging.decode(cursor, (village_of_cursor, number_of_cursor))
    rows = files(work, wanted, (after[0], after[1]) if after else None, limit + 1)
    kept, next_cursor = paging.page(rows, limit, lambda row: (row.village_code, row.file_no))
    people = shown(work, [row.id for row in kept])
    work.looked("archives.read", "archives", people=[row.id for row in kept], searched=bool(wanted.query))
    return {"items": [people[row.id].data for row in kept], "next_cursor": next_cursor}


def read_file(work: Work, person_id: UUID) -> dict[str, Any]:
    """Give the whole file of a person within sight."""
    file = whole_file(work, person_id)
    work.looked("archive.read", "person", person_id, person_id=person_id)
    return file


def read_timeline(work: Work, person_id: UUID, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """Give what happened to a person and for them, the newest first."""
    person = see(work, person_id)
    before: Place | None = place_of_cursor(cursor)
    kept, next_cursor = paging.page(events(work, person, before, limit + 1), limit, written_place)
    work.looked("archive.timeline_read", "person", person_id, person_id=person_id)
    return {
        "items": [{"at": one.at, "kind": one.kind, "id": one.id, "data": one.data} for one in kept],
        "next_cursor": next_cursor,
    }


def reveal(work: Work, person_id: UUID, what: RevealField, reason: str) -> str | None:
    """Give one masked datum whole, for a reason that the ledger keeps sealed; None when it is not on file.

    At most so many an hour and worker as the policy number says.
    """
    reason = reason.strip()
    if len(reason) < SHORTEST_REASON:
        raise Invalid(errors={"reason": [f"请写明查看原因，至少{SHORTEST_REASON}个字。"]})
    person = see(work, person_id)
    if work.actor.role is Role.VISITOR and what not in VISITORS_REVEAL:
        raise NotAllowed("您的岗位不能查看这项原始信息。")
    key = work.keys.fetch_one(work.session, person.data_key_id)
    if key is None:
        raise FileErased
    most = int(in_force(work).on("reveal.most_per_hour", work.today, person.village_code))
    worker = str(work.actor.worker_id)
    # Counted first: the row's lock lets one in after the other. A refusal takes its count back.
    count_try(work.session, Limit("reveal", most + 1, HOUR), worker, work.now)
    refuse_too_many(work.session, Limit("reveal", most + 1, HOUR), worker, work.now)
    value = _value(work, person, key, what)
    work.tell(
        "person.revealed",
        "person",
        person_id,
        person_id=person_id,
        key=key,
        changes=False,
        payload={"field": what, "reason": reason},
    )
    return value


def _value(work: Work, person: Person, key: DataKey, what: RevealField) -> str | None:
    table, column, row, sealed = "persons", f"{what}_sealed", person.id, None
    if what is RevealField.CAREGIVER_PHONE:
        caregiver = work.session.scalars(
            select(Caregiver).where(Caregiver.person_id == person.id, Caregiver.superseded_at.is_(None))
        ).one_or_none()
        if caregiver is None:
            return None
        table, column, row, sealed = "caregivers", "phone_sealed", caregiver.id, caregiver.phone_sealed
    else:
        sealed = getattr(person, column)
    return key.open(sealed, table=table, column=column, row=row) if sealed else None
