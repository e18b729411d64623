"""A photo that was used before is found, whatever was done to its file; another one is not."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from PIL import Image

from server.photos.imaging import examine
from server.photos.intake import LIMITS
from server.photos.likeness import alike, picture, shows_nothing
from tests.evidence.conftest import HOME, Township
from tests.evidence.pictures import CHANGES, a_picture, drawn, jpeg
from tests.photos.sending import send

YESTERDAY = {
    "occurred_at": "2026-03-04T09:12:00+08:00",
    "ended_at": "2026-03-04T09:31:00+08:00",
    "client_created_at": "2026-03-04T09:31:04+08:00",
}


def kept(file: bytes) -> Image.Image:
    return picture(examine(file, limits=LIMITS).likeness)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_file_is_found_as_the_same_picture(
    township: Township, change: Callable[[Image.Image], bytes]
) -> None:
    first = township.record(township.person(**HOME), **YESTERDAY)
    second = township.record(township.person(**HOME))
    for visit, file in ((first, a_picture(1)), (second, change(drawn(1)))):
        assert send(township.phone, visit, file, uuid4()).status_code == 201
    found = township.findings(second)["photo_near_duplicate"]
    assert found["severity"] == "warning"
    assert found["evidence"]["matches"][0]["other_visit"] == str(first)
    assert township.findings(first)["photo_near_duplicate"]["severity"] == "notice"


def test_other_pictures_are_no_match(township: Township) -> None:
    visits = [township.record(township.person(**HOME)) for _ in range(8)]
    for number, visit in enumerate(visits):
        assert send(township.phone, visit, a_picture(100 + number), uuid4()).status_code == 201
    for visit in visits:
        assert "photo_near_duplicate" not in township.findings(visit)


def test_pictures_that_show_nothing_are_not_compared(township: Township) -> None:
    dark = jpeg(Image.new("RGB", (640, 480), (12, 12, 12)))
    darker = jpeg(Image.new("RGB", (600, 480), (8, 8, 8)))
    assert shows_nothing(kept(dark))
    visits = [township.record(township.person(**HOME)) for _ in range(2)]
    for visit, file in zip(visits, (dark, darker), strict=True):
        assert send(township.phone, visit, file, uuid4()).status_code == 201
    assert "photo_near_duplicate" not in township.findings(visits[1])


def test_unrelated_pictures_are_far_from_alike() -> None:
    pictures = [kept(a_picture(number)) for number in range(200, 212)]
    for at, one in enumerate(pictures):
        assert alike(one, one) > 0.999
        assert all(alike(one, other) < 0.6 for other in pictures[:at])


def test_a_photo_of_a_withdrawn_visit_may_be_sent_again(township: Township) -> None:
    person = township.person(**HOME)
    wrong, right = township.record(person, **YESTERDAY), township.record(person)
    for visit in (wrong, right):
        assert send(township.phone, visit, a_picture(2), uuid4()).status_code == 201
    assert township.findings(right)["photo_same_bytes"]["severity"] == "warning"
    body = {"decision": "withdraw", "revision": 1, "reason": "填错了"}
    assert township.phone.post(f"/visits/{wrong}/decisions", body).status_code == 201
    assert "photo_same_bytes" not in township.findings(right)
