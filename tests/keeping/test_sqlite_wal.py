"""However writers, checkpoints and ticks fall together, what is shipped is what SQLite has (docs/adr/0008)."""

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.keeping import sqlite_wal
from server.keeping.source import LostTrackError
from server.keeping.sqlite_source import row_counts
from server.keeping.sqlite_target import _Rebuilt
from server.keeping.sqlite_wal import FollowedFile, Stretch
from server.keeping.terms import ArchiveDamaged


class Shipped:
    """What a follower handed out, put together again."""

    def __init__(self, followed: FollowedFile, folder: Path) -> None:
        self._followed = followed
        self._folder = folder
        self.base = folder / "base.sqlite"
        followed.base(self.base)
        self.stretches: list[tuple[dict[str, object], bytes]] = []

    def take(self, stretch: Stretch, frames: Iterator[bytes]) -> None:
        facts = {
            "header": stretch.header.hex(),
            "page_bytes": stretch.page_bytes,
            "first": stretch.first,
            "last": stretch.last,
        }
        self.stretches.append((facts, b"".join(frames)))

    def rebuilt(self) -> list[tuple[int, str]]:
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as folder,
            closing(_Rebuilt(Path(folder) / "again.sqlite")) as again,
        ):
            again.write_base(iter([self.base.read_bytes()]))
            for facts, content in self.stretches:
                again.add([facts], iter([content[:100], content[100:]]))
            again.take_over()
            again.check()
            return rows(again.path)


def rows(path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute("SELECT id, text FROM t ORDER BY id").fetchall()


def writer(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, text TEXT)")
    return connection


def begin_anew(followed: FollowedFile, take: Callable[[Stretch, Iterator[bytes]], None]) -> None:
    """Let the log begin anew, however short it is."""
    before, sqlite_wal.LONG = sqlite_wal.LONG, 1
    try:
        followed.begin_anew(take)
    finally:
        sqlite_wal.LONG = before


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 400)),
        st.tuples(st.just("delete"), st.integers(1, 400)),
        st.tuples(st.just("undo"), st.integers(1, 400)),
        st.tuples(st.just("tick"), st.just(0)),
        st.tuples(st.just("busy tick"), st.sampled_from([0, 1, 2, 3])),
        st.tuples(st.just("anew"), st.just(0)),
        st.tuples(st.just("busy anew"), st.just(0)),
        st.tuples(st.just("checkpoint"), st.sampled_from([0, 1, 2, 3])),
        st.tuples(st.just("another"), st.just(0)),
        st.tuples(st.just("vacuum"), st.just(0)),
    ),
    max_size=25,
)
MODES = ("PASSIVE", "FULL", "RESTART", "TRUNCATE")


