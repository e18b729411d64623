"""Registering people and correcting what is on file about who they are and where they live."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from server.accounts.models import RoleGrant
from server.errors import Invalid, StaleRevision
from server.ledger.work import Work
from server.people import households
from server.people.dwelling import first_dwelling
from server.people.editing import AlreadyExists, OpenFile, is_repeat, may_edit, open_file
from server.people.enrolling import add_enrolment, checked_enrolment
from server.people.id_numbers import IdNumber, read_id_number
from server.people.models import Dwelling, Person, Responsibility
from server.people.names import initials
from server.people.numbering import TOWNSHIP_DIGITS, take_numbers
from server.people.rules import PersonAlreadyRegistered, possible_day, said, said_surely
from server.people.sight import within_sight
from server.people.terms import KEEP, Category, NewPerson, PersonChange, Sex
from server.vault.blind_index import last_four, whole_id_number
from server.vault.blind_index import phone as phone_index
from server.vault.keyring import Keyring

MOST = {
    "name": 100,
    "id_number": 40,
    "no_id_reason": 100,
    "phone": 40,
    "address": 200,
    "bank_account": 40,
    "health": 1000,
    "relation_to_head": 20,
    "household_number": 40,
    "legacy_no": 60,
}
"""The longest text of each field, in characters."""


def register_person(work: Work, new: NewPerson) -> Person:
    """Register a person: file number, sealed identity, household, first enrolment. The same request again is harmless.

    Takes one reserved key. Raises `PersonAlreadyRegistered` when the id number is on file anywhere.
    """
    may_edit(work)
    new = checked(work, new)
    there = work.session.get(Person, new.id)
    if there is not None:
        return _registered_before(work, there, new)
    known = read_id_number(new.id_number, today=work.today) if new.id_number else None
    if known is not None:
        refuse_known(work, known)
    joined = households.join(
        work, new.village_code, household_id=new.household_id, number=new.household_number
    )
    is_head = new.is_head if new.is_head is not None else joined.is_new
    if is_head and not joined.is_new and households.has_head(work, joined.household.id):
        raise households.HouseholdHasHead
    category = new.enrolment.category if new.enrolment else Category.OTHER
    key = work.keys.take()
    person = Person(
        id=new.id,
        household_id=joined.household.id,
        is_head=is_head,
        relation_to_head=new.relation_to_head,
        file_no=take_numbers(work, new.village_code, category)[0],
        legacy_no=new.legacy_no,
        name=new.name,
        name_initials=initials(new.name),
        sex=known.sex if known else new.sex or Sex.UNKNOWN,
        birth_date=known.birth_on if known else new.birth_date,
        village_code=new.village_code,
        no_id_reason=None if known else new.no_id_reason,
        photo_consent=new.photo_consent,
        data_key_id=key.key_id,
        revision=0,
        created_at=work.now,
    )
    file = OpenFile(work, person, key)
    seal_identity(file, known)
    seal_texts(file, {name: getattr(new, name) for name in SEALED})
    work.session.add(person)
    work.session.flush()
    work.session.add(Dwelling(**first_dwelling(work, person.id, person.village_code)))
    file.tell(
        "person.registered",
        "person",
        person.id,
        {"asked": new, "after": {"file_no": person.file_no, "household_id": person.household_id}},
        duties=True,
    )
    if new.enrolment is not None:
        add_enrolment(file, new.enrolment)
    return person


def checked(work: Work, new: NewPerson) -> NewPerson:
    """Trim and check what was asked, so that equal requests are equal."""
    number = said(new.id_number, "id_number", MOST["id_number"])
    texts: dict[str, Any] = {
        name: said(getattr(new, name), name, MOST[name])
        for name in ("no_id_reason", *SEALED, "relation_to_head", "household_number", "legacy_no")
    }
    kept = replace(
        new,
        name=said_surely(new.name, "name", MOST["name"]),
        id_number=read_id_number(number, today=work.today).number if number else None,
        village_code=households.village_within_reach(work, new.village_code),
        **texts,
    )
    if kept.id_number is None and kept.no_id_reason is None:
        raise Invalid(errors={"no_id_reason": ["没有身份证号码时，请填写原因。"]})
    refuse_contradiction(kept.id_number, kept.sex, kept.birth_date, work.today)
    if kept.enrolment is not None:
        kept = replace(kept, enrolment=checked_enrolment(work, kept.enrolment))
    return kept


def refuse_contradiction(
    id_number: str | None, sex: Sex | None, birth_date: dt.date | None, today: dt.date
) -> None:
    """Refuse a sex or a birth date that the id number contradicts, and a birth date that cannot be."""
    if birth_date is not None:
        possible_day(birth_date, "birth_date", today)
    if id_number is None:
        return
    known = read_id_number(id_number, today=today)
    if birth_date is not None and birth_date != known.birth_on:
        raise Invalid(errors={"birth_date": ["与身份证号码中的出生日期不一致。"]})
    if sex not in {None, Sex.UNKNOWN, known.sex}:
        raise Invalid(errors={"sex": ["与身份证号码中的性别不一致。"]})


def refuse_known(work: Work, known: IdNumber) -> None:
    """Refuse an id number that is on file; who may see that file is told which it is, others only the fact."""
    index = whole_id_number(work.keys.keyring, known.number)
    row = work.session.execute(
        select(Person.id, within_sight(work).label("seen")).where(Person.id_number_index == index)
    ).one_or_none()
    if row is not None:
        raise PersonAlreadyRegistered(
            errors={"id_number": ["该身份证号码已登记。"]},
            extra={"person_id": str(row.id)} if row.seen else None,
        )


SEALED = ("phone", "address", "bank_account", "health")


def seal_texts(file: OpenFile, texts: dict[str, str | None]) -> None:
    """Seal texts of a person's own row, and index the phone."""
    for name, text in texts.items():
        setattr(file.person, f"{name}_sealed", file.seal(text, f"{name}_sealed"))
    if "phone" in texts:
        number = texts["phone"]
        file.person.phone_index = phone_index(file.work.keys.keyring, number) if number else None


