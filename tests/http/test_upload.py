"""A form with one file is received whole, whatever bytes the file is made of."""

import io
from unittest.mock import patch

import pytest
from flask import Request
from hypothesis import assume, given
from hypothesis import strategies as st

from server.errors import Invalid, TooLarge
from server.http import multipart
from server.http.upload import read_upload

BOUNDARY = "---abc"
MOST = 2_000_000


def request(content: bytes, *, boundary: str = BOUNDARY, **fields: str) -> Request:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = "".join([*parts, head]).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": f"multipart/form-data; boundary={boundary}",
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


def raw(body: bytes, boundary: str = "x", *, length: int | None = None, source: object = None) -> Request:
    return Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": f"multipart/form-data; boundary={boundary}",
            "CONTENT_LENGTH": str(len(body) if length is None else length),
            "wsgi.input": source or io.BytesIO(body),
        }
    )


def part(name: str, content: bytes, more: bytes = b"") -> bytes:
    return (
        b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + more + b"\r\n\r\n" + content
    )


FILE = b'; filename="a.jpg"\r\nContent-Type: image/jpeg'
WHOLE = part("photo_id", b"1\r\n") + part("file", b"\xff\xd8picture\r\n", FILE) + b"--x--\r\n"


class Dripping(io.BytesIO):
    """Gives seven bytes at a time, as a slow line does."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, size if size and size > 0 else 7))


def received(request: Request) -> tuple[dict[str, str], bytes]:
    spooled = io.BytesIO()
    return read_upload(request, spooled, MOST), spooled.getvalue()


def test_what_clients_may_write_differently_is_one_form() -> None:
    said = {"photo_id": "1"}, b"\xff\xd8picture"
    for body in (
        WHOLE,
        WHOLE[:-2],
        b"\r\n" + WHOLE,
        b"to whom it may concern\r\n" + WHOLE + b"goodbye",
        WHOLE.replace(b"--x\r\n", b"--x \t\r\n"),
        WHOLE.replace(b"Content-Disposition: form-data;", b"content-disposition:form-data;\r\n "),
        WHOLE.replace(b'name="photo_id"', b"name=photo_id"),
        WHOLE.replace(b"Content-Type: image/jpeg", b"Content-Length: 9\r\nX-Other: 1"),
    ):
        assert received(raw(body)) == said
        assert received(raw(body, source=Dripping(body))) == said
    assert received(raw(WHOLE, '"x"')) == said


def test_a_file_without_bytes_is_an_empty_file_in_both_spellings() -> None:
    for empty in (b"", b"\r\n"):
        assert received(raw(part("file", empty, FILE) + b"--x--\r\n")) == ({}, b"")


def test_a_body_cut_off_anywhere_is_refused() -> None:
    for end in range(len(WHOLE) - 3):
        for length in (end, len(WHOLE)):
            with pytest.raises(Invalid):
                received(raw(WHOLE[:end], length=length))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x--\r\n",
        b"--y\r\n\r\n\r\n--y--\r\n",
        WHOLE.replace(b"\r\n", b"\n"),
        WHOLE.replace(b"--x\r\n", b"--xx\r\n"),
        WHOLE.replace(b"form-data", b"attachment"),
        WHOLE.replace(b' name="photo_id"', b""),
        part("photo_id", b"1\r\n") + WHOLE,
        WHOLE[:-7] + b"\r\n" + part("file", b"another\r\n", FILE) + b"--x--\r\n",
        WHOLE.replace(b'"file"', b'"photo"'),
    ],
)
def test_what_is_no_form_with_one_file_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        received(raw(body))


def test_a_boundary_a_little_longer_than_the_standard_s_is_taken() -> None:
    assert read_upload(
        longer := request(b"x", photo_id="1", boundary="-" * 15 + "y" * 56), io.BytesIO(), MOST
    ) == {"photo_id": "1"}
    assert len(longer.mimetype_params["boundary"]) == 71


@pytest.mark.parametrize("boundary", ["", "y" * 201, "ü", '"x "'])
def test_a_boundary_that_may_not_be_is_refused(boundary: str) -> None:
    with pytest.raises(Invalid):
        received(raw(WHOLE, boundary))


def test_heads_and_parts_without_end_are_refused() -> None:
    many = b"".join(part(f"f{number}", b"1\r\n") for number in range(100_000))
    for body in (b"--x\r\n" + b"a" * 1_000_000, b"--x\r\nA: " + b"a\r\nB: " * 100_000, many + WHOLE):
        with pytest.raises(TooLarge):
            received(raw(body))


@given(
    content=st.lists(st.sampled_from([b"\r\n", b"--", b"x", b"\r\n--x", b"\r", b"\n", b"-", b"a" * 50])).map(
        b"".join
    ),
    block=st.integers(1, 40),
)
def test_any_file_without_its_boundary_arrives_whole_however_it_is_cut(content: bytes, block: int) -> None:
    assume(b"\r\n--x" not in b"\r\n" + content + b"\r\n")
    body = part("file", content + b"\r\n", FILE) + part("note", content + b"\r\n") + b"--x--\r\n"
    with patch.object(multipart, "BLOCK", block):
        form, file = received(raw(body))
    assert (form["note"].encode(), file) == (content, content)
