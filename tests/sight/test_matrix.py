"""What lies outside one's sight answers exactly like what is not there, and leaves a trace (CONTRACT §1, TRUST §1).

Every route that takes the id of a person, a visit or a photo is asked for each kind of person by each role. The routes
come from the url map: a new one that is missing in `ASKS`, or takes an id of an unknown kind, fails the test.
"""

import hashlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from server.ledger.models import Event
from server.people.handing_over import assign
from server.people.models import Person
from server.permissions import Actor, Can, Role, may
from server.problems.models import Problem
from tests.builders.visits import a_visit_body
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, TUANSHAN, Phone, World

FAR_TOWNSHIP, FAR_VILLAGE = "341882100", "341882100009"
ROLES = {
    Role.VISITOR: TUANSHAN,
    Role.COUNTY_INSPECTOR: GUANGDE,
    Role.REVIEWER: SHENGPING,
    Role.CHIEF: SHENGPING,
}
NEAR = {"own", "sibling", "parent", "handed over", "nobody's"}
SEEN_BY = {
    Role.VISITOR: {"own"},
    Role.REVIEWER: NEAR,
    Role.CHIEF: NEAR,
    Role.COUNTY_INSPECTOR: NEAR | {"far", "moved away"},
}
KINDS = NEAR | {"far", "moved away", "not there"}
SUBJECTS = {"person_id", "visit_id", "photo_id", "problem_id"}
WITHIN = {"enrolment_id", "pause_id"}
"""Ids of rows inside a person's file; they are looked for only after the person was seen."""
NO_FILES = {"worker_id"}
"""Ids of accounts: an administrator sees them all, and nobody's file hangs on them."""
OF_SPOT_CHECKS = {"plan_id", "check_id", "back_check_id", "rectification_id", "kinship_id"}
"""Ids that lead to people by a way of their own; tests/spotchecks/test_sight.py asks for each kind of person."""


@dataclass(frozen=True)
class Target:
    """One person, a visit to them, its photo and the problem it found; of what is not there, ids that nobody has."""

    person: UUID
    visit: UUID
    photo: UUID
    problem: UUID


Ask = Callable[[Target, UUID], Any]
DAY, ONE = "2026-03-01", "2026-03-05"


def _nothing(_target: Target, _worker: UUID) -> None:
    return None


def _new(**more: Any) -> Ask:
    return lambda _target, _worker: {"id": str(uuid4()), **more}


def _just(body: Mapping[str, Any]) -> Ask:
    return lambda _target, _worker: dict(body)