def seal_identity(file: OpenFile, known: IdNumber | None) -> None:
    """Seal an id number and index it, whole and by its last four within the township."""
    person = file.person
    number = known.number if known else None
    person.id_number_sealed = file.seal(number, "id_number_sealed")
    person.id_number_index, person.last4_index = indexes(file.work.keys.keyring, number, person.village_code)


def indexes(keyring: Keyring, number: str | None, village_code: str) -> tuple[bytes | None, bytes | None]:
    """Give the keyed hashes of an id number: whole, and of its last four within the township (nine digits)."""
    if number is None:
        return None, None
    return whole_id_number(keyring, number), last_four(keyring, number, village_code[:TOWNSHIP_DIGITS])


def change_person(work: Work, person_id: UUID, change: PersonChange, *, revision: int) -> Person:
    """Change what is given of a person, seen at `revision`; the same change again is harmless.

    Raises `StaleRevision` when somebody was faster. A move to another village takes the file along: deputies and the
    responsible worker whose area does not reach there are released.
    """
    file = open_file(work, person_id)
    before, after = _differences(file, change)
    if not after:
        return file.person
    if file.person.revision != revision:
        raise StaleRevision
    _apply(file, after)
    work.session.flush()
    file.tell(
        "person.changed",
        "person",
        file.person.id,
        {"before": before, "after": after},
        duties=bool(after.keys() & {"village_code", "is_head"}),
    )
    if "village_code" in after:
        _release_out_of_reach(file)
    return file.person


def _differences(file: OpenFile, change: PersonChange) -> tuple[dict[str, Any], dict[str, Any]]:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for one in fields(change):
        wanted = getattr(change, one.name)
        if wanted is KEEP:
            continue
        if isinstance(wanted, str) and not isinstance(wanted, Sex) and one.name in MOST:
            wanted = said(wanted, one.name, MOST[one.name])
        if one.name == "id_number":
            wanted = read_id_number(wanted or "", today=file.work.today).number
        held = (
            file.open(getattr(file.person, f"{one.name}_sealed"), f"{one.name}_sealed")
            if one.name in {*SEALED, "id_number"}
            else getattr(file.person, one.name)
        )
        if held != wanted:
            before[one.name], after[one.name] = held, wanted
    return before, after


def _apply(file: OpenFile, after: dict[str, Any]) -> None:
    person, work = file.person, file.work
    if "name" in after:
        person.name = said_surely(after["name"], "name", MOST["name"])
        person.name_initials = initials(person.name)
    for name in ("relation_to_head", "legacy_no", "no_id_reason"):
        if name in after:
            setattr(person, name, after[name])
    if "village_code" in after:
        households.move(work, person, households.village_within_reach(work, after["village_code"]))
    if "is_head" in after:
        if after["is_head"] and households.has_head(work, person.household_id, but=person.id):
            raise households.HouseholdHasHead
        person.is_head = after["is_head"]
    seal_texts(file, {name: after[name] for name in SEALED if name in after})
    _apply_identity(file, after)


def _apply_identity(file: OpenFile, after: dict[str, Any]) -> None:
    person, work = file.person, file.work
    number = after.get("id_number") or file.open(person.id_number_sealed, "id_number_sealed")
    sex, birth_date = after.get("sex", person.sex), after.get("birth_date", person.birth_date)
    if number is None:
        if person.no_id_reason is None:
            raise Invalid(errors={"no_id_reason": ["没有身份证号码时，请填写原因。"]})
        refuse_contradiction(None, sex, birth_date, work.today)
        person.sex, person.birth_date = sex, birth_date
        return
    refuse_contradiction(number, after.get("sex"), after.get("birth_date"), work.today)
    known = read_id_number(number, today=work.today)
    if "id_number" in after:
        refuse_known(work, known)
        person.no_id_reason = None
    person.sex, person.birth_date = known.sex, known.birth_on
    if after.keys() & {"id_number", "village_code"}:
        seal_identity(file, known)


def _release_out_of_reach(file: OpenFile) -> None:
    reaching = select(RoleGrant.worker_id).where(
        RoleGrant.to_at.is_(None), or_(*(_reaches(file.person.village_code)))
    )
    released = file.work.session.scalars(
        select(Responsibility).where(
            Responsibility.person_id == file.person.id,
            Responsibility.to_at.is_(None),
            Responsibility.worker_id.not_in(reaching),
        )
    ).all()
    for one in released:
        one.to_at = file.work.now
        file.tell(
            "responsibility.released",
            "responsibility",
            one.id,
            {"worker_id": one.worker_id, "kind": one.kind, "why": "moved"},
        )


def _reaches(village_code: str) -> Iterable[Any]:
    return [RoleGrant.area_code == village_code[:digits] for digits in (6, 9, 12)]


def _registered_before(work: Work, there: Person, new: NewPerson) -> Person:
    key = work.keys.fetch_one(work.session, there.data_key_id)
    if key is None or not is_repeat(work, key, there.id, "person.registered", "person", there.id, new):
        raise AlreadyExists
    return there
