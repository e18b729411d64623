"""Reads a form with one file from a stream, with bounded memory: the file goes to a spooled one of ours."""

from collections.abc import Callable
from typing import IO, Any, cast

from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from server.errors import Invalid, LengthRequired, TooLarge, WrongType

SLACK = 64 * 1024
FIELDS_MOST = 256 * 1024
"""Bytes of the other fields together. The parser holds a piece of the file (64 KiB, more when a line break is near its
end) against the same limit, so that a tighter one refuses innocent photos by chance."""
MOST_PARTS = 16


def read_upload(request: Request, spooled: IO[bytes], most_bytes: int) -> dict[str, str]:
    """Receive exactly one part named `file` into `spooled`; returns the other form fields.

    A body without a length is refused (411), as it could be cut off unseen; one over `most_bytes` before it is read.
    """
    if request.content_length is None:
        raise LengthRequired
    if request.content_length > most_bytes + SLACK:
        raise TooLarge("照片文件太大，请用普通画质重新拍摄。")
    if request.mimetype != "multipart/form-data":
        raise WrongType("请以 multipart/form-data 上传照片。")
    files: list[str] = []

    def stream(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        files.append("")
        if len(files) > 1:
            raise Invalid(errors={"file": ["一次只能上传一张照片。"]})
        return spooled

    parser = FormDataParser(
        stream_factory=cast("Callable[..., Any]", stream),
        max_form_memory_size=FIELDS_MOST,
        max_content_length=most_bytes + SLACK,
        max_form_parts=MOST_PARTS,
        silent=False,
    )
    try:
        _, form, sent = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except RequestEntityTooLarge:
        raise TooLarge("上传的内容太大。") from None
    except ValueError:
        raise Invalid("上传没有传完整，请重新上传。", errors={"file": ["上传没有传完整。"]}) from None
    if list(sent) != ["file"]:
        raise Invalid(errors={"file": ["请上传一张照片（字段名 file）。"]})
    if len(form) != sum(1 for _ in form.items(multi=True)):
        raise Invalid(errors={"form": ["同一个字段出现了两次。"]})
    return dict(form.items())
