"""How many made-up visits are found, by kind, and how many honest ones are asked about: `python -m bench evidence`.

A township works honestly for two months; then visits are made up, of kinds that the thresholds were chosen with and of kinds
that they were not. All of it goes through the service as phones send it, on SQLite, under a clock that is moved along.
"""

import datetime as dt
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

from sqlalchemy import select

from bench import made_up
from bench.field_work import Old, Planned, Township, homes, honest
from bench.measuring import Plan
from server.app import create_app
from server.evidence.models import FindingMade
from server.evidence.terms import ABOVE_INFO
from server.http.parts import Parts
from server.permissions import Role
from server.places.datums import to_gcj02
from server.places.terms import Point
from server.schema import upgrade
from server.settings import Settings
from server.tools import Tools
from server.vault.keyring import Keyring
from server.visits.judging import work_off
from tests.builders.clock import Clock
from tests.builders.world import SHENGPING, TUANSHAN, Phone, World

SEED = 20261125
WORKERS, PEOPLE_EACH = 24, 16
OF_EACH_KIND = 12
DAYS_APART = 16
"""Days between two made-up stories of one worker, so that none is found because of another."""
BEGINNING = dt.datetime(2026, 2, 1, 0, 0, tzinfo=dt.UTC)
Found = Mapping[UUID, Mapping[str, str]]


def evidence(_: Plan) -> list[dict[str, Any]]:
    """Print the table of what was found, and give its rows."""
    with _house() as (world, clock):
        chance = Random(SEED)
        player = _Player(world, clock, chance)
        town = player.town
        truth = honest(town)
        player.play(truth)
        before = player.found()
        stories = _stories(town, truth, chance, made_up.KNOWN) + _stories(
            town, truth, chance, made_up.HELD_OUT
        )
        player.play([one for story in stories for one in story])
        after = player.found()
    rows = [_alarms(truth, before)]
    for name, kinds in (("known", made_up.KNOWN), ("held out", made_up.HELD_OUT)):
        rows += [_kind(name, kind, stories, after) for kind in kinds]
    _tell(rows, truth, before, after)
    return rows


@contextmanager
def _house() -> Iterator[tuple[World, Clock]]:
    clock = Clock(BEGINNING)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        (Path(folder) / "uploads").mkdir()
        app = create_app(
            Settings(
                database_url=f"sqlite:///{folder}/app.sqlite",
                storage_url=f"file://{folder}/uploads",
                keyring=Keyring.generate().to_json(),
                secret_key="only for benchmarks, and long enough for them",
            ),
            Tools(clock=clock),
        )
        parts: Parts = app.extensions["parts"]
        upgrade(parts.engine)
        yield World(app, clock, begin_on=BEGINNING.date()), clock
        parts.engine.dispose()


class _Player:
    """Sends what was planned in the order of its arrival, and lets the judge work as the job does."""

    def __init__(self, world: World, clock: Clock, chance: Random) -> None:
        self.world, self.clock = world, clock
        actors = [world.worker(Role.VISITOR, TUANSHAN) for _ in range(WORKERS)]
        self.actors = actors
        self.phones = [(clock(), world.phone(actor)) for actor in actors]
        self.reviewer = world.phone(world.worker(Role.REVIEWER, SHENGPING))
        self.chief = world.worker(Role.CHIEF, SHENGPING)
        offices = [
            Point(30.75 + chance.uniform(0, 0.3), 119.25 + chance.uniform(0, 0.4)) for _ in range(WORKERS)
        ]
        people: list[list[Old]] = []
        for worker, actor in enumerate(actors):
            mine: list[Old] = []
            for home, is_known in homes(chance, offices[worker], PEOPLE_EACH):
                old = Old(world.person(actor), home, is_known, worker * PEOPLE_EACH + len(mine))
                mine.append(old)
                if is_known:
                    self._register(old)
            people.append(mine)
        self.town = Township(people, [actor.worker_id for actor in actors], offices, chance)

    def play(self, planned: Sequence[Planned]) -> None:
        """Send visits and photos as they arrive, and judge."""
        for number, one in enumerate(sorted(planned, key=lambda one: one.received_at)):
            self.clock.instant = max(self.clock(), one.received_at.astimezone(dt.UTC))
            self._send(one)
            if number % 8 == 0:
                self._judge()
        while self._judge():
            pass

    def found(self) -> Found:
        """Read the findings that stand, by visit: code and severity."""
        found: dict[UUID, dict[str, str]] = defaultdict(dict)
        with self.world.work() as work:
            for row in work.session.execute(
                select(FindingMade.visit_id, FindingMade.code, FindingMade.severity).where(
                    FindingMade.withdrawn_at.is_(None)
                )
            ):
                found[row.visit_id][row.code.value] = row.severity
        return found

    def _send(self, one: Planned) -> None:
        phone = self._phone(one.worker)
        answer = phone.put(f"/visits/{one.id}", one.body)
        if answer.status_code != 201:
            raise RuntimeError(f"{one.kind}: {answer.status_code} {answer.json}")
        for photo, file in one.photos:
            sent = {"photo_id": str(photo), "file": (BytesIO(file), "a.jpg")}
            answer = phone.upload(f"/visits/{one.id}/photos", sent)
            if answer.status_code != 201:
                raise RuntimeError(f"{one.kind}: {answer.status_code} {answer.json}")
        if one.kind == "met after death":
            died_on = dt.datetime.fromisoformat(one.body["occurred_at"]).date() - dt.timedelta(days=20)
            answer = self.world.phone(self.chief).post(
                f"/people/{one.person.id}/death", {"died_on": died_on.isoformat()}
            )
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.status_code} {answer.json}")

    def _phone(self, worker: int) -> Phone:
        """Give the worker's phone, signed in anew every day."""
        since, phone = self.phones[worker]
        if self.clock() - since > dt.timedelta(days=1):
            phone = self.world.phone(self.actors[worker])
            self.phones[worker] = self.clock(), phone
        return phone

    def _register(self, old: Old) -> None:
        latitude, longitude = to_gcj02(old.home)
        place = {"latitude": latitude, "longitude": longitude, "datum": "gcj02", "accuracy_m": 15}
        answer = self.reviewer.put(f"/people/{old.id}/home", place)
        if answer.status_code != 200:
            raise RuntimeError(f"{answer.status_code} {answer.json}")

    def _judge(self) -> int:
        with self.world.work() as work:
            return work_off(work)


