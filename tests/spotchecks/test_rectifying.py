"""Rectification (整改): notified, answered with evidence, re-checked by another, closed or reopened; late is told."""

import datetime as dt
import hashlib
import io
import threading
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from server.ledger.models import Event
from server.permissions import Actor, Role
from server.spotchecks.models import SpotCheck
from server.spotchecks.rectification_models import Rectification, RectificationLate, RectificationTaken
from server.spotchecks.rectifying import escalate_late
from server.visits.models import Visit
from tests.builders.world import SHENGPING, TUANSHAN, Phone, World
from tests.spotchecks.case import Case
from tests.visits.test_recording import body

WHAT = "请补访并当面核对用水、住房情况"


class Rectified:
    """One major finding of a visit, the worker who recorded it, and those around."""

    def __init__(self, world: World, *, rectify: bool = True) -> None:
        self.case = case = Case(world)
        case.go(share=100, count=1)
        assert case.assign(case.reviewer).status_code == 200
        check = case.checks(case.reviewer, mine="true")[0]
        self.check = str(check["id"])
        self.person = UUID(check["person"]["person_id"])
        assert case.submit(self.check, case.reviewer).status_code == 201
        more: dict[str, Any] = {"rectify": {"what": WHAT}} if rectify else {}
        judged = case.judge(self.check, case.chief, "major", reason="多处不符", **more)
        assert judged.status_code == 201, judged.json
        self.id = str(judged.json["rectification_id"])
        with world.work() as work:
            visit_id = work.session.get_one(SpotCheck, UUID(self.check)).visit_id
            owner = work.session.get_one(Visit, visit_id).recorder_id
        self.owner_actor: Actor = next(one for one in case.visitors if one.worker_id == owner)
        self.owner = case.phone(self.owner_actor)

    def look(self, by: Phone | None = None) -> dict[str, Any]:
        answer = (by or self.case.chief).get(f"/rectifications/{self.id}")
        assert answer.status_code == 200, answer.json
        return dict(answer.json)  # type: ignore[arg-type]

    def take(self, step: str, by: Phone, revision: int | None = None, **more: Any) -> Any:
        sent = {"step": step, "revision": revision or self.look()["revision"], "text": "情况说明", **more}
        return by.post(f"/rectifications/{self.id}/steps", sent)

    def photo(self) -> str:
        """Let the owner visit again and take a picture, as evidence."""
        visit, photo, data = uuid4(), uuid4(), picture()
        now = self.case.world.clock().isoformat(timespec="seconds")
        declared = [{"id": str(photo), "kind": "room", "sha256": hashlib.sha256(data).hexdigest()}]
        sent = body(
            self.person, self.owner_actor.worker_id, occurred_at=now, ended_at=None, client_created_at=now,
            photos=declared,
        )  # fmt: skip
        assert self.owner.put(f"/visits/{visit}", sent).status_code == 201
        form = {"file": (io.BytesIO(data), "a.png"), "photo_id": str(photo)}
        assert self.owner.upload(f"/visits/{visit}/photos", form).status_code == 201
        return str(photo)


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "tan").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def found(world: World) -> Rectified:
    return Rectified(world)


def test_a_rectification_is_followed_to_its_closing(found: Rectified) -> None:
    notified = found.look()
    assert (notified["state"], notified["due_on"], notified["what"]) == ("notified", "2026-05-21", WHAT)
    assert notified["owner"]["id"] == str(found.owner_actor.worker_id)
    (mine,) = found.owner.get("/rectifications").json["items"]
    assert (mine["id"], mine["what"]) == (found.id, WHAT)
    answered = found.take("answer", found.owner, text="已补访，换了水源", photo_ids=[found.photo()])
    assert (answered.status_code, answered.json["state"], answered.json["due_on"]) == (
        201, "answered", "2026-05-16",
    )  # fmt: skip
    assert found.take("recheck", found.case.reviewer, text="看过，水源已换").json["state"] == "rechecked"
    closed = found.take("close", found.case.inspector).json
    assert (closed["state"], closed["due_on"], closed["closed_at"] is not None) == ("closed", None, True)
    assert [one["step"] for one in closed["steps"]] == ["notify", "answer", "recheck", "close"]
    assert len(closed["steps"][1]["photo_ids"]) == 1
    summed = found.case.inspector.get(f"/spot-checks/plans/{found.case.plan}/summary").json
    assert summed["rectifications"]["closed"] == 1


