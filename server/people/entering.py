"""Writes a planned roster: households, people, enrolments, caregivers and one ledger line each, in batches."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from server.accounts.models import RoleGrant, Worker
from server.ledger.work import Work
from server.people.dwelling import first_dwelling
from server.people.editing import OpenFile, may_edit, plain
from server.people.enrolling import add_enrolment
from server.people.file_numbers import CODES
from server.people.importing import Known, Plan, amount_of, batches
from server.people.models import Caregiver, Dwelling, Enrolment, Household, Person, Responsibility
from server.people.names import initials
from server.people.numbering import TOWNSHIP_DIGITS, take_numbers
from server.people.registering import MOST, indexes, seal_texts
from server.people.roster.terms import RosterRow
from server.people.terms import Category, NewEnrolment, Relation, ResponsibilityKind
from server.permissions import Can, may
from server.vault.blind_index import phone as phone_index
from server.vault.fields import DataKey

HEAD = frozenset({"户主", "本人", "本人或户主"})
TAKEN = ("phone", "address", "bank_account", "health")


@dataclass(slots=True)
class Houses:
    """The households that the roster's people join or open, found by number or by the head's id number."""

    by_number: dict[tuple[str, str], UUID] = field(default_factory=dict)
    by_head: dict[tuple[str, str], UUID] = field(default_factory=dict)
    headed: set[UUID] = field(default_factory=set)


def enter(work: Work, plan: Plan) -> None:
    """Write what a plan says; the caller reserved a key for each new person before the transaction began."""
    may_edit(work)
    houses = _houses(work, plan.new)
    visitors = _visitors(work)
    numbers = _numbers(work, plan.new)
    for batch in batches(plan.new):
        _enter_new(work, batch, houses, numbers, visitors)
        work.close_lines()
    for some in batches([one for one in plan.known if one.is_changed]):
        _change_known(work, some)
        work.close_lines()
    work.tell("roster.imported", "roster", payload={"new": len(plan.new), "known": len(plan.known)})


def _houses(work: Work, rows: Sequence[RosterRow]) -> Houses:
    houses = Houses()
    villages = sorted({row.village_code for row in rows if row.household_no})
    for some in batches(villages):
        for row in work.session.execute(
            select(Household.id, Household.village_code, Household.number).where(
                Household.village_code.in_(some), Household.number.is_not(None)
            )
        ):
            houses.by_number[row.village_code, row.number] = row.id
    for known in batches(list(houses.by_number.values())):
        houses.headed |= set(
            work.session.scalars(
                select(Person.household_id).where(
                    Person.household_id.in_(known), Person.is_head, Person.died_on.is_(None)
                )
            )
        )
    return houses


def _numbers(work: Work, rows: Sequence[RosterRow]) -> dict[tuple[str, str], list[str]]:
    """Take every file number at once; each list is used up from its end."""
    wanted: dict[tuple[str, str], list[RosterRow]] = defaultdict(list)
    for row in rows:
        wanted[row.village_code[:TOWNSHIP_DIGITS], CODES[row.category]].append(row)
    return {
        name: take_numbers(work, some[0].village_code, some[0].category, len(some))[::-1]
        for name, some in sorted(wanted.items())
    }


def _visitors(work: Work) -> dict[str, list[tuple[UUID, str]]]:
    found: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
    for row in work.session.execute(
        select(Worker.id, Worker.name, RoleGrant.role, RoleGrant.area_code)
        .join(RoleGrant, RoleGrant.worker_id == Worker.id)
        .where(RoleGrant.to_at.is_(None), Worker.disabled_at.is_(None))
    ):
        if may(row.role, Can.RECORD_VISITS):
            found[row.name].append((row.id, row.area_code))
    return found


def _enter_new(
    work: Work,
    rows: Sequence[RosterRow],
    houses: Houses,
    numbers: dict[tuple[str, str], list[str]],
    visitors: dict[str, list[tuple[UUID, str]]],
) -> None:
    written: dict[type[Any], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        key = work.keys.take()
        household, is_head = _household(work, row, houses, written[Household])
        file_no = numbers[row.village_code[:TOWNSHIP_DIGITS], CODES[row.category]].pop()
        person = _person(work, row, key, household, file_no, is_head=is_head)
        written[Person].append(person)
        written[Dwelling].append(first_dwelling(work, person["id"], row.village_code))
        written[Enrolment].append(_enrolment(work, row, person["id"]))
        if row.caregiver_name:
            written[Caregiver].append(_caregiver(work, row, key, person["id"]))
        able = [
            one for one, area in visitors.get(row.visitor_name or "", ()) if row.village_code.startswith(area)
        ]
        if len(able) == 1:
            written[Responsibility].append(_responsible(work, able[0], person["id"]))
        told = {
            "after": {"file_no": file_no, "row": row.row_number, "category": row.category, "from": "roster"}
        }
        work.tell(
            "person.registered", "person", person["id"], person_id=person["id"], key=key, payload=plain(told)
        )
        work.changed_people.add(person["id"])
    for table in (Household, Person, Dwelling, Enrolment, Caregiver, Responsibility):
        if written[table]:
            work.session.execute(insert(table), written[table])


def _household(work: Work, row: RosterRow, houses: Houses, opened: list[dict[str, Any]]) -> tuple[UUID, bool]:
    number = row.household_no[: MOST["household_number"]] if row.household_no else None
    head = row.head_id_number or row.id_number
    household = houses.by_number.get((row.village_code, number)) if number else None
    if household is None and number is None and head:
        household = houses.by_head.get((row.village_code, head))
    if household is None:
        household = work.new_id()
        opened.append(
            {"id": household, "village_code": row.village_code, "number": number, "created_at": work.now}
        )
        if number:
            houses.by_number[row.village_code, number] = household
        elif head:
            houses.by_head[row.village_code, head] = household
    says_so = row.relation_to_head in HEAD or (row.head_id_number and row.head_id_number == row.id_number)
    unsaid = row.relation_to_head is None and row.head_id_number is None
    is_head = household not in houses.headed and bool(says_so or unsaid)
    if is_head:
        houses.headed.add(household)
    return household, is_head


def _person(
    work: Work, row: RosterRow, key: DataKey, household: UUID, file_no: str, *, is_head: bool
) -> dict[str, Any]:
    person_id = work.new_id()
    remarks = f"备注：{row.remarks}" if row.remarks else ""
    texts = {
        "id_number": row.id_number,
        "phone": row.phone,
        "address": row.address,
        "bank_account": " ".join(filter(None, (row.bank_name, row.bank_account))) or None,
        "health": "\n".join(filter(None, (row.health, remarks))) or None,
    }
    sealed = {
        f"{name}_sealed": key.seal(text, table="persons", column=f"{name}_sealed", row=person_id)
        if text
        else None
        for name, text in texts.items()
    }
    keyring = work.keys.keyring
    whole, last4 = indexes(keyring, row.id_number, row.village_code)
    return {
        "id": person_id,
        "household_id": household,
        "is_head": is_head,
        "relation_to_head": _cut(row.relation_to_head, "relation_to_head"),
        "file_no": file_no,
        "legacy_no": _cut(row.legacy_no, "legacy_no"),
        "name": row.name[: MOST["name"]],
        "name_initials": initials(row.name),
        "sex": row.sex,
        "birth_date": row.birth_on,
        "village_code": row.village_code,
        "id_number_index": whole,
        "last4_index": last4,
        "no_id_reason": _cut(row.no_id_reason, "no_id_reason"),
        "phone_index": phone_index(keyring, row.phone) if row.phone else None,
        "care_level": row.care_level,
        "photo_consent": False,
        "data_key_id": key.key_id,
        "revision": 1,
        "created_at": work.now,
        **sealed,
    }


def _cut(text: str | None, name: str) -> str | None:
    return text[: MOST[name]] if text else None


def _enrolment(work: Work, row: RosterRow, person_id: UUID) -> dict[str, Any]:
    return {
        "id": work.new_id(),
        "person_id": person_id,
        "category": row.category,
        "valid_from": row.started_on or work.today,
        "monthly_amount": amount_of(row),
        "recorded_at": work.now,
        "recorded_by": work.actor_id,
    }


def _caregiver(work: Work, row: RosterRow, key: DataKey, person_id: UUID) -> dict[str, Any]:
    row_id = work.new_id()
    phone = row.caregiver_phone
    return {
        "id": row_id,
        "person_id": person_id,
        "name": (row.caregiver_name or "")[: MOST["name"]],
        "relation": row.caregiver_relation or Relation.OTHER,
        "phone_sealed": key.seal(phone, table="caregivers", column="phone_sealed", row=row_id)
        if phone
        else None,
        "recorded_at": work.now,
        "recorded_by": work.actor_id,
    }


def _responsible(work: Work, worker_id: UUID, person_id: UUID) -> dict[str, Any]:
    return {
        "id": work.new_id(),
        "person_id": person_id,
        "worker_id": worker_id,
        "kind": ResponsibilityKind.RESPONSIBLE,
        "from_at": work.now,
        "assigned_by": work.actor_id,
    }


def _change_known(work: Work, some: Sequence[Known]) -> None:
    keys = work.keys.fetch(work.session, [one.person.data_key_id for one in some])
    for one in some:
        file = OpenFile(work, one.person, keys[one.person.data_key_id])
        if one.changes:
            before = {
                name: file.open(getattr(one.person, f"{name}_sealed"), f"{name}_sealed")
                for name in one.changes
            }
            seal_texts(file, dict(one.changes))
            file.tell(
                "person.changed",
                "person",
                one.person.id,
                {"before": before, "after": one.changes, "from": "roster"},
            )
        if one.enrolment is not None:
            category: Category = one.enrolment.category
            add_enrolment(
                file,
                NewEnrolment(
                    work.new_id(), category, one.enrolment.valid_from, monthly_amount=amount_of(one.row)
                ),
            )
    work.session.flush()
