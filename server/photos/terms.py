"""The words of photos: what one shows, and what is found out about it."""

import datetime as dt
from dataclasses import dataclass

from server.terms import Term

_SOURCE = "DOMAIN §3.9"


class PhotoKind(Term):
    """What a photo shows, as the worker says."""

    HOUSE_OUT = "house_out", "房屋外观", _SOURCE
    ROOM = "room", "室内", _SOURCE
    STOVE_FOOD = "stove_food", "灶台与食物", _SOURCE
    BED = "bed", "床铺", _SOURCE
    HAZARD = "hazard", "安全隐患", _SOURCE
    DOCUMENT = "document", "证件材料", _SOURCE
    SIGNED_FORM = "signed_form", "签字表单", _SOURCE
    PERSON = "person", "本人", _SOURCE
    CAREGIVER = "caregiver", "照料人", _SOURCE


class PhotoFormat(Term):
    """The formats that phones send and that are taken, known by their first bytes."""

    JPEG = "jpeg", "JPEG", "CONTRACT §5"
    PNG = "png", "PNG", "CONTRACT §5"
    WEBP = "webp", "WebP", "CONTRACT §5"
    HEIC = "heic", "HEIC", "CONTRACT §5"


class Size(Term):
    """How large a picture is asked for."""

    THUMB = "thumb", "缩略图（320 像素）", "CONTRACT §5"
    SCREEN = "screen", "浏览图（1600 像素）", "CONTRACT §5"
    ORIGINAL = "original", "原图", "CONTRACT §5"


@dataclass(frozen=True, slots=True)
class ExifFacts:
    """What a camera wrote into a photo; None is unknown, never a sign of fraud: WeChat strips all of it.

    `taken_at_raw` is the text as found, `taken_at` that text as local time without zone, `offset` such as "+08:00".
    Degrees are as written, commonly WGS-84. `orientation` is 1 to 8.
    """

    taken_at_raw: str | None = None
    taken_at: dt.datetime | None = None
    offset: str | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    orientation: int | None = None

    def as_json(self) -> dict[str, str | float | int]:
        """Give the known facts for a JSON column."""
        known = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: value.isoformat() if isinstance(value, dt.datetime) else value
            for name, value in known.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """What decoding a photo showed: upright `width` and `height` in pixels, frames counted as declared.

    `dhash` is a 64-bit difference hash of the upright image, as an unsigned number; `likeness` the image in 32 by 32
    grays, by which the same picture is found in another file.
    """

    format: PhotoFormat
    width: int
    height: int
    frames: int
    dhash: int
    exif: ExifFacts
    likeness: bytes = b""

    @property
    def signed_dhash(self) -> int:
        """Give the hash as the signed 64-bit number that a BIGINT column holds."""
        return self.dhash - (1 << 64) if self.dhash >> 63 else self.dhash
