"""The reviewer's pages over 100,000 archives: how long the server takes for each, as somebody at a browser waits."""

import datetime as dt
import http.client
import statistics
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from bench.measuring import Plan
from bench.pages import of
from bench.server import Running
from bench.store import Store, serving, store
from server.accounts.models import RoleGrant, SignIn
from server.accounts.terms import SessionKind
from server.accounts.tokens import digest, mint
from server.db import unit_of_work
from server.http.parts import Parts
from server.people.models import Person
from server.permissions import Role
from server.visits.models import Visit
from server.visits.terms import VisitState
from server.web.cookies import SESSION

PEOPLE = 100_000
ASKED = 40
MOST_MS = 300.0


def screens(plan: Plan, people: int = PEOPLE) -> list[dict[str, Any]]:
    """Open each page 40 times, one after the other, as a township's chief and as the county."""
    with store(of(people), plan.keep) as kept, serving(kept, plan.shape) as server:
        told = [
            _measured(server, kept, role, name, paths)
            for role in (Role.CHIEF, Role.COUNTY_INSPECTOR)
            for name, paths in _pages(kept, role).items()
        ]
    for one in told:
        print(one, flush=True)
    return told


def _pages(kept: Store, role: Role) -> Mapping[str, list[str]]:
    house: Parts = kept.house
    with unit_of_work(house.sessions) as session:
        _, area = _who(session, kept.tokens[role])
        inside = Person.village_code.startswith(area)
        people = session.scalars(select(Person.id).where(inside).limit(ASKED)).all()
        visits = session.scalars(
            select(Visit.id)
            .where(Visit.village_code.startswith(area), Visit.state == VisitState.SUBMITTED)
            .limit(ASKED)
        ).all()
    pages = {
        "one visit": [f"/web/visits/{one}" for one in visits],
        "one file": [f"/web/archives/{one}" for one in people],
        "who looked": [f"/web/archives/{one}/looks" for one in people],
        "overdue board": ["/web/overdue"],
    }
    return pages | ({"queue": ["/web/queue"]} if role is Role.CHIEF else {})


def _who(session: Session, token: str) -> tuple[UUID, str]:
    """Give the worker of a token, and their area."""
    row = session.execute(
        select(SignIn.worker_id, RoleGrant.area_code)
        .join(RoleGrant, RoleGrant.worker_id == SignIn.worker_id)
        .where(SignIn.token_digest == digest(token))
    ).one()
    return row.worker_id, row.area_code


def _measured(server: Running, kept: Store, role: Role, name: str, paths: list[str]) -> dict[str, Any]:
    house: Parts = kept.house
    with unit_of_work(house.sessions) as session:
        token, token_digest = mint(house.tools.random_bytes)
        now = house.tools.now()
        session.add(
            SignIn(
                token_digest=token_digest,
                worker_id=_who(session, kept.tokens[role])[0],
                kind=SessionKind.BROWSER,
                created_at=now,
                last_seen_at=now,
                expires_at=now + dt.timedelta(hours=8),
            )
        )
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    took, sizes = [], []
    try:
        for number in range(ASKED + 3):
            began = time.perf_counter()
            connection.request("GET", paths[number % len(paths)], headers={"Cookie": f"{SESSION}={token}"})
            answer = connection.getresponse()
            body = answer.read()
            if number >= 3:
                took.append((time.perf_counter() - began) * 1000)
                sizes.append(len(body))
            if answer.status != http.client.OK:
                raise RuntimeError(f"{name}: {answer.status}")
    finally:
        connection.close()
    p95 = statistics.quantiles(took, n=20)[18]
    return {
        "page": name,
        "as": role.value,
        "p50_ms": round(statistics.median(took), 1),
        "p95_ms": round(p95, 1),
        "kib": round(statistics.mean(sizes) / 1024, 1),
        "holds": p95 <= MOST_MS,
    }
