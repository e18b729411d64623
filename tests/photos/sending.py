"""Visits and photos as phones send them, and what the store and the ledger then hold."""

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from werkzeug.test import TestResponse

from server.ledger.models import Event
from server.photos.models import Photo
from tests.builders.visits import a_visit_body
from tests.builders.world import Phone, World
from tests.photos.builders import phone_jpeg


@cache
def picture(orientation: int = 1, size: tuple[int, int] = (640, 480)) -> bytes:
    """A photo with EXIF, GPS and comments, made once."""
    return phone_jpeg(orientation, size)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def form(data: bytes, photo_id: object = None, **fields: object) -> dict[str, Any]:
    """The parts of an upload; the name of the file says nothing true."""
    return {"file": (io.BytesIO(data), "a.txt"), "photo_id": str(photo_id or uuid4()), **fields}


def send(phone: Phone, visit: UUID, data: bytes, photo_id: object = None, **fields: object) -> TestResponse:
    """Upload a form that was written by hand: the test client would leave its own temporary file open."""
    said = {"photo_id": photo_id or uuid4(), **fields}
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in said.items()
    ]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    return phone.client.post(
        f"/api/v1/visits/{visit}/photos",
        data=b"".join([*parts, head, data, b"\r\n--x--\r\n"]),
        headers={"Authorization": f"Bearer {phone.token}"},
        content_type="multipart/form-data; boundary=x",
    )


class Scene:
    """One visitor with one person, and a visit that is recorded already."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.visitor = world.worker()
        self.person = world.person(self.visitor)
        self.phone = world.phone(self.visitor)
        self.visit = self.record()

    def record(self, *photos: UUID, **declared: object) -> UUID:
        """Record a visit that declares these photos; gives its id."""
        visit = uuid4()
        answer = self.phone.put(f"/visits/{visit}", self.body(*photos, **declared))
        assert answer.status_code == 201, answer.json
        return visit

    def body(self, *photos: UUID, **declared: object) -> dict[str, Any]:
        return a_visit_body(
            self.person,
            visitors=[str(self.visitor.worker_id)],
            photos=[{"id": str(photo), "kind": "room", **declared} for photo in photos],
        )

    def stored(self, data: bytes, **fields: object) -> UUID:
        """Send a photo of the visit; gives its id."""
        photo = uuid4()
        answer = send(self.phone, self.visit, data, photo, **fields)
        assert answer.status_code == 201, answer.json
        return photo

    def debt(self, visit: UUID | None = None) -> list[str]:
        answer = self.phone.get(f"/visits/{visit or self.visit}")
        assert answer.status_code == 200, answer.json
        debt: list[str] = answer.json["photo_debt"]
        return debt

    def original(self, photo: UUID) -> bytes:
        """Read an original back as a reviewer of the township."""
        from server.permissions import Role
        from tests.builders.world import SHENGPING

        reviewer = self.world.phone(self.world.worker(Role.REVIEWER, SHENGPING))
        answer = reviewer.get(f"/photos/{photo}", size="original")
        assert answer.status_code == 200, answer.json
        return answer.data


def rows(world: World, photo: UUID) -> list[Photo]:
    with world.work() as work:
        return list(work.session.scalars(select(Photo).where(Photo.id == photo)))


def lines(world: World, action: str, subject: UUID | None = None) -> list[Event]:
    """The ledger's lines about a deed, oldest first."""
    with world.work() as work:
        wanted = select(Event).where(Event.action == action).order_by(Event.id)
        return list(work.session.scalars(wanted.where(Event.subject_id == subject) if subject else wanted))


def blobs(world: World) -> list[str]:
    return [blob.key for blob in world.house.store.list()]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
