"""How long a backup and a restore take: `python -m bench.restoring [--visits 100000] [--photo-kb 30] [--postgres]`.

Fills a database and a folder with visits that have one photo each, backs them up with `flask backup`, takes everything
away, restores with `flask restore` into an empty place, and prints what both commands say. Needs about four times the
photos' size in the temporary folder (`TMPDIR`).
"""

import argparse
import base64
import datetime as dt
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from bench.population import Visitor, populate
from bench.server import ROOT
from server.app import create_app
from server.db import unit_of_work
from server.http.parts import Parts
from server.ledger.sealer import seal
from server.ledger.work import Work
from server.people.models import Person
from server.photos.models import Photo
from server.photos.terms import PhotoKind
from server.schema import upgrade
from server.settings import Settings
from server.vault.blobs import seal_bytes
from server.vault.fields import DataKey
from server.vault.keyring import Keyring
from server.visits.models import Visit
from server.visits.terms import Method, Outcome, VisitState
from tests.engines.postgres import postgres

EACH = 20
"""Visits a person."""
BATCH = 2000


def main() -> None:
    """Measure once, and print the figures as JSON."""
    asked = argparse.ArgumentParser(prog="python -m bench.restoring", description="backup and restore")
    asked.add_argument("--visits", type=int, default=100_000)
    asked.add_argument("--photo-kb", type=int, default=30)
    asked.add_argument("--postgres", action="store_true")
    told = asked.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-restore-")))
        place, empty = folder / "place", folder / "empty"
        for one in (place, empty):
            (one / "uploads").mkdir(parents=True)
        environment = {
            "DATABASE_URL": f"sqlite:///{place}/app.sqlite",
            "STORAGE_URL": f"file://{place}/uploads",
            "KEYRING": Keyring.generate().to_json(),
            "SECRET_KEY": "only for benchmarks, and long enough for them",
            "BACKUP_URL": f"file://{folder}/backup",
            "BACKUP_KEYS_URL": f"file://{folder}/backup-of-keys",
            "BACKUP_KEY": base64.b64encode(os.urandom(32)).decode(),
        }
        target = {"DATABASE_URL": f"sqlite:///{empty}/app.sqlite", "STORAGE_URL": f"file://{empty}/uploads"}
        if told.postgres:
            server = stack.enter_context(postgres(settings={"wal_level": "logical"}))
            environment["DATABASE_URL"], target["DATABASE_URL"] = server.new_database(), server.new_database()
        began = time.monotonic()
        fill(environment, place / "uploads", told.visits, told.photo_kb * 1000)
        figures: dict[str, Any] = {
            "engine": "postgresql" if told.postgres else "sqlite",
            "visits": told.visits,
            "photo_kb": told.photo_kb,
            "filled_in": round(time.monotonic() - began, 1),
        }
        figures["backup_seconds"], figures["backup"] = _timed(environment, "backup")
        figures["second_backup_seconds"], _ = _timed(environment, "backup")
        shutil.rmtree(place)
        figures["restore_seconds"], figures["restore"] = _timed({**environment, **target}, "restore")
        print(json.dumps(figures, indent=1, ensure_ascii=False))


def _timed(environment: dict[str, str], command: str) -> tuple[float, Any]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", command],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return round(time.monotonic() - began, 1), json.loads(done.stdout)


def fill(environment: dict[str, str], uploads: Path, visits: int, photo_bytes: int) -> None:
    """Fill an empty database and folder, set-wise; each visit has a photo and their lines in the ledger."""
    app = create_app(
        Settings(
            database_url=environment["DATABASE_URL"],
            storage_url=environment["STORAGE_URL"],
            keyring=environment["KEYRING"],
            secret_key=environment["SECRET_KEY"],
        )
    )
    house: Parts = app.extensions["parts"]
    upgrade(house.engine)
    visitors = populate(house, people=max(20, visits // EACH))
    whose = [(person, visitor) for visitor in visitors for person in visitor.people]
    for first in range(0, visits, BATCH):
        _add(house, uploads, whose, range(first, min(visits, first + BATCH)), photo_bytes)
        with unit_of_work(house.sessions) as session:
            seal(session)
    os.sync()
    house.engine.dispose()


def _add(
    house: Parts, uploads: Path, whose: list[tuple[UUID, Visitor]], numbers: range, photo_bytes: int
) -> None:
    rows: list[dict[str, Any]] = []
    photos: list[dict[str, Any]] = []
    mine = {number: whose[number % len(whose)] for number in numbers}
    with unit_of_work(house.sessions) as session:
        work = house.work(session)
        people = {
            person.id: person
            for start in range(0, len(mine), 500)
            for person in session.scalars(
                select(Person).where(
                    Person.id.in_([one for one, _ in list(mine.values())[start : start + 500]])
                )
            )
        }
        keys = house.keys.fetch(session, {person.data_key_id for person in people.values()})
        for number, (person_id, visitor) in mine.items():
            person = people[person_id]
            key = keys[person.data_key_id]
            rows.append(_visit(work, number, person, visitor, key))
            photos.append(_photo(work, uploads, rows[-1]["id"], person, key, photo_bytes))
        session.execute(insert(Visit), rows)
        session.execute(insert(Photo), photos)
        work.close()


def _visit(work: Work, number: int, person: Person, visitor: Visitor, key: DataKey) -> dict[str, Any]:
    visit_id = work.new_id()
    at = work.now - dt.timedelta(hours=number % 9000)
    private = json.dumps({"notes": "老人精神好，家中整洁，已嘱咐按时服药。" * 3}, ensure_ascii=False)
    work.tell("visit.recorded", "visit", visit_id, person_id=person.id, key=key, payload={"number": number})
    return {
        "id": visit_id,
        "person_id": person.id,
        "village_code": person.village_code,
        "recorder_id": visitor.worker,
        "method": Method.HOME,
        "outcome": Outcome.MET,
        "occurred_at": at,
        "received_at": at,
        "counted_since": at,
        "clock_skew_s": 0,
        "filed_late": False,
        "counts": True,
        "in_person": True,
        "state": VisitState.SUBMITTED,
        "revision": 1,
        "body_revision": 1,
        "fingerprint": work.tools.random_bytes(32),
        "open_body": {"answers": {"food": "adequate", "medicine_have": "not_asked"}, "purposes": ["routine"]},
        "private_sealed": key.seal(private, table="visits", column="private_sealed", row=visit_id),
        "answered": 2,
        "answers_required": 2,
        "revised_at": at,
    }


def _photo(
    work: Work, uploads: Path, visit_id: UUID, person: Person, key: DataKey, photo_bytes: int
) -> dict[str, Any]:
    photo_id, content = work.new_id(), work.tools.random_bytes(photo_bytes)
    name = work.tools.random_bytes(20).hex()
    folder = uploads / name[:2] / name[2:4]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name[4:]).write_bytes(seal_bytes(content, key, photo_id.bytes))
    work.tell("photo.stored", "photo", photo_id, person_id=person.id, payload={"size": photo_bytes})
    return {
        "id": photo_id,
        "visit_id": visit_id,
        "person_id": person.id,
        "village_code": person.village_code,
        "kind": PhotoKind.ROOM,
        "declared": True,
        "ordinal": 0,
        "received_at": work.now,
        "sha256": hashlib.sha256(content).digest(),
        "size": photo_bytes,
        "format": "JPEG",
        "width": 640,
        "height": 480,
        "dhash": 0,
        "blob_key": f"{name[:2]}/{name[2:4]}/{name[4:]}",
        "data_key_id": key.key_id,
    }


if __name__ == "__main__":
    main()
