"""Photos go in once, whole and unchanged, and say plainly why when they don't (CONTRACT §5)."""

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from server.permissions import Role
from server.photos.models import Photo
from tests.builders.world import QIANCUN
from tests.photos.builders import NOT_PHOTOS, encoded, heic, phone_jpeg, png_with_text
from tests.photos.builders import scene as drawn
from tests.photos.sending import Scene, blobs, digest, files, form, lines, picture, rows, send

MIB = 1024 * 1024


def test_a_photo_is_stored_once_and_the_answer_names_the_servers_own_figures(scene: Scene) -> None:
    data, photo = picture(6), uuid4()
    first = send(scene.phone, scene.visit, data, photo, kind="bed", taken_at="2026-03-05T09:20:00+08:00")
    assert first.status_code == 201, first.json
    assert first.json == {
        "id": str(photo),
        "visit_id": str(scene.visit),
        "kind": "bed",
        "taken_at": "2026-03-05T09:20:00+08:00",
        "received_at": "2026-03-05T12:00:00+08:00",
        "sha256": digest(data),
        "size": len(data),
        "format": "jpeg",
        "width": 640,
        "height": 480,
        "photo_debt": [],
    }
    again = send(scene.phone, scene.visit, data, photo)
    assert (again.status_code, again.json) == (200, first.json)
    assert len(rows(scene.world, photo)) == len(blobs(scene.world)) == 1
    assert len(lines(scene.world, "photo.stored", photo)) == 1
    assert scene.original(photo) == data


def test_other_bytes_under_a_stored_id_are_refused_and_the_first_stay(scene: Scene) -> None:
    data = picture()
    photo = scene.stored(data)
    other = send(scene.phone, scene.visit, picture(3), photo)
    assert (other.status_code, other.json["code"]) == (409, "photo_conflict")
    broken = send(scene.phone, scene.visit, b"no photo at all", photo)
    assert (broken.status_code, broken.json["code"]) == (409, "photo_conflict")
    assert scene.original(photo) == data
    assert len(blobs(scene.world)) == 1


def test_the_id_of_another_visits_photo_is_refused(scene: Scene) -> None:
    declared = uuid4()
    scene.record(declared)
    answer = send(scene.phone, scene.visit, picture(), declared)
    assert (answer.status_code, answer.json["code"]) == (409, "photo_conflict")
    photo = scene.stored(picture())
    elsewhere = send(scene.phone, scene.record(), picture(), photo)
    assert (elsewhere.status_code, elsewhere.json["code"]) == (409, "photo_conflict")


def test_the_visit_comes_first(scene: Scene) -> None:
    visit, photo = uuid4(), uuid4()
    early = send(scene.phone, visit, picture(), photo)
    assert (early.status_code, early.json["code"]) == (404, "visit_not_found")
    assert blobs(scene.world) == []
    assert scene.phone.put(f"/visits/{visit}", scene.body(photo)).status_code == 201
    assert send(scene.phone, visit, picture(), photo).status_code == 201


def test_an_undeclared_photo_is_added_to_the_visit(scene: Scene) -> None:
    photo = scene.stored(picture(), kind="stove_food")
    [row] = rows(scene.world, photo)
    assert (row.visit_id, row.kind, row.declared, row.person_id) == (
        scene.visit, "stove_food", False, scene.person,
    )  # fmt: skip
    assert scene.debt() == []


def test_photo_debt_is_shown_until_each_declared_photo_has_arrived(scene: Scene) -> None:
    first, second = uuid4(), uuid4()
    visit = scene.record(first, second)
    assert scene.debt(visit) == [str(first), str(second)]
    assert send(scene.phone, visit, picture(), second).json["photo_debt"] == [str(first)]
    assert scene.debt(visit) == [str(first)]
    assert send(scene.phone, visit, picture(3), first).json["photo_debt"] == []
    assert scene.debt(visit) == []


def test_a_digest_that_does_not_fit_is_refused_wherever_it_was_said(scene: Scene) -> None:
    photo = uuid4()
    wrong = send(scene.phone, scene.visit, picture(), photo, sha256="0" * 64)
    assert (wrong.status_code, wrong.json["code"]) == (422, "photo_digest_differs")
    assert rows(scene.world, photo) == blobs(scene.world) == []
    right = send(scene.phone, scene.visit, picture(), photo, sha256=digest(picture()).upper())
    assert right.status_code == 201
    declared = uuid4()
    visit = scene.record(declared, sha256=digest(picture()))
    other = send(scene.phone, visit, picture(3), declared)
    assert (other.status_code, other.json["code"]) == (422, "photo_digest_differs")
    assert send(scene.phone, visit, picture(), declared).status_code == 201