ABILITIES = dict.fromkeys(("eat", "dress", "bed", "toilet", "walk", "bathe"), True)
PHOTO: Ask = lambda target, _worker: {"file": (io.BytesIO(picture()), "x"), "photo_id": str(target.photo)}  # noqa: E731
ASKS: dict[tuple[str, str], Ask] = {
    ("GET", "/people/<uuid:person_id>"): _nothing,
    ("PUT", "/people/<uuid:person_id>"): _just({"legacy_no": "旧1"}),
    ("POST", "/people/<uuid:person_id>/enrolments"): _new(category="dibao_rural", valid_from=DAY),
    ("POST", "/people/<uuid:person_id>/enrolments/<uuid:enrolment_id>/end"): _just(
        {"valid_to": DAY, "reason": "voluntary"}
    ),
    ("POST", "/people/<uuid:person_id>/assessments"): _new(can=ABILITIES, assessed_on=DAY, assessor="县医院"),
    ("PUT", "/people/<uuid:person_id>/home"): _just(
        {"latitude": 30.8931, "longitude": 119.4172, "datum": "gcj02"}
    ),
    ("PUT", "/people/<uuid:person_id>/caregiver"): _just({"name": "测试照料", "relation": "neighbour"}),
    ("DELETE", "/people/<uuid:person_id>/caregiver"): _nothing,
    ("POST", "/people/<uuid:person_id>/agreements"): _new(
        signed_on=DAY, starts_on=DAY, ends_on="2026-12-31", monthly_fee="100.00"
    ),
    ("PUT", "/people/<uuid:person_id>/tags"): _just({"tags": []}),
    ("PUT", "/people/<uuid:person_id>/photo-consent"): _just({"photo_consent": True}),
    ("POST", "/people/<uuid:person_id>/pauses"): _new(reason="hospital", from_on=ONE, to_on="2026-03-09"),
    ("DELETE", "/people/<uuid:person_id>/pauses/<uuid:pause_id>"): _nothing,
    ("POST", "/people/<uuid:person_id>/death"): _just({"died_on": DAY}),
    ("PUT", "/people/<uuid:person_id>/responsible"): lambda _, worker: {"worker_id": str(worker)},
    ("PUT", "/people/<uuid:person_id>/deputies"): _just({"worker_ids": []}),
    ("PUT", "/visits/<uuid:visit_id>"): lambda target, worker: a_visit_body(
        target.person, visitors=[str(worker)], notes="看一看"
    ),
    ("GET", "/visits/<uuid:visit_id>"): _nothing,
    ("POST", "/visits/<uuid:visit_id>/photos"): PHOTO,
    ("GET", "/archives/<uuid:person_id>"): _nothing,
    ("GET", "/archives/<uuid:person_id>/timeline"): _nothing,
    ("GET", "/archives/<uuid:person_id>/looks"): _nothing,
    ("GET", "/visits/<uuid:visit_id>/receipt"): _nothing,
    ("POST", "/archives/<uuid:person_id>/reveal"): _just({"field": "phone", "reason": "联系本人"}),
    ("GET", "/photos/<uuid:photo_id>"): _nothing,
    ("GET", "/photos/<uuid:photo_id>/link"): _nothing,
    ("POST", "/visits/<uuid:visit_id>/decisions"): _just(
        {"decision": "withdraw", "reason": None, "revision": 99}
    ),
    ("GET", "/visits/<uuid:visit_id>/history"): _nothing,
    ("GET", "/visits/<uuid:visit_id>/comparison"): _nothing,
    ("POST", "/visits/<uuid:visit_id>/second-look"): _just({"decision": "accept"}),
    ("POST", "/visits/<uuid:visit_id>/upholding"): _just({"reason": "核实无误"}),
    ("GET", "/problems/<uuid:problem_id>"): _nothing,
    ("POST", "/problems/<uuid:problem_id>/steps"): _just({"step": "start", "revision": 99}),
}
QUERIES = {("PUT", "/people/<uuid:person_id>"): {"revision": 1}}


def picture() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((64, 48), 60).save(out, "PNG")
    return out.getvalue()


