"""One person's whole file (一人一档): everything on file, histories and all, as far as the reader's role goes."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from server.archives import reading
from server.archives.reading import ReadFile
from server.ledger.work import Work
from server.people import showing
from server.people.models import Household
from server.people.queries import OnFile
from server.people.terms import Ability, ResponsibilityKind
from server.problems.models import state_of
from server.schedule.opening import ensure_open
from server.schedule.standing import shown as duty_shown
from server.schedule.terms import Pause
from server.vault.fields import DataKey
from server.vault.masks import mask_phone

SPAN = ("recorded_at", "superseded_at")
ENROLMENT = ("id", "category", "valid_from", "valid_to", "exit_reason", "monthly_amount", *SPAN)
ASSESSMENT = ("id", "level", "assessed_on", "assessor", "recorded_at")
CAREGIVER = ("id", "name", "relation", *SPAN)
AGREEMENT = ("id", "caregiver_id", "signed_on", "starts_on", "ends_on", "monthly_fee", *SPAN)
HOME = ("id", "latitude", "longitude", "datum", "accuracy_m", "set_at", "set_by", "superseded_at")
TAG = ("id", "tag", "detail", "valid_from", "valid_to", *SPAN)
RESPONSIBILITY = ("id", "worker_id", "worker", "kind", "from_at", "to_at")
PAUSE = ("id", "reason", "from_on", "to_on", *SPAN)
PROBLEM = (
    *("id", "visit_id", "code", "severity", "fixed_on_site", "restricted", "found_at"),
    "closed_at",
)
PHOTO = ("id", "visit_id", "kind", "received_at")


def whole_file(work: Work, person_id: UUID) -> dict[str, Any]:
    """Gather the file of a person within sight; the caller leaves the ledger entry."""
    ensure_open(work)
    file = reading.read(work, person_id)
    person, key, rows = file.person, file.key, file.rows
    finds = work.actor.role in showing.FINDERS
    return {
        "person": showing.one_shown(_on_file(file), key, person.village or "", work.today, finds=finds),
        "has_health_remark": person.health_sealed is not None,
        "household_members": [
            {
                "person_id": row.id,
                **_picked(row, ("file_no", "name", "is_head", "relation_to_head", "died_on")),
            }
            for row in rows["household_members"]
        ],
        "enrolments": _all(rows["enrolments"], ENROLMENT),
        "assessments": [
            {
                **_picked(row, ASSESSMENT),
                "can": {str(ability): getattr(row, f"can_{ability}") for ability in Ability},
            }
            for row in rows["assessments"]
        ],
        "caregivers": [
            {**_picked(row, CAREGIVER), "phone": _phone(row, key, finds=finds)} for row in rows["caregivers"]
        ],
        "agreements": _all(rows["agreements"], AGREEMENT),
        "homes": _all(rows["homes"], HOME) if finds else [],
        "tags": _all(rows["tags"], TAG),
        "consents": {"photo": person.photo_consent},
        "responsibilities": _all(rows["responsibilities"], RESPONSIBILITY),
        "pauses": [
            {
                **_picked(row, PAUSE),
                "note": _opened(key, row.note_sealed, "pauses", "note_sealed", row.id) if finds else None,
            }
            for row in rows["pauses"]
        ],
        "duties": _duties(work, file),
        "problems": [
            {
                **_picked(row, PROBLEM),
                "state": state_of(row.state, row.stage),
                "description": _opened(key, row.description_sealed, "problems", "description_sealed", row.id),
            }
            for row in rows["problems"]
        ],
        "counts": {
            **rows["visit_counts"][0]._asdict(),
            **rows["photo_counts"][0]._asdict(),
        },
        "photos": _all(rows["photos"], PHOTO),
    }


def _on_file(file: ReadFile) -> OnFile:
    """Choose of the histories what is in force now."""
    person, rows = file.person, file.rows
    in_force = {
        name: [row for row in rows[name] if row.superseded_at is None]
        for name in ("enrolments", "caregivers", "agreements", "homes", "tags", "pauses")
    }
    for name, first in (("enrolments", "valid_from"), ("tags", "valid_from"), ("pauses", "from_on")):
        in_force[name].sort(key=lambda row, first=first: (getattr(row, first), row.id))  # type: ignore[misc]
    answering = sorted(
        (row.worker, row.worker_id, row.kind) for row in rows["responsibilities"] if row.to_at is None
    )
    return OnFile(
        person=person,
        household=cast("Household", SimpleNamespace(id=person.household_id, number=person.household_number)),
        home=next(iter(in_force["homes"]), None),
        caregiver=next(iter(in_force["caregivers"]), None),
        agreement=max(in_force["agreements"], key=lambda row: (row.ends_on, row.id), default=None),
        enrolments=in_force["enrolments"],
        tags=in_force["tags"],
        pauses=in_force["pauses"],
        responsible=next(
            (
                (worker_id, name)
                for name, worker_id, kind in answering
                if kind is ResponsibilityKind.RESPONSIBLE
            ),
            None,
        ),
        deputies=[
            (worker_id, name)
            for name, worker_id, kind in answering
            if kind is not ResponsibilityKind.RESPONSIBLE
        ],
    )


def _all(rows: Iterable[Any], names: Iterable[str]) -> list[dict[str, Any]]:
    return [_picked(row, names) for row in rows]


def _picked(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _opened(key: DataKey | None, sealed: str | None, table: str, column: str, row: UUID) -> str | None:
    return key.open(sealed, table=table, column=column, row=row) if sealed and key else None


def _phone(row: Any, key: DataKey | None, *, finds: bool) -> str | None:
    phone = _opened(key, row.phone_sealed, "caregivers", "phone_sealed", row.id)
    return phone if finds or not phone else mask_phone(phone)


def _duties(work: Work, file: ReadFile) -> list[dict[str, Any]]:
    pauses = [
        Pause(row.reason, row.from_on, row.to_on) for row in file.rows["pauses"] if row.superseded_at is None
    ]
    return [
        {"id": row.id, "category": row.category, **duty_shown(row, pauses, work.today)}
        for row in file.rows["duties"]
    ]
