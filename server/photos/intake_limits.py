"""What a photo must be to be taken in, and how it is told when it is not."""

from dataclasses import dataclass

from server.errors import Refusal, TooLarge, WrongType


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """How large and how laborious a photo may be.

    `max_pixels` is what phones sell as 50 megapixels (8192 × 6144). `max_scan_pixels` bounds the work of progressive
    JPEGs: scans × pixels. A picture that may take `heavy` bytes of memory passes the caller's gate and is decoded
    alone on this host.
    """

    max_bytes: int = 12 * 1024 * 1024
    max_pixels: int = 8192 * 6144
    max_edge: int = 30_000
    max_scans: int = 100
    max_scan_pixels: int = 1_000_000_000
    heavy: int = 16 * 1024 * 1024


class PhotoType(WrongType):
    """The file is not a JPEG, PNG, WebP or HEIC photo, whatever its name says."""

    title = "不是照片"
    detail = "只能上传照片（JPEG、PNG、WebP、HEIC 格式）。"


class PhotoUnreadable(Refusal):
    """The photo is broken or was cut off on its way."""

    title = "照片无法打开"
    detail = "照片已损坏或没有传完整，请重新上传或重新拍摄。"


class PhotoTooLarge(TooLarge):
    """The photo has more bytes than are taken (12 MiB)."""

    title = "照片太大"
    detail = "照片文件太大，请用普通画质重新拍摄，或压缩后再上传。"


class PhotoTooManyPixels(Refusal):
    """The photo has more pixels than are taken (50 megapixels), or takes too much work to decode."""

    title = "照片尺寸太大"
    detail = "照片尺寸太大，请关闭高像素模式后重新拍摄。"
