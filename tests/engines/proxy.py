"""A TCP proxy that breaks what goes through it, for tests of what a client does then."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


class FaultyProxy:
    """Listens on loopback and passes to `upstream` (host, port); `fault` may change between connections.

    - "" passes everything;
    - "black_hole" takes bytes and never answers;
    - "cut" closes as soon as the request came;
    - "slow" waits `delay` seconds before it passes the answer;
    - "lost_reply" passes the request, and closes instead of passing the final answer, `times` times;
    - "bit_flip" changes one bit of the last byte sent;
    - any bytes: answers with them instead of asking upstream.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self.upstream = upstream
        self.fault: str | bytes = ""
        self.delay = 0.0
        self.times = 1_000_000
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
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
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.fault == "black_hole":
                while client.recv(65536):
                    pass
                return
            server = socket.create_connection(self.upstream)
            self._open.append(server)
            threading.Thread(target=self._answer, args=(client, server), daemon=True).start()
            while data := client.recv(65536):
                if self.fault == "cut":
                    break
                if isinstance(self.fault, bytes):
                    client.sendall(self.fault)
                    break
                if self.fault == "bit_flip" and not data.startswith((b"PUT", b"HEAD", b"GET")):
                    data = data[:-1] + bytes([data[-1] ^ 1])
                server.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
            server.shutdown(socket.SHUT_RDWR)

    def _answer(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                # "100 Continue" and the final answer may come in one piece.
                final = not data.startswith(b"HTTP/1.1 100") or data.count(b"HTTP/1.1 ") > 1
                if self.fault == "slow":
                    time.sleep(self.delay)
                if self.fault == "lost_reply" and final and self.times > 0:
                    self.times -= 1
                    break
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def faulty_proxy(url: str) -> Iterator[FaultyProxy]:
    """Stand before the server at `url`; ends with the block."""
    parts = urlsplit(url)
    proxy = FaultyProxy((parts.hostname or "127.0.0.1", parts.port or 80))
    try:
        yield proxy
    finally:
        proxy.close()
