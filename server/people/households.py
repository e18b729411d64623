"""Households: found by id or number, opened for who comes alone, moved with who is alone in them."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from server.errors import Conflict, Invalid
from server.ledger.work import Work
from server.people.dwelling import move_out
from server.people.models import Household, Person
from server.people.sight import is_the_house
from server.regions.models import Region
from server.regions.queries import in_force, inside
from server.regions.terms import CODE_LENGTH, Level


class HouseholdHasHead(Conflict):
    """The household has a living head already."""

    title = "户主已存在"
    detail = "这一户已有户主，请先变更原户主。"


class HouseholdNumberTaken(Conflict):
    """Another household of the village bears this number."""

    title = "户编号已存在"
    detail = "该村（社区）已有相同户编号的家庭，请核对。"


@dataclass(frozen=True, slots=True)
class Joined:
    """A household that somebody joins; `is_new` when it was opened for them."""

    household: Household
    is_new: bool


def village_within_reach(work: Work, village_code: str) -> str:
    """Refuse a village that does not exist today or lies outside the area of who asks."""
    reached = is_the_house(work) or village_code.startswith(work.actor.area_code)
    if (
        len(village_code) != CODE_LENGTH[Level.VILLAGE]
        or not reached
        or work.session.scalar(
            select(Region.code).where(Region.code == village_code, in_force(work.today)).limit(1)
        )
        is None
    ):
        raise Invalid(errors={"village_code": ["没有这个村（社区），或不在您的辖区。"]})
    return village_code


def join(work: Work, village_code: str, *, household_id: UUID | None, number: str | None) -> Joined:
    """Find the household that somebody joins, or open one; it must lie in the person's own village."""
    if household_id is not None:
        wanted = select(Household).where(Household.id == household_id)
        if not is_the_house(work):
            wanted = wanted.where(inside(Household.village_code, work.actor.area_code))
        there = work.session.scalars(wanted).one_or_none()
        if there is None or there.village_code != village_code:
            raise Invalid(errors={"household_id": ["该村（社区）没有这一户。"]})
        return Joined(there, is_new=False)
    if number is not None:
        there = numbered(work, village_code, number)
        if there is not None:
            return Joined(there, is_new=False)
    return Joined(opened(work, village_code, number), is_new=True)


def numbered(work: Work, village_code: str, number: str) -> Household | None:
    """Find the household of a village that bears a number."""
    return work.session.scalars(
        select(Household).where(Household.village_code == village_code, Household.number == number)
    ).one_or_none()


def opened(work: Work, village_code: str, number: str | None = None) -> Household:
    """Open a household."""
    household = Household(id=work.new_id(), village_code=village_code, number=number, created_at=work.now)
    work.session.add(household)
    work.session.flush()
    return household


def has_head(work: Work, household_id: UUID, *, but: UUID | None = None) -> bool:
    """Say whether a household has a living head (other than one person)."""
    wanted = select(Person.id).where(
        Person.household_id == household_id, Person.is_head, Person.died_on.is_(None)
    )
    if but is not None:
        wanted = wanted.where(Person.id != but)
    return work.session.scalar(wanted.limit(1)) is not None


def move(work: Work, person: Person, village_code: str) -> None:
    """Move a person to another village: with the whole household when they are alone in it, else into one of their own."""
    household = work.session.get_one(Household, person.household_id)
    members = work.session.scalar(
        select(func.count()).select_from(Person).where(Person.household_id == household.id)
    )
    if members == 1:
        if household.number is not None and numbered(work, village_code, household.number) is not None:
            raise HouseholdNumberTaken
        household.village_code = village_code
    else:
        person.household_id = opened(work, village_code).id
        person.is_head = True
        person.relation_to_head = None
    person.village_code = village_code
    move_out(work, [person.id], village_code, work.today)
