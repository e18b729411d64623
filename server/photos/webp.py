"""Decodes a WebP at the scale that is wanted, so that a large lossy one takes a few megabytes.

Pillow's decoder keeps the whole picture four times. Imported only where a WebP comes: libvips takes 10 MB.
"""

import pyvips
from PIL import Image

# The operation cache would keep pictures.
pyvips.cache_set_max(0)


def decode_webp(data: bytes, width: int, height: int, edge: int) -> Image.Image:
    """Decode all of a still WebP to one whose longer side is `edge`, or longer where a side would vanish; RGB or RGBA."""
    scale = min(1.0, max(edge / max(width, height), 1 / min(width, height)))
    image = pyvips.Image.webpload_buffer(data, scale=scale, access="sequential", fail_on="truncated")
    mode = {3: "RGB", 4: "RGBA"}[image.bands]
    return Image.frombytes(mode, (image.width, image.height), image.write_to_memory())
