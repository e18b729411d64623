"""What was backed up while the service went on comes back whole in an empty place, and checks itself (TRUST §1)."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from server.db import unit_of_work
from server.keeping.catalogue import Archives, chosen, generations
from server.keeping.following import Generation, Places, follow
from server.ledger import sealer
from server.people.models import Person
from server.visits.models import Visit
from tests.keeping.conftest import RESTORED, done, everything, refused, restored_world, said
from tests.photos.sending import Scene, blobs, lines, picture, send

EmptyPlace = Callable[..., Flask]


def test_what_was_backed_up_comes_back_whole(app: Flask, scene: Scene, empty_place: EmptyPlace) -> None:
    photo = scene.stored(picture())
    assert scene.phone.get(f"/photos/{photo}", size="thumb").status_code == 200
    with scene.world.work() as work:
        sealer.seal(work.session)
    backed_up = done(app, "backup")
    assert backed_up["photos_copied"] == 3
    fresh = empty_place()
    report = done(fresh, "restore", "--photos", "1")
    assert report["check"]["faults"] == []
    assert report["generation"] == backed_up["generation"] == said(app, "backups").stdout.strip()
    assert report["photos"] == 3
    assert report["check"]["photos"] == {"named": 1, "missing": 0, "read": 1, "ok": 1}
    assert report["check"]["keys"]["opened"] > 0
    assert everything(fresh) == everything(app)
    again = restored_world(fresh, scene.world)
    assert backed_up["generation"] in str([line.payload for line in lines(again, RESTORED)])
    assert blobs(again) == blobs(scene.world)
    there = Scene.__new__(Scene)
    there.world = again
    assert there.original(photo) == picture()


def test_a_restored_service_goes_on_working(app: Flask, scene: Scene, empty_place: EmptyPlace) -> None:
    done(app, "backup")
    fresh = empty_place()
    done(fresh, "restore")
    token, actor = scene.phone.token, scene.visitor
    from tests.builders.world import Phone

    phone = Phone(fresh, token, actor)
    assert phone.put(f"/visits/{uuid4()}", scene.body()).status_code == 201
    with (
        pytest.raises(Exception, match=r"append|ledger|only"),
        unit_of_work(fresh.extensions["parts"].sessions) as session,
    ):
        session.execute(text("UPDATE ledger_events SET action = 'x'"))
    with unit_of_work(fresh.extensions["parts"].sessions) as session:
        assert sealer.seal(session) > 0


def test_what_is_committed_after_the_base_comes_back_with_the_next_tick(
    app: Flask, scene: Scene, generation: Generation, empty_place: EmptyPlace
) -> None:
    for _ in range(3):
        scene.stored(picture())
        scene.record()
        assert generation.tick()
    with scene.world.work() as work:
        sealer.seal(work.session)  # rows are deleted, too
        work.session.get_one(Person, scene.person).name = "改名老人"
        work.session.get_one(Person, scene.person).phone_sealed = None
    before = everything(app)
    assert generation.tick()
    scene.record()  # too late
    report = done(fresh := empty_place(), "restore", "--photos", "1")
    assert report["changes"] == 4
    assert report["check"]["faults"] == []
    assert report["check"]["photos"]["read"] == 3
    assert everything(fresh) == before


def test_a_quiet_service_is_said_to_be_quiet_once_a_minute(scene: Scene, generation: Generation) -> None:
    generation.tick()
    number = generation.number
    assert not generation.tick()
    scene.world.clock.move(seconds=61)
    assert generation.tick()
    assert not generation.tick()
    assert generation.number == number + 1


def test_an_earlier_instant_can_be_asked_for(
    app: Flask, scene: Scene, generation: Generation, empty_place: EmptyPlace
) -> None:
    visits = []
    for _ in range(3):
        scene.world.clock.move(minutes=5)
        visits.append(scene.record())
        generation.tick()
        instant = scene.world.clock()
    fresh = empty_place()
    until = (instant - dt.timedelta(minutes=1)).isoformat()
    report = done(fresh, "restore", "--until", until)
    assert report["check"]["faults"] == []
    assert dt.datetime.fromisoformat(report["restored_until"]) == instant - dt.timedelta(minutes=5)
    with unit_of_work(fresh.extensions["parts"].sessions) as session:
        there = set(session.scalars(select(Visit.id)))
    assert {*visits[:2], scene.visit} == there
    assert "没有早于这个时刻的备份" in refused(
        empty_place(), "restore", "--until", "2020-01-01T00:00:00+08:00"
    )


def test_following_loses_nothing_while_phones_write_and_begins_anew_each_night(
    app: Flask, scene: Scene, places: Places, archives: Archives, empty_place: EmptyPlace
) -> None:
    stop, heard = Event(), []
    follower = Thread(target=follow, args=(places, 0.2, heard.append, stop))
    follower.start()
    try:
        for number in range(30):
            scene.visit = scene.record()
            send(scene.phone, scene.visit, picture(), uuid4())
            if number == 15:
                scene.world.clock.move(days=1)
                scene.phone = scene.world.phone(scene.visitor)
    finally:
        stop.set()
        follower.join(60)
    assert not follower.is_alive()
    assert [line for line in heard if "interrupted" in line] == []
    assert {line.removeprefix("generation ") for line in heard} <= set(generations(archives))
    fresh = empty_place()
    report = done(fresh, "restore", "--photos", "1")
    assert report["check"]["faults"] == []
    with scene.world.work() as work:
        sealer.seal(work.session)  # a restore does so, too
    assert everything(fresh) == everything(app)


def test_the_generation_that_reaches_furthest_is_restored(
    app: Flask, scene: Scene, places: Places, archives: Archives, empty_place: EmptyPlace
) -> None:
    old = Generation(places)
    scene.world.clock.move(hours=16)
    scene.phone = scene.world.phone(scene.visitor)
    new = Generation(places)  # made beside the old one, which goes on
    scene.world.clock.move(minutes=1)
    scene.record()
    old.tick()
    assert chosen(archives, None) == old.name
    fresh = empty_place()
    assert done(fresh, "restore")["check"]["faults"] == []
    with unit_of_work(fresh.extensions["parts"].sessions) as session:
        assert len(session.scalars(select(Visit.id)).all()) == 2
    scene.world.clock.move(minutes=1)
    new.tick()
    assert chosen(archives, None) == new.name
    assert chosen(archives, None, scene.world.clock() - dt.timedelta(seconds=30)) == old.name
    old.close()
    new.close()


def test_a_new_day_begins_a_new_generation(scene: Scene, generation: Generation) -> None:
    assert not generation.is_due(scene.world.clock())
    scene.world.clock.move(hours=14.9)  # from noon to six minutes before three
    assert not generation.is_due(scene.world.clock())
    scene.world.clock.move(hours=0.2)
    assert generation.is_due(scene.world.clock())


def test_a_photo_that_was_never_copied_is_copied_by_the_next_backup_and_none_twice(
    app: Flask, scene: Scene, tmp_path: Path
) -> None:
    first = scene.stored(picture())
    assert done(app, "backup")["photos_copied"] == 1
    assert done(app, "backup")["photos_copied"] == 0
    scene.stored(picture(6))
    assert done(app, "backup")["photos_copied"] == 1
    kept = [file for file in (tmp_path / "backup" / "photos").rglob("*") if file.is_file()]
    assert len(kept) == 2
    assert scene.original(first) == picture()
