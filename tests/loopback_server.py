"""What the servers of the tests share: they listen on loopback while a block runs, and break connections in silence."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeVar


class LoopbackServer(ThreadingHTTPServer):
    """Listens on a port of its own. ended: set when it is shut, for those who wait in it."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.ended = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: connections break here on purpose."""


ServerT = TypeVar("ServerT", bound=LoopbackServer)


@contextlib.contextmanager
def running(server: ServerT) -> Iterator[ServerT]:
    """Run a server while the block runs."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
