"""Many rows of the index of looks at once, as one statement with one parameter or two (server/ledger/models.py, `Look`).

A look is (the person's id in 32 hex digits, position). SQLite finds no index for a list of pairs, so pairs are joined.
"""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

Pair = tuple[str, int]
_ARRAYS = "unnest(CAST(:people AS uuid[]), CAST(:seqs AS bigint[])) AS given(person_id, seq)"
_WRITE = {
    "postgresql": text(f"INSERT INTO ledger_looks (person_id, seq) SELECT * FROM {_ARRAYS}"),  # noqa: S608
    "sqlite": text(
        "INSERT INTO ledger_looks (person_id, seq) SELECT value ->> 0, value ->> 1 FROM json_each(:looks)"
    ),
}
_FIND = {
    "postgresql": text(f"SELECT person_id, seq FROM {_ARRAYS} JOIN ledger_looks USING (person_id, seq)"),  # noqa: S608
    "sqlite": text(
        "SELECT person_id, seq FROM json_each(:looks) AS given CROSS JOIN ledger_looks"
        " ON person_id = given.value ->> 0 AND seq = given.value ->> 1"
    ),
}


def write(session: Session, looks: Sequence[Pair]) -> None:
    """Write looks; a page of a list names fifty people."""
    name = session.get_bind().dialect.name
    session.execute(_WRITE[name], _values(name, looks))


def indexed(session: Session, looks: Sequence[Pair]) -> set[Pair]:
    """Say which of some looks are in the index."""
    name = session.get_bind().dialect.name
    rows = session.execute(_FIND[name], _values(name, looks))
    return {(one.hex if isinstance(one, UUID) else str(one), seq) for one, seq in rows}


def _values(name: str, looks: Sequence[Pair]) -> dict[str, Any]:
    if name == "sqlite":
        return {"looks": json.dumps(looks)}
    people, seqs = (",".join(str(one[place]) for one in looks) for place in (0, 1))
    return {"people": f"{{{people}}}", "seqs": f"{{{seqs}}}"}
