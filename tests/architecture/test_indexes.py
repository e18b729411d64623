"""Everything about one person is found by an index over all its rows: a file costs the same in a large county."""

from sqlalchemy import Table
from sqlalchemy.sql.schema import Column

from server.tables import METADATA

BY_ANOTHER_WAY = {
    "blind_reviews": "by their visit",
    "escalations": "by their duty",
    "photos": "by their visit",
    "visit_marks": "by their visit",
    "problem_escalations": "by their problem",
}


def test_every_table_about_a_person_finds_them_by_an_index() -> None:
    lacking = [
        table.name
        for table in METADATA.sorted_tables
        if "person_id" in table.c and table.name not in BY_ANOTHER_WAY and not _leads(table, "person_id")
    ]
    assert not lacking, f"no index over all rows begins with person_id: {lacking}"


def test_what_is_found_by_another_way_has_that_way() -> None:
    assert _leads(METADATA.tables["escalations"], "duty_id")
    assert _leads(METADATA.tables["photos"], "visit_id")
    assert _leads(METADATA.tables["visit_marks"], "visit_id")
    assert _leads(METADATA.tables["blind_reviews"], "visit_id")
    assert _leads(METADATA.tables["problem_escalations"], "problem_id")


def _leads(table: Table, name: str) -> bool:
    """Say whether an index over all rows, or the primary key, begins with a column."""
    over_all = [
        list(index.expressions)
        for index in table.indexes
        if index.dialect_options["postgresql"].get("where") is None
    ]
    keys = [list(table.primary_key.columns)]
    return any(
        isinstance(first[0], Column) and first[0].name == name for first in (*over_all, *keys) if first
    )
