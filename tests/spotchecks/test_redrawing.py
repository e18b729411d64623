"""Anyone can draw again from what is published, with docs/redraw.py and nothing of ours; whatever was changed shows."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from server.permissions import Role
from tests.builders.world import GUANGDE, World
from tests.spotchecks.case import Case

DOCS = Path(__file__).parents[2] / "docs"
SCRIPT = DOCS / "redraw.py"
PLANS: list[dict[str, Any]] = [
    {},
    {"share": 30, "strata": ["village", "visitor", "category"]},
    {"number": 1, "strata": ["category"], "every_village": True},
    {"share": 50, "always": ["filed_late", "not_met", "urgent_problem", "death"]},
]


def redraw(folder: Path) -> tuple[int, str]:
    """Run the script as somebody else would: an interpreter, two files, no path to this project."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, folder / "proof.json", folder / "frame.csv"],
        cwd=folder,
        env={},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def published(case: Case, folder: Path) -> Path:
    for name in ("proof", "frame.csv"):
        answer = case.inspector.get(f"/spot-checks/plans/{case.plan}/{name}")
        assert answer.status_code == 200, answer.json
        (folder / (name if "." in name else f"{name}.json")).write_bytes(answer.data)
    return folder


@pytest.mark.parametrize("plan", PLANS)
def test_a_stranger_draws_the_same_sample(world: World, tmp_path: Path, plan: dict[str, Any]) -> None:
    case = Case(world)
    case.go(count=7, **plan)
    folder = published(case, tmp_path)
    code, said = redraw(folder)
    assert (code, said[:8]) == (0, "THE SAME"), said
    shown = case.inspector.get(f"/spot-checks/plans/{case.plan}").json
    assert hashlib.sha256((folder / "frame.csv").read_bytes()).hexdigest() == shown["frame_digest"] in said


def test_whatever_is_changed_shows(world: World, tmp_path: Path) -> None:
    case = Case(world)
    case.go(count=7, share=30, strata=["village"])
    folder = published(case, tmp_path)
    proof, frame = (folder / "proof.json").read_text(), (folder / "frame.csv").read_text()
    made = json.loads(proof)
    lines = frame.splitlines(keepends=True)
    drawn = {one["visit_id"] for one in made["sample"]}
    passed_over = next(line for line in lines[7:] if line[:36] not in drawn)
    swapped = json.loads(proof)
    swapped["sample"][0]["visit_id"] = passed_over[:36]
    shorter = {**made, "sample": made["sample"][:-1]}
    turned = {**made, "sample": made["sample"][::-1]}
    why = json.loads(proof)
    why["sample"][0]["why"] = "always"
    other_seed = {**made, "seed": "00" * 32}
    other_plan = {**made, "plan": {**made["plan"], "id": "00000000-0000-0000-0000-000000000007"}}
    changes: list[tuple[str, str]] = [
        (json.dumps(swapped), frame),
        (json.dumps(shorter), frame),
        (json.dumps(turned), frame),
        (json.dumps(why), frame),
        (json.dumps(other_seed), frame),
        (json.dumps(other_plan), frame),
        (json.dumps({**made, "seed": None}), frame),
        (json.dumps({**made, "commitment": "00" * 32}), frame),
        (proof, frame.replace(passed_over, "")),
        (proof, frame.replace("# share 30", "# share 31")),
        (proof, frame.replace("# strata village", "# strata visitor")),
        (proof, frame.replace("\n", "\r\n")),
        (proof, "".join([*lines[:7], *reversed(lines[7:])])),
    ]
    for changed_proof, changed_frame in changes:
        (folder / "proof.json").write_text(changed_proof)
        (folder / "frame.csv").write_text(changed_frame, newline="")
        code, said = redraw(folder)
        assert code != 0, (changed_proof[:200], said)
        assert "DIFFERENT" in said
    (folder / "proof.json").write_text(proof)
    (folder / "frame.csv").write_text(frame)
    assert redraw(folder)[0] == 0


def test_the_script_stands_alone_and_fits_a_page() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)) <= sys.stdlib_module_names
    assert sum(1 for line in text.splitlines() if line.strip()) <= 40


def test_what_is_published_names_nobody(world: World, tmp_path: Path) -> None:
    case = Case(world)
    case.go(count=3)
    folder = published(case, tmp_path)
    frame = (folder / "frame.csv").read_text()
    assert frame.isascii()
    head, *lines = [line for line in frame.splitlines() if not line.startswith("#")]
    assert head == "visit_id,village,visitor,category,always,revision"
    assert len(lines) == 6
    everything = frame + (folder / "proof.json").read_text()
    for person in case.visits.values():
        assert str(person) not in everything
    for secret in ("测试老人", "13900000001", "团山村1号"):
        assert secret not in everything


def test_the_auditor_may_check_a_draw_and_a_visitor_may_not(world: World) -> None:
    case = Case(world)
    case.go(count=2)
    auditor = world.phone(world.worker(Role.AUDITOR, GUANGDE))
    assert auditor.get(f"/spot-checks/plans/{case.plan}/frame.csv").status_code == 200
    assert auditor.get(f"/spot-checks/plans/{case.plan}/proof").status_code == 200
    visitor = world.phone(world.worker())
    assert visitor.get(f"/spot-checks/plans/{case.plan}/proof").status_code == 403


def test_before_the_frame_is_frozen_there_is_none_to_publish(world: World) -> None:
    case = Case(world)
    case.go("committed")
    assert case.inspector.get(f"/spot-checks/plans/{case.plan}/frame.csv").json["code"] == "not_frozen_yet"
    said = json.loads((DOCS / "openapi.json").read_text())["paths"]
    assert "409" in said["/api/v1/spot-checks/plans/{plan_id}/frame.csv"]["get"]["responses"]
    before = case.inspector.get(f"/spot-checks/plans/{case.plan}/proof").json
    assert (before["seed"], before["frame_digest"], before["sample"]) == (None, None, [])


def test_the_command_writes_the_same_files(world: World, tmp_path: Path) -> None:
    case = Case(world)
    case.go(count=3)
    done = world.app.test_cli_runner().invoke(args=["spot-checks", "export", str(case.plan), str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert redraw(tmp_path)[0] == 0
    assert (
        case.inspector.get(f"/spot-checks/plans/{case.plan}/frame.csv").data
        == (tmp_path / "frame.csv").read_bytes()
    )
