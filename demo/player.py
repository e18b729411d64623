"""Plays the field work of the past weeks through the real HTTP API, as phones do."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

from demo.doubtful import doubtful, last_of
from demo.errands import NOBODY_COMES, Errand, Manner, plan_month
from demo.phone import Phone
from demo.pictures import picture
from demo.played_server import Played
from demo.records import Told, written
from demo.reviewing import Reviewing
from demo.spot_check import SpotCheck
from demo.state import Township
from server.permissions import Role
from server.tools import SHANGHAI, business_day
from server.visits.terms import Outcome

SEED = 20260306
LOST = 0.12
"""Which part of the answers gets lost on its way."""

OUTCOMES = {
    Manner.ELSEWHERE: Outcome.MET_ELSEWHERE,
    Manner.REMOTE: Outcome.REMOTE_MET,
    Manner.ABSENT_ONCE: Outcome.NOT_MET,
    Manner.ABSENT: Outcome.NOT_MET,
}
HANDED_OVER = 3
NEVER_SEEN = 3
"""How many of those forgotten in the first month are forgotten in the second too, and stay overdue."""
REVIEWED_EVERY_DAYS = 4
LEFT_IN_QUEUE = 0.3
"""Which part of the records the reviewer does not get round to; hazards never wait."""
CLOSING = dt.time(18, 30)


@dataclass(frozen=True)
class Filed:
    """A visit that a phone has filed, with the errand behind it and the record that was sent."""

    visit_id: UUID
    errand: Errand
    record: dict[str, Any]


def play(
    township: Township, played: Played, now: dt.datetime, advance: Callable[[float], None]
) -> "Counter[str]":
    """Play from the first day of duties to yesterday; returns what happened, counted."""
    return _Player(township, played, now, advance).play()


class _Player:
    def __init__(
        self, township: Township, played: Played, now: dt.datetime, advance: Callable[[float], None]
    ) -> None:
        self.township, self.played, self.advance = township, played, advance
        self.end = dt.datetime.combine(business_day(now), dt.time(), SHANGHAI)
        self.begin = dt.datetime.combine(township.begin_on, dt.time(8), SHANGHAI)
        self.chance = Random(SEED)
        self.phones = {
            one.username: Phone(played.address, one.wechat_subject, one.invite_code)
            for one in township.accounts
            if one.role in {Role.VISITOR, Role.REVIEWER, Role.CHIEF, Role.COUNTY_INSPECTOR}
        }
        self.visitors = [one.username for one in township.accounts if one.role is Role.VISITOR]
        self.reviewer = self.phones[township.account(Role.REVIEWER).username]
        self.chief = self.phones[township.account(Role.CHIEF).username]
        self.reviewing = Reviewing(
            self.reviewer, self.chief, {one: self.phones[one] for one in self.visitors}, self.chance
        )
        self.spot_check = SpotCheck(
            township.begin_on,
            self.phones,
            {one.role: one.username for one in township.accounts},
            Random(SEED),
            UUID(int=Random(SEED).getrandbits(128), version=4),
        )
        self.happened: Counter[str] = Counter()
        self.filed: list[Filed] = []
        self.never: dict[str, Manner] = {}
        self.cursors: dict[str, str] = {}
        self.last_outing: dict[str, dt.date] = {}
        self.handed_over: set[str] = set()
        self.seen_before: bytes | None = None
        self.handed_over_at = self.end

    def play(self) -> "Counter[str]":
        """Play month after month."""
        try:
            self.spot_check.plan_it(self.township.account(Role.CHIEF).area)
            waiting: list[Errand] = []
            for first in self._months():
                waiting = self._play_month(first, waiting)
            self._at(self.end)
        finally:
            for phone in self.phones.values():
                phone.close()
        self.happened |= self.spot_check.happened
        self.happened |= self.reviewing.happened
        self.happened["lost replies"] = sum(phone.lost for phone in self.phones.values())
        return self.happened

    def _months(self) -> Iterator[dt.date]:
        first = self.township.begin_on
        while first < self.end.date():
            yield first
            first = (first.replace(day=28) + dt.timedelta(days=10)).replace(day=1)

    def _play_month(self, first: dt.date, waiting: list[Errand]) -> list[Errand]:
        """Play what is filed within a month; returns what is filed later."""
        self._at(dt.datetime.combine(first, dt.time(8), SHANGHAI))
        lists = {one: self._worklist(self.phones[one]) for one in self.visitors}
        planned = plan_month(first, lists, self.chance, self.never)
        if not self.never:  # whom nobody met in the first month nobody meets in the second
            lonely = {one.item["person_id"]: one.manner for one in planned if one.manner in NOBODY_COMES}
            everybody = {
                item["person_id"]
                for rows in lists.values()
                for item in rows
                if "tekun_dispersed" in item["categories"]
            }
            planned_for = {one.item["person_id"] for one in planned}
            forgotten = sorted(everybody - planned_for)[:NEVER_SEEN]
            self.never = dict.fromkeys([*forgotten, *lonely], Manner.FORGOTTEN)
        following = (first.replace(day=28) + dt.timedelta(days=10)).replace(day=1)
        until = min(self.end, dt.datetime.combine(following, dt.time(), SHANGHAI))
        errands = sorted([*waiting, *planned], key=lambda one: one.filed_at)
        now = [one for one in errands if one.filed_at < until]
        day = first
        handed_over = first != self.township.begin_on
        for errand in now:
            while day < errand.filed_at.date():
                self._close_day(day)
                day += dt.timedelta(days=1)
                if not handed_over and day.day >= 12:
                    self._hand_over()
                    handed_over = True
            self._file(errand)
        while day < until.date():
            self._close_day(day)
            day += dt.timedelta(days=1)
        return [one for one in errands if one.filed_at >= until and one.filed_at < self.end]

    def _close_day(self, day: dt.date) -> None:
        """End a day at the township: now and then the reviewer goes through what came in."""
        self._at(dt.datetime.combine(day, CLOSING, SHANGHAI))
        if day.toordinal() % REVIEWED_EVERY_DAYS == 0:
            self._review()
        self.spot_check.close_day(day)

    def _file(self, errand: Errand) -> None:
        """Go out, record, send, send again what got no answer, and then the photos."""
        self._at(errand.filed_at)
        if errand.item["person_id"] in self.handed_over and errand.at > self.handed_over_at:
            errand = replace(errand, visitor=self.visitors[1])
        phone = self.phones[errand.visitor]
        self._look_at_list(errand.visitor, phone, errand.filed_at.date())
        photos = self._photos(errand)
        told = Told(
            item=errand.item,
            outcome=OUTCOMES.get(errand.manner, Outcome.MET),
            at=errand.at,
            visitors=self._surveyors(errand, phone),
            purposes=("review",) if errand.manner is Manner.REVIEW else ("routine",),
            photo_ids=photos,
            hazard=errand.manner is Manner.HAZARD,
        )
        record = written(told, self.chance)
        pictures = {photo: picture(self.chance) for photo in photos}
        if errand.manner is Manner.DOUBTFUL:
            doubtful(record, pictures, self.seen_before, self.happened["doubtful"])
            self.happened["doubtful"] += 1
        self.seen_before = self.seen_before or last_of(pictures)
        for declared in record["photos"]:
            declared["sha256"] = sha256(pictures[UUID(declared["id"])]).hexdigest()
        visit_id = self._new_id()
        self._put(phone, f"/visits/{visit_id}", record)
        for number, (photo, kind) in enumerate(photos.items()):
            if number and self.chance.random() < 0.08:
                self.happened["photos still owed"] += 1
                continue
            phone.lose_next = self.chance.random() < LOST
            sent = {"photo_id": str(photo), "kind": kind}
            phone.upload(f"/visits/{visit_id}/photos", sent, pictures[photo])
            self.happened["photos"] += 1
        self.filed.append(Filed(visit_id, errand, record))
        self.happened["not met" if record["absence"] else "visits"] += 1
        if errand.filed_at - errand.at > dt.timedelta(days=1):
            self.happened["filed late"] += 1

    def _put(self, phone: Phone, path: str, record: Mapping[str, Any]) -> Any:
        phone.lose_next = self.chance.random() < LOST
        return phone.put(path, record)

    def _look_at_list(self, visitor: str, phone: Phone, day: dt.date) -> None:
        """Look at the list in the morning of a day on which one goes out."""
        if self.last_outing.get(visitor) != day:
            self.last_outing[visitor] = day
            phone.get("/worklist", limit=20)

    def _surveyors(self, errand: Errand, phone: Phone) -> list[str]:
        mine = str(phone.worker["id"])
        if errand.manner is not Manner.REVIEW:
            return [mine]
        area = phone.worker["area"]
        return [
            mine,
            *(str(one.id) for one in self.township.accounts if one.area == area and str(one.id) != mine),
        ]

    def _photos(self, errand: Errand) -> dict[UUID, str]:
        kinds: list[str] = []
        if errand.manner is Manner.HAZARD:
            kinds = ["hazard"]
        elif errand.manner is Manner.DOUBTFUL:
            kinds = ["room"]
        elif errand.manner in {Manner.MET, Manner.FILED_LATE, Manner.REVIEW, Manner.CARELESS}:
            wanted = ["room", "house_out", *(["person"] if errand.item["photo_consent"] else [])]
            kinds = self.chance.sample(wanted, self.chance.choice([0, 1, 1, 2]))
        return {self._new_id(): kind for kind in kinds}

    def _review(self) -> None:
        """Accept most of what came in; return what is careless, void what is wrong; see to what was found."""
        waiting = self.reviewer.get("/visits", state="submitted", limit=100)["items"]
        revisions = {one["id"]: one["revision"] for one in waiting}
        to_accept: dict[str, int] = {}
        for filed in self.filed:
            revision = revisions.get(str(filed.visit_id))
            if revision is None:
                continue
            manner = Manner.MET if filed.errand.again else filed.errand.manner
            if manner is Manner.WRONG:
                self._send_off(filed, revision, "void", "走访对象填错，实际走访的是同村另一户。")
                self.happened["voided"] += 1
            elif manner is Manner.CARELESS:
                self._send_off(filed, revision, "return", "请补充本人近况和联系到的照料人情况。")
                self.happened["returned and corrected"] += 1
                self._correct(filed)
            elif manner is Manner.DOUBTFUL:
                continue  # still in the queue, with what was found about it
            elif manner is Manner.HAZARD or self.chance.random() >= LEFT_IN_QUEUE:
                to_accept[str(filed.visit_id)] = revision
        self.filed.clear()
        self.reviewing.accept(to_accept)
        self.reviewing.confirm()
        self.reviewing.see_to_problems()

    def _send_off(self, filed: Filed, revision: int, decision: str, reason: str) -> None:
        body = {"decision": decision, "reason": reason, "revision": revision}
        self.reviewer.post(f"/visits/{filed.visit_id}/decisions", body)

    def _correct(self, filed: Filed) -> None:
        """Read the reviewer's reason in what /sync brings, and send the corrected record."""
        phone = self.phones[filed.errand.visitor]
        returned = self._synced(filed.errand.visitor, phone, str(filed.visit_id))
        corrected = {**filed.record, "notes": "已当面补问：照料人每天来做饭，本人无其他需求。"}
        self._put(phone, f"/visits/{filed.visit_id}?revision={returned}", corrected)

    def _synced(self, visitor: str, phone: Phone, visit_id: str) -> int:
        revision = 0
        while True:
            cursor = self.cursors.get(visitor)
            delta = phone.get("/sync", **({"cursor": cursor} if cursor else {}))
            for item in delta["items"]:
                if item["kind"] == "visit" and item["id"] == visit_id and item["data"] is not None:
                    revision = int(item["data"]["revision"])
            self.cursors[visitor] = delta["next_cursor"]
            if not delta["has_more"]:
                return revision or int(phone.get(f"/visits/{visit_id}")["revision"])

    def _hand_over(self) -> None:
        """The chief hands some people from one visitor of a village to the other."""
        old, new = self.township.accounts[0], self.township.accounts[1]
        people = [one["person_id"] for one in self._worklist(self.phones[old.username])][:HANDED_OVER]
        self.handed_over, self.handed_over_at = set(people), self.played.clock()
        self.chief.post(
            "/people/hand-overs",
            {
                "id": str(self._new_id()),
                "from_worker": str(old.id),
                "to_worker": str(new.id),
                "person_ids": people,
                "reason": "工作分工调整",
            },
        )
        self.happened["handed over"] += len(people)

    def _worklist(self, phone: Phone) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = phone.get("/worklist", limit=200, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items

    def _at(self, instant: dt.datetime) -> None:
        self.played.clock.move_to(instant)
        whole = (self.end - self.begin).total_seconds()
        self.advance(min(1.0, max(0.0, (instant - self.begin).total_seconds() / whole)))

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)
