"""Photos come out small, upright and bare to those who may see the visit; originals to few, and on record (CONTRACT §5)."""

import io
from uuid import uuid4

import pytest
from PIL import Image

from server.accounts.managing import disable, grant
from server.permissions import Role
from tests.builders.world import GUANGDE, QIANCUN, SHENGPING, Phone
from tests.photos.builders import SECRET, segments
from tests.photos.sending import Scene, digest, lines, picture

WIDE = (2400, 1200)
FAR = "341882102"


def reviewer(scene: Scene, role: Role = Role.REVIEWER, area: str = SHENGPING) -> Phone:
    return scene.world.phone(scene.world.worker(role, area))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_small_pictures_are_upright_and_without_metadata(scene: Scene, orientation: int) -> None:
    photo = scene.stored(picture(orientation, WIDE))
    for size, box in (("thumb", (320, 160)), ("screen", (1600, 800))):
        answer = scene.phone.get(f"/photos/{photo}", size=size)
        assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
        assert SECRET not in answer.data
        markers = {marker for marker, _ in segments(answer.data)}
        assert not markers & {0xFE, *range(0xE1, 0xF0)}
        with Image.open(io.BytesIO(answer.data)) as shown:
            assert shown.size == box
            red, green = shown.getpixel((box[0] // 4, 10)), shown.getpixel((3 * box[0] // 4, 10))
        assert red[0] > red[1] + 40
        assert green[1] > green[0] + 40
        assert scene.phone.get(f"/photos/{photo}", size=size).data == answer.data


def test_the_screen_size_is_the_usual_one_and_small_photos_are_not_enlarged(scene: Scene) -> None:
    photo = scene.stored(picture())
    with Image.open(io.BytesIO(scene.phone.get(f"/photos/{photo}").data)) as shown:
        assert shown.size == (640, 480)
    assert scene.phone.get(f"/photos/{photo}", size="huge").status_code == 422


def test_an_answer_with_a_picture_stays_private_and_is_never_a_page(scene: Scene) -> None:
    photo = scene.stored(picture())
    for phone, size in ((scene.phone, "thumb"), (scene.phone, "screen"), (reviewer(scene), "original")):
        answer = phone.get(f"/photos/{photo}", size=size)
        assert answer.headers["Cache-Control"].split(",")[0] == "private"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.content_type == "image/jpeg"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_originals_are_for_those_who_may_and_leave_a_line(scene: Scene) -> None:
    photo = scene.stored(picture())
    inspector = reviewer(scene, Role.COUNTY_INSPECTOR, GUANGDE)
    for phone in (scene.phone, inspector):
        answer = phone.get(f"/photos/{photo}", size="original")
        assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
        assert phone.get(f"/photos/{photo}/link", size="original").status_code == 403
    assert lines(scene.world, "photo.original_read") == []
    for role in (Role.REVIEWER, Role.CHIEF):
        phone = reviewer(scene, role)
        answer = phone.get(f"/photos/{photo}", size="original")
        assert (answer.status_code, digest(answer.data)) == (200, digest(picture()))
        line = lines(scene.world, "photo.original_read", photo)[-1]
        assert (line.actor_id, line.person_id, line.changes) == (phone.actor.worker_id, scene.person, False)


def test_who_does_not_see_the_visit_does_not_find_its_photos(scene: Scene) -> None:
    photo = scene.stored(picture())
    outside = [
        scene.world.phone(scene.world.worker(area=QIANCUN)),
        reviewer(scene, area=FAR),
    ]
    for phone in outside:
        for path in (f"/photos/{photo}", f"/photos/{photo}/link"):
            answer = phone.get(path, size="thumb")
            assert (answer.status_code, answer.json["code"]) == (404, "not_found")
        assert lines(scene.world, "refused.out_of_sight")[-1].actor_id == phone.actor.worker_id
    assert len(lines(scene.world, "refused.out_of_sight")) == 4
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert reviewer(scene, role, GUANGDE).get(f"/photos/{photo}").status_code == 403
    assert scene.phone.get(f"/photos/{uuid4()}").status_code == 404
    assert scene.world.app.test_client().get(f"/api/v1/photos/{photo}").status_code == 401


def test_a_photo_that_has_not_arrived_is_not_found(scene: Scene) -> None:
    owed = uuid4()
    scene.record(owed)
    assert scene.phone.get(f"/photos/{owed}").status_code == 404


def test_a_signed_link_opens_one_picture_for_ten_minutes_without_a_header(scene: Scene) -> None:
    photo = scene.stored(picture())
    link = scene.phone.get(f"/photos/{photo}/link", size="thumb").json
    assert link["expires_at"] == "2026-03-05T12:10:00+08:00"
    browser = scene.world.app.test_client()
    answer = browser.get(link["url"])
    assert (answer.status_code, answer.content_type) == (200, "image/jpeg")
    assert answer.data == scene.phone.get(f"/photos/{photo}", size="thumb").data
    assert [line.actor_id for line in lines(scene.world, "photo.read")] == [scene.visitor.worker_id] * 2
    scene.world.clock.move(minutes=10)
    assert browser.get(link["url"]).status_code == 200
    scene.world.clock.move(seconds=1)
    late = browser.get(link["url"])
    assert (late.status_code, late.json["code"]) == (401, "not_signed_in")


def test_a_changed_link_is_refused(scene: Scene) -> None:
    photo, other = scene.stored(picture()), scene.stored(picture(3))
    url = scene.phone.get(f"/photos/{photo}/link", size="thumb").json["url"]
    base, _, signed = url.rpartition("=")
    changed = [
        url.replace("size=thumb", "size=original"),
        url.replace("size=thumb", "size=screen"),
        url.replace(str(photo), str(other)),
        url.replace(str(scene.visitor.worker_id), str(scene.world.boss.worker_id)),
        url.replace("expires=1", "expires=2"),
        f"{base}={signed[:-1]}{'0' if signed[-1] != '0' else '1'}",
        f"{base}={'0' * 64}",
    ]
    browser = scene.world.app.test_client()
    assert browser.get(url).status_code == 200
    for one in changed:
        assert one != url
        answer = browser.get(one)
        assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")
    assert browser.get(base.rpartition("&")[0]).status_code == 401
    nonsense = [f"{base}=x", f"{base}={'签' * 64}", f"/api/v1/photos/{photo}?signature={signed}"]
    assert [browser.get(one).status_code for one in nonsense] == [422, 422, 422]


def test_a_link_dies_with_its_worker(scene: Scene) -> None:
    photo = scene.stored(picture())
    url = scene.phone.get(f"/photos/{photo}/link").json["url"]
    with scene.world.work(scene.world.boss) as work:
        disable(work, scene.visitor.worker_id)
    answer = scene.world.app.test_client().get(url)
    assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


def test_a_link_reaches_no_further_than_its_worker_does_today(scene: Scene) -> None:
    photo = scene.stored(picture())
    moved = reviewer(scene)
    urls = [phone.get(f"/photos/{photo}/link").json["url"] for phone in (moved, scene.phone)]
    with scene.world.work(scene.world.boss) as work:
        grant(work, moved.actor.worker_id, Role.REVIEWER, FAR)
        grant(work, scene.visitor.worker_id, Role.AUDITOR, GUANGDE)
    browser = scene.world.app.test_client()
    assert [browser.get(url).status_code for url in urls] == [404, 403]
    [line] = lines(scene.world, "refused.out_of_sight")
    assert line.actor_id == moved.actor.worker_id
