"""A refusal reaches its sender, as what they still send is received to its end, in bounded memory and amount."""

import io
from uuid import uuid4

import pytest
from flask import Flask

from server.http.draining import MOST_BYTES
from tests.builders.world import World


class Sent(io.BytesIO):
    """A body that remembers the largest piece that was asked for."""

    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        self.largest = max(self.largest, size if size is not None and size >= 0 else 1 << 40)
        return super().read(size)


class Endless(io.RawIOBase):
    """A body that never ends, and counts what was taken of it."""

    taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "somebody reads a body to an end that it has not"
        self.taken += size
        return b"a" * size


class Open(io.BytesIO):
    """A body on a connection that stays open: who reads past what was announced would wait for ever."""

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert 0 < size <= len(self.getbuffer()) - self.tell(), "reads past the end of the body"
        return super().read(size)


def send(app: Flask, body: io.IOBase, path: str, token: str = "", **more: object) -> int:
    return (
        app.test_client()
        .post(
            path,
            headers={"Authorization": f"Bearer {token}"},
            environ_overrides={"wsgi.input": body, "CONTENT_TYPE": "multipart/form-data; boundary=x", **more},
        )
        .status_code
    )


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_body_that_nobody_reads_is_received_in_pieces(app: Flask, world: World, signed_in: bool) -> None:
    token = world.phone(world.worker()).token if signed_in else "A" * 43
    body = Sent(b"a" * 3_000_000)
    path = f"/api/v1/visits/{uuid4()}/photos"
    assert send(app, body, path, token, CONTENT_LENGTH="3000000") == (404 if signed_in else 401)
    assert 0 < body.largest <= 1 << 20
    assert body.read() == b""


@pytest.mark.parametrize(
    "path", ["/api/v1/auth/password", "/api/v1/visits/00000000-0000-4000-8000-000000000009/photos"]
)
def test_nothing_is_read_past_the_announced_end(app: Flask, path: str) -> None:
    assert send(app, Open(b"a" * 3_000), path, CONTENT_LENGTH="3000") in {401, 415}
    signed_in = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"}
    assert send(app, Open(b"{}"), "/api/v1/auth/password", **signed_in) == 422


def test_a_body_without_an_end_is_left(app: Flask) -> None:
    body = Endless()
    status = send(app, body, "/api/v1/auth/password", HTTP_TRANSFER_ENCODING="chunked")
    assert status == 411
    assert 0 < body.taken <= MOST_BYTES


def test_a_body_that_is_announced_as_too_large_is_left(app: Flask) -> None:
    body = Endless()
    assert send(app, body, "/api/v1/auth/password", CONTENT_LENGTH=str(1 << 40)) == 413
    assert body.taken == 0