def test_more_than_twelve_mebibytes_are_refused(scene: Scene) -> None:
    data = picture()
    for over in (1, MIB):
        answer = send(scene.phone, scene.visit, data + bytes(12 * MIB + over - len(data)))
        assert answer.status_code == 413, answer.json
        assert answer.content_type == "application/problem+json"
    assert blobs(scene.world) == []


def test_an_upload_that_does_not_say_its_length_is_refused(scene: Scene) -> None:
    environ = {
        "HTTP_AUTHORIZATION": f"Bearer {scene.phone.token}",
        "wsgi.input": io.BytesIO(b"--x\r\n"),
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
    }
    client = scene.world.app.test_client()
    for chunked in ({}, {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}):
        answer = client.post(f"/api/v1/visits/{scene.visit}/photos", environ_overrides=environ | chunked)
        assert (answer.status_code, answer.json["code"]) == (411, "length_required")


def test_a_form_cut_off_on_its_way_is_refused(scene: Scene) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="photo_id"\r\n\r\n' + str(uuid4()).encode() +
        b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + picture()[:5000]
    )  # fmt: skip
    answer = scene.phone.client.post(
        f"/api/v1/visits/{scene.visit}/photos",
        data=body,
        headers={"Authorization": f"Bearer {scene.phone.token}"},
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 422, answer.json
    assert blobs(scene.world) == []


def test_only_one_file_under_its_right_name_is_taken(scene: Scene) -> None:
    path = f"/visits/{scene.visit}/photos"
    no_file = {"photo_id": str(uuid4())}
    as_text = {"photo_id": str(uuid4()), "file": "not a file"}
    two = form(picture()) | {"file": [(io.BytesIO(picture()), "a"), (io.BytesIO(picture(3)), "b")]}
    renamed = {"photo_id": str(uuid4()), "photo": (io.BytesIO(picture()), "a.jpg")}
    beside = form(picture()) | {"other": (io.BytesIO(b"x"), "b.jpg")}
    for wrong in (no_file, as_text, two, renamed, beside):
        answer = scene.phone.upload(path, wrong)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
        assert "file" in answer.json["errors"]
    assert scene.phone.post(path, {"photo_id": str(uuid4())}).status_code == 415
    assert blobs(scene.world) == []


WRONG = (
    ("photo_id", "7"),
    ("photo_id", ""),
    ("kind", "selfie"),
    ("taken_at", "2026-03-05T09:20:00"),
    ("taken_at", "2024-01-01 00:00:00"),
    ("sha256", "abc"),
    ("sha256", "\x00" * 64),
    ("person_id", "x"),
    ("note", "\ud83d" * 3),
)


def test_a_field_that_is_wrong_or_unknown_is_named(scene: Scene) -> None:
    for field, value in WRONG:
        sent = form(picture()) | {field: value.encode("utf-8", "surrogatepass")}
        answer = scene.phone.upload(f"/visits/{scene.visit}/photos", sent)
        assert (answer.status_code, answer.json["code"]) == (422, "invalid")
        assert list(answer.json["errors"]) == [field]
    assert blobs(scene.world) == []


def test_what_is_no_photo_is_refused_whatever_its_name_says(scene: Scene) -> None:
    for content in NOT_PHOTOS.values():
        sent = form(b"") | {"file": (io.BytesIO(content), "photo.jpg", "image/jpeg")}
        answer = scene.phone.upload(f"/visits/{scene.visit}/photos", sent)
        assert (answer.status_code, answer.json["code"]) == (415, "photo_type")
    assert blobs(scene.world) == []


def test_other_formats_of_phones_are_taken_by_content(scene: Scene) -> None:
    for kind, data in {
        "png": png_with_text(drawn()), "webp": encoded(drawn(), "WEBP"), "heic": heic()
    }.items():  # fmt: skip
        photo = uuid4()
        answer = send(scene.phone, scene.visit, data, photo)
        assert (answer.status_code, answer.json["format"]) == (201, kind)
        assert scene.original(photo) == data


def test_a_broken_photo_blocks_neither_another_nor_the_visit(scene: Scene) -> None:
    bad, good = uuid4(), uuid4()
    visit = scene.record(bad, good)
    whole = picture()
    for broken in (whole[: len(whole) // 2], whole[:-2], b"\xff\xd8\xff" + bytes(500)):
        answer = send(scene.phone, visit, broken, bad)
        assert (answer.status_code, answer.json["code"]) == (422, "photo_unreadable")
    assert scene.debt(visit) == [str(bad), str(good)]
    assert send(scene.phone, visit, whole, good).json["photo_debt"] == [str(bad)]
    assert scene.phone.get(f"/visits/{visit}").json["state"] == "submitted"
    assert send(scene.phone, visit, whole, bad).json["photo_debt"] == []
    assert len(blobs(scene.world)) == 2


def test_another_villages_visitor_finds_no_visit_and_leaves_a_trace(scene: Scene) -> None:
    stranger = scene.world.worker(area=QIANCUN)
    photo = uuid4()
    answer = send(scene.world.phone(stranger), scene.visit, picture(), photo)
    absent = send(scene.world.phone(stranger), uuid4(), picture(), photo)
    assert (answer.status_code, answer.json["code"]) == (404, "visit_not_found")
    told = [{k: v for k, v in one.json.items() if k != "request_id"} for one in (answer, absent)]
    assert told[0] == told[1]
    left = lines(scene.world, "refused.out_of_sight")  # of what is not there too, and it names nobody
    assert [(line.actor_id, line.person_id, line.changes) for line in left] == [
        (stranger.worker_id, scene.person, False),
        (stranger.worker_id, None, False),
    ]
    assert rows(scene.world, photo) == blobs(scene.world) == []


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.COUNTY_INSPECTOR])
def test_who_records_no_visits_sends_no_photos(scene: Scene, role: Role) -> None:
    phone = scene.world.phone(scene.world.worker(role, "341882"))
    answer = send(phone, scene.visit, picture())
    assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_nobody_sends_a_photo_without_signing_in(scene: Scene) -> None:
    answer = scene.world.app.test_client().post(
        f"/api/v1/visits/{scene.visit}/photos", data=form(picture()), content_type="multipart/form-data"
    )
    assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


def test_a_photo_of_the_person_needs_their_consent(scene: Scene) -> None:
    shy = scene.world.person(scene.visitor, consent=False)
    visit = uuid4()
    assert scene.phone.put(f"/visits/{visit}", scene.body() | {"person_id": str(shy)}).status_code == 201
    refused = send(scene.phone, visit, picture(), kind="person")
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["kind"])
    assert blobs(scene.world) == []
    assert send(scene.phone, visit, picture(), kind="room").status_code == 201
    assert send(scene.phone, scene.visit, picture(), kind="person").status_code == 201


