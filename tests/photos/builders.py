"""Makes photos as phones make them, and files as attackers and bad lines make them."""

import io
import struct
import zlib
from functools import cache
from typing import Any

import pillow_heif
from PIL import Image, PngImagePlugin

pillow_heif.register_heif_opener()

SECRET = b"SECRET-SERIAL-4711"
ORIENTATION, MAKE, MODEL, SOFTWARE = 274, 271, 272, 305


@cache
def scene(width: int = 320, height: int = 240) -> Image.Image:
    """A picture without symmetry: its quarters are red, green, blue and white, with texture."""
    image = Image.new("RGB", (width, height))
    half_w, half_h = width // 2, height // 2
    image.paste((220, 30, 30), (0, 0, half_w, half_h))
    image.paste((30, 200, 30), (half_w, 0, width, half_h))
    image.paste((30, 30, 220), (0, half_h, half_w, height))
    image.paste((250, 250, 250), (half_w, half_h, width, height))
    coarse = Image.frombytes("L", (16, 12), bytes((at * at * 37 + at * 101) % 256 for at in range(192)))
    texture = coarse.resize((width, height), Image.Resampling.BILINEAR).convert("RGB")
    noise = Image.effect_noise((width, height), 50).convert("RGB")
    return Image.blend(Image.blend(image, texture, 0.25), noise, 0.1)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int = 1, **more: Any) -> bytes:
    """An EXIF block as a phone writes it, with a serial number that must not get out."""
    block = Image.Exif()
    block[ORIENTATION] = orientation
    block[MAKE] = more.get("make", "HUAWEI")
    block[MODEL] = more.get("model", "ELE-AL00")
    block[SOFTWARE] = "ELE-AL00 10.1"
    camera = block.get_ifd(0x8769)
    camera[0x9003] = more.get("taken_at", "2026:03:14 09:26:53")
    camera[0x9011] = "+08:00"
    camera[0xA431] = SECRET.decode()
    place = block.get_ifd(0x8825)
    place[1], place[2] = "N", (30.0, 53.0, 36.6)
    place[3], place[4] = "E", (119.0, 25.0, 1.2)
    return block.tobytes()


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Store the pixels so that a viewer who obeys `orientation` sees the image upright."""
    inverse = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    return image if inverse is None else image.transpose(inverse)


def phone_jpeg(orientation: int = 1, size: tuple[int, int] = (320, 240), **options: Any) -> bytes:
    """A JPEG with EXIF, GPS, a comment and a maker's segment."""
    image = turned(scene(*size), orientation)
    data = encoded(image, "JPEG", exif=exif(orientation), comment=SECRET, quality=88, **options)
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET + b"</x>"
    return data[:2] + segment(0xE1, xmp) + segment(0xED, SECRET) + data[2:]


def segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def segments(data: bytes) -> list[tuple[int, bytes]]:
    """Walk a plain JPEG's segments up to its first scan."""
    found, at = [], 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4])
        found.append((data[at + 1], data[at + 4 : at + 2 + length]))
        at += 2 + length
    return found


def many_scans(count: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """A progressive JPEG of which the last scan is said `count` times."""
    data = encoded(Image.new("RGB", size, "gray"), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * count + b"\xff\xd9"


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def plain_png(
    width: int, height: int, depth: int, color: int, rows: bytes, *, extra: bytes = b"", interlace: int = 0
) -> bytes:
    """A PNG from raw filtered rows; `extra` chunks come before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlace)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + pixels + chunk(b"IEND", b"")


def png_with_text(image: Image.Image, **options: Any) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", SECRET.decode(), zip=True)
    return encoded(image, "PNG", pnginfo=info, **options)


def sixteen_bit_png(width: int = 320, height: int = 240) -> bytes:
    """Gray from black (left) to white (right) in 16 bits."""
    row = b"\0" + b"".join(struct.pack(">H", x * 65535 // (width - 1)) for x in range(width))
    return plain_png(width, height, 16, 0, row * height)


def animated(kind: str) -> bytes:
    frames = [scene().rotate(180 * number) for number in range(3)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def text_bomb_png() -> bytes:
    """A small PNG whose compressed text and profile would unpack to 200 MB each."""
    bomb = zlib.compress(bytes(200_000_000))
    extra = chunk(b"zTXt", b"Comment\0\0" + bomb) + chunk(b"iCCP", b"x\0\0" + bomb)
    return plain_png(4, 4, 8, 2, (b"\0" + bytes(12)) * 4, extra=extra)


def heic(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or scene(), "HEIF", quality=70, **options)


NOT_PHOTOS = {
    "empty": b"",
    "html": b"<!DOCTYPE html><script>alert(1)</script>",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "xml": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
    "exe": b"MZ" + bytes(200),
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "gif": encoded(scene(), "GIF"),
    "bmp": encoded(scene(), "BMP"),
    "tiff": encoded(scene(), "TIFF"),
    "avif": encoded(scene(), "AVIF"),
    "jpeg2000": encoded(scene(), "JPEG2000"),
    "eps": encoded(scene(), "EPS"),
    "mp4": b"\0\0\0\x20ftypisom\0\0\0\0isomiso2avc1mp41" + bytes(100),
    "text": "今天去看望了老人".encode(),
}
