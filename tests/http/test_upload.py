"""A form with one file is received whole, whatever bytes the file is made of."""

import io

import pytest
from flask import Request

from server.errors import TooLarge
from server.http.upload import read_upload

BOUNDARY = "---abc"
MOST = 2_000_000


def request(content: bytes, **fields: str) -> Request:
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
    )


@pytest.mark.parametrize("filler", [b"\r\n", b"\n", b"\r\n--", b"\r\n-----ab", b"\xff\xd8\r", b"-"])
def test_a_file_full_of_line_breaks_and_near_boundaries_arrives_whole(filler: bytes) -> None:
    content = filler * (1_000_000 // len(filler))
    spooled = io.BytesIO()
    assert read_upload(request(content, photo_id="1"), spooled, MOST) == {"photo_id": "1"}
    assert spooled.getvalue() == content


def test_fields_do_not_grow_beyond_their_limit() -> None:
    with pytest.raises(TooLarge):
        read_upload(request(b"x", note="n" * 300_000), io.BytesIO(), MOST)