def test_the_same_picture_under_two_ids_is_kept_twice(scene: Scene) -> None:
    first, second = scene.stored(picture()), scene.stored(picture())
    assert scene.original(first) == scene.original(second) == picture()
    assert len(blobs(scene.world)) == 2


def test_the_same_upload_five_times_at_once_is_one_photo(scene: Scene) -> None:
    photo = uuid4()
    scene.visit = scene.record(photo)
    phones = [scene.world.phone(scene.visitor) for _ in range(5)]
    with ThreadPoolExecutor(5) as at_once:
        answers = list(
            at_once.map(lambda phone: send(phone, scene.visit, picture(), photo), phones)
        )  # fmt: skip
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    bodies = [answer.json for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    with scene.world.work() as work:
        assert work.session.scalar(select(func.count()).select_from(Photo)) == 1
    assert len(blobs(scene.world)) == 1
    assert len(lines(scene.world, "photo.stored")) == 1


def test_the_blob_on_the_disk_is_sealed_and_nothing_else_is_left(scene: Scene, tmp_path: Path) -> None:
    data = picture()
    photo = scene.stored(data)
    [file] = files(tmp_path / "uploads")
    sealed = file.read_bytes()
    assert sealed.startswith(b"TFBL")
    assert data not in sealed
    assert not any(data[at : at + 16] in sealed for at in range(0, len(data) - 16, 997))
    assert b"\xff\xd8\xff" not in sealed[:100]
    assert photo.hex not in str(file)
    assert digest(data)[:12] not in str(file)


def test_a_photo_of_the_largest_size_passes(scene: Scene) -> None:
    data = phone_jpeg()
    padded = data + bytes(12 * MIB - len(data))
    answer = send(scene.phone, scene.visit, padded)
    assert (answer.status_code, answer.json["size"]) == (201, 12 * MIB)
