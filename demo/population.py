"""Draws the people of the demo township: 600 households with 840 people on social assistance, none of whom exists.

Every id number has the area 999999, which is never issued.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random  # noqa: TID251  (lent with its seed)
from uuid import UUID

from stdnum.cn import ric

from demo import names
from server.people.id_numbers import SYNTHETIC_AREA
from server.people.terms import Ability, Category, Relation, Tag
from server.places.terms import Datum

C = Category


@dataclass(frozen=True)
class Village:
    """A village or community of 升平街道; the middle of its homes in degrees, and how many households it has in 100."""

    code: str
    name: str
    username: str
    latitude: float
    longitude: float
    share: int
    rural: bool


VILLAGES = (
    Village("341882003001", "升平社区", "shengping", 30.8955, 119.4135, 22, rural=False),
    Village("341882003002", "凤井社区", "fengjing", 30.9035, 119.4215, 18, rural=False),
    Village("341882003003", "荷花社区", "hehua", 30.8905, 119.4320, 16, rural=False),
    Village("341882003200", "团山村", "tuanshan", 30.9170, 119.3985, 24, rural=True),
    Village("341882003201", "钱村", "qiancun", 30.9225, 119.4360, 20, rural=True),
)
GROUPS = ("上村", "下村", "东冲", "西冲", "老屋", "新屋", "塘口", "桥头", "山边", "河湾")
STREETS = ("升平路", "凤井路", "荷花路", "团结巷", "建设巷", "和平路")


@dataclass(frozen=True)
class Kind:
    """How many households and people of a category there are, and how old their heads are."""

    category: Category
    households: int
    people: int
    ages: tuple[int, int]
    monthly: tuple[int, int]


KINDS = (
    Kind(C.TEKUN_DISPERSED, 45, 45, (60, 92), (1100, 1380)),
    Kind(C.TEKUN_CENTRAL, 15, 15, (62, 95), (1100, 1380)),
    Kind(C.DIBAO_RURAL, 243, 380, (38, 88), (310, 755)),
    Kind(C.DIBAO_URBAN, 110, 160, (35, 86), (330, 775)),
    Kind(C.MARGIN, 75, 110, (36, 84), (0, 0)),
    Kind(C.RIGID, 30, 40, (34, 78), (0, 0)),
    Kind(C.ORPHAN, 6, 6, (5, 16), (1160, 1160)),
    Kind(C.UNSUPPORTED_CHILD, 8, 8, (4, 16), (1160, 1160)),
    Kind(C.ANTI_RETURN, 22, 30, (35, 80), (0, 0)),
    Kind(C.TEMP, 20, 20, (30, 75), (0, 0)),
    Kind(C.OTHER, 26, 26, (30, 90), (0, 0)),
)


@dataclass
class Drawn:
    """One person as drawn; `household` is the number of the household within its village."""

    id: UUID
    enrolment_id: UUID
    name: str
    id_number: str = field(repr=False)
    born_on: dt.date
    village: Village
    household: str
    is_head: bool
    relation: str | None
    category: Category
    since: dt.date
    monthly: Decimal | None
    phone: str | None
    address: str
    consent: bool
    health: str | None = None
    home: tuple[float, float, Datum] | None = None
    tags: tuple[Tag, ...] = ()
    can: dict[Ability, bool] | None = None
    assessment_id: UUID | None = None
    caregiver: tuple[str, Relation, str] | None = None
    agreement_id: UUID | None = None
    fee: Decimal | None = None


def draw(chance: Random, today: dt.date) -> list[Drawn]:
    """Draw everybody as of a day; the same chance gives the same people."""
    drawer = _Drawer(chance, today)
    return [person for kind in KINDS for person in drawer.kind(kind)]


class _Drawer:
    def __init__(self, chance: Random, today: dt.date) -> None:
        self.chance = chance
        self.today = today
        self.numbers: set[str] = set()
        self.phones = iter(chance.sample(range(10_000_000, 99_999_999), 2000))
        self.households = dict.fromkeys((one.code for one in VILLAGES), 0)

    def kind(self, kind: Kind) -> Iterator[Drawn]:
        """Draw the households of one category, each with its members."""
        sizes = [1] * kind.households
        for _ in range(kind.people - kind.households):
            sizes[self.chance.randrange(kind.households)] += 1
        for size in sizes:
            yield from self._household(kind, size)

    def _household(self, kind: Kind, size: int) -> Iterator[Drawn]:
        chance = self.chance
        village = self._village(kind.category)
        self.households[village.code] += 1
        number = f"{self.households[village.code]:04d}"
        family = names.surname(chance)
        since = self._since()
        home = self._home(village) if self._has_home(kind.category) else None
        address = self._address(village)
        amount = Decimal(chance.randint(*kind.monthly)) if kind.monthly[1] else None
        head_born = self._born(*kind.ages)
        for place in range(size):
            born, relation = head_born, None
            surname = family
            if place:
                born, relation, surname = self._member(head_born, family, place)
            male = chance.random() < (0.72 if kind.category is C.TEKUN_DISPERSED else 0.5)
            if relation:
                male = relation in {"父亲", "儿子", "孙子", "丈夫"}
            person = Drawn(
                id=self._uuid(),
                enrolment_id=self._uuid(),
                name=surname + names.given_name(chance, male=male, birth_year=born.year),
                id_number=self._id_number(born, male=male),
                born_on=born,
                village=village,
                household=number,
                is_head=place == 0,
                relation=relation,
                category=kind.category,
                since=max(since, born + dt.timedelta(days=30)),
                monthly=amount,
                phone=f"139{next(self.phones)}" if chance.random() < 0.85 and born.year < 2012 else None,
                address=address,
                consent=chance.random() < 0.85,
                health=chance.choice(["高血压，长期服药", "关节炎", "糖尿病", "视力下降"])
                if chance.random() < 0.3
                else None,
                home=home,
                tags=self._tags(kind.category, born),
            )
            if kind.category is C.TEKUN_DISPERSED:
                self._care_for(person)
            yield person

    def _village(self, category: Category) -> Village:
        fitting = [
            one
            for one in VILLAGES
            if (category is not C.DIBAO_RURAL or one.rural)
            and (category is not C.DIBAO_URBAN or not one.rural)
        ]
        if category is C.TEKUN_DISPERSED:  # spread evenly: everybody has somebody to visit
            fitting = [min(fitting, key=lambda one: self.households[one.code])]
        return self.chance.choices(fitting, [one.share for one in fitting])[0]

    def _since(self) -> dt.date:
        first = dt.date(2019, 1, 1)
        return first + dt.timedelta(days=self.chance.randrange((self.today - first).days - 30))

    def _born(self, youngest: int, oldest: int) -> dt.date:
        days = self.chance.randint(youngest * 365 + 200, oldest * 365 + 200)
        return self.today - dt.timedelta(days=days)

    def _member(self, head: dt.date, family: str, place: int) -> tuple[dt.date, str, str]:
        chance = self.chance
        relation = (
            "配偶"
            if place == 1 and chance.random() < 0.6
            else chance.choice(["儿子", "女儿", "孙子", "孙女"])
        )
        years = {"配偶": 0, "儿子": 25, "女儿": 26, "孙子": 50, "孙女": 51}[relation]
        born = head + dt.timedelta(days=years * 365 + chance.randint(-1200, 1200))
        if relation == "配偶":
            return born, relation, names.surname(chance)
        youngest = self.today - dt.timedelta(days=3 * 365)
        return min(born, youngest - dt.timedelta(days=chance.randrange(3000))), relation, family

    def _id_number(self, born: dt.date, *, male: bool) -> str:
        while True:
            order = self.chance.randrange(0, 999, 2) + (1 if male else 0)
            body = f"{SYNTHETIC_AREA}{born:%Y%m%d}{order:03d}"
            number = body + str(ric.calc_check_digit(body + "0"))
            if number not in self.numbers:
                self.numbers.add(number)
                return number

    def _has_home(self, category: Category) -> bool:
        return category is C.TEKUN_DISPERSED or self.chance.random() < 0.3

    def _home(self, village: Village) -> tuple[float, float, Datum]:
        datum = Datum.GCJ02 if self.chance.random() < 0.7 else Datum.WGS84
        latitude = village.latitude + self.chance.gauss(0, 0.003)
        longitude = village.longitude + self.chance.gauss(0, 0.0035)
        return round(latitude, 6), round(longitude, 6), datum

    def _address(self, village: Village) -> str:
        chance = self.chance
        if village.rural:
            return f"升平街道{village.name}{chance.choice(GROUPS)}组{chance.randint(1, 80)}号"
        return f"升平街道{village.name}{chance.choice(STREETS)}{chance.randint(1, 200)}号"

    def _tags(self, category: Category, born: dt.date) -> tuple[Tag, ...]:
        tags = []
        if category is C.TEKUN_DISPERSED and self.chance.random() < 0.7:
            tags.append(Tag.LIVING_ALONE)
        if born.year <= self.today.year - 80:
            tags.append(Tag.ADVANCED_AGE)
        if category is C.DIBAO_RURAL and self.chance.random() < 0.02:
            tags.append(Tag.KEY_OBJECT)
        return tuple(tags)

    def _care_for(self, person: Drawn) -> None:
        chance = self.chance
        lost = chance.choices([0, 1, 2, 3, 4, 5], [40, 20, 15, 10, 8, 7])[0]
        cannot = set(chance.sample(list(Ability), lost))
        person.can = {ability: ability not in cannot for ability in Ability}
        person.assessment_id, person.agreement_id = self._uuid(), self._uuid()
        male = chance.random() < 0.4
        name = names.surname(chance) + names.given_name(chance, male=male, birth_year=1975)
        relation = chance.choice([Relation.NEIGHBOUR, Relation.RELATIVE, Relation.CAREGIVER])
        person.caregiver = (name, relation, f"139{next(self.phones)}")
        person.fee = Decimal({0: 62}.get(lost, 412 if lost <= 3 else 721))

    def _uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)
