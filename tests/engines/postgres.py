"""A real PostgreSQL server for tests and benchmarks: made in a second, thrown away afterwards.

The settings that keep acknowledged records (`fsync`, `full_page_writes`, `synchronous_commit`) are always on, because
the application refuses to start otherwise. Quick tests put the whole cluster into memory instead (`durable=False`).
"""

import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

DEBIAN = Path("/usr/lib/postgresql")
MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3
OLDEST = 15
START_SECONDS = 60.0
STOP_SECONDS = 20.0
PREFIX = "visits-pg-"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_wal_size": "2GB",
    "logging_collector": "off",
    "log_min_messages": "warning",
    "log_statement": "none",
}


class EngineMissingError(Exception):
    """PostgreSQL 15 or newer is not installed; the message says how to get it."""


class EngineFailedError(Exception):
    """PostgreSQL is there, but did not start; the message ends with the tail of its log."""


def binaries() -> Path:
    """Name the folder with the newest `initdb` and `postgres` that are installed."""
    versions = sorted(
        (int(folder.name) for folder in DEBIAN.glob("*") if folder.name.isdecimal()), reverse=True
    )
    for version in versions:
        folder = DEBIAN / str(version) / "bin"
        if version >= OLDEST and (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    if found and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    raise EngineMissingError(f"PostgreSQL {OLDEST} or newer is not installed: run tests/engines/install.sh")


class Postgres:
    """One cluster in `directory`, reachable on a free loopback port; `url` is its maintenance database.

    `start` and `stop` may be called again and again (a test of fail-over does); `remove` ends it for good.
    """

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.log = directory / "server.log"
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = 0
        self.bin = binaries()
        self._owner = _server_account()
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)

    @property
    def url(self) -> str:
        """Give the URL of the maintenance database."""
        return self.url_of("postgres")

    @property
    def pid(self) -> int:
        """Give the process id of the postmaster, for those who want to kill it."""
        if self._process is None:
            raise EngineFailedError("the server is not running")
        return self._process.pid

    def url_of(self, database: str) -> str:
        """Give the SQLAlchemy URL of a database on this server."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self) -> None:
        """Make the cluster; C.UTF-8, so that sorting is by code point on every machine."""
        if self._owner is not None:
            os.chown(self.directory, self._owner.pw_uid, self._owner.pw_gid)
        done = subprocess.run(
            [
                str(self.bin / "initdb"),
                *("-D", str(self.data), "-U", "postgres", "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            check=False,
            **self._as_owner(),
        )
        if done.returncode:
            raise EngineFailedError(f"initdb failed: {done.stderr[-2000:]!r}")

    def start(self) -> None:
        """Start the server and wait until it answers; another port is tried when somebody takes ours first."""
        for attempt in range(5):
            self.port = self.port or _free_port()
            if self._answers_after_start():
                return
            if "Address already in use" not in self._log_tail() or attempt == 4:
                break
            self.port = 0
        raise EngineFailedError(f"PostgreSQL did not start:\n{self._log_tail()}")

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Stop the server: SIGQUIT is `immediate`, SIGINT is `fast`; what does not end in time is killed."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def remove(self) -> None:
        """Stop the server and delete the cluster."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def new_database(self, template: str | None = None, *, name: str | None = None) -> str:
        """Make a database, empty or as a copy of the one at `template` (a URL of this server), and give its URL.

        Nobody may be connected to the template meanwhile.
        """
        name = name or f"d{os.getpid()}_{next(self._names)}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            source = template.rpartition("/")[2].partition("?")[0]
            statement = sql.SQL("{} TEMPLATE {}").format(statement, sql.Identifier(source))
        self._tell(statement)
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Drop a database of this server, whoever is connected to it."""
        name = sql.Identifier(url.rpartition("/")[2].partition("?")[0])
        self._tell(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _tell(self, statement: sql.Composed) -> None:
        address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            connection.execute(statement)

    def _answers_after_start(self) -> bool:
        options = {**self.settings, "port": str(self.port), "unix_socket_directories": ""}
        arguments = [text for name, value in options.items() for text in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._as_owner(),
            )
        patience = time.monotonic() + START_SECONDS
        while time.monotonic() < patience:
            if self._process.poll() is not None:
                self._process = None
                return False
            with suppress(psycopg.OperationalError):
                self._tell(sql.Composed([sql.SQL("SELECT 1")]))
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def _as_owner(self) -> dict[str, Any]:
        """Give the process options: PostgreSQL refuses to run as root."""
        common: dict[str, Any] = {
            "cwd": self.directory,
            "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        }
        if self._owner is None:
            return common
        return {**common, "user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""


@contextmanager
def postgres(
    directory: Path | None = None, *, durable: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[Postgres]:
    """Run a server for as long as the block lasts.

    `directory` is where its folder is made (a place that the server's account can reach, else the temporary folder is
    taken). `durable` keeps the files on a disk, as benchmarks and crash tests need; without it they are in memory
    where there is room, under the same settings. `settings` overrides those, for tests of what the application refuses.
    """
    sweep()
    base = _base(directory, durable=durable)
    server = Postgres(Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)), settings)
    (server.directory / "owner").write_text(_process_mark(os.getpid()))
    at_exit = _only_here(server.remove)
    atexit.register(at_exit)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()
        atexit.unregister(at_exit)


def sweep() -> None:
    """End the servers whose test run is no longer alive (it was killed), and delete their folders."""
    for base in {MEMORY, Path(tempfile.gettempdir())}:
        for folder in base.glob(f"{PREFIX}*"):
            with suppress(OSError):
                pid, _, started = (folder / "owner").read_text().partition(" ")
                if not started or _process_mark(int(pid)) == f"{pid} {started}":
                    continue  # its run is alive, or about to write down whose it is
                _end_abandoned(folder / "data")
                shutil.rmtree(folder, ignore_errors=True)


def _end_abandoned(data: Path) -> None:
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return
    # The id may belong to somebody else by now; only a postmaster over this very folder is ended.
    if os.fsencode(data) not in words:
        return
    for how in (signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        for _ in range(100):
            if not alive(pid):
                return
            time.sleep(0.05)


def alive(pid: int) -> bool:
    """Say whether a process is there and is more than an entry that nobody has collected yet."""
    return _process_mark(pid) != f"{pid} gone"


def _only_here(act: Callable[[], None]) -> Callable[[], None]:
    """Keep a forked child, which inherits our exit handlers, from ending its parent's server."""
    here = os.getpid()
    return lambda: act() if os.getpid() == here else None


def _process_mark(pid: int) -> str:
    """Give a process id with its start time, so that a recycled id is not mistaken for its predecessor."""
    try:
        fields = re.sub(r"^.*\) ", "", Path(f"/proc/{pid}/stat").read_text(), flags=re.DOTALL).split()
    except OSError:
        return f"{pid} gone"
    if fields[0] in "ZX":
        return f"{pid} gone"
    return f"{pid} {fields[19]}"


def _base(directory: Path | None, *, durable: bool) -> Path:
    if directory is not None and _reachable(directory):
        return directory
    if not durable and MEMORY.is_dir() and os.access(MEMORY, os.W_OK):
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize >= ROOM:
            return MEMORY
    return Path(tempfile.gettempdir())


def _reachable(directory: Path) -> bool:
    """Say whether the server's account can walk to a folder; pytest's own are closed to other accounts."""
    if _server_account() is None:
        return True
    return all(folder.stat().st_mode & 0o001 for folder in (directory, *directory.resolve().parents))


def _server_account() -> pwd.struct_passwd | None:
    """Give the account that the server runs under; None when we are not root and it can be our own."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EngineFailedError(
        "PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`"
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
