"""Hands a JPEG to the decoder piece by piece and watches whether its bytes are as many as the picture needs.

libjpeg fills what is missing with gray and only warns, and Pillow swallows the warning. A damaged byte makes the decoder
lose its place; it finds it again, but blocks are lost or won on the way. So the scan is handed over without its end
marker: at the true end a sound picture is done, and a damaged one wants more, or was done long before.
"""

import io

# The decoder looks up to eight bytes ahead. No short code begins with ones, so these cannot pass for lost blocks.
_AHEAD = b"\xfe" * 12
# Cameras leave padding of one value, and now and then a few bytes more, before the end marker.
_SPARE = 256


class JpegFeed(io.BytesIO):
    """A file with one sequential scan, which ends at `ends`; from `start` on it gives the decoder piece after piece."""

    def __init__(self, data: bytes, ends: int) -> None:
        super().__init__(data)
        nearly = max(1, len(data[:ends].rstrip(data[ends - 1 : ends])) - _SPARE)
        self._pieces = [data[ends:], data[nearly:ends] + _AHEAD, data[:nearly]]
        self._started = False

    def start(self) -> None:
        """Begin to give pieces: the headers have been read."""
        self._started = True

    def read(self, size: int | None = -1) -> bytes:
        """Give the next piece. The decoder asks for one only while it lacks rows."""
        if not self._started:
            return super().read(size)
        return self._pieces.pop() if self._pieces else b""

    def fitted(self) -> bool:
        """Say whether the picture was done at the end of its scan, not after it and not before."""
        return len(self._pieces) == 1
