"""Plays the township's side of the records: acceptance of many and of one, second pairs of eyes, and problems to closure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random  # noqa: TID251  (lent with its seed)
from typing import Any

from demo.phone import Phone

SENT_BACK = 0.25
"""Which part of the answers about problems does not satisfy whoever checks them."""
LEFT_OPEN = 0.2
"""Which part of the problems nobody has got round to yet."""
MOST = 100


class Reviewing:
    """The reviewer, the chief as the second pair of eyes, and the visitors with what they have to put right."""

    def __init__(self, reviewer: Phone, chief: Phone, visitors: Mapping[str, Phone], chance: Random) -> None:
        self.reviewer, self.chief, self.visitors, self.chance = reviewer, chief, visitors, chance
        self.happened: Counter[str] = Counter()

    def accept(self, waiting: Mapping[str, int]) -> None:
        """Accept many at once; what has findings or needs two is opened and looked at by itself."""
        if not waiting:
            return
        items = [{"visit_id": one, "revision": revision} for one, revision in waiting.items()]
        results = self.reviewer.post("/reviews/acceptances", {"items": items})["items"]
        self.happened["accepted at once"] += sum(one["accepted"] for one in results)
        for one in results:
            if not one["accepted"]:
                self.reviewer.get(f"/visits/{one['visit_id']}/comparison")
                self._decide(self.reviewer, one["visit_id"], one["revision"])
                self.happened["accepted one by one"] += 1

    def confirm(self) -> None:
        """The chief confirms what needs two, and looks again at what the month's seed drew."""
        for one in self.chief.get("/reviews/queue", part="awaiting_second", limit=MOST)["items"]:
            self._decide(self.chief, one["id"], one["revision"])
            self.happened["confirmed by a second"] += 1
        for one in self.chief.get("/reviews/second-looks", limit=MOST)["items"]:
            self.chief.post(f"/visits/{one['id']}/second-look", {"decision": "accept", "reason": None})
            self.happened["looked at again, blind"] += 1

    def see_to_problems(self) -> None:
        """Check what was answered, then let those who have problems in hand say what they did."""
        for one in self._listed(self.reviewer, state="answered"):
            if "reopen" in self._steps(one) or self.chance.random() >= SENT_BACK:
                self._step(self.reviewer, one, "close", "已电话核实，问题解决。")
                self.happened["problems closed"] += 1
            else:
                self._step(self.reviewer, one, "reopen", "照片看不出已更换，请补拍。")
                self.happened["problems sent back"] += 1
        for phone in self.visitors.values():
            for one in self._listed(phone, mine="true"):
                if one["state"] in {"open", "in_progress", "reopened"} and self.chance.random() >= LEFT_OPEN:
                    self._step(phone, one, "answer", "已请电工更换线路并加装漏电保护。")

    def _decide(self, by: Phone, visit_id: str, revision: int) -> None:
        by.post(f"/visits/{visit_id}/decisions", {"decision": "accept", "reason": None, "revision": revision})

    def _listed(self, phone: Phone, **query: Any) -> Sequence[dict[str, Any]]:
        found: Sequence[dict[str, Any]] = phone.get("/problems", limit=MOST, **query)["items"]
        return found

    def _steps(self, problem: dict[str, Any]) -> set[str]:
        return {one["step"] for one in self.reviewer.get(f"/problems/{problem['id']}")["steps"]}

    def _step(self, by: Phone, problem: dict[str, Any], step: str, note: str) -> None:
        by.post(
            f"/problems/{problem['id']}/steps",
            {"step": step, "revision": problem["revision"], "note": note},
        )
