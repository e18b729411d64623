"""What a reviewer asks for at 100,000 archives and 1,000,000 visits: the queue by every filter, and problems."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg

from bench import measuring
from bench.measuring import Figure, Plan
from bench.store import TOWNSHIP, Size, plain, serving, store
from server.permissions import Role

PEOPLE = 100_000
VISITS_EACH = 10

CORRECTED = """
UPDATE visits SET body_revision = 2, revision = 2
WHERE state = 'submitted' AND (id::text LIKE '%00' OR id::text LIKE '%10')
"""
"""One in a hundred of what waits was corrected."""
ACCEPTED_ONCE = """
UPDATE visits SET first_accepted_by = recorder_id, first_accepted_revision = revision + 1, revision = revision + 1
WHERE state = 'submitted' AND first_accepted_by IS NULL AND id::text LIKE '%20'
"""
PROBLEMS = """
INSERT INTO problems (id, person_id, visit_id, visit_revision, village_code, code, severity, fixed_on_site, restricted,
    state, stage, due_on, found_at, raised_at, closed_at)
SELECT gen_random_uuid(), person_id, id, 1, village_code, 'old_wiring', 'high', false, false,
    CASE WHEN is_open THEN 'open' ELSE 'fixed' END, CASE WHEN is_open THEN 'open' ELSE 'closed' END,
    occurred_at::date + 7, occurred_at, received_at,
    CASE WHEN is_open THEN NULL ELSE received_at + interval '5 days' END
FROM (SELECT *, id::text LIKE '%0' AS is_open FROM visits WHERE id::text LIKE '%0_' OR id::text LIKE '%1_') AS found
WHERE NOT EXISTS (SELECT 1 FROM problems)
"""
"""One visit in eight found something, and most of it is closed."""
FINDINGS = """
INSERT INTO findings (id, visit_id, person_id, code, severity, evidence, rule_version, found_at)
SELECT gen_random_uuid(), id, person_id, CASE WHEN id::text LIKE '%ff' THEN 'notes_copied' ELSE 'fence_outside' END,
    'notice', '{}', '1', received_at
FROM visits WHERE id::text LIKE '%f_' AND NOT EXISTS (SELECT 1 FROM findings)
"""
"""One visit in sixteen has a finding, of one kind mostly."""
PREPARE = (
    CORRECTED,
    ACCEPTED_ONCE,
    PROBLEMS,
    FINDINGS,
    "DELETE FROM evidence_pending",
    "ANALYZE visits",
    "ANALYZE problems",
    "ANALYZE findings",
)


def reviewing(plan: Plan) -> list[Figure]:
    """Read the queue and the lists of problems as a township's chief and the county's inspector do, with 8 clients."""
    with store(Size(PEOPLE, VISITS_EACH, 12, people_each=300), plan.keep) as kept:
        with psycopg.connect(plain(kept.environment["DATABASE_URL"])) as connection:
            village, recorder = _prepared(connection)
        chief, inspector = kept.tokens[Role.CHIEF], kept.tokens[Role.COUNTY_INSPECTOR]
        with serving(kept, plan.shape) as server:
            jobs = _jobs(chief, inspector, village, recorder)
            return [
                figure
                for name, job in jobs.items()
                for figure in measuring.measure(server, replace(plan, clients=(8,)), name, dict(job))
            ]


def _prepared(connection: "psycopg.Connection[Any]") -> tuple[str, str]:
    connection.execute("SET session_replication_role = replica")
    for statement in PREPARE:
        connection.execute(statement)
    connection.commit()
    row = connection.execute(
        "SELECT village_code, recorder_id FROM visits"
        " WHERE state = 'submitted' AND substr(village_code, 1, 9) = %s LIMIT 1",
        (TOWNSHIP,),
    ).fetchone()
    assert row is not None
    return str(row[0]), str(row[1])


def _jobs(chief: str, inspector: str, village: str, recorder: str) -> Mapping[str, Mapping[str, Any]]:
    asked = {
        "the queue of a township": (chief, "/reviews/queue?limit=50"),
        "the queue of a village": (chief, f"/reviews/queue?limit=50&village={village}"),
        "the queue with a common finding": (chief, "/reviews/queue?limit=50&finding=fence_outside"),
        "the queue with a rare finding": (chief, "/reviews/queue?limit=50&finding=notes_copied"),
        "the queue of one recorder": (chief, f"/reviews/queue?limit=50&worker={recorder}"),
        "what was corrected": (chief, "/reviews/queue?limit=50&part=resubmitted"),
        "what waits for a second": (chief, "/reviews/queue?limit=50&part=awaiting_second"),
        "what was returned": (chief, "/reviews/queue?limit=50&part=returned"),
        "the next record": (chief, "/reviews/next"),
        "problems of a township": (chief, "/problems?limit=50"),
        "problems of a village": (chief, f"/problems?limit=50&village={village}"),
        "closed problems of a township": (chief, "/problems?limit=50&state=closed"),
        "overdue problems of the county": (inspector, "/problems?limit=50&overdue=true"),
        "my problems, a chief's": (chief, "/problems?limit=50&mine=true"),
    }
    return {name: {"deed": "read", "targets": [list(one)]} for name, one in asked.items()}
