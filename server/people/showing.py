"""A person's file as the wire shows it: whole for those who must find the person, masked for others."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from server.ledger.work import Work
from server.people.models import Home
from server.people.queries import OnFile, on_file
from server.people.sight import is_the_house
from server.permissions import Role
from server.places.datums import to_gcj02
from server.places.terms import Datum, Point
from server.regions.service import names
from server.vault.fields import DataKey
from server.vault.masks import mask_address, mask_bank, mask_id_number, mask_phone

FINDERS = frozenset({Role.VISITOR, Role.REVIEWER, Role.CHIEF})
SIX_DIGITS = 6  # of a degree: a decimetre


def shown(work: Work, person_ids: Sequence[UUID]) -> dict[UUID, dict[str, Any]]:
    """Show files of people within sight, in as many reads as there are tables."""
    files = on_file(work.session, person_ids)
    keys = work.keys.fetch(work.session, [one.person.data_key_id for one in files.values()])
    villages = names(work.session, [one.person.village_code for one in files.values()], work.today)
    finds = is_the_house(work) or work.actor.role in FINDERS
    return {
        person_id: one_shown(
            one,
            keys.get(one.person.data_key_id),
            villages.get(one.person.village_code, ""),
            work.today,
            finds=finds,
        )
        for person_id, one in files.items()
    }


def one_shown(
    one: OnFile, key: DataKey | None, village: str, today: dt.date, *, finds: bool
) -> dict[str, Any]:
    """Write one person's file from what is on file; `finds`: whoever reads it must find and call the person."""
    return {
        **_identity(one, key, finds=finds),
        "village": {"code": one.person.village_code, "name": village},
        "categories": sorted(
            {
                str(row.category)
                for row in one.enrolments
                if row.valid_from <= today and (row.valid_to is None or row.valid_to >= today)
            }
        ),
        **_care(one, key, finds=finds),
        **_histories(one),
    }


def _opened(key: DataKey | None, sealed: str | None, table: str, column: str, row: UUID) -> str | None:
    return key.open(sealed, table=table, column=column, row=row) if sealed and key else None


def _identity(one: OnFile, key: DataKey | None, *, finds: bool) -> dict[str, Any]:
    person = one.person
    number, phone, address, bank = (
        _opened(key, getattr(person, column), "persons", column, person.id)
        for column in ("id_number_sealed", "phone_sealed", "address_sealed", "bank_account_sealed")
    )
    return {
        "person_id": person.id,
        "revision": person.revision,
        "file_no": person.file_no,
        "legacy_no": person.legacy_no,
        "name": person.name,
        "sex": person.sex,
        "birth_year": person.birth_date.year if person.birth_date else None,
        "id_number_masked": mask_id_number(number) if number else None,
        "no_id_reason": person.no_id_reason,
        "phone": phone if finds or not phone else mask_phone(phone),
        "address": address if finds or not address else mask_address(address),
        "bank_account_masked": mask_bank(bank) if bank else None,
        "household": {
            "id": one.household.id,
            "number": one.household.number,
            "is_head": person.is_head,
            "relation_to_head": person.relation_to_head,
        },
        "photo_consent": person.photo_consent,
        "died_on": person.died_on,
    }


def _care(one: OnFile, key: DataKey | None, *, finds: bool) -> dict[str, Any]:
    caregiver, agreement = one.caregiver, one.agreement
    phone = (
        _opened(key, caregiver.phone_sealed, "caregivers", "phone_sealed", caregiver.id)
        if caregiver
        else None
    )
    return {
        "care_level": one.person.care_level,
        "home": _home(one.home) if one.home and finds else None,
        "caregiver": {
            "name": caregiver.name,
            "relation": caregiver.relation,
            "phone": phone if finds or not phone else mask_phone(phone),
        }
        if caregiver
        else None,
        "agreement": {
            "id": agreement.id,
            "signed_on": agreement.signed_on,
            "starts_on": agreement.starts_on,
            "ends_on": agreement.ends_on,
            "monthly_fee": agreement.monthly_fee,
        }
        if agreement
        else None,
    }


def _histories(one: OnFile) -> dict[str, Any]:
    return {
        "enrolments": [
            {
                "id": row.id,
                "category": row.category,
                "valid_from": row.valid_from,
                "valid_to": row.valid_to,
                "exit_reason": row.exit_reason,
                "monthly_amount": row.monthly_amount,
            }
            for row in one.enrolments
        ],
        "tags": [
            {"tag": row.tag, "detail": row.detail, "valid_from": row.valid_from, "valid_to": row.valid_to}
            for row in one.tags
        ],
        "pauses": [
            {"id": row.id, "reason": row.reason, "from_on": row.from_on, "to_on": row.to_on}
            for row in one.pauses
        ],
        "responsible": _worker(one.responsible) if one.responsible else None,
        "deputies": [_worker(deputy) for deputy in one.deputies],
    }


def _worker(worker: tuple[UUID, str]) -> dict[str, Any]:
    return {"id": worker[0], "name": worker[1]}


def _home(home: Home) -> dict[str, Any]:
    # Mini-program maps take GCJ-02 only; the datum is named so that nobody has to guess.
    latitude, longitude = to_gcj02(Point(home.wgs_latitude, home.wgs_longitude))
    return {
        "latitude": round(latitude, SIX_DIGITS),
        "longitude": round(longitude, SIX_DIGITS),
        "datum": Datum.GCJ02,
        "set_at": home.set_at,
    }