class Township:
    """People of every relation to the workers who ask, each with a visit and a photo."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.askers = {role: world.worker(role, area) for role, area in ROLES.items()}
        me = self.askers[Role.VISITOR]
        other, next_door = world.worker(), world.worker(area=QIANCUN)
        far, chief = world.worker(area=FAR_VILLAGE), world.worker(Role.CHIEF, SHENGPING)
        moved = world.person(me)
        handed = world.person(me)
        with world.work() as work:
            assign(work, handed, other.worker_id)
            work.session.get_one(Person, moved).village_code = FAR_VILLAGE
            work.changed_people.add(moved)
        with world.work() as work:
            assign(work, moved, far.worker_id)
        world.clock.move(hours=1)
        self.targets = {
            "own": self._visited(world.person(me), me),
            "sibling": self._visited(world.person(next_door, village=QIANCUN), next_door),
            "parent": self._visited(world.person(village=SHENGPING), chief),
            "far": self._visited(world.person(far, village=FAR_VILLAGE), far),
            "handed over": self._visited(handed, other),
            "moved away": self._visited(moved, far),
            "nobody's": self._visited(world.person(), chief),
            "not there": Target(uuid4(), uuid4(), uuid4(), uuid4()),
        }
        self.phones = {role: world.phone(actor) for role, actor in self.askers.items()}

    def _visited(self, person: UUID, visitor: Actor) -> Target:
        phone, target, data = self.world.phone(visitor), Target(person, uuid4(), uuid4(), uuid4()), picture()
        at = self.world.clock().isoformat(timespec="seconds")
        body = a_visit_body(
            person,
            visitors=[str(visitor.worker_id)],
            occurred_at=at,
            ended_at=None,
            client_created_at=at,
            photos=[{"id": str(target.photo), "kind": "room", "sha256": hashlib.sha256(data).hexdigest()}],
            problems=[{"code": "leak", "severity": "low", "description": "屋顶漏雨", "photo_ids": []}],
        )
        answer = phone.put(f"/visits/{target.visit}", body)
        assert answer.status_code == 201, answer.json
        form = {"file": (io.BytesIO(data), "a.png"), "photo_id": str(target.photo)}
        assert phone.upload(f"/visits/{target.visit}/photos", form).status_code == 201
        with self.world.work() as work:
            problem = work.session.scalars(select(Problem.id).where(Problem.visit_id == target.visit)).one()
        return replace(target, problem=problem)


@pytest.fixture
def township(world: World) -> Township:
    return Township(world)


def subjects(app: Flask) -> list[tuple[str, str, Can]]:
    """List what takes the id of a person, a visit or a photo."""
    found = []
    for rule in app.url_map.iter_rules():
        ids = set(re.findall(r"<uuid:(\w+)>", rule.rule))
        assert ids <= SUBJECTS | WITHIN | NO_FILES | OF_SPOT_CHECKS, f"an id of a new kind: {rule}"
        if not ids & SUBJECTS or not rule.rule.startswith("/api/v1/"):
            continue  # pages are asked by tests/web/test_sight.py
        needs = Can(str(getattr(app.view_functions[rule.endpoint], "needs", None)))
        path = rule.rule.removeprefix("/api/v1")
        found += [(method, path, needs) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def ask(phone: Phone, method: str, path: str, target: Target) -> TestResponse:
    ids = {
        "person_id": target.person,
        "visit_id": target.visit,
        "photo_id": target.photo,
        "problem_id": target.problem,
    }
    filled = re.sub(r"<uuid:(\w+)>", lambda one: str(ids.get(one[1], UUID(int=9))), path)
    body = ASKS[method, path](target, phone.actor.worker_id)
    if ASKS[method, path] is PHOTO:
        return phone.upload(filled, body)
    if method in {"PUT", "POST"}:
        return getattr(phone, method.lower())(filled, body, **QUERIES.get((method, path), {}))  # type: ignore[no-any-return]
    return getattr(phone, method.lower())(filled)  # type: ignore[no-any-return]


def looks(answer: TestResponse) -> tuple[object, ...]:
    """Give all of an answer that could tell one from another."""
    headers = sorted(one for one in answer.headers if one[0] not in {"X-Request-Id", "Content-Length"})
    body = {name: value for name, value in (answer.json or {}).items() if name != "request_id"}
    return answer.status_code, headers, body


def traces(world: World, person: UUID | None = None) -> int:
    """Count the ledger lines about looks outside one's sight that name a person (this one)."""
    wanted = select(func.count(Event.id)).where(Event.action == "refused.out_of_sight")
    named = Event.person_id.is_not(None) if person is None else Event.person_id == person
    with world.work() as work:
        return work.session.scalar(wanted.where(named)) or 0


def test_every_route_about_a_file_is_asked(app: Flask) -> None:
    assert {(method, path) for method, path, _ in subjects(app)} == set(ASKS)


@pytest.mark.slow
def test_what_is_out_of_sight_looks_like_what_is_not_there(app: Flask, township: Township) -> None:
    wrong: list[tuple[object, ...]] = []
    asked = 0
    for role in ROLES:
        phone = township.phones[role]
        hidden = KINDS - SEEN_BY[role] - {"not there"}
        for method, path, needs in subjects(app):
            if not may(role, needs):
                continue
            before = traces(township.world)
            nothing = looks(ask(phone, method, path, township.targets["not there"]))
            if nothing[0] != 404:
                wrong.append((role, method, path, "not there", nothing))
            if traces(township.world) != before:
                wrong.append((role, method, path, "not there", "a trace of somebody"))
            for kind in sorted(hidden):
                asked += 1
                target = township.targets[kind]
                before, mine = traces(township.world), traces(township.world, target.person)
                if (answer := looks(ask(phone, method, path, target))) != nothing:
                    wrong.append((role, method, path, kind, answer))
                left = (traces(township.world) - before, traces(township.world, target.person) - mine)
                if left != (1, 1):
                    wrong.append((role, method, path, kind, f"traces: {left}"))
    assert wrong == []
    assert asked > 100