def test_what_does_not_hold_is_reopened_and_answered_again(found: Rectified) -> None:
    found.take("answer", found.owner)
    found.take("recheck", found.case.reviewer)
    again = found.take("reopen", found.case.chief, text="仍未解决").json
    assert (again["state"], again["round"], again["due_on"]) == ("reopened", 2, "2026-05-21")
    assert found.take("answer", found.owner).json["state"] == "answered"
    found.take("recheck", found.case.inspector)
    assert found.take("close", found.case.chief).json["state"] == "closed"
    late = found.take("reopen", found.case.inspector, text="又发现同样问题").json
    assert (late["state"], late["round"], late["closed_at"]) == ("reopened", 3, None)


def test_whoever_answered_neither_rechecks_nor_closes(found: Rectified) -> None:
    chief = found.case.chief
    moved = found.take("notify", found.case.inspector, owner_id=str(chief.actor.worker_id))
    assert moved.json["owner"]["id"] == str(chief.actor.worker_id)
    assert found.take("answer", found.owner, revision=3).status_code == 404  # theirs no more
    assert found.take("answer", chief).json["state"] == "answered"
    for step in ("recheck", "close", "reopen", "withdraw"):
        refused = found.take(step, chief)
        assert (refused.status_code, refused.json["code"]) == (403, "own_answer"), step
    assert found.take("recheck", found.case.reviewer).status_code == 201
    assert found.take("close", chief).status_code == 403
    assert found.take("close", found.case.reviewer).status_code == 403
    assert found.take("close", found.case.inspector).status_code == 201


def test_only_the_owner_answers(found: Rectified) -> None:
    refused = found.take("answer", found.case.chief)
    assert (refused.status_code, refused.json["code"]) == (403, "not_the_owner")
    other = found.case.phone(found.case.world.worker())
    assert other.get(f"/rectifications/{found.id}").status_code == 404
    assert other.post(
        f"/rectifications/{found.id}/steps", {"step": "answer", "revision": 2, "text": "x"}
    ).status_code == 404  # fmt: skip
    assert other.get("/rectifications").json["items"] == []
    for step in ("recheck", "close", "notify", "withdraw"):
        assert found.take(step, found.owner).status_code == 403, step


def test_the_owner_is_not_told_what_the_person_said(found: Rectified) -> None:
    shown = found.owner.get(f"/rectifications/{found.id}")
    assert shown.json["check_id"] is None
    for said in ("村里的小王", "电话中声音清楚", "confirmed"):
        assert said not in shown.text
    assert found.owner.get(f"/spot-checks/{found.check}").status_code == 403


def test_a_step_needs_words_and_evidence_of_the_same_person(found: Rectified) -> None:
    for text in (None, "", "   "):
        assert list(found.take("answer", found.owner, text=text).json["errors"]) == ["text"]
    other = Rectified.photo(found)
    found.person = found.case.world.person(found.owner_actor)
    strange = found.photo()
    refused = found.take("answer", found.owner, photo_ids=[strange])
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["photo_ids"])
    assert found.take("answer", found.owner, photo_ids=[other]).status_code == 201
    assert found.take("recheck", found.case.reviewer, owner_id=str(uuid4())).status_code == 422


def test_an_owner_works_in_the_same_township(found: Rectified) -> None:
    far = found.case.world.worker(area="341882100009")
    refused = found.take("notify", found.case.chief, owner_id=str(far.worker_id))
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["owner_id"])
    near = found.case.world.worker(area=TUANSHAN)
    assert found.take("notify", found.case.chief, owner_id=str(near.worker_id)).status_code == 201


def test_a_stale_or_doubled_step_is_refused(found: Rectified) -> None:
    revision = found.look()["revision"]
    assert found.take("answer", found.owner, revision=revision).status_code == 201
    doubled = found.take("answer", found.owner, revision=revision)
    assert (doubled.status_code, doubled.json["code"]) == (409, "stale_revision")
    assert found.take("answer", found.owner).json["code"] == "rectification_step_not_possible"
    assert found.take("close", found.case.inspector).json["code"] == "rectification_step_not_possible"


def test_two_at_once_take_one_step(found: Rectified) -> None:
    found.take("answer", found.owner)
    revision = found.look()["revision"]
    statuses: list[int] = []
    ready = threading.Barrier(2)

    def recheck(phone: Phone) -> None:
        ready.wait(30)
        statuses.append(found.take("recheck", phone, revision=revision).status_code)

    threads = [
        threading.Thread(target=recheck, args=(phone,), daemon=True)
        for phone in (found.case.reviewer, found.case.inspector)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201, 409]
    with found.case.world.work() as work:
        assert len(work.session.scalars(select(RectificationTaken)).all()) == 3