def _stories(
    town: Township, past: Sequence[Planned], chance: Random, kinds: Mapping[str, made_up.Maker]
) -> list[list[Planned]]:
    """Make up so many stories of each kind, every one with a worker and days of its own."""
    stories: list[list[Planned]] = []
    dead: set[UUID] = set()
    for kind, maker in kinds.items():
        made = 0
        for _ in range(OF_EACH_KIND * 4):
            if made == OF_EACH_KIND:
                break
            turn = town.turn
            town.turn += 1
            worker = turn % WORKERS
            at = made_up.FIRST + dt.timedelta(
                days=DAYS_APART * (turn // WORKERS), minutes=chance.randrange(120)
            )
            people = [one for one in town.people[worker] if one.id not in dead]
            people = chance.sample(people, len(people))
            story = maker(town, worker, people, at, past)
            if story:
                stories.append(story)
                made += 1
                if kind == "met after death":
                    dead.add(story[0].person.id)
    return stories


def _kind(group: str, kind: str, stories: Sequence[Sequence[Planned]], found: Found) -> dict[str, Any]:
    mine = [one for story in stories for one in story if one.kind == kind]
    asked = [{code for code, severity in found[one.id].items() if severity in ABOVE_INFO} for one in mine]
    return {
        "group": group,
        "kind": kind,
        "visits": len(mine),
        "found": sum(bool(codes & one.expected) for one, codes in zip(mine, asked, strict=True)),
        "asked_about": sum(bool(codes) for codes in asked),
        "stories": sum(story[0].kind == kind for story in stories),
        "stories_found": sum(
            any(found[one.id].get(code) in ABOVE_INFO for one in story for code in one.expected)
            for story in stories
            if story[0].kind == kind
        ),
    }


def _alarms(truth: Sequence[Planned], found: Found) -> dict[str, Any]:
    codes: Counter[str] = Counter()
    asked = warned = 0
    for one in truth:
        above = {code: severity for code, severity in found[one.id].items() if severity in ABOVE_INFO}
        codes.update(above.keys())
        asked += bool(above)
        warned += "warning" in above.values()
    return {
        "group": "honest",
        "visits": len(truth),
        "asked_about": asked,
        "warned": warned,
        "by_code": dict(codes.most_common()),
    }


def _tell(rows: Sequence[Mapping[str, Any]], truth: Sequence[Planned], before: Found, after: Found) -> None:
    alarms = rows[0]
    count = alarms["visits"]
    print(
        f"honest visits: {count}; a notice or warning about {alarms['asked_about']}"
        f" ({alarms['asked_about'] / count:.1%}), a warning about {alarms['warned']} ({alarms['warned'] / count:.1%})"
    )
    for code, times in alarms["by_code"].items():
        print(f"  {code}: {times} ({times / count:.1%})")
    new = sum(
        any(severity in ABOVE_INFO and code not in before[one.id] for code, severity in after[one.id].items())
        for one in truth
    )
    print(f"honest visits that are named because something of theirs was used again: {new}")
    print(
        "| kind | visits | found by what should find it | stories found | asked about for any reason |\n"
        + "|---" * 5
        + "|"
    )
    for row in rows[1:]:
        held = " (held out)" if row["group"] == "held out" else ""
        print(
            f"| {row['kind']}{held} | {row['visits']} | {row['found'] / max(1, row['visits']):.0%} "
            f"| {row['stories_found']} of {row['stories']} | {row['asked_about'] / max(1, row['visits']):.0%} |"
        )
