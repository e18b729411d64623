"""The main job: record a visit, with photos and without, and read what was recorded."""

from dataclasses import replace
from http.client import HTTPConnection
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from bench import measuring, phone
from bench.measuring import Figure, Plan
from bench.pages import PEOPLE, of
from bench.population import sign_in
from bench.server import Running, running
from bench.store import Store, serving, store
from server.db import unit_of_work
from server.permissions import Role
from server.photos.models import Photo, Rendition
from server.visits.models import Visit

TOWNSHIP = "341882003"
READ_PHOTOS = 40
JUDGED = 500
"""Visits that are judged to tell what that costs: the job does it later, and it is told apart."""
EVERY = 1_000_000
FIRST_VIEWS = 1000
"""Photos that are looked at for the first time in one run, which ends with the last of them."""


def record(plan: Plan, *, photos: int, sqlite: bool = False) -> list[Figure]:
    """Record visits of many people, each with so many photos; of a kept store's, 100,000 visits are there before."""
    work = "record a visit" + (f", {photos} photo{'s' * (photos > 1)}" if photos else "")
    if plan.keep is not None and not sqlite:
        with store(of(PEOPLE), plan.keep) as kept, serving(kept, plan.shape) as server:
            job = {"deed": "record", "photos": photos, "targets": targets_of(kept)}
            figures = measuring.measure(server, plan, work, job)
            print(f"judging a visit later: {server.judge(JUDGED):.2f} CPU-s per 1,000", flush=True)
            return figures
    with running(people=plan.people, sqlite=sqlite, shape=plan.shape) as server:
        job = {"deed": "record", "photos": photos, "targets": targets(server)}
        return measuring.measure(server, plan, work + (" (SQLite)" if sqlite else ""), job)


def reads(plan: Plan) -> list[Figure]:
    """Read one of many visits, one of many archives, and small pictures that were made already."""
    with running(people=plan.people, shape=plan.shape) as server:
        stored = replace(plan, runs=1, clients=(8,), seconds=min(3, plan.seconds))
        measuring.measure(
            server, stored, "(storing)", {"deed": "record", "photos": 0, "targets": targets(server)}
        )
        server.judge(EVERY)
        token = sign_in(server.house, Role.COUNTY_INSPECTOR, TOWNSHIP[:6])
        visits = [[token, f"/visits/{visit_id}"] for visit_id in stored_visits(server)]
        figures = measuring.measure(server, plan, "read one visit", {"deed": "read", "targets": visits})
        archives = [[token, f"/archives/{target[2]}"] for target in targets(server)]
        figures += measuring.measure(server, plan, "read one archive", {"deed": "read", "targets": archives})
        photos = [[token, f"/photos/{photo_id}?size=thumb"] for photo_id in _photos(server, READ_PHOTOS)]
        return figures + measuring.measure(
            server, plan, "read a rendition already made", {"deed": "read", "targets": photos}
        )


def renditions(plan: Plan) -> list[Figure]:
    """Look at photos of 300 kB for the first time, which makes both small pictures and stores them."""
    with running(people=plan.people, shape=plan.shape) as server:
        stored = replace(plan, runs=1, clients=(8,), seconds=5)
        people = {"deed": "record", "photos": 0, "targets": targets(server)}
        measuring.measure(server, stored, "(storing)", people)
        token = sign_in(server.house, Role.COUNTY_INSPECTOR, TOWNSHIP[:6])
        photos = [[token, f"/photos/{photo_id}?size=thumb"] for photo_id in _photos(server, FIRST_VIEWS)]

        def forget() -> None:
            with unit_of_work(server.house.sessions) as session:
                session.execute(delete(Rendition))

        job = {"deed": "read", "targets": photos, "most": len(photos)}
        work = "look at a photo for the first time"
        return measuring.measure(server, plan, work, job, before=forget)


def targets(server: Running) -> list[Any]:
    """List (token, worker, person) so that neighbours in the list belong to different workers."""
    longest = max(len(visitor.people) for visitor in server.visitors)
    return [
        [visitor.token, str(visitor.worker), str(visitor.people[index])]
        for index in range(longest)
        for visitor in server.visitors
        if index < len(visitor.people)
    ]


def targets_of(kept: Store) -> list[Any]:
    """List (token, worker, person) of everybody in a store who has a visitor with a phone, in the same order."""
    people = [(worker, token, kept.people_of(worker)) for worker, token in kept.phones]
    longest = max(len(each) for _, _, each in people)
    return [
        [token, worker, each[index]]
        for index in range(longest)
        for worker, token, each in people
        if index < len(each)
    ]


def stored_visits(server: Running) -> list[UUID]:
    with unit_of_work(server.house.sessions) as session:
        return list(session.scalars(select(Visit.id)))


def _photos(server: Running, count: int) -> list[UUID]:
    """Upload some photos to visits that are there, and look at each once, so that its rendition is there."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    pictures = phone.pictures(4)
    with unit_of_work(server.house.sessions) as session:
        visits = session.execute(select(Visit.id, Visit.recorder_id).order_by(Visit.id).limit(count)).all()
    tokens = {visitor.worker: visitor.token for visitor in server.visitors}
    for number in range(count):
        visit_id, worker = visits[number % len(visits)]
        bearer = {"Authorization": f"Bearer {tokens[worker]}"}
        photo_id = str(server.house.tools.new_id())
        body, kind = phone.upload(photo_id, phone.unique(pictures[number % len(pictures)], photo_id))
        _ask(connection, "POST", f"/api/v1/visits/{visit_id}/photos", body, {**bearer, "Content-Type": kind})
        _ask(connection, "GET", f"/api/v1/photos/{photo_id}?size=thumb", None, bearer)
    with unit_of_work(server.house.sessions) as session:
        return list(session.scalars(select(Photo.id).where(Photo.blob_key.is_not(None))))


def _ask(
    connection: HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> None:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
