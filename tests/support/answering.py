"""A server that answers one status of a rental after the other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def answering(*parts: bytes) -> Iterator[str]:
    """Yield the address of a server that answers one status after the other."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for part in parts:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    body = b'{"success":true,"token":"t",' + part + b"}"
                    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    length = f"Content-Length: {len(body)}\r\n\r\n".encode()
                    connection.sendall(head + length + body)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        thread.join(10)
        assert not thread.is_alive()