@settings(max_examples=40)
@example([("anew", 0), ("checkpoint", 3), ("another", 0)])  # empty logs begin one after the other
@given(STEPS)
def test_whatever_happens_between_ticks_the_next_one_has_it_all(steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        path = Path(name) / "app.sqlite"
        at_work = stack.enter_context(closing(writer(path)))
        at_work.execute("PRAGMA wal_autocheckpoint=3")
        followed = stack.enter_context(closing(FollowedFile(path)))
        shipped = Shipped(followed, Path(name))
        for step, number in [*steps, ("tick", 0)]:
            if step == "write":
                at_work.execute("INSERT INTO t (text) VALUES (?)", (f"{number}" * number,))
            elif step == "delete":
                at_work.execute("DELETE FROM t WHERE id % 7 = ?", (number % 7,))
            elif step == "undo":
                at_work.execute("BEGIN IMMEDIATE")
                at_work.execute("INSERT INTO t (text) VALUES (?)", ("x" * 20000,))
                at_work.execute("ROLLBACK")
            elif step == "checkpoint":
                at_work.execute("PRAGMA busy_timeout=1")
                at_work.execute(f"PRAGMA wal_checkpoint({MODES[number]})").fetchall()
            elif step == "another":
                with closing(sqlite3.connect(path, isolation_level=None)) as passing:
                    passing.execute("INSERT INTO t (text) VALUES ('another')")
            elif step == "vacuum":
                at_work.execute("VACUUM")
            elif step == "anew":
                begin_anew(followed, shipped.take)
            elif step == "busy anew":
                at_work.execute("INSERT INTO t (text) VALUES ('before')")

                def take_and_write(stretch: Stretch, frames: Iterator[bytes]) -> None:
                    shipped.take(stretch, frames)
                    at_work.execute("PRAGMA busy_timeout=1")
                    with suppress(sqlite3.OperationalError):  # writers wait meanwhile
                        at_work.execute("INSERT INTO t (text) VALUES (?)", ("m" * 9000,))

                begin_anew(followed, take_and_write)
                at_work.execute("INSERT INTO t (text) VALUES ('after')")
            elif step == "busy tick":
                # A writer is at work between the last frame that is taken and the end of the tick.
                def take(stretch: Stretch, frames: Iterator[bytes], mode: str = MODES[number]) -> None:
                    shipped.take(stretch, frames)
                    at_work.execute("PRAGMA busy_timeout=1")
                    for _ in range(3):
                        at_work.execute("INSERT INTO t (text) VALUES (?)", ("m" * 9000,))
                        at_work.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()

                followed.advance(take)
            else:
                followed.advance(shipped.take)
                assert shipped.rebuilt() == rows(path)


def test_the_log_begins_anew_when_it_is_long_and_does_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_wal, "LONG", 50)
    path = tmp_path / "app.sqlite"
    with closing(writer(path)) as at_work, closing(FollowedFile(path)) as followed:
        shipped = Shipped(followed, tmp_path)
        salts, longest = set(), 0
        for _ in range(40):
            for _ in range(10):
                at_work.execute("INSERT INTO t (text) VALUES (?)", ("x" * 3000,))
            followed.advance(shipped.take)
            followed.begin_anew(shipped.take)
            salts.add(followed.place().salt)
            longest = max(longest, followed.place().frames)
        assert len(salts) > 3
        assert longest < 50 + 10 * 6
        assert shipped.rebuilt() == rows(path)
        assert row_counts(path) == {"t": 400}


def test_a_writer_of_another_process_that_is_killed_halfway_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite"
    with closing(writer(path)) as at_work, closing(FollowedFile(path)) as followed:
        shipped = Shipped(followed, tmp_path)
        at_work.execute("INSERT INTO t (text) VALUES ('before')")
        code = (
            f"import sqlite3, os; c = sqlite3.connect({str(path)!r}, isolation_level=None);"
            "c.execute('PRAGMA cache_size=2'); c.execute('BEGIN IMMEDIATE');"
            "[c.execute('INSERT INTO t (text) VALUES (?)', ('x' * 9000,)) for _ in range(50)]; os._exit(9)"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
        followed.advance(shipped.take)
        at_work.execute("INSERT INTO t (text) VALUES ('after')")
        followed.advance(shipped.take)
        assert [text for _, text in shipped.rebuilt()] == ["before", "after"]


def test_frames_that_were_overwritten_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite"
    with closing(writer(path)) as at_work, closing(FollowedFile(path)) as followed:
        shipped = Shipped(followed, tmp_path)
        at_work.execute("INSERT INTO t (text) VALUES ('one')")
        followed.advance(shipped.take)
        log = path.with_name("app.sqlite-wal")
        with log.open("rb+") as file:  # as if a failed write had been repeated with other content
            file.seek(-(4096 + 24) + 16, 2)
            file.write(b"12345678")
        at_work.execute("INSERT INTO t (text) VALUES ('two')")
        with pytest.raises(LostTrackError):
            followed.advance(shipped.take)


def test_a_frame_that_is_not_genuine_ends_the_rebuilding(tmp_path: Path) -> None:
    path = tmp_path / "app.sqlite"
    with closing(writer(path)) as at_work, closing(FollowedFile(path)) as followed:
        shipped = Shipped(followed, tmp_path)
        for _ in range(5):
            at_work.execute("INSERT INTO t (text) VALUES (?)", ("x" * 3000,))
        followed.advance(shipped.take)
        [(facts, content)] = shipped.stretches
        changed = bytearray(content)
        changed[len(content) // 2] ^= 1
        shipped.stretches = [(facts, bytes(changed))]
        with pytest.raises(ArchiveDamaged):
            shipped.rebuilt()
        shipped.stretches = [(facts, content[:-1])]
        with pytest.raises(ArchiveDamaged):
            shipped.rebuilt()
