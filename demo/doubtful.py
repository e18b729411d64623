"""Makes some visits of the demo look doubtful, so that a reviewer sees findings: nothing of it accuses anybody real."""

import datetime as dt
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image

from demo.records import wire

FAR = 0.03
"""Degrees by which a phone is away from the home: some three kilometres."""
SECONDS = 25
CUT = 0.04


def doubtful(record: dict[str, Any], pictures: dict[UUID, bytes], before: bytes | None, number: int) -> None:
    """Change a record and its photos: by turns a fix far away, a photo of another home, seconds for all answers."""
    at = dt.datetime.fromisoformat(record["occurred_at"])
    way = number % 3
    if way == 0 and record["location"] is not None:
        record["location"] = {
            **record["location"],
            "latitude": record["location"]["latitude"] + FAR,
            "accuracy_m": 20,
        }
    elif way == 1 and before is not None:
        for photo in pictures:
            pictures[photo] = _cut(before)
    else:
        record["ended_at"] = wire(at + dt.timedelta(seconds=SECONDS))


def last_of(pictures: Mapping[UUID, bytes]) -> bytes | None:
    """Give a picture that may come again."""
    return next(iter(pictures.values()), None)


def _cut(picture: bytes) -> bytes:
    image = Image.open(BytesIO(picture))
    width, height = image.size
    file = BytesIO()
    image.crop((int(width * CUT), 0, width, height)).save(file, "JPEG", quality=70)
    return file.getvalue()
