"""What others do to a photo between the moment when an upload reads it and the moment when it writes (PostgreSQL)."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Executable, delete, update
from sqlalchemy.orm import Session

from server.people.models import Person
from server.photos.models import Photo
from server.photos.terms import PhotoKind
from server.prepared import Prepared
from server.vault.models import StoredKey
from server.visits.models import Visit
from tests.conftest import Template
from tests.photos.sending import Scene, blobs, digest, picture, rows, send

Meanwhile = Callable[..., None]
pytestmark = pytest.mark.postgres


@pytest.fixture
def template(postgres_town: Template) -> Template:
    """Give PostgreSQL alone: on SQLite one transaction writes at a time, so nothing comes between."""
    return postgres_town


@pytest.fixture
def meanwhile(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Make a change once, in a transaction of its own, right after an upload sent the statement with these words."""
    run = Prepared._run
    waiting: list[tuple[str, Executable]] = []

    def then(self: Prepared, session: Session, *rows: Any) -> Any:
        done = run(self, session, *rows)
        if waiting and waiting[0][0] in done[0].text:
            with scene.world.house.engine.begin() as other:
                assert other.execute(waiting.pop()[1]).rowcount == 1
        return done

    def arrange(change: Executable, *, after: str = "AS photo_kind") -> None:
        monkeypatch.setattr(Prepared, "_run", then)
        waiting.append((after, change))

    return arrange


def is_stored(scene: Scene, photo: UUID, content: bytes) -> Executable:
    facts = {
        "sha256": hashlib.sha256(content).digest(),
        "blob_key": f"ab/{photo.hex}",
        "size": 1,
        "width": 1,
        "height": 1,
        "format": "jpeg",
        "received_at": scene.world.clock(),
    }
    return update(Photo).where(Photo.id == photo).values(facts)


def test_a_photo_whose_declaration_was_withdrawn_is_kept_beside_it(
    scene: Scene, meanwhile: Meanwhile
) -> None:
    photo = uuid4()
    visit = scene.record(photo)
    meanwhile(delete(Photo).where(Photo.id == photo))
    answer = send(scene.phone, visit, picture(), photo)
    assert (answer.status_code, answer.json["sha256"]) == (201, digest(picture()))
    [row] = rows(scene.world, photo)
    assert (row.declared, row.visit_id, row.size) == (False, visit, len(picture()))
    assert scene.original(photo) == picture()


def test_a_twin_that_was_quicker_is_the_answer_and_our_blob_goes(scene: Scene, meanwhile: Meanwhile) -> None:
    photo = uuid4()
    visit = scene.record(photo)
    meanwhile(is_stored(scene, photo, picture()))
    answer = send(scene.phone, visit, picture(), photo)
    assert (answer.status_code, answer.json["size"]) == (200, 1)
    assert blobs(scene.world) == []


def test_other_bytes_that_were_quicker_stay(scene: Scene, meanwhile: Meanwhile) -> None:
    photo = uuid4()
    visit = scene.record(photo)
    meanwhile(is_stored(scene, photo, b"others"))
    answer = send(scene.phone, visit, picture(), photo)
    assert (answer.status_code, answer.json["code"]) == (409, "photo_conflict")
    [row] = rows(scene.world, photo)
    assert row.blob_key == f"ab/{photo.hex}"
    assert blobs(scene.world) == []


def test_an_undeclared_id_that_another_visit_took_first_is_refused(
    scene: Scene, meanwhile: Meanwhile
) -> None:
    photo, taken = uuid4(), uuid4()
    elsewhere = scene.record(taken)
    meanwhile(update(Photo).where(Photo.id == taken).values(id=photo))
    answer = send(scene.phone, scene.visit, picture(), photo)
    assert (answer.status_code, answer.json["code"]) == (409, "photo_conflict")
    [row] = rows(scene.world, photo)
    assert (row.visit_id, row.blob_key) == (elsewhere, None)
    assert blobs(scene.world) == []


def test_a_photo_that_is_no_longer_declared_as_of_the_person_needs_their_consent(
    scene: Scene, meanwhile: Meanwhile
) -> None:
    photo, shy = uuid4(), scene.world.person(scene.visitor, consent=False)
    visit = scene.record(photo)
    with scene.world.work() as work:
        work.session.get_one(Visit, visit).person_id = shy
        work.session.get_one(Photo, photo).kind = PhotoKind.PERSON
    meanwhile(update(Photo).where(Photo.id == photo).values(kind=PhotoKind.ROOM))
    answer = send(scene.phone, visit, picture(), photo, kind="person")
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["kind"])
    assert blobs(scene.world) == []


def test_a_person_whose_data_were_erased_meanwhile_gets_no_photo(scene: Scene, meanwhile: Meanwhile) -> None:
    photo = uuid4()
    visit = scene.record(photo)

    with scene.world.work() as work:
        key_id = work.session.get_one(Person, scene.person).data_key_id
    gone = update(StoredKey).where(StoredKey.id == key_id).values(wrapped=None)
    meanwhile(gone, after="photos.claimed_sha256 \nFROM visits")
    answer = send(scene.phone, visit, picture(), photo)
    assert (answer.status_code, answer.json["code"]) == (404, "visit_not_found")
    assert blobs(scene.world) == []
