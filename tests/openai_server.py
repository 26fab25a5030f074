"""A server on this machine that speaks as OpenAI's do, over a local model, and fails as real ones do when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any

import torch

from reml.text.model_writer import ModelWriter
from tests.loopback_server import LoopbackServer, running

Fault = Callable[["Handler"], bool]


class OpenAIServer(LoopbackServer):
    """Serves one model. `faults`: each request takes the next; what it answers with true is served well after it.

    bodies: of the requests. most: requests that were served at one time. told: whether it says which stop ended a text.
    """

    request_queue_size = 256

    def __init__(self, model: str, *, key: str = "", told: bool = True, begin: bool = False, echo: bool = True) -> None:
        super().__init__(Handler)
        self.writer = ModelWriter(model, max_tokens=16)
        self.key, self.told, self.begin, self.echo = key, told, begin, echo
        self.faults: list[Fault] = []
        self.bodies: list[dict[str, Any]] = []
        self.now = self.most = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """What stands before /completions."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: OpenAIServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.bodies.append(body)
            fault = self.server.faults.pop(0) if self.server.faults else None
            self.server.now += 1
            self.server.most = max(self.server.most, self.server.now)
        try:
            if fault is None or fault(self):
                self.serve(body)
        finally:
            with self.server.lock:
                self.server.now -= 1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def serve(self, body: dict[str, Any]) -> None:
        if self.server.key and self.headers.get("Authorization") != f"Bearer {self.server.key}":
            self.answer(401, {"error": {"message": f"wrong key: {self.headers.get('Authorization')}"}})
        elif self.path not in ("/v1/completions", "/v1/chat/completions"):
            self.answer(404, {"detail": "Not Found"})
        else:
            with self.server.lock:
                self.answer(200, echoed(self.server, body) if body.get("echo") else self.written(body))

    def written(self, body: dict[str, Any]) -> dict[str, object]:
        chats = self.path == "/v1/chat/completions"
        prompt = framed(self.server.writer, body["messages"]) if chats else body["prompt"]
        (one,) = self.server.writer.go_on([prompt], body.get("stop", ()), max_tokens=body["max_tokens"])
        said = {"message": {"role": "assistant", "content": one.text}} if chats else {"text": one.text}
        reason = {"stop_reason": one.stop or None} if self.server.told else {}
        choice = {"index": 0, **said, "finish_reason": "stop" if one.whole else "length", "logprobs": None, **reason}
        return {"choices": [choice], "usage": {"prompt_tokens": one.read, "completion_tokens": one.wrote}}

    def answer(self, status: int, content: object, **headers: str) -> None:
        self.send(status, json.dumps(content).encode(), headers=headers)

    def send(self, status: int, data: bytes, size: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data) if size is None else size))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = size is not None


def framed(writer: ModelWriter, messages: list[dict[str, str]]) -> str:
    """Put messages as the model was taught to read them."""
    tokeniser = writer._loaded.fast
    if tokeniser.chat_template is None:
        return " ".join(one["content"] for one in messages)
    return str(tokeniser.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def echoed(server: OpenAIServer, body: dict[str, Any]) -> dict[str, object]:
    """Log-probabilities of a prompt, one forward pass with nothing of what is tested; one more token behind."""
    loaded = server.writer._loaded
    read = loaded.fast(body["prompt"], return_offsets_mapping=True)
    ids, starts = read["input_ids"], [start for start, _ in read["offset_mapping"]]
    texts = [body["prompt"][start:end] for start, end in read["offset_mapping"]]
    first = [loaded.fast.bos_token_id] if server.begin else []
    with torch.no_grad():
        logits = torch.log_softmax(loaded.model(input_ids=torch.tensor([first + ids])).logits[0], 1)
    scores = [float(logits[place, token]) for place, token in enumerate([*first, *ids][1:])]
    begins = "<s>" * server.begin
    echo = {
        "tokens": [*([begins] if begins else []), *texts, "x"],
        "token_logprobs": [None, *scores, -1.0],
        "text_offset": [*([0] if begins else []), *(start + len(begins) for start in [*starts, len(body["prompt"])])],
        "top_logprobs": [],
    }
    choice = {"text": body["prompt"] + "x", "finish_reason": "length", "logprobs": echo if server.echo else None}
    return {"choices": [choice], "usage": {"prompt_tokens": len(first + ids), "completion_tokens": 1}}


def status(code: int, message: str = "no", **headers: str) -> Fault:
    """Answer with a status."""

    def fault(handler: Handler) -> bool:
        handler.answer(code, {"error": {"message": message}}, **headers)
        return False

    return fault


def sends(data: bytes, size: int | None = None) -> Fault:
    """Answer 200 with these bytes; size: what is promised of them."""

    def fault(handler: Handler) -> bool:
        handler.send(200, data, size)
        return False

    return fault


def hangs_up(handler: Handler) -> bool:
    """Close the connection without a word."""
    handler.close_connection = True
    return False


def slow(seconds: float) -> Fault:
    """Answer after so many seconds, or when the server is shut."""

    def fault(handler: Handler) -> bool:
        return not handler.server.ended.wait(seconds)

    return fault


def together(count: int) -> list[Fault]:
    """Answer so many requests when all of them are there, and none before."""
    barrier = threading.Barrier(count)

    def fault(handler: Handler) -> bool:
        return barrier.wait(60) >= 0

    return [fault] * count


def serving(model: str, **settings: Any) -> AbstractContextManager[OpenAIServer]:
    """Run the server while the block runs."""
    return running(OpenAIServer(model, **settings))
