"""Requests to a server, many at once: tried again where that may help, and told in a sentence where it does not.

The key stands in a header and nowhere else; what a server says is quoted without it.
"""

from __future__ import annotations

import email.utils
import itertools
import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar, final

import httpx2

from reml.devices.remarks import remark

Reply = TypeVar("Reply")
Key = TypeVar("Key")
_LOG = logging.getLogger(__name__)
_PASSING: Final = frozenset({408, 425, 429})
_LONGEST_WAIT, _LONGEST_ASKED = 60.0, 600.0  # seconds
_LARGEST: Final = 256 << 20  # bytes of a reply
_URL_ADVICE: Final = "See that `url` is what stands before /completions (often it ends in /v1)"
_ADVICE: Final[Mapping[int, str]] = {
    401: "Set `key_variable` to the name of an environment variable, and put a key that is valid there",
    403: "Set `key_variable` to the name of an environment variable, and put a key that may do this there",
    404: f"{_URL_ADVICE}, and that the server has this `model`",
    405: _URL_ADVICE,
    413: "Give shorter prompts",
}


class PassingError(Exception):
    """What may go better next time, after `wait` seconds if the server named a time."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class MisfitError(Exception):
    """A reply of another form than those of OpenAI-compatible servers; the message says what is wrong with it."""


class RefusedError(ValueError):
    """What a server will not do, however often it is asked. status: of HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is borne with: tries of each request, the first wait, and seconds for a whole reply."""

    tries: int
    wait: float
    timeout: float

    def before_next(self, failures: int, asked: float) -> float:
        """Give the seconds to wait after so many failures: doubled each time, and never less than was asked for."""
        doubled = min(self.wait * 2.0 ** (failures - 1), _LONGEST_WAIT)
        return max(doubled * random.uniform(1, 1.25), asked)


@final
class Requests:
    """Requests to one server while a call lasts; `replies` sends many, each of `concurrent` threads one at a time."""

    def __init__(self, client: httpx2.Client, key: str, patience: Patience, concurrent: int) -> None:
        self._client, self._key, self._patience, self._concurrent = client, key, patience, concurrent
        self._stopped, self._told = threading.Event(), threading.Event()

    def replies(
        self, bodies: Mapping[Key, tuple[str, str]], read: Callable[[Key, bytes], Reply]
    ) -> Iterator[tuple[Key, Reply]]:
        """Send each body, JSON, to its URL and give what `read` makes of its reply, in the order in which they come.

        What is under way when one fails still comes, for it is paid for; then the first error is raised: `ValueError`
        for what asking again does not mend, `ConnectionError` for a server that does not answer as it should. `read`
        raises `PassingError` for a reply to be asked for again, `MisfitError` for one that is of another form.
        """
        failed: BaseException | None = None
        with ThreadPoolExecutor(max(1, min(self._concurrent, len(bodies)))) as pool:
            asked = {
                pool.submit(self._reply, url, body, partial(read, key)): key for key, (url, body) in bodies.items()
            }
            try:
                for future in as_completed(asked):
                    if future.cancelled():
                        continue
                    if (error := future.exception()) is None:
                        yield asked[future], future.result()
                    elif failed is None:
                        failed = error
                        self._stop(asked)
            finally:
                self._stop(asked)
        if failed is not None:
            raise failed

    def _stop(self, futures: Iterable[Future[Reply]]) -> None:
        self._stopped.set()
        for future in futures:
            future.cancel()

    def _reply(self, url: str, body: str, read: Callable[[bytes], Reply]) -> Reply:
        for failures in itertools.count(1):
            try:
                content = self._sent(url, body)
                return self._as_read(url, content, read)
            except PassingError as error:
                said = self._without_key(f"{url}: {error}")
                if failures >= self._patience.tries or error.wait > _LONGEST_ASKED or self._stopped.is_set():
                    raise ConnectionError(
                        f"{said}; it was asked {failures} time{'s' * (failures > 1)}. What came before is kept: run "
                        "again when the server answers, or raise `tries` or `timeout`."
                    ) from None
                self._tell(said)
                self._stopped.wait(self._patience.before_next(failures, error.wait))
        raise AssertionError("it counts without end")

    def _as_read(self, url: str, content: bytes, read: Callable[[bytes], Reply]) -> Reply:
        try:
            return read(content)
        except PassingError as error:
            raise PassingError(f"{error}{self._quoted(content)}") from None
        except MisfitError as error:
            raise ConnectionError(
                self._without_key(
                    f"{url}: {error}{self._quoted(content)}. {_URL_ADVICE}, and that an OpenAI-compatible server is "
                    "there."
                )
            ) from None

    def _tell(self, said: str) -> None:
        """Say once a call that something is asked for again, since a run that waits looks like one that hangs."""
        if not self._told.is_set():
            self._told.set()
            remark(_LOG, "%s. It is asked again, up to %d times in all.", said, self._patience.tries)

    def _without_key(self, text: str) -> str:
        """Take the key out of what a server said, in any spelling of JSON."""
        for spelt in {self._key, json.dumps(self._key)[1:-1]} - {""}:
            text = text.replace(spelt, "***")
        return text

    def _quoted(self, content: bytes) -> str:
        """Quote how a reply begins: the key is taken out before anything is cut, so that no part of it is left."""
        longest = 6 * len(self._key)  # as JSON may spell it
        text = self._without_key(content[: 1200 + longest].decode(errors="replace"))
        whole = len(content) <= 1200 + longest
        text = " ".join((text if whole else text[: len(text) - longest]).split())
        return f": {text if len(text) <= 300 else f'{text[:297]}...'}" if text else ""

    def _sent(self, url: str, body: str) -> bytes:
        try:
            with self._client.stream("POST", url, content=body) as response:
                content = self._content(response)
                self._check(response, content)
                return content
        except httpx2.TimeoutException as error:
            raise PassingError(f"nothing came for {self._patience.timeout:g} seconds") from error
        except httpx2.ConnectError as error:
            raise PassingError(f"the server cannot be reached ({error})") from error
        except httpx2.RequestError as error:
            raise PassingError(f"the connection broke ({error})") from error

    def _content(self, response: httpx2.Response) -> bytes:
        until, content = time.monotonic() + self._patience.timeout, bytearray()
        for piece in response.iter_bytes():
            content += piece
            if len(content) > _LARGEST:
                raise ConnectionError(f"{response.url} sent more than {_LARGEST >> 20} MiB: it is no language model.")
            if time.monotonic() > until:
                raise PassingError(f"the answer was not whole after {self._patience.timeout:g} seconds")
        return bytes(content)

    def _check(self, response: httpx2.Response, content: bytes) -> None:
        status = response.status_code
        if status == 200:
            return
        said = f"answered {status} {response.reason_phrase}{self._quoted(content)}"
        if status in _PASSING or (status >= 500 and status != 501):
            wait = _wait_asked_for(response)
            raise PassingError(f"it {said}{f' and asks to wait {wait:,.0f} seconds' if wait else ''}", wait)
        advice = _ADVICE.get(status, "Change what the settings ask for (`options` takes fields away or adds some)")
        if status < 400:
            advice = "It sends on elsewhere: give the URL that it leads to"
        raise RefusedError(self._without_key(f"{response.url} {said}. {advice}."), status) from None


@contextmanager
def opened(key: str, patience: Patience, concurrent: int) -> Iterator[Requests]:
    """Open connections, as many as there are requests at once; sent on elsewhere, no request goes with its key."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    limits = httpx2.Limits(max_connections=concurrent, max_keepalive_connections=concurrent)
    with httpx2.Client(headers=headers, timeout=patience.timeout, limits=limits, follow_redirects=False) as client:
        yield Requests(client, key, patience, concurrent)


def _wait_asked_for(response: httpx2.Response) -> float:
    """Read Retry-After (RFC 9110, section 10.2.3): seconds, or a date."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        until = email.utils.parsedate_to_datetime(asked)
    except ValueError:
        return 0
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