def test_a_major_finding_always_opens_one_even_before_it_says_what(world: World) -> None:
    found = Rectified(world, rectify=False)
    assert (found.look()["state"], found.look()["due_on"]) == ("open", None)
    assert found.owner.get("/rectifications").json["items"][0]["state"] == "open"
    assert found.take("answer", found.owner).json["code"] == "rectification_step_not_possible"
    assert found.take("notify", found.case.inspector).json["due_on"] == "2026-05-21"


def test_one_that_was_opened_by_mistake_is_withdrawn_and_stays(found: Rectified) -> None:
    gone = found.take("withdraw", found.case.inspector, text="重复提出").json
    assert (gone["state"], gone["due_on"]) == ("withdrawn", None)
    assert found.take("answer", found.owner).status_code == 409
    assert [one["id"] for one in found.case.chief.get("/rectifications").json["items"]] == [found.id]


def test_lateness_is_told_once_a_step_and_ends_with_the_answer(found: Rectified) -> None:
    world, case = found.case.world, found.case
    for day, expected, late in (
        ("2026-05-21", {1: 0, 2: 0}, 0),
        ("2026-05-22", {1: 1, 2: 0}, 1),
        ("2026-05-22", {1: 0, 2: 0}, 1),
        ("2026-05-28", {1: 0, 2: 1}, 7),
        ("2026-06-30", {1: 0, 2: 0}, 40),
    ):
        case.at(f"{day}T10:00:00+08:00")
        with world.work() as work:
            assert escalate_late(work) == expected
        assert found.look()["days_late"] == late
    assert found.look()["escalated"] == 2
    assert [one["id"] for one in case.chief.get("/rectifications", late="true").json["items"]] == [found.id]
    owner = case.phone(found.owner_actor)
    assert found.take("answer", owner).json["escalated"] == 0
    assert case.chief.get("/rectifications", late="true").json["items"] == []
    with world.work() as work:
        assert escalate_late(work) == {1: 0, 2: 0}
        told = Counter(work.session.scalars(select(Event.action).where(Event.subject_id == UUID(found.id))))
        assert len(work.session.scalars(select(RectificationLate)).all()) == 2
    assert told["rectification.escalated"] == 2
    case.at("2026-07-20T10:00:00+08:00")
    with world.work() as work:  # the township's re-check is owed too
        assert escalate_late(work) == {1: 1, 2: 1}


def test_escalating_as_a_command_says_how_many(found: Rectified) -> None:
    found.case.at("2026-06-30T10:00:00+08:00")
    run = found.case.world.app.test_cli_runner().invoke
    assert run(args=["spot-checks", "escalate"]).output.strip() == '{"step_1": 1, "step_2": 1}'
    assert run(args=["spot-checks", "escalate"]).output.strip() == '{"step_1": 0, "step_2": 0}'


def test_every_step_is_in_the_ledger_and_its_words_are_sealed(found: Rectified) -> None:
    found.take("answer", found.owner, text="已补访，换了水源")
    with found.case.world.work() as work:
        told = work.session.execute(
            select(Event.action, Event.payload).where(Event.subject_id == UUID(found.id), Event.changes)
        ).all()
        sealed = [
            *work.session.scalars(select(RectificationTaken.text_sealed)),
            *work.session.scalars(select(Rectification.what_sealed)),
        ]
    assert [action for action, _ in told] == [
        "rectification.opened", "rectification.notified", "rectification.answered",
    ]  # fmt: skip
    for one in [*sealed, *(payload for _, payload in told)]:
        assert one is None or one.startswith("v1.")


def test_a_minor_finding_without_demand_opens_none(world: World) -> None:
    case = Case(world)
    case.go(share=100, count=1)
    case.assign(case.reviewer)
    for check in case.checks():
        case.submit(str(check["id"]), case.reviewer)
    first, second = (str(one["id"]) for one in case.checks())
    assert case.judge(first, case.chief, "minor").json["rectification_id"] is None
    made = case.judge(second, case.chief, "minor", rectify={"what": "补填"}).json["rectification_id"]
    assert made is not None
    assert case.judge(first, case.chief, "pass", rectify={"what": "x"}).status_code in {409, 422}
    stranger = world.phone(world.worker(Role.CHIEF, "341882100"))
    assert stranger.get(f"/rectifications/{made}").status_code == 404
    listed = case.chief.get("/rectifications", village=SHENGPING, plan_id=case.plan, state="notified").json
    assert [one["id"] for one in listed["items"]] == [made]
    assert dt.date.fromisoformat(listed["items"][0]["due_on"]) == dt.date(2026, 5, 21)
