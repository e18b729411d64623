"""A real nginx for tests, run with the very files that we ship (deploy/nginx/): only places and ports are replaced."""

import datetime as dt
import ipaddress
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.tools import Tools

SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx"
START_SECONDS = 20


class NginxFailedError(Exception):
    """nginx is missing or did not start; the message ends with what it said."""


@dataclass(frozen=True)
class Nginx:
    """A running proxy: https on `port` of loopback; `folder` holds its logs and temporary files."""

    port: int
    folder: Path
    context: ssl.SSLContext
    process: "subprocess.Popen[bytes]"

    def connection(self, timeout: float = 30) -> HTTPSConnection:
        """Make a client that trusts this proxy's certificate."""
        return HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.context)

    def connect(self, timeout: float = 20) -> ssl.SSLSocket:
        """Open a TLS connection, with the certificate checked."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        return self.context.wrap_socket(plain, server_hostname="localhost")

    def log(self) -> str:
        """Give what nginx wrote, errors and requests."""
        logs = sorted(self.folder.glob("*.log"))
        return "".join(one.read_text(errors="replace") for one in logs if one.is_file())

    @property
    def access_log(self) -> str:
        """Read the access log."""
        return (self.folder / "visits.log").read_text()

    @property
    def error_log(self) -> str:
        """Read the error logs, main and of the site."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*error.log")))


def available() -> bool:
    """Say whether nginx is installed (Debian: nginx-light)."""
    return _program() is not None


def configuration(folder: Path, port: int, upstreams: Sequence[int], *, plain: bool = False) -> Path:
    """Write the shipped files into `folder` with test ports, a test certificate and temporary folders; name the main one.

    `plain` leaves TLS out, for load generators that do not speak it.
    """
    _certificate(folder)
    site = (SHIPPED / "visits.conf").read_text()
    site = site.replace("listen 443", f"listen 127.0.0.1:{port}").replace(
        "    listen [::]:443 ssl http2;\n", ""
    )
    if plain:
        site = site.replace(f"listen 127.0.0.1:{port} ssl http2", f"listen 127.0.0.1:{port}")
    servers = "".join(f"    server 127.0.0.1:{one} max_fails=0;\n" for one in upstreams)
    site = site.replace("    server 127.0.0.1:8000 max_fails=0;\n", servers)
    site = site.replace("    server 127.0.0.1:8001 max_fails=0;\n", "")
    site = site.replace("/etc/visits/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    (folder / "visits.conf").write_text(site)
    main = (SHIPPED / "nginx.conf").read_text()
    main = main.replace("/etc/nginx/conf.d/", f"{folder}/").replace("/var/log/nginx/", f"{folder}/")
    main = main.replace("user www-data;\n", "" if os.geteuid() else "user root;\n")
    main = main.replace("/run/nginx.pid", f"{folder}/nginx.pid")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"    {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    main = main.replace("http {\n", "http {\n" + temporary)
    path = folder / "nginx.conf"
    path.write_text(main)
    return path


@contextmanager
def nginx(
    folder: Path, upstreams: int | Sequence[int], *, port: int | None = None, plain: bool = False
) -> Iterator[Nginx]:
    """Run the shipped proxy before the server or servers on these loopback ports, for as long as the block lasts."""
    program = _program()
    if program is None:
        raise NginxFailedError("nginx is not installed: run tests/engines/install.sh")
    folder.mkdir(parents=True, exist_ok=True)
    port = port or _free_port()
    ports = [upstreams] if isinstance(upstreams, int) else upstreams
    main = configuration(folder, port, ports, plain=plain)
    with (folder / "start.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-p", str(folder), "-e", str(folder / "start-error.log"), "-c", str(main), "-g", "daemon off;"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_until_it_listens(process, port, folder)
        context = ssl.create_default_context(cafile=str(folder / "tls.crt"))
        yield Nginx(port, folder, context, process)
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _certificate(folder: Path) -> None:
    """Make a self-signed certificate for loopback, of yesterday until the day after tomorrow."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = Tools().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    patience = time.monotonic() + START_SECONDS
    while time.monotonic() < patience and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    said = (folder / "start.log").read_text(errors="replace")[-2000:]
    raise NginxFailedError(f"nginx did not start:\n{said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
