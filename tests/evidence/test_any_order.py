"""The same facts give the same findings, in whatever order they arrive and whenever somebody looks meanwhile."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.permissions import Role
from server.visits.judging import work_off
from tests.builders.world import SHENGPING, Phone, World
from tests.evidence.conftest import HOME, Township
from tests.evidence.pictures import a_picture
from tests.photos.sending import send

FAR = {"latitude": 30.70, "longitude": 119.4172}
NOTES = "老人精神尚可，被褥已换洗，提醒注意用火用电安全，午后去村卫生室取药"
LETTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥"
tellings = itertools.count()


@dataclass(frozen=True)
class Fact:
    """Something that is told to the server, once what it needs has been told."""

    name: str
    tell: Callable[[], None]
    needs: Sequence[str] = ()


class Story:
    """Six visits of one worker with everything that may come late, told under ids of its own."""

    def __init__(self, township: Township, chief: Phone) -> None:
        self.township, self.chief = township, chief
        township.visitor = township.world.worker()
        township.phone = township.world.phone(township.visitor)
        self.mark = "".join(LETTERS[int(digit)] for digit in f"{next(tellings):06}")
        self.people = {name: township.person() for name in "abcde"}
        self.visits = {name: uuid4() for name in ("near", "far", "copied", "again", "late", "wrong")}
        self.photos = {name: uuid4() for name in ("first", "second")}
        self.picture = a_picture(next(tellings))

    def facts(self) -> list[Fact]:
        """Give everything that there is to tell."""
        return [
            self._visit("near", "a", "09:00", "09:20", HOME, notes=f"{self.mark}{NOTES}"),
            self._visit("far", "b", "09:24", "09:40", FAR),
            self._visit("copied", "c", "11:00", "11:20", HOME, notes=f"{self.mark}{NOTES}"),
            self._visit("again", "a", "12:30", "12:31", HOME),
            self._visit("late", "d", "09:10", "09:30", HOME),
            self._visit("wrong", "e", "09:15", "09:35", FAR),
            Fact("correction", self._correct, ("late",)),
            Fact("withdrawal", self._withdraw, ("wrong",)),
            Fact("first photo", lambda: self._photo("near", "first"), ("near",)),
            Fact("second photo", lambda: self._photo("again", "second"), ("again",)),
            Fact("home", lambda: self._home("a")),
            Fact("death", self._death),
        ]

    def told(self) -> dict[str, Any]:
        """Read the findings of every visit, under the names of the story."""
        names = {
            str(one): name for name, one in (*self.visits.items(), *self.photos.items(), *self.people.items())
        }
        found = {}
        for name, visit in self.visits.items():
            found[name] = {
                code: (one["severity"], named(one["evidence"], names))
                for code, one in self.township.findings(visit).items()
            }
        return found

    def _visit(
        self, name: str, person: str, began: str, ended: str, place: Mapping[str, float], **more: Any
    ) -> Fact:
        return Fact(name, lambda: self._record(name, person, began, ended, place, more))

    def _record(
        self,
        name: str,
        person: str,
        began: str,
        ended: str,
        place: Mapping[str, float],
        more: Mapping[str, Any],
    ) -> None:
        self.township.record(
            self.people[person], self.visits[name], **self._body(began, ended, place), **more
        )

    def _body(self, began: str, ended: str, place: Mapping[str, float]) -> dict[str, Any]:
        return {
            "occurred_at": f"2026-03-04T{began}:00+08:00",
            "ended_at": f"2026-03-04T{ended}:00+08:00",
            "client_created_at": f"2026-03-04T{ended}:30+08:00",
            "location": {**place, "accuracy_m": 15, "datum": "gcj02"},
        }

    def _correct(self) -> None:
        body = self.township.body(self.people["d"], **self._body("09:41", "10:00", FAR))
        answer = self.township.phone.put(f"/visits/{self.visits['late']}", body, revision=1)
        assert answer.status_code == 200, answer.json

    def _withdraw(self) -> None:
        body = {"decision": "withdraw", "revision": 1, "reason": "填错对象"}
        answer = self.township.phone.post(f"/visits/{self.visits['wrong']}/decisions", body)
        assert answer.status_code == 201, answer.json

    def _photo(self, visit: str, photo: str) -> None:
        answer = send(self.township.phone, self.visits[visit], self.picture, self.photos[photo])
        assert answer.status_code == 201, answer.json

    def _home(self, person: str) -> None:
        place = {**HOME, "datum": "gcj02", "accuracy_m": 10}
        answer = self.township.reviewer.put(f"/people/{self.people[person]}/home", place)
        assert answer.status_code == 200, answer.json

    def _death(self) -> None:
        answer = self.chief.post(f"/people/{self.people['c']}/death", {"died_on": "2026-03-01"})
        assert answer.status_code == 200, answer.json


def named(evidence: Any, names: Mapping[str, str]) -> Any:
    """Put the story's names in the place of ids."""
    if isinstance(evidence, dict):
        return {key: named(value, names) for key, value in evidence.items()}
    if isinstance(evidence, list):
        return [named(one, names) for one in evidence]
    return names.get(evidence, evidence) if isinstance(evidence, str) else evidence


def in_order(facts: Sequence[Fact], wish: Sequence[int]) -> list[Fact]:
    """Put facts in the order that is wished for, each after what it needs."""
    left = [facts[number] for number in wish]
    told: list[Fact] = []
    while left:
        known = {one.name for one in told}
        following = next(one for one in left if known.issuperset(one.needs))
        left.remove(following)
        told.append(following)
    return told


EVERY = range(12)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    wish=st.permutations(EVERY), looks=st.sets(st.sampled_from(EVERY)), judged=st.sets(st.sampled_from(EVERY))
)
def test_the_same_facts_give_the_same_findings(
    township: Township, world: World, wish: Sequence[int], looks: set[int], judged: set[int]
) -> None:
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    plain = Story(township, chief)
    for fact in plain.facts():
        fact.tell()
    expected = plain.told()
    other = Story(township, chief)
    for number, fact in enumerate(in_order(other.facts(), wish)):
        fact.tell()
        if number in looks:
            other.township.reviewer.get("/reviews/queue")
        if number in judged:
            with world.work() as work:
                work_off(work)
    assert other.told() == expected
    assert expected["near"].keys() >= {
        "travel_impossible",
        "notes_copied",
        "photo_same_bytes",
        "fence_inside",
    }
    assert expected["far"].keys() >= {"travel_impossible"}
    assert expected["copied"].keys() >= {"met_after_death", "notes_copied"}
    assert expected["again"].keys() >= {"photo_same_bytes", "too_short"}
    assert "visits_overlap" not in expected["near"], (
        "the visit that overlapped was corrected, the other withdrawn"
    )


def test_judging_again_changes_nothing(township: Township, world: World) -> None:
    chief = world.phone(world.worker(Role.CHIEF, SHENGPING))
    story = Story(township, chief)
    for fact in story.facts():
        fact.tell()
    before = story.told()
    rows = every_finding(world)
    ask_again(world, story.visits.values())
    assert story.told() == before
    assert every_finding(world) == rows


def every_finding(world: World) -> set[UUID]:
    from sqlalchemy import select

    from server.evidence.models import FindingMade

    with world.work() as work:
        return set(work.session.scalars(select(FindingMade.id)))


def ask_again(world: World, visits: Any) -> None:
    from server.evidence import storing

    with world.work() as work:
        storing.ask_again(work.session, visits)
    with world.work() as work:
        while work_off(work):
            pass
