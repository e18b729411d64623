"""The story of a spot check: planned and committed to, drawn by two offices, carried out, put right, and proved by a stranger."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select

from server.ledger.models import Event
from server.permissions import Role
from tests.builders.world import GUANGDE, SHENGPING, World
from tests.spotchecks.case import ANSWERS, SEED, Case, commitment

REDRAW = Path(__file__).parents[2] / "docs" / "redraw.py"


def test_from_a_sealed_seed_to_a_closed_rectification(world: World, tmp_path: Path) -> None:
    case = Case(world)

    # In March the chief plans April; the county's inspector throws dice at home and sends only the commitment.
    planned = case.make(strata=["village"], share=30, always=["not_met", "filed_late"])
    assert (planned.status_code, planned.json["rules"]["every"]) == (201, ["visitor", "village"])
    assert case.commit(value=commitment(case.plan)).json["seed_kept_here"] is False

    # In April the villages are visited as ever; nobody can know who will be asked.
    case.at("2026-04-09T12:00:00+08:00")
    case.visit(5)

    # In May the chief freezes the frame, and only then the inspector reveals the seed.
    case.at("2026-05-06T10:00:00+08:00")
    assert case.draw().json["code"] == "seed_too_early"
    frozen = case.freeze().json
    assert (frozen["state"], frozen["frame_size"], frozen["seed"]) == ("frozen", 10, None)
    drawn = case.draw(SEED).json
    assert (drawn["state"], drawn["drawn_count"]) == ("drawn", 4)

    # The visitor's sister works at the township: she is kept out of his visits, the rest is shared evenly.
    sister, brother = case.reviewer.actor.worker_id, case.visitors[0].worker_id
    related = {"worker_id": str(sister), "relation": "sibling", "relative_id": str(brother)}
    assert case.chief.put(f"/kinships/{uuid4()}", related).status_code == 201
    assert case.assign().json == {"assigned": 4, "unassigned": 0, "reasons": []}
    hands = Counter(one["checker"]["id"] for one in case.checks())
    assert max(hands.values()) - min(hands.values()) <= 1
    mine = case.checks(case.reviewer, mine="true")
    assert {one["village"]["code"] for one in mine} <= {case.visitors[1].area_code}

    # Each checker takes the worksheet along, calls, and files what was said; one call is answered at the second try.
    phones = {str(one.actor.worker_id): one for one in (case.chief, case.reviewer, case.inspector)}
    for number, check in enumerate(case.checks()):
        checker = phones[check["checker"]["id"]]
        sheet = checker.get(f"/spot-checks/plans/{case.plan}/worksheet").json
        assert check["id"] in {one["id"] for one in sheet["items"]}
        if number == 0:
            nobody = {
                "recall": "unreachable", "spoke_to": "nobody", "answers": {}, "recalled_on": None, "who_came": None,
            }  # fmt: skip
            assert case.submit(check["id"], checker, **nobody).json["state"] == "assigned"
        changed = {"water": "well", "living_with": "children", "money_received": "no"} if number == 1 else {}
        sent, name = {"answers": {**ANSWERS, **changed}}, uuid4()
        assert case.submit(check["id"], checker, name, **sent).status_code == 201
        assert case.submit(check["id"], checker, name, **sent).status_code == 200  # the answer was lost

    # A head of checks who did not carry it out judges; what is proposed is only that.
    for check in case.checks():
        judge = (
            case.inspector if check["checker"]["id"] != str(case.inspector.actor.worker_id) else case.chief
        )
        seen = judge.get(f"/spot-checks/{check['id']}").json
        proposed = seen["tries"][-1]["proposed"]
        rectify = {"rectify": {"what": "请上门核实用水和居住情况后补正"}} if proposed == "major" else {}
        judged = case.judge(check["id"], judge, proposed, **rectify)
        assert judged.status_code == 201, judged.json
    summed = case.inspector.get(f"/spot-checks/plans/{case.plan}/summary").json
    assert (summed["by_chance"]["pass"], summed["by_chance"]["major"]) == (3, 1)
    water = next(one for one in summed["questions"] if one["question"] == "water")
    assert (water["compared"], water["differing"], water["kind"]) == (4, 1, "type_1")

    # The worker is told, lets it rest too long, answers; another looks again, the inspector closes.
    (open_one,) = case.inspector.get("/rectifications").json["items"]
    owner = next(one for one in case.visitors if str(one.worker_id) == open_one["owner"]["id"])
    case.at("2026-05-30T10:00:00+08:00")
    late = world.app.test_cli_runner().invoke(args=["spot-checks", "escalate"])
    assert late.output.strip() == '{"step_1": 1, "step_2": 1}'
    phone = case.phone(owner)
    told = phone.get("/rectifications").json["items"][0]
    assert (told["what"], told["days_late"], told["escalated"]) == ("请上门核实用水和居住情况后补正", 9, 2)
    steps = [
        ("answer", phone, "已上门，用水改为井水，已补正"),
        ("recheck", case.reviewer, "电话核实，情况属实"),
        ("close", case.inspector, "同意销号"),
    ]
    for revision, (step, by, text) in enumerate(steps, told["revision"]):
        taken = by.post(
            f"/rectifications/{told['id']}/steps", {"step": step, "revision": revision, "text": text}
        )
        assert taken.status_code == 201, taken.json
    closed = case.chief.get(f"/rectifications/{told['id']}").json
    assert (closed["state"], [one["step"] for one in closed["steps"]]) == (
        "closed", ["notify", "answer", "recheck", "close"],
    )  # fmt: skip

    # An auditor hands two files to a stranger, who draws the same sample.
    auditor = world.phone(world.worker(Role.AUDITOR, GUANGDE))
    for name, path in (("proof.json", "proof"), ("frame.csv", "frame.csv")):
        (tmp_path / name).write_bytes(auditor.get(f"/spot-checks/plans/{case.plan}/{path}").data)
    done = subprocess.run(
        [sys.executable, "-I", REDRAW, tmp_path / "proof.json", tmp_path / "frame.csv"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("THE SAME: 4 visits")

    # And the ledger tells the story in this order.
    with world.work() as work:
        wanted = select(Event.action).where(Event.subject_kind == "spot_check_plan", Event.changes)
        told_of = work.session.scalars(wanted.where(Event.subject_id == case.plan).order_by(Event.id)).all()
        about = Counter(
            work.session.scalars(select(Event.action).where(Event.subject_id == UUID(told["id"])))
        )
    assert told_of == ["spot_check.planned", "spot_check.committed", "spot_check.frozen", "spot_check.drawn"]
    assert about["rectification.escalated"] == 2
    assert planned.json["area_code"] == SHENGPING
