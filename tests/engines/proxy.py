"""A TCP proxy that breaks what goes through it, for tests of what a client does then."""

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class FaultyProxy:
    """Listens on loopback and passes to `upstream` (host, port); `fault` may change between connections.

    - "" passes everything;
    - "black_hole" takes bytes and never answers;
    - "cut" closes as soon as the request came; "cut_after" when `after` bytes of it came, "cut_answer" when `after`
      bytes of the answer went;
    - "slow" waits `delay` seconds before it passes the answer;
    - "lost_reply" passes the request, and closes instead of passing the final answer, `times` times;
    - "bit_flip" changes one bit of the last byte sent;
    - "down" refuses connections, and ends those that are open;
    - any bytes: answers with them instead of asking upstream.

    With `tls` it speaks HTTPS to the client, and plain HTTP upstream.
    """

    def __init__(self, upstream: tuple[str, int], tls: ssl.SSLContext | None = None) -> None:
        self.upstream = upstream
        self.after = 0
        self.fault: str | bytes = ""
        self.delay = 0.0
        self.times = 1_000_000
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._tls = tls
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        # Shutting down wakes accept(); closing alone does not.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._thread.join(2)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client)
            if self.fault == "down":
                client.close()
                continue
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def end_open(self) -> None:
        """Cut every connection that is open, as when the other machine goes down."""
        while self._open:
            one = self._open.pop()
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
                self._open.append(client)
            if self.fault == "black_hole":
                while client.recv(65536):
                    pass
                return
            with client, socket.create_connection(self.upstream) as server:
                self._open.append(server)
                came = 0
                # One thread for both ways: OpenSSL does not read and write one connection at a time.
                while ready := self._ready(client, server):
                    if client in ready:
                        data = client.recv(65536)
                        came += len(data)
                        if not data or not self._pass_request(data, came, client, server):
                            break
                    if server in ready:
                        data = server.recv(65536)
                        if not data or not self._pass_answer(data, client):
                            break

    def _ready(self, client: socket.socket, server: socket.socket) -> list[socket.socket]:
        if isinstance(client, ssl.SSLSocket) and client.pending():
            return [client]
        return select.select([client, server], [], [], 60)[0]

    def _pass_request(self, data: bytes, came: int, client: socket.socket, server: socket.socket) -> bool:
        """Pass what a client sent; False ends the connection."""
        if self.fault == "black_hole":
            return True
        if self.fault in {"cut", "down"}:
            return False
        if self.fault == "cut_after" and came > self.after:
            server.sendall(data[: max(0, len(data) + self.after - came)])
            return False
        if isinstance(self.fault, bytes):
            client.sendall(self.fault)
            return False
        if self.fault == "bit_flip" and not data.startswith((b"PUT", b"HEAD", b"GET")):
            data = data[:-1] + bytes([data[-1] ^ 1])
        server.sendall(data)
        return True

    def _pass_answer(self, data: bytes, client: socket.socket) -> bool:
        """Pass what the server answered; False ends the connection."""
        # "100 Continue" and the final answer may come in one piece.
        final = not data.startswith(b"HTTP/1.1 100") or data.count(b"HTTP/1.1 ") > 1
        if self.fault == "slow":
            time.sleep(self.delay)
        if self.fault == "lost_reply" and final and self.times > 0:
            self.times -= 1
            return False
        if self.fault == "black_hole":
            return True
        if self.fault == "cut_answer" and final:
            client.sendall(data[: self.after])
            return False
        client.sendall(data)
        return True


@contextmanager
def faulty_proxy(url: str, tls: ssl.SSLContext | None = None) -> Iterator[FaultyProxy]:
    """Stand before the server at `url`; ends with the block."""
    parts = urlsplit(url)
    proxy = FaultyProxy((parts.hostname or "127.0.0.1", parts.port or 80), tls)
    try:
        yield proxy
    finally:
        proxy.close()
