"""Two months of honest field work of a township, with everything that makes honest records look odd."""

import datetime as dt
from dataclasses import dataclass, field
from math import cos, radians, sin
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

from PIL import Image

from bench import scenes
from server.places.datums import to_gcj02
from server.places.distance import distance_m
from server.places.terms import Point
from server.tools import SHANGHAI
from server.visits.answers import QUESTIONS, REQUIRED

MONTHS = (dt.date(2026, 2, 1), dt.date(2026, 3, 1))
OFFICE_KMH = 25
SHORT = ("一切正常", "正常", "情况良好", "老人身体还好", None, None, None)
PARTS = (
    (
        "老人精神不错",
        "老人有点咳嗽",
        "老人腿脚不便",
        "老人刚从地里回来",
        "老人正在做饭",
        "老人和邻居在门口聊天",
    ),
    ("屋里收拾得干净", "厨房堆了些柴火", "床铺已换厚被", "院里晒着玉米", "新装了一盏灯", "窗户漏风已糊上"),
    ("米面够吃半个月", "菜是邻居送的", "冰箱里有肉和鸡蛋", "早饭吃的稀饭", "社区食堂送午饭", "自己腌了咸菜"),
    (
        "说上月的钱收到了",
        "问起了高龄补贴",
        "想去县医院看眼睛",
        "药还剩一周的",
        "血压量过不高",
        "儿子打来电话",
    ),
    ("提醒了用电安全", "约好下周再来", "帮着换了煤气管", "留了联系电话", "嘱咐按时吃药", "带去了两斤苹果"),
)
ADVICE = "近日有暴雨，已告知老人不要外出，注意屋顶漏雨和用电安全"
Body = dict[str, Any]


@dataclass(frozen=True)
class Old:
    """A person, where they live, whether that is registered, and the number of their room."""

    id: UUID
    home: Point
    is_known: bool
    number: int


@dataclass
class Planned:
    """A visit as a phone will send it: by whom, when it arrives, with which photos; `kind` says what was made up."""

    id: UUID
    worker: int
    person: Old
    body: Body
    received_at: dt.datetime
    photos: list[tuple[UUID, bytes]] = field(default_factory=list)
    kind: str | None = None
    expected: frozenset[str] = frozenset()
    phone_ahead: dt.timedelta = dt.timedelta()


@dataclass
class Township:
    """The workers' people, and chance."""

    people: list[list[Old]]
    workers: list[UUID]
    offices: list[Point]
    chance: Random
    turn: int = 0
    """How many stories were made up so far."""

    def new_id(self) -> UUID:
        """Give an id that the seed decides."""
        return UUID(int=self.chance.getrandbits(128), version=4)


def homes(chance: Random, office: Point, count: int) -> list[tuple[Point, bool]]:
    """Scatter homes round a village office: alone, in courtyards, in houses of several flats; some not registered."""
    found: list[tuple[Point, bool]] = []
    while len(found) < count:
        place = moved(office, chance.uniform(250, 3200), chance.uniform(0, 360))
        many = chance.choice([1, 1, 1, 1, 2, 3, 5])
        found += [
            (moved(place, chance.uniform(0, 18), chance.uniform(0, 360)), chance.random() < 0.85)
            for _ in range(min(many, count - len(found)))
        ]
    return found


def moved(point: Point, metres: float, degrees: float) -> Point:
    """Go so many metres in a direction."""
    north = metres * cos(radians(degrees)) / 111_195
    east = metres * sin(radians(degrees)) / (111_195 * cos(radians(point.latitude)))
    return Point(point.latitude + north, point.longitude + east)


