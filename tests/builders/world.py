"""A small township that tests fill with the people and workers that they need."""

import datetime as dt
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from werkzeug.test import TestResponse

from server.accounts.managing import NewWorker, register
from server.accounts.signing_in import _open
from server.accounts.terms import SessionKind
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger.work import Work
from server.people.dwelling import first_dwelling
from server.people.models import Dwelling, Enrolment, Household, Person, Responsibility
from server.people.terms import Category, ResponsibilityKind, Sex
from server.permissions import Actor, Role
from server.policies import service as policies
from server.regions.service import load_guangde
from server.schedule import seeding
from tests.builders.clock import Clock

TUANSHAN = "341882003200"
QIANCUN = "341882003201"
SHENGPING = "341882003"
GUANGDE = "341882"
BEGIN = dt.date(2026, 1, 1)


class Phone:
    """A client that is signed in; `.get`, `.put`, `.post`, `.delete` as a phone would call."""

    def __init__(self, app: Flask, token: str, actor: Actor) -> None:
        self.client = app.test_client()
        self.actor = actor
        self.token = token

    def get(self, path: str, **query: object) -> TestResponse:
        """Read."""
        return self.client.get(f"/api/v1{path}", query_string=query, headers=self._headers())

    def put(self, path: str, body: Any, **query: object) -> TestResponse:
        """Send a whole record."""
        return self.client.put(
            f"/api/v1{path}", data=json.dumps(body), query_string=query,
            headers=self._headers(), content_type="application/json",
        )  # fmt: skip

    def post(self, path: str, body: Any = None, **query: object) -> TestResponse:
        """Ask for something to be done."""
        return self.client.post(
            f"/api/v1{path}", data=json.dumps({} if body is None else body), query_string=query,
            headers=self._headers(), content_type="application/json",
        )  # fmt: skip

    def delete(self, path: str) -> TestResponse:
        """Take something back."""
        return self.client.delete(f"/api/v1{path}", headers=self._headers())

    def upload(self, path: str, data: Mapping[str, Any]) -> TestResponse:
        """Send a form with a file."""
        return self.client.post(
            f"/api/v1{path}", data=dict(data), headers=self._headers(), content_type="multipart/form-data"
        )

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class World:
    """Guangde with the seeded rules; people and workers are added as a test asks for them."""

    def __init__(
        self, app: Flask, clock: Clock, begin_on: dt.date = BEGIN, *, boss: Actor | None = None
    ) -> None:
        """Load all that, or take over the database of a town that was loaded before: `boss` is its administrator."""
        self.app = app
        self.clock = clock
        self.house: Parts = app.extensions["parts"]
        if boss is not None:
            self.boss = boss
            return
        with self.work() as work:
            load_guangde(work.session, valid_from=dt.date(2020, 1, 1))
            policies.seed(work, effective_from=dt.date(2020, 1, 1), begin_on=begin_on)
            seeding.seed(work)
        self.boss = self.worker(Role.ADMINISTRATOR, GUANGDE)

    def work(self, actor: Actor | None = None) -> "_AtWork":
        """Open a piece of work outside HTTP."""
        return _AtWork(self.house, actor)

    def worker(self, role: Role = Role.VISITOR, area: str = TUANSHAN, **more: Any) -> Actor:
        """Add a worker."""
        self.house.keys.reserve(1)
        new = NewWorker(id=uuid4(), name=f"测试{role.label}", role=role, area_code=area, **more)
        with self.work() as work:
            register(work, new)
        return Actor(new.id, role, area, new.name)

    def phone(self, actor: Actor) -> Phone:
        """Sign a worker in."""
        with self.work() as work:
            token = _open(work, actor, SessionKind.PHONE, "test").token
        return Phone(self.app, token, actor)

    def person(
        self,
        *visitors: Actor,
        category: Category = Category.TEKUN_DISPERSED,
        village: str = TUANSHAN,
        since: dt.date = dt.date(2025, 6, 1),
        name: str = "测试老人",
        consent: bool = True,
    ) -> UUID:
        """Add an enrolled person; the first visitor is responsible, the others deputise."""
        self.house.keys.reserve(1)
        person_id = uuid4()
        with self.work() as work:
            key = work.keys.take()
            household = Household(id=uuid4(), village_code=village, created_at=work.now)
            work.session.add(household)
            work.session.flush()
            work.session.add(
                Person(
                    id=person_id,
                    household_id=household.id,
                    is_head=True,
                    file_no=f"341882003-TK-2025-{person_id.hex[:12]}",
                    name=name,
                    name_initials="CSLR",
                    sex=Sex.MALE,
                    birth_date=dt.date(1950, 1, 1),
                    village_code=village,
                    no_id_reason="测试",
                    phone_sealed=key.seal(
                        "13900000001", table="persons", column="phone_sealed", row=person_id
                    ),
                    address_sealed=key.seal(
                        "升平街道团山村1号", table="persons", column="address_sealed", row=person_id
                    ),
                    photo_consent=consent,
                    data_key_id=key.key_id,
                    created_at=work.now,
                )
            )
            work.session.flush()
            work.session.add(Dwelling(**first_dwelling(work, person_id, village)))
            work.session.add(
                Enrolment(
                    id=uuid4(), person_id=person_id, category=category, valid_from=since, recorded_at=work.now
                )
            )
            for number, visitor in enumerate(visitors):
                work.session.add(
                    Responsibility(
                        id=uuid4(),
                        person_id=person_id,
                        worker_id=visitor.worker_id,
                        kind=ResponsibilityKind.DEPUTY if number else ResponsibilityKind.RESPONSIBLE,
                        from_at=dt.datetime(2025, 6, 1, tzinfo=dt.UTC),
                    )
                )
            work.tell("person.registered", "person", person_id, person_id=person_id)
            work.changed_people.add(person_id)
        return person_id


class _AtWork:
    def __init__(self, house: Parts, actor: Actor | None) -> None:
        self._house, self._actor = house, actor
        self._unit = unit_of_work(house.sessions)

    def __enter__(self) -> Work:
        self._work = self._house.work(self._unit.__enter__(), self._actor)
        return self._work

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            try:
                self._work.close()
            except BaseException as failure:
                self._unit.__exit__(type(failure), failure, failure.__traceback__)
                raise
        self._unit.__exit__(kind, error, trace)
