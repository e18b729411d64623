"""`/readyz` names the part that is not ready; a schema that a later version added to is no reason to stop serving."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from server.http.parts import Parts


def parts_of(app: Flask) -> tuple[int, dict[str, str]]:
    answer = app.test_client().get("/readyz")
    assert answer.json is not None
    return answer.status_code, answer.json["parts"]


def test_all_is_ready(app: Flask) -> None:
    assert parts_of(app) == (200, {"database": "ok", "schema": "ok", "storage": "ok"})


@pytest.mark.parametrize(
    ("revision", "status", "schema"), [("0001", 503, "behind"), ("9999", 200, "ahead"), (None, 503, "behind")]
)
def test_a_schema_is_behind_or_ahead(
    app: Flask, house: Parts, revision: str | None, status: int, schema: str
) -> None:
    with house.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:one)"), {"one": revision})
    assert parts_of(app) == (status, {"database": "ok", "schema": schema, "storage": "ok"})


def test_a_store_that_cannot_be_written_is_named(app: Flask, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "uploads")
    assert parts_of(app) == (503, {"database": "ok", "schema": "ok", "storage": "not writable"})