def honest(town: Township) -> list[Planned]:
    """Let every worker go from home to home, some a day, in both months."""
    planned = []
    for worker, people in enumerate(town.people):
        for month in MONTHS:
            left = sorted(people, key=lambda _: town.chance.random())
            days = sorted(town.chance.sample(range(27), -(-len(left) // 4)))
            for day in days:
                today, left = left[:4], left[4:]
                planned += _outing(town, worker, today, month + dt.timedelta(days=day))
    return planned


def _outing(town: Township, worker: int, people: list[Old], day: dt.date) -> list[Planned]:
    chance = town.chance
    now = dt.datetime.combine(day, dt.time(8, 30), SHANGHAI) + dt.timedelta(minutes=chance.randrange(120))
    at = town.offices[worker]
    made = []
    storm = chance.random() < 0.02
    for person in people:
        metres = distance_m(at, person.home)
        now += dt.timedelta(minutes=2 + metres * 60 / 1000 / OFFICE_KMH * chance.uniform(1, 2))
        planned = visit(town, worker, person, now, storm=storm)
        made.append(planned)
        now = dt.datetime.fromisoformat(planned.body["ended_at"] or planned.body["occurred_at"])
        now += dt.timedelta(minutes=chance.randint(1, 6))
        at = person.home
    return made


def visit(town: Township, worker: int, person: Old, at: dt.datetime, *, storm: bool = False) -> Planned:
    """Make one honest visit: what the phone locates, what is written when, and when the server has it."""
    chance = town.chance
    ended = at + dt.timedelta(minutes=chance.randint(8, 35), seconds=chance.randrange(60))
    made_at = ended + dt.timedelta(seconds=chance.randint(5, 240))
    odd = chance.random()
    place: Body | None = fix(person.home, at + dt.timedelta(seconds=20), chance)
    if odd < 0.05:  # written up at the office in the evening
        made_at = dt.datetime.combine(at.date(), dt.time(17, 30), SHANGHAI) + dt.timedelta(
            minutes=chance.randrange(60)
        )
        place = fix(town.offices[worker], made_at, chance)
    elif odd < 0.16:
        place = None
    elif odd < 0.17 and place is not None:
        place["datum"] = "wgs84"  # mislabelled
    received = made_at + dt.timedelta(seconds=chance.randint(2, 600))
    if chance.random() < 0.1:
        received += dt.timedelta(hours=chance.randint(14, 90))
    ahead = dt.timedelta(seconds=chance.randint(-120, 120))
    if chance.random() < 0.004:
        ahead = dt.timedelta(minutes=chance.randint(12, 45))
    notes = ADVICE if storm else chance.choice(SHORT) if chance.random() < 0.5 else own_words(chance)
    body = {
        "person_id": str(person.id),
        "method": "home",
        "purposes": ["routine"],
        "outcome": "met",
        "identity_checked_by": "known",
        "occurred_at": wire(at),
        "ended_at": wire(ended) if chance.random() < 0.95 else None,
        "client_created_at": wire(made_at + ahead),
        "visitors": [str(town.workers[worker])],
        "location": place,
        "no_location_reason": None if place else chance.choice(["indoor", "no_signal", "device"]),
        "answers": answers(chance),
        "conclusion": "normal",
        "notes": notes,
        "photos": [],
    }
    planned = Planned(town.new_id(), worker, person, body, received, phone_ahead=ahead)
    if chance.random() < 0.6:
        for _ in range(chance.choice([1, 1, 2])):
            attach(town, planned, taken(town, person, at))
    return planned


def attach(town: Township, planned: Planned, file: bytes, taken_at: dt.datetime | None = None) -> UUID:
    """Declare a photo and let it follow."""
    photo = town.new_id()
    declared = {"id": str(photo), "kind": "room", "taken_at": wire(taken_at) if taken_at else None}
    planned.body["photos"] = [*planned.body["photos"], declared]
    planned.photos.append((photo, file))
    return photo


def taken(town: Township, person: Old, at: dt.datetime) -> bytes:
    """Take a photo of the person's room; WeChat strips what the camera wrote from most."""
    exif = None
    if town.chance.random() < 0.15:
        exif = camera(at + dt.timedelta(minutes=town.chance.randint(1, 7)))
    return scenes.jpeg(scenes.shot(person.number, town.chance), exif=exif)


def camera(at: dt.datetime) -> bytes:
    """Write what a camera writes: when."""
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9003] = at.astimezone(SHANGHAI).strftime("%Y:%m:%d %H:%M:%S")
    return block.tobytes()


def fix(place: Point, at: dt.datetime, chance: Random) -> Body:
    """Locate a phone: well in most places, by a tower in some; a phone in China says it in GCJ-02."""
    coarse = chance.random() < 0.08
    accuracy = chance.choice([200, 500, 800]) if coarse else chance.choice([10, 15, 20, 30, 40, 65])
    error = abs(chance.gauss(0, accuracy * 0.6))
    latitude, longitude = to_gcj02(moved(place, min(error, accuracy * 1.5), chance.uniform(0, 360)))
    return {
        "latitude": round(latitude, 6),
        "longitude": round(longitude, 6),
        "accuracy_m": accuracy,
        "datum": "gcj02",
        "taken_at": wire(at) if chance.random() < 0.7 else None,
    }


def answers(chance: Random, usual: float = 0.86) -> Body:
    """Answer what is required, mostly with what is usual."""
    told: Body = {}
    for name in sorted({name for names in REQUIRED.values() for name in names}):
        question = QUESTIONS[name]
        if question.vocabulary is not None:
            words = [one.value for one in question.vocabulary]
            told[name] = words[0] if chance.random() < usual else chance.choice(words[: min(3, len(words))])
        elif question.kind == "yes_no":
            told[name] = chance.random() < usual
        else:
            told[name] = question.most if chance.random() < usual else question.most - 1
    return told


def own_words(chance: Random) -> str:
    """Write notes as somebody does who was there."""
    chosen = [chance.choice(part) for part in chance.sample(PARTS, chance.randint(2, 4))]
    return "，".join(chosen) + "。"


def wire(instant: dt.datetime) -> str:
    """Write an instant as a phone in Shanghai does."""
    return instant.astimezone(SHANGHAI).isoformat(timespec="seconds")