@pytest.mark.slow
def test_what_is_within_sight_is_found(app: Flask, township: Township) -> None:
    """The control: the same requests find whom the asker may see, so the 404 above are not everybody's."""
    wrong = []
    for role in ROLES:
        for method, path, needs in subjects(app):
            if not may(role, needs) or any(name in path for name in WITHIN):
                continue
            for kind in sorted(SEEN_BY[role]):
                answer = ask(township.phones[role], method, path, township.targets[kind])
                if path.endswith("/decisions") and answer.status_code == 403:
                    continue  # only its recorder withdraws a visit: found, and not theirs
                if answer.status_code in {401, 403, 404, 422} or answer.status_code >= 500:
                    wrong.append((role, method, path, kind, answer.status_code, answer.text))
    assert wrong == []
    assert traces(township.world) == 0


def test_lists_never_name_what_is_out_of_sight(app: Flask, township: Township) -> None:
    for role, phone in township.phones.items():
        for path, query in (
            ("/visits", {}),
            ("/sync", {}),
            ("/worklist", {}),
            ("/overdue", {}),
            ("/overdue", {"as_of": "2026-02-01"}),
            ("/archives", {}),
            ("/archives", {"query": "测试老人"}),
            ("/problems", {}),
            ("/reviews/queue", {}),
        ):
            answer = phone.get(path, **query)
            if answer.status_code == 403:
                continue
            assert answer.status_code == 200, (role, path, answer.text)
            for kind in KINDS - SEEN_BY[role]:
                target = township.targets[kind]
                for one in (target.person, target.visit, target.photo, target.problem):
                    assert str(one) not in answer.text, (role, path, kind)


def test_a_list_of_a_person_out_of_sight_is_as_empty_as_of_nobody(township: Township) -> None:
    for role, phone in township.phones.items():
        nothing = phone.get("/visits", person_id=township.targets["not there"].person).json
        for kind in KINDS - SEEN_BY[role]:
            assert phone.get("/visits", person_id=township.targets[kind].person).json == nothing, (role, kind)
        for kind in SEEN_BY[role]:
            assert phone.get("/visits", person_id=township.targets[kind].person).json != nothing, (role, kind)


def test_nobody_is_handed_over_by_a_chief_who_does_not_see_them(township: Township) -> None:
    world, phone = township.world, township.phones[Role.CHIEF]

    def hand_over(target: Target) -> tuple[object, ...]:
        body = {
            "id": str(uuid4()),
            "from_worker": str(township.askers[Role.VISITOR].worker_id),
            "to_worker": str(world.worker().worker_id),
            "reason": "调整",
            "person_ids": [str(target.person)],
        }
        return looks(phone.post("/people/hand-overs", body))

    nothing = hand_over(township.targets["not there"])
    assert nothing[0] == 404
    for kind in ("far", "moved away"):
        assert hand_over(township.targets[kind]) == nothing
        assert traces(world, township.targets[kind].person) == 1


def test_with_revision_too_a_visit_out_of_sight_looks_like_none(township: Township) -> None:
    phone = township.phones[Role.VISITOR]

    def correct(target: Target) -> tuple[object, ...]:
        body = a_visit_body(target.person, visitors=[str(phone.actor.worker_id)], notes="更正")
        return looks(phone.put(f"/visits/{target.visit}", body, revision=1))

    nothing = correct(township.targets["not there"])
    assert nothing[0] == 404
    for kind in ("sibling", "far", "handed over", "moved away", "nobody's", "parent"):
        assert correct(township.targets[kind]) == nothing, kind


def test_a_signed_link_shows_nothing_to_whom_it_was_not_given(app: Flask, township: Township) -> None:
    link = township.phones[Role.VISITOR].get(f"/photos/{township.targets['own'].photo}/link")
    own = str((link.json or {})["url"])
    client = app.test_client()
    assert client.get(own).status_code == 200
    for kind in ("far", "not there"):
        other = own.replace(str(township.targets["own"].photo), str(township.targets[kind].photo))
        assert client.get(other).status_code in {401, 403, 404, 422}
