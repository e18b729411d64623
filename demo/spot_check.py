"""Plays a spot check of the first month: committed to on its eve, drawn by two offices after it, put right and closed."""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any
from uuid import UUID

from demo.phone import Phone
from server.permissions import Role
from server.tools import SHANGHAI
from server.visits.answers import NOT_ASKED, QUESTIONS

SEED_BYTES = 32
DRAWN, CHECKED, JUDGED, PUT_RIGHT = 1, 2, 3, 5
"""On which day of the following month each part is played."""
CHANGED = 4
"""How many stable answers differ in the one check that finds a major problem."""


class SpotCheck:
    """A plan of the chief, a seed that the county's inspector keeps at home, and what comes of both.

    `phones` are by user name; `offices` name the chief's, the reviewer's and the inspector's.
    """

    def __init__(
        self,
        first: dt.date,
        phones: Mapping[str, Phone],
        offices: Mapping[Role, str],
        chance: Random,
        plan: UUID,
    ) -> None:
        self.first, self.phones, self.chance, self.plan = first, phones, chance, plan
        self.chief, self.reviewer, self.inspector = (
            phones[offices[role]] for role in (Role.CHIEF, Role.REVIEWER, Role.COUNTY_INSPECTOR)
        )
        self.seed = chance.randbytes(SEED_BYTES)
        self.happened: Counter[str] = Counter()

    def plan_it(self, area: str) -> None:
        """On the eve: the chief plans, the inspector commits to a seed that never left their hands."""
        sent = {
            "area_code": area,
            "period": f"{self.first:%Y-%m}",
            "strata": ["village"],
            "always": ["death", "urgent_problem"],
        }
        self.chief.put(self._path(), sent)
        commitment = hashlib.sha256(self.seed + self.plan.bytes).hexdigest()
        self.inspector.post(self._path("/commitment"), {"commitment": commitment})

    def close_day(self, day: dt.date) -> None:
        """Do what is due on a day of the month after."""
        after = (self.first.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
        if (day.year, day.month) != (after.year, after.month):
            return
        deeds = {DRAWN: self._draw, CHECKED: self._check, JUDGED: self._judge, PUT_RIGHT: self._put_right}
        if day.day in deeds:
            deeds[day.day]()

    def _draw(self) -> None:
        self.chief.post(self._path("/frame"), {})
        drawn = self.inspector.post(self._path("/draw"), {"seed": self.seed.hex()})
        self.happened["spot checks"] = drawn["drawn_count"]
        self.chief.post(self._path("/assignments"), {})

    def _check(self) -> None:
        """Each checker calls; in one case much is told otherwise, in one nobody is said to have come."""
        told_otherwise = denied = False
        for check in self._checks("assigned"):
            checker = self._phone_of(check["checker"]["id"])
            form = checker.get(f"/spot-checks/{check['id']}")
            reader = self.inspector if checker is not self.inspector else self.chief
            seen = reader.get(f"/spot-checks/{check['id']}")
            visit = reader.get(f"/visits/{seen['visit_id']}")
            asked = {one["name"] for one in form["questions"]}
            answers = {
                name: answer
                for name, answer in visit["answers"].items()
                if name in asked and answer not in {NOT_ASKED, None} and not isinstance(answer, list)
            }
            stable = [
                one["name"] for one in form["questions"] if one["kind"] == "type_1" and one["name"] in answers
            ]
            sent: dict[str, Any] = {
                "check_id": check["id"],
                "method": "call_back",
                "occurred_at": self._now(CHECKED),
                "spoke_to": "person",
                "recall": "confirmed",
                "recalled_on": visit["occurred_at"][:10],
                "who_came": "村里的干部",
            }
            if len(stable) >= CHANGED and not told_otherwise:
                told_otherwise = True
                answers |= {name: _another(name, answers[name]) for name in stable[:CHANGED]}
            elif not denied:
                denied = True
                sent |= {
                    "recall": "denied",
                    "recalled_on": None,
                    "who_came": None,
                    "notes": "听力差，答非所问",
                }
                answers = {}
            checker.put(f"/spot-checks/back-checks/{self._new_id()}", sent | {"answers": answers})

    def _judge(self) -> None:
        for check in self._checks("checked"):
            judge = (
                self.inspector if self._phone_of(check["checker"]["id"]) is not self.inspector else self.chief
            )
            seen = judge.get(f"/spot-checks/{check['id']}")
            proposed = seen["tries"][-1]["proposed"]
            path = f"/spot-checks/{check['id']}/judgements"
            sent: dict[str, Any] = {"result": proposed, "revision": seen["revision"], "reason": "经核实"}
            if proposed == "major":
                sent["rectify"] = {"what": "请上门逐项核对后补正记录。"}
            after = judge.post(path, sent)
            if proposed == "needs_inquiry":
                said = {"result": "pass", "revision": after["revision"], "reason": "邻居证实走访人员来过。"}
                judge.post(path, said)

    def _put_right(self) -> None:
        """The worker answers, the reviewer looks again, the inspector closes."""
        for one in self.inspector.get("/rectifications", plan_id=str(self.plan))["items"]:
            owner = self._phone_of(one["owner"]["id"])
            revision = one["revision"]
            for by, step, text in (
                (owner, "answer", "已上门逐项核对，记录已补正。"),
                (self.reviewer, "recheck", "电话核实，情况属实。"),
                (self.inspector, "close", "同意销号。"),
            ):
                path = f"/rectifications/{one['id']}/steps"
                by.post(path, {"step": step, "revision": revision, "text": text})
                revision += 1
            self.happened["rectified"] += 1

    def _checks(self, state: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        query: dict[str, object] = {"plan_id": str(self.plan), "state": state, "limit": 200}
        while True:
            page = self.inspector.get("/spot-checks", **query)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            query["cursor"] = page["next_cursor"]

    def _phone_of(self, worker_id: str) -> Phone:
        return next(phone for phone in self.phones.values() if str(phone.worker.get("id")) == worker_id)

    def _now(self, day: int) -> str:
        after = (self.first.replace(day=28) + dt.timedelta(days=4)).replace(day=day)
        return dt.datetime.combine(after, dt.time(17), SHANGHAI).isoformat()

    def _path(self, rest: str = "") -> str:
        return f"/spot-checks/plans/{self.plan}{rest}"

    def _new_id(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128), version=4)


def _another(name: str, answer: Any) -> Any:
    """Give another answer that the question takes."""
    if isinstance(answer, bool):
        return not answer
    vocabulary = QUESTIONS[name].vocabulary
    assert vocabulary is not None
    return next(word.value for word in vocabulary if word.value != answer)
