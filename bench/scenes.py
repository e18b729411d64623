"""Rooms that are nobody's, photographed again and again, and what is done to a photo that is shown a second time."""

import io
from collections.abc import Callable, Mapping
from random import Random  # noqa: TID251  (lent with its seed)

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps

SIZE = (800, 600)
Colour = tuple[int, int, int]
Change = Callable[[Image.Image, Random], Image.Image]


def room(number: int) -> Image.Image:
    """Draw the room of a person: walls, floor, furniture, and many small things."""
    chance = Random(f"room {number}")
    width, height = SIZE
    image = Image.new("RGB", SIZE, _colour(chance, 120, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, int(height * chance.uniform(0.55, 0.8)), width, height), fill=_colour(chance, 50, 150))
    for _ in range(chance.randint(6, 14)):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randint(50, 260)
        box = (x - size // 2, y - size // 2, x + size // 2, y + int(size * chance.uniform(0.4, 1.4)))
        shape = draw.rectangle if chance.random() < 0.75 else draw.ellipse
        shape(box, fill=_colour(chance, 20, 235), outline=_colour(chance, 0, 90), width=4)
    _clutter(draw, chance, chance.randint(40, 90))
    return _lit(image, chance, 0.4, 0.8)


def shot(number: int, chance: Random) -> Image.Image:
    """Photograph a room as an honest visitor does: from another place, in other light, with things moved."""
    image = room(number)
    width, height = image.size
    size = chance.uniform(0.72, 0.92)
    across, down = chance.uniform(0, 1 - size) * width, chance.uniform(0, 1 - size) * height
    image = image.rotate(chance.uniform(-5, 5), Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))
    # Seen from another side, what is near is larger.
    shear = chance.uniform(-0.06, 0.06)
    image = image.transform(
        image.size,
        Image.Transform.AFFINE,
        (1, shear, 0, chance.uniform(-0.03, 0.03), 1, 0),
        Image.Resampling.BICUBIC,
    )
    image = image.crop((int(across), int(down), int(across + size * width), int(down + size * height)))
    image = image.resize(SIZE)
    draw = ImageDraw.Draw(image)
    for _ in range(chance.randint(2, 6)):
        x, y, wide = chance.randrange(width), chance.randrange(height), chance.randint(40, 170)
        draw.rectangle(
            (x, y, x + wide, y + int(wide * chance.uniform(0.5, 1.5))), fill=_colour(chance, 20, 235)
        )
    return _lit(ImageEnhance.Brightness(image).enhance(chance.uniform(0.75, 1.25)), chance, 0.6, 0.95)


def jpeg(image: Image.Image, quality: int = 82, exif: bytes | None = None) -> bytes:
    """Save a photo."""
    file = io.BytesIO()
    more = {} if exif is None else {"exif": exif}
    image.convert("RGB").save(file, "JPEG", quality=quality, **more)
    return file.getvalue()


def opened(file: bytes) -> Image.Image:
    """Open a photo again."""
    return Image.open(io.BytesIO(file)).convert("RGB")


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Cut off shares of the sides."""
    width, height = image.size
    return image.crop(
        (int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom)))
    )


def _one_side(share: float) -> Change:
    def change(image: Image.Image, chance: Random) -> Image.Image:
        sides = [0.0] * 4
        sides[chance.randrange(4)] = share
        return cut(image, sides[0], sides[1], sides[2], sides[3])

    return change


def _screen(image: Image.Image, chance: Random) -> Image.Image:
    """A photo of the photo on a screen: a little askew, tinted, blurred, with the grid of its dots."""
    image = image.rotate(chance.uniform(-0.8, 0.8), Image.Resampling.BICUBIC)
    image = Image.blend(image, Image.new("RGB", image.size, (200, 210, 230)), 0.12)
    dots = Image.effect_noise(image.size, 60).convert("RGB")
    image = Image.blend(image, dots, 0.07).filter(ImageFilter.GaussianBlur(1.4))
    return cut(image, *(chance.uniform(0.01, 0.04) for _ in range(4)))


def _stamped(image: Image.Image, chance: Random) -> Image.Image:
    image = image.copy()
    width, height = image.size
    top = height * chance.uniform(0.82, 0.9)
    ImageDraw.Draw(image).rectangle((0, top, width * chance.uniform(0.3, 0.5), height), fill=(245, 245, 245))
    return image


KNOWN: Mapping[str, Change] = {
    "recompressed": lambda image, chance: opened(jpeg(image, chance.randint(35, 65))),
    "resized to half": lambda image, _: image.resize((image.width // 2, image.height // 2)),
    "cropped by 5 %": lambda image, chance: (
        _one_side(0.05)(image, chance) if chance.random() < 0.5 else cut(image, 0.05, 0.05, 0.05, 0.05)
    ),
    "brightness ±15 %": lambda image, chance: ImageEnhance.Brightness(image).enhance(
        chance.choice([0.85, 1.15])
    ),
    "sent by WeChat": lambda image, chance: opened(
        jpeg(ImageOps.contain(image, (480, 480)), chance.randint(60, 75))
    ),
}
"""What the thresholds were chosen for."""
HELD_OUT: Mapping[str, Change] = {
    "mirrored": lambda image, _: ImageOps.mirror(image),
    "turned by 90°": lambda image, _: image.rotate(90, expand=True),
    "turned by 1°, cut": lambda image, chance: cut(
        image.rotate(chance.choice([-1, 1]), Image.Resampling.BICUBIC), 0.02, 0.02, 0.02, 0.02
    ),
    "cropped by 8 % on one side": _one_side(0.08),
    "photo of a screen": _screen,
    "gray, more contrast": lambda image, _: ImageEnhance.Contrast(ImageOps.grayscale(image)).enhance(1.3),
    "blurred, brighter by 30 %": lambda image, _: ImageEnhance.Brightness(
        image.filter(ImageFilter.GaussianBlur(2.5))
    ).enhance(1.3),
    "white border of 2 %": lambda image, _: ImageOps.expand(image, image.width // 50, fill=(255, 255, 255)),
    "stamped": _stamped,
}
"""What they were not chosen for."""


def _clutter(draw: ImageDraw.ImageDraw, chance: Random, count: int) -> None:
    width, height = SIZE
    for _ in range(count):
        x, y, size = chance.randrange(width), chance.randrange(height), chance.randint(6, 40)
        draw.rectangle((x, y, x + size, y + int(size * chance.uniform(0.3, 2))), fill=_colour(chance, 0, 255))


def _lit(image: Image.Image, chance: Random, least: float, most: float) -> Image.Image:
    """Let light fall in from one side."""
    mask = Image.linear_gradient("L").rotate(chance.choice([0, 90, 180, 270])).resize(image.size)
    return Image.composite(image, ImageEnhance.Brightness(image).enhance(chance.uniform(least, most)), mask)


def _colour(chance: Random, least: int, most: int) -> Colour:
    return chance.randint(least, most), chance.randint(least, most), chance.randint(least, most)
