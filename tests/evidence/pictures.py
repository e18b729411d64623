"""Pictures that chance drew, each by its number, and what is done to them before they are shown again."""

import io
from random import Random

from PIL import Image, ImageEnhance, ImageOps


def drawn(number: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Draw a picture of coarse and fine patches that no other number gives."""
    chance = Random(number)
    coarse = Image.frombytes("RGB", (7, 5), chance.randbytes(105)).resize(size, Image.Resampling.BICUBIC)
    fine = Image.frombytes("RGB", (40, 30), chance.randbytes(3600)).resize(size, Image.Resampling.NEAREST)
    return Image.blend(coarse, fine, 0.3)


def jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Save a picture as a phone does."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def a_picture(number: int) -> bytes:
    """Give the file of a picture."""
    return jpeg(drawn(number))


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Cut off parts of a picture, as shares of its sides."""
    width, height = image.size
    return image.crop(
        (int(width * left), int(height * top), int(width * (1 - right)), int(height * (1 - bottom)))
    )


CHANGES = {
    "saved again": lambda image: jpeg(image, 40),
    "half as large": lambda image: jpeg(image.resize((image.width // 2, image.height // 2))),
    "cut by 5 % on one side": lambda image: jpeg(cut(image, 0.05, 0, 0, 0)),
    "cut by 5 % all round": lambda image: jpeg(cut(image, 0.05, 0.05, 0.05, 0.05)),
    "brighter by 15 %": lambda image: jpeg(ImageEnhance.Brightness(image).enhance(1.15)),
    "darker by 15 %": lambda image: jpeg(ImageEnhance.Brightness(image).enhance(0.85)),
    "sent by WeChat": lambda image: jpeg(ImageOps.contain(image, (360, 360)), 70),
    "mirrored": lambda image: jpeg(ImageOps.mirror(image)),
    "turned": lambda image: jpeg(image.rotate(90, expand=True)),
}
