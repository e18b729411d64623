"""Whoever was erased stays erased, whatever backup is restored, and the ledger still verifies (TRUST §1, §2)."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from server.db import unit_of_work
from server.http.parts import Parts
from server.keeping import catalogue
from server.keeping.catalogue import Archives, generations, new_generation, piece_name, prune
from server.keeping.erasing import ERASED
from server.keeping.following import Places
from server.ledger import sealer
from server.ledger.models import Event
from server.people.models import Person
from tests.keeping.conftest import done
from tests.photos.sending import Scene, picture

EmptyPlace = Callable[..., Flask]


def erase(scene: Scene) -> UUID:
    """Destroy the person's key as lawful erasure does, with its line in the ledger."""
    with scene.world.work() as work:
        person = work.session.get_one(Person, scene.person)
        work.keys.destroy(work.session, person.data_key_id)
        work.tell("person.erased", "person", person.id, person_id=person.id)
        return person.data_key_id


def key_is_gone(app: Flask, key_id: UUID) -> bool:
    house: Parts = app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        return house.keys.fetch_one(session, key_id) is None


@pytest.mark.parametrize("keys_of_after", [True, False])
def test_an_older_backup_does_not_bring_back_who_was_erased(
    app: Flask, scene: Scene, empty_place: EmptyPlace, archives: Archives, tmp_path: Path, keys_of_after: bool
) -> None:
    scene.stored(picture())
    other = scene.world.person(scene.visitor)
    with scene.world.work() as work:
        sealer.seal(work.session)
        kept_key = work.session.get_one(Person, other).data_key_id
    older = done(app, "backup")["generation"]
    key_id = erase(scene)
    scene.world.clock.move(hours=1)
    newer = done(app, "backup")["generation"]
    if not keys_of_after:
        # The keys of after the erasure are lost, too: only the list of erasures knows.
        for kind in (archives.keys, archives.records, archives.ticks):
            catalogue._delete_all(kind, newer)
    fresh = empty_place()
    report = done(fresh, "restore", "--generation", older, "--photos", "1")
    assert report["check"]["faults"] == []
    assert report["erasures_replayed"] == (0 if keys_of_after else 1)
    assert report["check"]["photos"]["named"] == 0
    assert key_is_gone(fresh, key_id)
    assert not key_is_gone(fresh, kept_key)
    house: Parts = fresh.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        person = session.get_one(Person, scene.person)
        assert (person.name, person.phone_sealed) == (
            ERASED,
            None,
        )  # what older records had in the clear goes, too
        replayed = session.scalars(select(Event.subject_id).where(Event.action == "erasure.replayed")).all()
    assert replayed == ([] if keys_of_after else [key_id])


def test_without_an_erasure_the_same_restore_can_be_read(
    app: Flask, scene: Scene, empty_place: EmptyPlace
) -> None:
    photo = scene.stored(picture())
    done(app, "backup")
    report = done(fresh := empty_place(), "restore", "--photos", "1")
    assert report["check"]["photos"] == {"named": 1, "missing": 0, "read": 1, "ok": 1}
    with scene.world.work() as work:
        key_id = work.session.get_one(Person, scene.person).data_key_id
    assert not key_is_gone(fresh, key_id)
    assert photo


def test_no_copy_of_a_data_key_is_older_than_thirty_days_and_records_stay(
    places: Places, scene: Scene, archives: Archives
) -> None:
    begin = dt.datetime(2026, 1, 1, 19, 0, tzinfo=dt.UTC)
    for day in range(70):
        name = new_generation(begin + dt.timedelta(days=day), bytes(4))
        for archive in (archives.records, archives.keys):
            archive.put_bytes(piece_name(name, 0), b"content")
        archives.ticks.put_bytes(catalogue.tick_name(name, 0), b"{}")
    now = begin + dt.timedelta(days=69, hours=1)
    prune(archives, now)
    copies = [catalogue.began(name.partition("/")[0]) for name in archives.keys.names()]
    assert now - min(copies) <= dt.timedelta(days=30)
    assert len(copies) == 30
    kept = generations(archives)
    assert [name[:8] for name in kept[:3]] == ["20260101", "20260201", "20260209"]
    assert len(kept) == 31 + 2
    assert sorted({name.partition("/")[0] for name in archives.records.names()}) == kept
    assert prune(archives, now) == []
    cut_off = new_generation(now - dt.timedelta(days=1), bytes(4))
    archives.keys.put_bytes(piece_name(cut_off, 0), b"half a base")
    assert prune(archives, now) == []
    assert prune(archives, now + dt.timedelta(days=1, seconds=1))[-1] == f"unfinished {cut_off}"


def test_the_newest_generation_stays_however_old(places: Places, scene: Scene, archives: Archives) -> None:
    from server.keeping.following import back_up_once

    back_up_once(places)
    assert prune(archives, scene.world.clock() + dt.timedelta(days=400)) == []
    assert len(generations(archives)) == 1
    assert list(archives.keys.names()) != []


def test_records_and_keys_lie_apart_and_nothing_can_be_read_without_the_backup_key(
    app: Flask, scene: Scene, tmp_path: Path
) -> None:
    done(app, "backup")
    house: Parts = app.extensions["parts"]
    with unit_of_work(house.sessions) as session:
        person = session.get_one(Person, scene.person)
        secrets_of_it = ["测试老人".encode(), str(person.phone_sealed).encode(), person.file_no.encode()]
    secrets_of_it += [b"data_keys", b"CREATE TABLE", b"w1.k1."]
    places_of_it = {}
    for place in ("backup", "backup-of-keys"):
        files = [file for file in (tmp_path / place).rglob("*") if file.is_file()]
        places_of_it[place] = {file.relative_to(tmp_path / place).parts[0] for file in files}
        for file in files:
            content = file.read_bytes()
            assert not [one for one in secrets_of_it if one in content]
    assert places_of_it == {"backup": {"ticks", "records"}, "backup-of-keys": {"keys"}}
