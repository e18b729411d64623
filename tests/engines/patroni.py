"""Three PostgreSQL servers that Patroni keeps: one leads, the others follow, one of them synchronously."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.engines.postgres import (
    EngineFailedError,
    EngineMissingError,
    _free_port,
    _server_account,
    alive,
    binaries,
)

VENV = Path(os.environ.get("PATRONI_VENV", "var/engines/patroni"))
NODES = 3
START_SECONDS = 90.0
USERS = {"replication": "repl", "superuser": "postgres", "rewind": "rew"}
NODE = """
scope: visits
name: n{number}
restapi: {{listen: '127.0.0.1:{rest}', connect_address: '127.0.0.1:{rest}'}}
etcd3: {{hosts: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    maximum_lag_on_failover: 1048576
    primary_start_timeout: 0
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters: {{wal_level: replica, hot_standby: 'on', max_connections: 100, max_wal_senders: 8, wal_log_hints: 'on'}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}, data-checksums]
  pg_hba: ['host replication repl 127.0.0.1/32 scram-sha-256', 'host all all 127.0.0.1/32 scram-sha-256']
postgresql:
  listen: 127.0.0.1:{port}
  connect_address: 127.0.0.1:{port}
  data_dir: {folder}/data{number}
  bin_dir: {binaries}
  pgpass: {folder}/pgpass{number}
  authentication: {users}
  parameters: {{unix_socket_directories: '', synchronous_commit: 'on', fsync: 'on', full_page_writes: 'on'}}
"""


class Node:
    """One server with the Patroni that keeps it."""

    def __init__(self, number: int, folder: Path, etcd: int) -> None:
        self.number, self.folder = number, folder
        self.port, self.rest = _free_port(), _free_port()
        self._patroni: subprocess.Popen[bytes] | None = None
        self._etcd = etcd

    def start(self) -> None:
        """Start Patroni, which starts the server."""
        users = {role: {"username": name, "password": "s"} for role, name in USERS.items()}
        config = self.folder / f"node{self.number}.yml"
        config.write_text(
            NODE.format(
                number=self.number, folder=self.folder, port=self.port, rest=self.rest, etcd=self._etcd,
                binaries=binaries(), users=json.dumps(users),
            )
        )  # fmt: skip
        self._patroni = _start(
            self.folder, f"node{self.number}", str(VENV.resolve() / "bin/patroni"), str(config)
        )

    @property
    def postmaster(self) -> int | None:
        """Give the process id of the server, None when it does not run."""
        with suppress(OSError, ValueError):
            pid = int((self.folder / f"data{self.number}/postmaster.pid").read_text().split("\n", 1)[0])
            return pid if alive(pid) else None
        return None

    def role(self) -> str:
        """Say what Patroni says of it: "primary", "sync_standby", "replica", or "" when it does not answer."""
        with suppress(OSError, ValueError):
            asked = f"http://127.0.0.1:{self.rest}/patroni"
            with urllib.request.urlopen(asked, timeout=1) as answer:
                state: dict[str, Any] = json.load(answer)
            if state.get("state") not in {"running", "streaming"}:
                return ""
            return "sync_standby" if state.get("sync_standby") else str(state.get("role"))
        return ""

    def writable(self) -> bool:
        """Say whether it takes writes, by asking the server itself."""
        address = (
            f"host=127.0.0.1 port={self.port} user=postgres password=s dbname=postgres connect_timeout=1"
        )
        with suppress(psycopg.Error), psycopg.connect(address, autocommit=True) as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            return row == (False,)
        return False

    def kill(self) -> None:
        """End Patroni and its server with SIGKILL, as when the machine loses power."""
        if self._patroni is not None:
            self._patroni.kill()
            self._patroni.wait()
            self._patroni = None
        self.kill_server()

    def kill_server(self) -> None:
        """End the server alone with SIGKILL."""
        pid = self.postmaster
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Cluster:
    """The nodes, and the URL that finds whichever leads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        etcd, peer = _free_port(), _free_port()
        here, there = f"http://127.0.0.1:{etcd}", f"http://127.0.0.1:{peer}"
        (folder / "etcd").mkdir(mode=0o700)
        _own(folder / "etcd")
        self._etcd = _start(
            folder, "etcd", shutil.which("etcd") or "etcd", "--data-dir", str(folder / "etcd"), "--name", "e",
            "--listen-client-urls", here, "--advertise-client-urls", here, "--listen-peer-urls", there,
            "--initial-advertise-peer-urls", there, "--initial-cluster", f"e={there}",
        )  # fmt: skip
        self.nodes = [Node(number, folder, etcd) for number in range(1, NODES + 1)]

    def url(self, database: str = "postgres") -> str:
        """Give the SQLAlchemy URL that names all nodes and asks for the one that takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql+psycopg://postgres:s@/{database}?{hosts}&target_session_attrs=read-write"

    def leader(self) -> Node | None:
        """Give the node that takes writes."""
        return next(
            (node for node in self.nodes if node.role() in {"primary", "master"} and node.writable()), None
        )

    def settled(self) -> bool:
        """Say whether one leads, all others follow, and one of them synchronously."""
        roles = [node.role() for node in self.nodes]
        return "" not in roles and "sync_standby" in roles and self.leader() is not None

    def wait_until_settled(self, seconds: float = START_SECONDS) -> None:
        """Wait until every node is in its place."""
        patience = time.monotonic() + seconds
        while time.monotonic() < patience:
            if self.settled():
                return
            time.sleep(0.1)
        logs = "\n".join(
            path.read_text(errors="replace")[-1500:] for path in sorted(self.folder.glob("*.log"))
        )
        raise EngineFailedError(f"the nodes {[node.role() for node in self.nodes]} did not settle:\n{logs}")

    def new_database(self, name: str) -> str:
        """Make a database on the leader and give its URL."""
        leader = self.leader()
        assert leader is not None
        address = f"host=127.0.0.1 port={leader.port} user=postgres password=s dbname=postgres"
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def end(self) -> None:
        """End everything."""
        for node in self.nodes:
            node.kill()
        self._etcd.kill()
        self._etcd.wait()


@contextmanager
def patroni() -> Iterator[Cluster]:
    """Run three nodes for as long as the block lasts."""
    if not (VENV / "bin/patroni").exists() or shutil.which("etcd") is None:
        raise EngineMissingError("Patroni and etcd are not installed: run `make faults`")
    folder = Path(tempfile.mkdtemp(prefix="visits-ha-"))
    _own(folder)
    cluster = None
    try:
        cluster = Cluster(folder)
        for node in cluster.nodes:
            node.start()
        cluster.wait_until_settled()
        yield cluster
    finally:
        if cluster is not None:
            cluster.end()
        shutil.rmtree(folder, ignore_errors=True)


def _own(folder: Path) -> None:
    owner = _server_account()
    if owner is not None:
        os.chown(folder, owner.pw_uid, owner.pw_gid)


def _start(folder: Path, name: str, *command: str) -> subprocess.Popen[bytes]:
    owner = _server_account()
    if owner is not None:
        # PostgreSQL refuses root, and the account may not be able to walk to our Python, which this leave is for.
        account = ["--reuid", str(owner.pw_uid), "--regid", str(owner.pw_gid), "--clear-groups"]
        leave = ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
        command = ("setpriv", *account, *leave, "--", *command)
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": str(folder)},
        )  # fmt: skip
