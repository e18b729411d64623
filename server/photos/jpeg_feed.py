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


_PIECE = 1 << 16


class JpegFeed(io.BytesIO):
    """A file with one sequential scan, which ends at `ends`; once started, it gives the decoder piece after piece."""

    def __init__(self, data: bytes, ends: int) -> None:
        super().__init__(data)
        self._data, self._ends = data, ends
        padding = data[max(0, ends - _PIECE) : ends]
        self._nearly = max(1, ends - len(padding) + len(padding.rstrip(padding[-1:])) - _SPARE)
        self._given: int | None = None

    def start(self) -> None:
        """Begin to give pieces: the headers have been read."""
        self._given = 0

    def read(self, size: int | None = -1) -> bytes:
        """Give the next piece. The decoder asks for one only while it lacks rows."""
        begin = self._given
        if begin is None:
            return super().read(size)
        if begin < self._nearly:
            self._given = min(begin + _PIECE, self._nearly)
            return self._data[begin : self._given]
        self._given = self._ends if begin < self._ends else len(self._data)
        return self._data[begin : self._given] + (_AHEAD if self._given == self._ends else b"")

    def fitted(self) -> bool:
        """Say whether the picture was done at the end of its scan, not after it and not before."""
        return self._given == self._ends
