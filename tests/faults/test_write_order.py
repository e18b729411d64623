"""The order of writes that makes an acknowledged photo safe, recorded from a real request and held (TRUST, Blobs).

File on the medium, its name, the name on the medium (and that of every new folder); then the row, its commit, the answer.
On S3: stored, looked at again, then the row. Each test of a broken order shows that the recording would tell.
"""

import os
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Engine
from werkzeug.serving import make_server

from server.app import create_app
from server.http import guard
from server.storage.base import BlobStat
from server.storage.disk import Disk
from server.storage.local import LocalStore
from server.storage.s3 import S3Store
from server.tools import Tools
from tests.builders.clock import Clock
from tests.builders.world import World
from tests.engines.ceph import S3Endpoint, ceph
from tests.faults.harness import Picture, Record, call, photo_request
from tests.faults.statements import watch_statements
from tests.photos.sending import Scene, picture

Step = tuple[str, str]


class Recording:
    """What one process does, in order: fsync, name, folder, store, look, row, commit, answer."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def note(self, what: str, which: object = "") -> None:
        self.steps.append((what, str(which)))

    def watch_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take note of the calls by which files get onto the medium."""

        def noted(name: str, what: str, which: Callable[..., object]) -> None:
            real = getattr(os, name)

            def call_and_note(*args: Any, **more: Any) -> Any:
                where = which(*args)
                done = real(*args, **more)
                self.note(what, where)
                return done

            monkeypatch.setattr(os, name, call_and_note)

        noted("fsync", "fsync", _synced)
        noted("link", "name", lambda old, new: f"{_file(old)} -> {new}")
        noted("rename", "name", lambda old, new: f"{_file(old)} -> {new}")
        noted("replace", "name", lambda old, new: f"{_file(old)} -> {new}")
        noted("mkdir", "folder", lambda folder, *_: folder)

    def watch_database(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take note of the rows of photos and visits, and of each commit when the database has confirmed it."""

        def on_statement(statement: str, values: object) -> None:
            for table in ("photos", "visits", "ledger_events"):
                if statement.startswith((f"INSERT INTO {table} ", f"UPDATE {table} ")):
                    self.note(f"row of {table}", values)

        watch_statements(engine, on_statement)
        real = engine.dialect.do_commit
        monkeypatch.setattr(engine.dialect, "do_commit", lambda one: (real(one), self.note("commit"))[0])

    def watch_store(self, store: S3Store) -> None:
        """Take note of what the S3 store confirmed."""
        events = store._client.meta.events

        def on_answer(what: str) -> Callable[..., None]:
            return lambda http_response, **_: self.note(what, http_response.status_code)

        events.register("after-call.s3.PutObject", on_answer("store"))
        events.register("after-call.s3.HeadObject", on_answer("look"))

    def at(self, what: str, which: str = "", after: int = -1) -> int:
        """Give where the first such step stands; beyond the end when there is none."""
        for number, (step, detail) in enumerate(self.steps):
            if number > after and step == what and which in detail:
                return number
        return len(self.steps)

    def database_faults(self, table: str, which: str) -> list[str]:
        """Say what is wrong with the order of row, ledger line, commit and answer."""
        row = self.at(f"row of {table}", which)
        committed, answered = self.at("commit", after=row), self.at("answer")
        wrong = [] if row < len(self.steps) else [f"no row of {table}"]
        if not row < self.at("row of ledger_events", after=row) < committed:
            wrong.append("no ledger line in the row's transaction")
        if not committed < answered < len(self.steps):
            wrong.append("the answer left before the commit")
        return wrong

    def disk_faults(self, key: str, uploads: Path) -> list[str]:
        """Say what is wrong with the order in which a blob came to the medium before its row."""
        target, row = uploads / key, self.at("row of photos", key)
        named = self.at("name", f"-> {target}")
        if named == len(self.steps):
            return ["the blob was never named"]
        temporary = self.steps[named][1].partition(" -> ")[0]
        wrong = []
        if not self.at("fsync", temporary) < named:
            wrong.append("named before its bytes were on the medium")
        if not named < self.at("fsync", str(target.parent), after=named) < row:
            wrong.append("the row before the name was on the medium")
        for folder in (one for one in target.parents if uploads in one.parents):
            made = [n for n, step in enumerate(self.steps) if step == ("folder", str(folder))]
            parents = [n for n, step in enumerate(self.steps) if step == ("fsync", str(folder.parent))]
            if made and not any(made[0] < synced < row for synced in parents):
                wrong.append("the row before its new folder was on the medium")
        return wrong

    def store_faults(self, key: str) -> list[str]:
        """Say what is wrong with the order in which a blob came to S3 before its row."""
        put, row = self.at("store", "200"), self.at("row of photos", key)
        return (
            []
            if put < self.at("look", "200", after=put) < row
            else ["the row before the store was asked again"]
        )


def _file(path: object) -> str:
    """Name a file by its number, since a temporary one has no name."""
    return f"file {Path(str(path)).stat().st_ino}."


def _synced(descriptor: int) -> str:
    path = Path(f"/proc/self/fd/{descriptor}")
    return str(path.readlink()) if path.is_dir() else _file(path)


class Stage:
    """A served application under watch, and a visit that waits for its photo."""

    def __init__(self, app: Flask, clock: Clock, recording: Recording) -> None:
        self.recording = recording
        self.app = app
        self.store: Any = app.extensions["parts"].store
        self.scene = Scene(World(app, clock))
        app.wsgi_app = self._answering(app.wsgi_app)  # type: ignore[method-assign]

    def _answering(self, inner: Any) -> Any:
        def wsgi(environ: Any, start_response: Any) -> Any:
            def start(status: str, *more: Any) -> Any:
                self.recording.note("answer", status)
                return start_response(status, *more)

            return inner(environ, start)

        return wsgi

    def send_photo(self) -> str:
        """Send a photo through a socket; gives the key of its blob."""
        visit, photo = self.scene.record(made := uuid4()), Picture(picture(), made)
        return self._send(visit, photo)

    def _send(self, visit: UUID, photo: Picture) -> str:
        with served(self.app) as port:
            self.recording.steps.clear()
            path, body, kind = photo_request(Record(lambda _: {}, "", [photo], visit), photo)
            answer = call(port, "POST", path, token=self.scene.phone.token, body=body, content_type=kind)
            assert answer.status == 201, answer.body
        rows = [detail for step, detail in self.recording.steps if step == "row of photos"]
        return next(key for key in self._keys() if any(key in detail for detail in rows))

    def _keys(self) -> list[str]:
        from sqlalchemy import select

        from server.photos.models import Photo

        with self.scene.world.work() as work:
            return list(work.session.scalars(select(Photo.blob_key).where(Photo.blob_key.is_not(None))))


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """Serve an application on a socket for as long as the block lasts."""
    server = make_server("127.0.0.1", 0, app, threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def stage(app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """Give an application over a folder, under watch."""
    recording = Recording()
    made = Stage(app, clock, recording)
    recording.watch_disk(monkeypatch)
    recording.watch_database(app.extensions["parts"].engine, monkeypatch)
    return made


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


def faults(stage: Stage, key: str, uploads: Path) -> list[str]:
    return stage.recording.disk_faults(key, uploads) + stage.recording.database_faults("photos", key)


def test_a_photo_is_on_the_medium_before_its_row_and_committed_before_its_answer(
    stage: Stage, uploads: Path
) -> None:
    key = stage.send_photo()
    assert faults(stage, key, uploads) == []
    assert faults(stage, stage.send_photo(), uploads) == []


def test_a_visit_is_committed_with_its_ledger_line_before_its_answer(stage: Stage) -> None:
    stage.recording.steps.clear()
    visit = stage.scene.record()
    which = str(visit) if stage.app.extensions["parts"].engine.dialect.name == "postgresql" else visit.hex
    assert stage.recording.database_faults("visits", which) == []


class Careless(Disk):
    """A disk that leaves one step out, or takes it too late."""

    def __init__(self, leaves_out: str) -> None:
        self.leaves_out = leaves_out

    def fsync_file(self, file: BinaryIO) -> None:
        if self.leaves_out not in {"fsync of the file", "fsync before the name"}:
            super().fsync_file(file)

    def link(self, file: BinaryIO, target: Path) -> None:
        super().link(file, target)
        if self.leaves_out == "fsync before the name":
            super().fsync_file(file)

    def fsync_folder(self, folder: Path) -> None:
        is_top = folder.name == "uploads"
        left_out = {"fsync of the folder": not is_top, "fsync of the top folder": is_top}
        if not left_out.get(self.leaves_out):
            super().fsync_folder(folder)


@pytest.mark.parametrize(
    ("leaves_out", "wrong"),
    [
        ("fsync of the file", "named before its bytes were on the medium"),
        ("fsync before the name", "named before its bytes were on the medium"),
        ("fsync of the folder", "the row before the name was on the medium"),
        ("fsync of the top folder", "the row before its new folder was on the medium"),
    ],
)
def test_a_step_that_the_disk_leaves_out_is_noticed(
    stage: Stage, uploads: Path, leaves_out: str, wrong: str
) -> None:
    store: LocalStore = stage.store
    store._disk = Careless(leaves_out)
    assert wrong in faults(stage, stage.send_photo(), uploads)


def test_a_blob_that_comes_after_its_row_is_noticed(
    stage: Stage, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, late = stage.store.put, []

    def put_later(key: str, source: bytes, **more: Any) -> None:
        late.append((key, source, more))

    monkeypatch.setattr(stage.store, "put", put_later)
    key = stage.send_photo()
    for name, data, more in late:
        put(name, data, **more)
    assert "the row before the name was on the medium" in faults(stage, key, uploads)


def test_an_answer_that_leaves_before_the_commit_is_noticed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, uploads: Path
) -> None:
    with ExitStack() as late:
        real, opened = guard.unit_of_work, []

        @contextmanager
        def committed_later(sessions: Any) -> Iterator[Any]:
            opened.append(sessions)
            if (
                len(opened) != 1
            ):  # whether the sender may is only looked at; the first that is opened writes the row
                with real(sessions) as session:
                    yield session
                return
            session = sessions()
            late.callback(session.close)
            late.callback(session.commit)
            yield session

        visit, photo = stage.scene.record(made := uuid4()), Picture(picture(), made)
        monkeypatch.setattr(guard, "unit_of_work", committed_later)
        with served(stage.app) as port:
            stage.recording.steps.clear()
            path, body, kind = photo_request(Record(lambda _: {}, "", [photo], visit), photo)
            token = stage.scene.phone.token
            assert call(port, "POST", path, token=token, body=body, content_type=kind).status == 201
    assert "the answer left before the commit" in stage.recording.database_faults("photos", "")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Endpoint]:
    with ceph(tmp_path_factory.mktemp("engine")) as running:
        yield running


@pytest.fixture
def on_s3(app: Flask, clock: Clock, endpoint: S3Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Give an application over S3, under watch."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", endpoint.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", endpoint.secret_key)
    bucket = endpoint.make_bucket(f"b{secrets.token_hex(8)}")
    settings = replace(
        app.extensions["parts"].settings, storage_url=f"s3://{bucket}/p", s3_endpoint_url=endpoint.url
    )
    over_s3 = create_app(settings, Tools(clock=clock))
    made = Stage(over_s3, clock, recording := Recording())
    recording.watch_store(made.store)
    recording.watch_database(over_s3.extensions["parts"].engine, monkeypatch)
    yield made
    over_s3.extensions["parts"].engine.dispose()


@pytest.mark.s3
def test_a_photo_is_in_the_store_and_looked_at_again_before_its_row(on_s3: Stage) -> None:
    key = on_s3.send_photo()
    assert on_s3.recording.store_faults(key) == []
    assert on_s3.recording.database_faults("photos", key) == []


@pytest.mark.s3
def test_a_store_that_is_not_asked_again_is_noticed(on_s3: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def believe(
        _store: S3Store, key: str, source: BinaryIO, size: int, sha256: bytes, _began: float
    ) -> BlobStat:
        on_s3.store._client.put_object(
            Bucket=on_s3.store._bucket, Key=on_s3.store._name(key), Body=source.read()
        )
        return BlobStat(key, size, on_s3.scene.world.clock(), sha256)

    monkeypatch.setattr(S3Store, "_put", believe)
    assert on_s3.recording.store_faults(on_s3.send_photo()) == ["the row before the store was asked again"]
