"""Photos of nothing real: a wall, a window, a door in colours that chance chose."""

from io import BytesIO
from random import Random  # noqa: TID251  (lent with its seed)

from PIL import Image, ImageDraw

SIZE = (960, 1280)


def picture(chance: Random) -> bytes:
    """Draw one JPEG, as large as what a mini-program sends compressed."""
    width, height = SIZE
    image = Image.new("RGB", SIZE, _colour(chance, 150, 240))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * chance.uniform(0.6, 0.8), width, height), fill=_colour(chance, 60, 140))
    for _ in range(chance.randint(4, 9)):
        left, top = chance.randrange(width), chance.randrange(height)
        size = chance.randint(80, 400)
        box = (left, top, left + size, top + int(size * chance.uniform(0.5, 1.6)))
        draw.rectangle(box, fill=_colour(chance, 40, 230), outline=_colour(chance, 0, 60), width=6)
    file = BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def _colour(chance: Random, least: int, most: int) -> tuple[int, int, int]:
    return chance.randint(least, most), chance.randint(least, most), chance.randint(least, most)
