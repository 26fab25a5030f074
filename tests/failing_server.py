"""A local HTTP server that fails as real ones do: each request takes the next behaviour of a list."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler

from tests.loopback_server import LoopbackServer, running

Behaviour = Callable[["Handler"], None]


class FailingServer(LoopbackServer):
    """Serves `data`; the last behaviour stays. `ranges` keeps the Range header of each request."""

    def __init__(self, data: bytes, behaviours: list[Behaviour]) -> None:
        super().__init__(Handler)
        self.data = data
        self.behaviours = behaviours
        self.tag = '"first"'
        self.ranges: list[str | None] = []

    def url(self, name: str = "data.bin") -> str:
        """The address of a file."""
        return f"http://127.0.0.1:{self.server_address[1]}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: FailingServer

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        behaviours = self.server.behaviours
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def start(self) -> int:
        """Where the asked for range starts; 0 if the file changed since."""
        asked, valid = self.headers.get("Range"), self.headers.get("If-Range", self.server.tag)
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked and valid == self.server.tag else 0

    def head(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()


def whole(handler: Handler) -> None:
    """Serve well: ranges, a validator, the length."""
    part_of(None)(handler)


def part_of(count: int | None) -> Behaviour:
    """Serve `count` bytes of those that were promised and hang up."""

    def serve(handler: Handler) -> None:
        start, data = handler.start(), handler.server.data
        size = len(data)
        extent = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        handler.head(206 if start else 200, Content_Length=str(size - start), ETag=handler.server.tag, **extent)
        handler.wfile.write(data[start:] if count is None else data[start : start + count])

    return serve


def without_ranges(count: int | None) -> Behaviour:
    """Serve from the start, whatever was asked for."""

    def serve(handler: Handler) -> None:
        handler.head(200, Content_Length=str(len(handler.server.data)))
        handler.wfile.write(handler.server.data[:count])

    return serve


def answer(status: int, body: bytes = b"", **headers: str) -> Behaviour:
    """Serve a status and a body without its length."""

    def serve(handler: Handler) -> None:
        handler.head(status, **headers)
        handler.wfile.write(body)

    return serve


def stall(seconds: float, count: int = 10) -> Behaviour:
    """Send some bytes, then nothing for so many seconds or until the server is shut."""

    def serve(handler: Handler) -> None:
        handler.head(200, Content_Length=str(len(handler.server.data)), ETag=handler.server.tag)
        handler.wfile.write(handler.server.data[:count])
        handler.server.ended.wait(seconds)

    return serve


def serving(data: bytes, *behaviours: Behaviour) -> AbstractContextManager[FailingServer]:
    """Run the server while the block runs."""
    return running(FailingServer(data, list(behaviours)))
