"""Sets the demo township up through the house's own services: regions, rules, workers, people, who answers for whom."""

import datetime as dt
import secrets
from collections.abc import Callable, Sequence
from random import Random  # noqa: TID251  (lent with its seed)
from uuid import UUID

from demo.population import VILLAGES, Drawn, draw
from demo.state import Account, Township
from server.accounts import managing
from server.ledger.work import Work
from server.people import caring, handing_over, registering
from server.people.terms import (
    Assessment,
    Category,
    NewAgreement,
    NewCaregiver,
    NewEnrolment,
    NewHome,
    NewPerson,
    TagGiven,
)
from server.permissions import Role
from server.policies import service as policies
from server.regions.service import load_guangde
from server.schedule import seeding
from server.tools import SHANGHAI

SEED = 20260305
SINCE = dt.date(2019, 1, 1)
SHENGPING, GUANGDE = "341882003", "341882"
KEYS = 900
"""Data keys that a set-up takes: one for each person and worker, and some to spare."""

WORKERS_OF_VILLAGES = (
    ("王晓梅", "赵立军"),
    ("李素芳", "陈建华"),
    ("孙玉兰", "周大勇"),
    ("吴春花", "徐志强"),
    ("郑海燕", "马成林"),
)


def first_of_previous_month(today: dt.date) -> dt.date:
    """Give the day from which the demo keeps duties."""
    return (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)


def eve_of(begin_on: dt.date) -> dt.datetime:
    """Give the instant at which everything was put on file: the morning before duties begin."""
    return dt.datetime.combine(begin_on - dt.timedelta(days=1), dt.time(9), SHANGHAI)


def new_township(begin_on: dt.date) -> Township:
    """Draw the accounts: two visitors in each village, reviewer, chief, county inspector, administrator, auditor.

    Passwords are drawn anew each time; names and ids are the same in every demo.
    """
    chance = Random(SEED)
    accounts = [
        _account(chance, f"{village.username}{number}", name, Role.VISITOR, village.code)
        for village, pair in zip(VILLAGES, WORKERS_OF_VILLAGES, strict=True)
        for number, name in enumerate(pair, 1)
    ]
    for username, name, role, area in (
        ("reviewer", "何静", Role.REVIEWER, SHENGPING),
        ("chief", "郭明远", Role.CHIEF, SHENGPING),
        ("inspector", "高文斌", Role.COUNTY_INSPECTOR, GUANGDE),
        ("admin", "林佳", Role.ADMINISTRATOR, GUANGDE),
        ("auditor", "罗国平", Role.AUDITOR, GUANGDE),
    ):
        accounts.append(_account(chance, username, name, role, area))
    return Township(begin_on=begin_on, accounts=accounts)


def _account(chance: Random, username: str, name: str, role: Role, area: str) -> Account:
    return Account(
        id=UUID(int=chance.getrandbits(128), version=4),
        username=username,
        password=secrets.token_urlsafe(12),
        name=name,
        role=role,
        area=area,
        wechat_subject=f"demo-{username}",
    )


def write_township(work: Work, township: Township, advance: Callable[[float], None]) -> int:
    """Write the whole township in one piece of work; returns how many people it has.

    `work` stands on the eve of the first duties; `advance` is told how far it is, from 0 to 1.
    """
    load_guangde(work.session, valid_from=SINCE)
    policies.seed(work, effective_from=SINCE, begin_on=township.begin_on)
    seeding.seed(work)
    for account in township.accounts:
        managing.register(
            work,
            managing.NewWorker(
                id=account.id,
                name=account.name,
                role=account.role,
                area_code=account.area,
                username=account.username,
                password=account.password,
            ),
        )
    people = draw(Random(SEED + 1), work.today)
    turns = dict.fromkeys((village.code for village in VILLAGES), 0)
    for number, drawn in enumerate(people):
        _write_person(work, drawn)
        _give(work, drawn, township.accounts, turns)
        if number % 20 == 0:
            work.session.flush()
            work.session.expunge_all()
            advance(number / len(people))
    advance(1)
    return len(people)


def _write_person(work: Work, drawn: Drawn) -> None:
    registering.register_person(
        work,
        NewPerson(
            id=drawn.id,
            name=drawn.name,
            village_code=drawn.village.code,
            id_number=drawn.id_number,
            phone=drawn.phone,
            address=drawn.address,
            health=drawn.health,
            household_number=drawn.household,
            is_head=drawn.is_head,
            relation_to_head=drawn.relation,
            photo_consent=drawn.consent,
            enrolment=NewEnrolment(
                id=drawn.enrolment_id,
                category=drawn.category,
                valid_from=drawn.since,
                monthly_amount=drawn.monthly,
            ),
        ),
    )
    if drawn.home is not None and drawn.is_head:
        latitude, longitude, datum = drawn.home
        caring.set_home(work, drawn.id, NewHome(latitude, longitude, datum, 15.0))
    if drawn.tags:
        caring.set_tags(work, drawn.id, [TagGiven(tag, drawn.since) for tag in drawn.tags])
    if drawn.caregiver is not None:
        _write_care(work, drawn)


def _write_care(work: Work, drawn: Drawn) -> None:
    assert drawn.caregiver is not None
    assert drawn.can is not None
    assert drawn.assessment_id is not None
    assert drawn.agreement_id is not None
    name, relation, phone = drawn.caregiver
    assessed_on = max(drawn.since, work.today - dt.timedelta(days=200))
    caring.assess(work, drawn.id, Assessment(drawn.assessment_id, drawn.can, assessed_on, "街道评估小组"))
    caring.set_caregiver(work, drawn.id, NewCaregiver(name, relation, phone))
    starts_on = work.today.replace(month=1, day=1)
    caring.agree(
        work,
        drawn.id,
        NewAgreement(
            drawn.agreement_id, starts_on, starts_on, dt.date(starts_on.year + 1, 12, 31), drawn.fee
        ),
    )


def _give(work: Work, drawn: Drawn, accounts: Sequence[Account], turns: dict[str, int]) -> None:
    """Give a person to the village's visitors in turn; the dispersed have the other one as deputy."""
    visitors = [one for one in accounts if one.area == drawn.village.code]
    dispersed = drawn.category is Category.TEKUN_DISPERSED
    if not (dispersed or drawn.is_head or drawn.tags):
        return
    turn = turns[drawn.village.code]
    turns[drawn.village.code] += 1
    handing_over.assign(work, drawn.id, visitors[turn % 2].id)
    if dispersed:
        handing_over.set_deputies(work, drawn.id, [visitors[(turn + 1) % 2].id])
