"""What a phone sends: a visit as filled in at a door, and photos of 300 kB, no two alike."""

import datetime as dt
import io
import json
from typing import Any

from PIL import Image

from server.tools import SHANGHAI, Tools

PHOTO_BYTES = 300_000
PHOTO_SIZE = 1600, 1200
BOUNDARY = "-bench-7f3a9c-"


def visit(person: str, worker: str, number: int, photo_ids: list[str]) -> bytes:
    """Write a routine home visit of half an hour ago, of about a kilobyte."""
    began = Tools().now().astimezone(SHANGHAI) - dt.timedelta(minutes=35, seconds=number % 120)
    body: dict[str, Any] = {
        "person_id": person,
        "method": "home",
        "purposes": ["routine"],
        "outcome": "met",
        "identity_checked_by": "known",
        "occurred_at": began.isoformat(),
        "ended_at": (began + dt.timedelta(minutes=19)).isoformat(),
        "client_created_at": (began + dt.timedelta(seconds=4)).isoformat(),
        "visitors": [worker],
        "location": {"latitude": 30.8931, "longitude": 119.4172, "accuracy_m": 25, "datum": "gcj02"},
        "answers": {"food": "adequate", "housing_safety": "safe", "medicine_have": "not_asked"},
        "needs": [{"kind": "medical", "detail": "需要配药"}],
        "conclusion": "normal",
        "notes": f"老人精神好，米面油充足，房屋未见漏雨（第{number}次）。",
        "photos": [{"id": photo_id, "kind": "room", "taken_at": None} for photo_id in photo_ids],
    }
    return json.dumps(body, ensure_ascii=False).encode()


def pictures(count: int = 8) -> list[bytes]:
    """Make JPEGs of about 300 kB: a smooth picture with the noise of a dim room over it."""
    made = []
    for number in range(count):
        sigma = 12.0
        smooth = Image.radial_gradient("L").resize(PHOTO_SIZE).rotate(45 * number)
        for _ in range(12):
            noise = Image.effect_noise(PHOTO_SIZE, sigma)
            bands = (Image.blend(smooth, noise, 0.5), smooth, Image.blend(noise, smooth, 0.7))
            out = io.BytesIO()
            Image.merge("RGB", bands).save(out, "JPEG", quality=80)
            if abs(out.tell() - PHOTO_BYTES) < PHOTO_BYTES // 20:
                break
            sigma *= PHOTO_BYTES / out.tell()
        made.append(out.getvalue())
    return made


def unique(picture: bytes, mark: str) -> bytes:
    """Give a picture with a comment of its own, so that no two uploads have one digest."""
    comment = mark.encode()
    return picture[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


def upload(photo_id: str, picture: bytes) -> tuple[bytes, str]:
    """Write the multipart body of an upload and its content type."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo_id"\r\n\r\n{photo_id}\r\n'
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    body = head.encode() + picture + f"\r\n--{BOUNDARY}--\r\n".encode()
    return body, f"multipart/form-data; boundary={BOUNDARY}"
