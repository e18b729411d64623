"""Moving people along when villages are merged: their files, households and workers go to the village that stays.

Codes are data (server/regions): a merge names its successor and its day. Whoever merges with a day that has come moves
the people at once; for a later day the timer does (`flask regions move`). Duties follow when people are settled.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import select

from server.accounts.models import RoleGrant
from server.ledger.work import Work
from server.people.dwelling import A_DAY, move_out
from server.people.models import Household, Person
from server.people.numbering import TOWNSHIP_DIGITS
from server.people.registering import indexes
from server.regions.models import Region
from server.regions.service import merge

BATCH = 200
LONGEST_NUMBER = 40


def merge_regions(work: Work, codes: Sequence[str], into: str, *, on: dt.date) -> tuple[int, int]:
    """Merge regions from a day on; returns how many ended and how many people moved by now."""
    ended = merge(work, codes, into, on=on)
    return ended, move_along(work)


def move_along(work: Work) -> int:
    """Move whoever still lives in a village that has ended into its successor; returns how many. A repeat moves nobody."""
    ended = work.session.execute(
        select(Region.code, Region.successor_code, Region.valid_to)
        .where(Region.successor_code.is_not(None), Region.valid_to < work.today)
        .order_by(Region.valid_to, Region.code)
    ).all()
    moved = 0
    for code, successor, last_day in ended:
        assert successor is not None
        assert last_day is not None
        moved += _move_people(work, code, successor, last_day + A_DAY)
        _move_households(work, code, successor)
        _move_workers(work, code, successor)
    return moved


def _move_people(work: Work, old: str, new: str, since: dt.date) -> int:
    moved = 0
    wanted = select(Person).where(Person.village_code == old).order_by(Person.id).limit(BATCH)
    while people := work.session.scalars(wanted.with_for_update(of=Person)).all():
        if old[:TOWNSHIP_DIGITS] != new[:TOWNSHIP_DIGITS]:
            _index_anew(work, people, new)
        for person in people:
            person.village_code = new
            person.revision += 1
            work.tell(
                "person.moved",
                "person",
                person.id,
                person_id=person.id,
                payload={"from": old, "to": new, "why": "merged"},
            )
            work.changed_people.add(person.id)
        move_out(work, [person.id for person in people], new, since)
        work.session.flush()
        work.close_lines()
        moved += len(people)
    return moved


def _index_anew(work: Work, people: Sequence[Person], village: str) -> None:
    """The last four of an id number are indexed within the township; in another township they get another index."""
    keys = work.keys.fetch(work.session, [person.data_key_id for person in people])
    for person in people:
        key = keys.get(person.data_key_id)
        if key is None or person.id_number_sealed is None:
            continue
        number = key.open(person.id_number_sealed, table="persons", column="id_number_sealed", row=person.id)
        person.last4_index = indexes(work.keys.keyring, number, village)[1]


def _move_households(work: Work, old: str, new: str) -> None:
    taken = set(
        work.session.scalars(
            select(Household.number).where(Household.village_code == new, Household.number.is_not(None))
        )
    )
    for household in work.session.scalars(
        select(Household).where(Household.village_code == old).order_by(Household.id)
    ):
        number = household.number
        turn = 1
        while household.number in taken:  # both villages counted from 1
            household.number = f"{number}-{old[-3:]}{'' if turn == 1 else f'-{turn}'}"[-LONGEST_NUMBER:]
            turn += 1
        if household.number is not None:
            taken.add(household.number)
        household.village_code = new
    work.session.flush()


def _move_workers(work: Work, old: str, new: str) -> None:
    """A role in the village that ended goes on in its successor; who signed in stays signed in."""
    grants = work.session.scalars(
        select(RoleGrant).where(RoleGrant.area_code == old, RoleGrant.to_at.is_(None))
    ).all()
    for grant in grants:
        grant.to_at = work.now
    work.session.flush()
    for grant in grants:
        work.session.add(
            RoleGrant(
                id=work.new_id(),
                worker_id=grant.worker_id,
                role=grant.role,
                area_code=new,
                from_at=work.now,
                granted_by=work.actor_id,
            )
        )
        work.tell(
            "account.moved", "worker", grant.worker_id, payload={"from": old, "to": new, "why": "merged"}
        )
    work.session.flush()
