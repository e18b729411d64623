"""Reads a form with one file from a stream, with bounded memory: the file goes to a spooled one of ours."""

from typing import IO

from flask import Request

from server.errors import Invalid, LengthRequired, TooLarge, WrongType
from server.http.multipart import BrokenBodyError, LongHeadError, Multipart

SLACK = 64 * 1024
FIELDS_MOST = 64 * 1024
"""Bytes of the other fields together."""
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
    boundary = request.mimetype_params.get("boundary", "")
    try:
        # The server's own stream: the length is known and kept to, and no layer between copies what it reads.
        return _parts(Multipart(request.environ["wsgi.input"], request.content_length, boundary), spooled)
    except LongHeadError:
        raise TooLarge("上传的内容太大。") from None
    except BrokenBodyError:
        raise Invalid("上传没有传完整，请重新上传。", errors={"file": ["上传没有传完整。"]}) from None


def _parts(body: Multipart, spooled: IO[bytes]) -> dict[str, str]:
    form: dict[str, str] = {}
    is_there = False
    for _ in range(MOST_PARTS):
        part = body.next_part()
        if part is None:
            if is_there:
                return form
            raise Invalid(errors={"file": ["请上传一张照片（字段名 file）。"]})
        if not part.is_file:
            if part.name in form:
                raise Invalid(errors={"form": ["同一个字段出现了两次。"]})
            form[part.name] = _text(body, FIELDS_MOST - sum(map(len, form.values())))
            continue
        if part.name != "file":
            raise Invalid(errors={"file": ["请上传一张照片（字段名 file）。"]})
        if is_there:
            raise Invalid(errors={"file": ["一次只能上传一张照片。"]})
        is_there = True
        for piece in body.content():
            spooled.write(piece)
    raise TooLarge("上传的内容太大。")


def _text(body: Multipart, most: int) -> str:
    said = bytearray()
    for piece in body.content():
        if len(said) + len(piece) > most:
            raise TooLarge("上传的内容太大。")
        said += piece
    return said.decode("utf-8", "replace")
