"""Reads the few EXIF facts that count as evidence; bounded, and silent about anything odd."""

import datetime as dt
import re
import struct

from server.photos.terms import ExifFacts

_MAX_ENTRIES = 300
_MAX_TEXT = 64
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_TEXT, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_MAKE, _MODEL, _ORIENTATION, _SOFTWARE, _EXIF, _GPS = 0x010F, 0x0110, 0x0112, 0x0131, 0x8769, 0x8825
_ORIGINAL, _DIGITIZED, _OFFSET_ORIGINAL, _OFFSET_DIGITIZED = 0x9003, 0x9004, 0x9011, 0x9012
_LATITUDE, _LONGITUDE = 2, 4
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-]\d\d:\d\d\Z")

_Values = dict[int, tuple[int, bytes]]


def read_exif(data: bytes | None) -> ExifFacts:
    """Read a TIFF-shaped EXIF block, with or without its `Exif` heading; what is missing or broken is None."""
    if not data:
        return ExifFacts()
    block = data[6:] if data.startswith(b"Exif\0") else data
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:  # noqa: PLR2004
        return ExifFacts()
    main = _directory(block, order, struct.unpack_from(order + "I", block, 4)[0])
    camera = _directory(block, order, _number(main, _EXIF, order))
    place = _directory(block, order, _number(main, _GPS, order))
    raw, offset = _text(camera, _ORIGINAL), _text(camera, _OFFSET_ORIGINAL)
    if raw is None:
        raw, offset = _text(camera, _DIGITIZED), _text(camera, _OFFSET_DIGITIZED)
    orientation = _number(main, _ORIENTATION, order)
    latitude = _degrees(place, _LATITUDE, order, {"N": 1, "S": -1}, 90)
    longitude = _degrees(place, _LONGITUDE, order, {"E": 1, "W": -1}, 180)
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        # Cameras without a fix write zeros.
        latitude = longitude = None
    return ExifFacts(
        taken_at_raw=raw,
        taken_at=_instant(raw),
        offset=offset if offset and _OFFSET.match(offset) else None,
        make=_text(main, _MAKE),
        model=_text(main, _MODEL),
        software=_text(main, _SOFTWARE),
        latitude=latitude,
        longitude=longitude,
        orientation=orientation if orientation in range(1, 9) else None,
    )


def _directory(block: bytes, order: str, start: int | None) -> _Values:
    if not start or start + 2 > len(block):
        return {}
    count = min(
        struct.unpack_from(order + "H", block, start)[0], _MAX_ENTRIES, (len(block) - start - 2) // 12
    )
    found: _Values = {}
    for position in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, amount = struct.unpack_from(order + "HHI", block, position)
        size = _SIZES.get(kind, 0) * amount
        at = position + 8 if size <= 4 else struct.unpack_from(order + "I", block, position + 8)[0]  # noqa: PLR2004
        if size and at + size <= len(block):
            found.setdefault(tag, (kind, block[at : at + min(size, 256)]))
    return found


def _text(values: _Values, tag: int) -> str | None:
    kind, data = values.get(tag, (0, b""))
    if kind != _TEXT:
        return None
    text = data.split(b"\0")[0].decode("utf-8", "replace")
    return "".join(letter for letter in text if letter.isprintable()).strip()[:_MAX_TEXT] or None


def _number(values: _Values, tag: int, order: str) -> int | None:
    kind, data = values.get(tag, (0, b""))
    if kind == _SHORT:
        return int(struct.unpack_from(order + "H", data)[0])
    if kind == _LONG:
        return int(struct.unpack_from(order + "I", data)[0])
    return None


def _degrees(values: _Values, tag: int, order: str, signs: dict[str, int], limit: int) -> float | None:
    kind, data = values.get(tag, (0, b""))
    sign = signs.get(_text(values, tag - 1) or "")
    if kind != _RATIONAL or len(data) < 24 or sign is None:  # noqa: PLR2004
        return None
    parts = struct.unpack_from(order + "6I", data)
    if not parts[1] or not parts[3]:
        return None
    degrees = parts[0] / parts[1] + parts[2] / parts[3] / 60 + (parts[4] / parts[5] / 3600 if parts[5] else 0)
    return round(sign * degrees, 7) if degrees <= limit else None


def _instant(raw: str | None) -> dt.datetime | None:
    match = _DATE.match(raw or "")
    if not match:
        return None
    try:
        return dt.datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
