"""A real S3 server for tests: one Ceph node with its RADOS Gateway on free ports of loopback."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

_HERE = Path(__file__).parent
_PROGRAMS = (
    "radosgw",
    "radosgw-admin",
    "ceph-mon",
    "ceph-osd",
    "ceph",
    "ceph-authtool",
    "monmaptool",
    "curl",
)


@dataclass(frozen=True)
class S3Endpoint:
    """Where a test's S3 server listens, and with which keys."""

    url: str
    access_key: str
    secret_key: str
    folder: Path

    def client(self) -> Any:
        """Make a plain boto3 client of this server."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"},
            ),
        )

    def make_bucket(self, name: str) -> str:
        """Make a bucket; gives its name back."""
        self.client().create_bucket(Bucket=name)
        return name

    def admin(self, *words: str) -> None:
        """Run radosgw-admin against this server."""
        command = ["radosgw-admin", "-c", str(self.folder / "ceph.conf"), *words]
        subprocess.run(command, check=True, capture_output=True, timeout=30)


def available() -> bool:
    """Say whether the programs are installed (Debian: radosgw ceph-mon ceph-osd ceph-common)."""
    return all(shutil.which(program) for program in _PROGRAMS)


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listening = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in listening:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in listening]


@contextmanager
def ceph(tmp_path: Path) -> Iterator[S3Endpoint]:
    """Start a node that keeps everything in memory under `tmp_path`, and end it whatever happens."""
    folder = tmp_path / "ceph"
    rgw, mon = _free_ports(2)
    environment = os.environ | {"RGW": str(rgw), "MON": f"127.0.0.1:{mon}"}
    try:
        # The daemons inherit pipes and keep them open, so output goes to a file.
        with (tmp_path / "ceph-up.log").open("wb") as log:
            subprocess.run(
                [str(_HERE / "ceph-up.sh"), str(folder), "memstore"],
                env=environment, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60,
            )  # fmt: skip
        yield S3Endpoint(f"http://127.0.0.1:{rgw}", "AKTEST", "SKTESTSECRET", folder)
    finally:
        with (tmp_path / "ceph-down.log").open("wb") as log:
            subprocess.run(
                [str(_HERE / "ceph-down.sh"), str(folder)],
                env=os.environ | {"SIGNAL": "KILL"}, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=60,
            )  # fmt: skip
        shutil.rmtree(folder, ignore_errors=True)
