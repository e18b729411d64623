"""The TypeScript types compile, let right programs through and stop wrong ones: asked of the real compiler."""

import json
import subprocess
from pathlib import Path

import pytest

from server.http.typescript import typescript

pytestmark = pytest.mark.typescript

ROOT = Path(__file__).parents[2]
SECONDS = 300.0
STRICT = ("--strict", "--noEmit", "--target", "es2020", "--lib", "es2020,dom", "--module", "es2020")
PROGRAM = """\
import type { Operations, Problem, VisitIn, WorklistItemOut } from "./api";

type Call<Name extends keyof Operations> = Operations[Name];

/** What a mini-program would build around wx.request. */
declare function call<Name extends keyof Operations>(
  name: Name, query: Call<Name>["query"], body: Call<Name>["body"],
): Promise<Call<Name>["answer"]>;

export async function visitTheFirst(worker: string): Promise<string[] | Problem> {
  const page = await call("get_worklist", { limit: 1 }, undefined);
  const owed: WorklistItemOut = page.items[0];
  const late: boolean = owed.duty.state === "overdue" && owed.duty.days_overdue > 0;
  const visit: VisitIn = {
    person_id: owed.person_id,
    method: "home",
    purposes: ["routine"],
    outcome: "met",
    identity_checked_by: "known",
    occurred_at: "2026-03-05T09:12:00+08:00",
    client_created_at: "2026-03-05T09:12:04+08:00",
    visitors: [worker],
    location: { latitude: 30.8931, longitude: 119.4172, accuracy_m: 25, datum: "gcj02" },
    answers: { food: "adequate", medicine_have: "not_asked" },
    conclusion: late ? "attention" : "normal",
  };
  const stored = await call("put_visit", { revision: 1 }, visit);
  return stored.photo_debt;
}
"""


WRONG = [
    ('outcome: "met"', 'outcome: "seen"', "'\"seen\"' is not assignable"),
    ("purposes: [", "purposses: [", "'purposses' does not exist"),
    ("    visitors: [worker],\n", "", "Property 'visitors' is missing"),
    ('datum: "gcj02"', 'datum: "GCJ-02"', "'\"GCJ-02\"' is not assignable"),
    ("accuracy_m: 25", 'accuracy_m: "25"', "'string' is not assignable to type 'number"),
    ('"overdue"', '"late"', "have no overlap"),
    ('call("get_worklist", { limit: 1 }', 'call("get_worklist", { page: 1 }', "'page' does not exist"),
    ('call("put_visit"', 'call("put_visits"', "'\"put_visits\"' is not assignable"),
    ("stored.photo_debt", "stored.photos_owed", "'photos_owed' does not exist"),
    ("owed.duty.days_overdue > 0", 'owed.last_visit.outcome === "met"', "possibly 'null'"),
]


def test_right_programs_compile_and_wrong_ones_do_not(tmp_path: Path) -> None:
    spec = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    (tmp_path / "api.d.ts").write_text(typescript(spec), encoding="utf-8")
    programs = {"right.ts": PROGRAM}
    for number, (right, wrong, _) in enumerate(WRONG):
        assert PROGRAM.count(right) == 1
        programs[f"wrong{number}.ts"] = PROGRAM.replace(right, wrong)
    for name, program in programs.items():
        (tmp_path / name).write_text(program, encoding="utf-8")
    done = subprocess.run(
        ["tsc", *STRICT, "api.d.ts", *programs],
        cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    errors: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith(" "):  # what the error above means
            errors[name].append(line)
        else:
            name = line.partition("(")[0]
            errors.setdefault(name, []).append(line)
    assert "right.ts" not in errors, errors["right.ts"]
    assert "api.d.ts" not in errors, errors["api.d.ts"]
    for number, (_, wrong, said) in enumerate(WRONG):
        assert any(said in line for line in errors.get(f"wrong{number}.ts", ())), (wrong, done.stdout)
