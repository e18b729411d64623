"""Decodes a WebP at the scale that is wanted, so that a large lossy one takes a few megabytes.

Pillow's decoder keeps the whole picture four times. Imported only where a WebP comes: libvips takes 10 MB.
"""

import pyvips
from PIL import Image

# The operation cache would keep pictures.
pyvips.cache_set_max(0)


def decode_webp(data: bytes, longest: int, edge: int) -> Image.Image:
    """Decode all of a still WebP whose longer side is `longest`, to one of `edge` at most; RGB or RGBA."""
    image = pyvips.Image.webpload_buffer(
        data, scale=min(1.0, edge / longest), access="sequential", fail_on="truncated"
    )
    mode = {3: "RGB", 4: "RGBA"}[image.bands]
    return Image.frombytes(mode, (image.width, image.height), image.write_to_memory())
