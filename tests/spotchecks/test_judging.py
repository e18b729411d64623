"""Checks are judged by somebody else than who carried them out, and told in numbers (DOMAIN §7, §12.24)."""

import threading

from tests.builders.world import Phone
from tests.spotchecks.case import ANSWERS, Case


def test_a_person_judges_beside_what_is_proposed(case: Case, given: str) -> None:
    case.submit(given, case.reviewer)
    own = case.chief.put(
        f"/spot-checks/{given}/checker", {"worker_id": str(case.chief.actor.worker_id), "revision": 3}
    )
    assert own.json["code"] == "check_step_not_possible"  # it was carried out already
    unsaid = case.judge(given, case.chief, "minor", reason="")
    assert (unsaid.status_code, list(unsaid.json["errors"])) == (422, ["reason"])
    stale = case.judge(given, case.chief, "pass", revision=1)
    assert stale.json["code"] == "stale_revision"
    judged = case.judge(given, case.chief, "pass", reason="")
    assert (judged.status_code, judged.json["state"], judged.json["result"]) == (201, "judged", "pass")
    assert judged.json["rectification_id"] is None
    again = case.judge(given, case.inspector, "major")
    assert (again.status_code, again.json["code"]) == (409, "check_step_not_possible")


def test_nobody_judges_their_own_back_check(case: Case) -> None:
    case.assign(case.chief)
    check = str(case.checks()[0]["id"])
    case.submit(check, case.chief)
    refused = case.judge(check, case.chief, "pass")
    assert (refused.status_code, refused.json["code"]) == (403, "own_back_check")
    assert case.judge(check, case.reviewer, "pass").status_code == 403
    assert case.judge(check, case.inspector, "pass").status_code == 201


def test_a_visit_that_is_denied_goes_to_an_inquiry_and_is_judged_after_it(case: Case, given: str) -> None:
    denied = case.submit(given, case.reviewer, recall="denied", recalled_on=None, answers={})
    assert denied.json["tries"][0]["proposed"] == "needs_inquiry"
    early = case.judge(given, case.chief, "needs_inquiry", rectify={"what": "补访"})
    assert early.status_code == 422
    assert case.judge(given, case.chief, "needs_inquiry", reason="").json["state"] == "inquiry"
    judged = case.judge(given, case.inspector, "pass", reason="本人失智，邻居证实走访人员来过")
    assert (judged.json["state"], judged.json["result"]) == ("judged", "pass")
    assert [one["result"] for one in judged.json["judgements"]] == ["needs_inquiry", "pass"]


def test_two_judges_at_once_leave_one_judgement(case: Case, given: str) -> None:
    case.submit(given, case.reviewer)
    seen = case.chief.get(f"/spot-checks/{given}").json["revision"]
    statuses: list[int] = []
    ready = threading.Barrier(2)

    def judge(phone: Phone, result: str) -> None:
        ready.wait(30)
        sent = {"result": result, "revision": seen, "reason": "看法"}
        statuses.append(phone.post(f"/spot-checks/{given}/judgements", sent).status_code)

    threads = [
        threading.Thread(target=judge, args=one, daemon=True)
        for one in ((case.chief, "pass"), (case.inspector, "minor"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [201, 409]


def test_rates_are_told_by_question_and_kind_with_their_numbers_and_never_by_worker(case: Case) -> None:
    case.assign(case.reviewer)
    checks = [str(one["id"]) for one in case.checks(case.reviewer, mine="true")]
    for number, check in enumerate(checks):
        answers = {**ANSWERS, "water": "well" if number < 2 else "tap"}
        assert case.submit(check, case.reviewer, answers=answers).status_code == 201
    case.judge(checks[0], case.chief, "minor")
    case.judge(checks[5], case.chief, "pass")
    answer = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary", by="village")
    summed = answer.json
    water = next(one for one in summed["questions"] if one["question"] == "water")
    assert (water["compared"], water["differing"], water["share"]) == (8, 2, 0.25)
    assert 0 < water["low"] < 0.25 < water["high"] < 1
    first = next(one for one in summed["kinds"] if one["kind"] == "type_1")
    assert (first["compared"], first["differing"]) == (32, 2)
    assert {one["part"]: one["drawn"] for one in summed["parts"]} == {
        one.area_code: 4 for one in case.visitors
    }
    assert (summed["by_chance"]["minor"], summed["by_chance"]["pass"]) == (1, 1)
    assert summed["recall"]["confirmed"] == 8
    for worker in [*case.visitors, case.reviewer.actor, case.chief.actor, case.inspector.actor]:
        assert str(worker.worker_id) not in answer.text
        assert worker.name not in answer.text
    refused = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary", by="visitor")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["by"])


def test_a_summary_without_anything_compared_claims_nothing(case: Case) -> None:
    summed = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary").json
    assert summed["questions"] == []
    assert all(one["share"] is one["low"] is one["high"] is None for one in summed["kinds"])
    assert summed["states"]["drawn"] == 8
    assert summed["parts"] == []
