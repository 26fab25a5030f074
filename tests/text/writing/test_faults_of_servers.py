"""What servers do wrong: asked again where that helps, told in one sentence where it does not."""

from __future__ import annotations

import json
import logging
import time
import traceback
from email.utils import formatdate

import pytest

from reml.files.atomic import home
from reml.text.writing.served_model import ServedModel
from tests.openai_server import Fault, OpenAIServer, hangs_up, sends, serving, slow, status
from tests.text.writing.test_served_model import KEY, PROMPTS, served

HALF = json.dumps({"choices": [{"text": "half", "finish_reason": "stop"}]}).encode()
EARLY = json.dumps({"choices": [{"text": "half", "finish_reason": None}]}).encode()
PASSING = [status(429), status(500), status(503), hangs_up, sends(HALF[:20], len(HALF)), sends(HALF[:20]), sends(EARLY)]


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_asked_for_again(server: OpenAIServer, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    expected = served(server, max_tokens=5).go_on(PROMPTS[:4], max_tokens=6)
    server.faults, server.bodies = [fault] * 3, []
    with caplog.at_level(logging.WARNING):
        assert [one.text for one in served(server, options={"user": "a"}).go_on(PROMPTS[:4])] == [
            one.text for one in expected
        ]
    assert len(server.bodies) == 7
    assert caplog.text.count("It is asked again, up to 6 times in all") == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(429, "slow down"), "it answered 429 .*slow down"),
        (status(500, "oh"), "it answered 500 .*oh"),
        (hangs_up, "the connection broke"),
        (sends(HALF[:20], len(HALF)), "the connection broke"),
        (sends(HALF[:20]), r"the answer is no JSON .*: {\"choices\": "),
        (sends(EARLY), "the answer ended early"),
        (slow(9), "nothing came for 0.2 seconds"),
    ],
)
def test_a_server_that_goes_on_failing_is_named_with_what_to_do(server: OpenAIServer, fault: Fault, said: str) -> None:
    server.faults = [fault] * 3
    with pytest.raises(ConnectionError, match=rf"(?s)^{server.url}/completions: {said}.*asked 3 times.*raise `tries`"):
        served(server, tries=3, timeout=0.2, concurrent=1).write(PROMPTS[:1])
    assert len(server.bodies) == 3
    server.ended.set()


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ([], "its answer does not fit"),
        ({"error": "busy"}, "its answer does not fit"),
        ({"choices": []}, "its answer has no choices"),
        ({"choices": [{"finish_reason": "stop"}]}, "neither `text` nor `message`"),
        ({"choices": [{"text": 3, "finish_reason": "stop"}]}, r"Expected `str \| null`, got `int`"),
        ({"choices": [{"message": {"content": []}, "finish_reason": "stop"}]}, r"got `array` - at `\$.choices\[0\]"),
        ({"choices": [{"text": "a", "finish_reason": "stop"}], "usage": {"prompt_tokens": "4"}}, "got `str`"),
    ],
)
def test_another_form_is_refused_at_once(server: OpenAIServer, reply: object, said: str) -> None:
    server.faults = [sends(json.dumps(reply).encode())]
    with pytest.raises(ConnectionError, match=rf"{server.url}/completions: .*{said}.*See that `url` is what stands"):
        served(server).write(PROMPTS[:1])
    assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (status(400, "too long a prompt"), "answered 400 .*too long a prompt.*Change what the settings ask for"),
        (status(401), "put a key that is valid there"),
        (status(404), "has this `model`"),
        (status(307, Location="http://elsewhere/v1"), "give the URL that it leads to"),
        (status(501), "answered 501"),
    ],
)
def test_what_is_refused_is_never_asked_again(server: OpenAIServer, fault: Fault, said: str) -> None:
    server.faults = [fault] * 2
    with pytest.raises(ValueError, match=said):
        served(server).write(PROMPTS[:1])
    assert len(server.bodies) == 1


def test_the_wait_is_what_the_server_asks_for(server: OpenAIServer) -> None:
    served(server).write(PROMPTS[1:2])  # so that the model is there
    for after, least in (("1", 1.0), ("a date", 0.9), ("soon", 0.0)):
        asked = after.replace("a date", formatdate(time.time() + 2, usegmt=True))
        server.faults, began = [status(429, Retry_After=asked)], time.monotonic()
        served(server, options={"user": after}).write(PROMPTS[:1])
        assert least <= time.monotonic() - began < least + 1.5
    server.faults = [status(503, Retry_After="3600")]
    with pytest.raises(ConnectionError, match=r"asks to wait 3,600 seconds.*asked 1 time\."):
        served(server, options={"user": "b"}).write(PROMPTS[:1])


def test_a_server_that_is_not_there_is_named(server: OpenAIServer) -> None:
    url = server.url
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError, match=r"/v1/completions: the server cannot be reached .*it was asked 2 times"):
        ServedModel(url, "tiny", chat=False, tries=2, wait=0.01).write(PROMPTS[:1])


def test_what_came_before_a_failure_is_kept(server: OpenAIServer) -> None:
    server.faults = [slow(0)] * 5 + [status(400)] * 20
    with pytest.raises(ValueError, match="answered 400"):
        served(server, concurrent=2).write(PROMPTS[:20])
    assert len(server.bodies) <= 8, "nothing more is asked"
    server.faults, server.bodies = [], []
    served(server).write(PROMPTS[:20])
    assert len(server.bodies) <= 15


@pytest.mark.parametrize("fault", [None, "refused", "garbled", "misfit", "passing"])
def test_nothing_of_the_key_is_left_anywhere(
    model: str, fault: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A server that shows what it was sent: in a refusal, in what is no answer, in what is asked for again."""
    key = f'{KEY}"\\x'
    monkeypatch.setenv("THE_KEY", key)
    shown = {
        "refused": status(400, f"I got Bearer {key}"),
        "garbled": sends(f"<html>Bearer {key}</html>".encode()),
        "misfit": sends(json.dumps({"choices": key}).encode()),
        "passing": status(500, f"I got {key}"),
    }
    with caplog.at_level(logging.DEBUG), serving(model, key=key) as server:
        asked = served(server, key_variable="THE_KEY", tries=2)
        server.faults = [shown[fault]] * 2 if fault else []
        said = repr(asked)
        try:
            asked.write(PROMPTS[:1])
        except (ValueError, ConnectionError):
            said += traceback.format_exc()
            assert fault is not None
            assert "***" in said
        assert [body["prompt"] for body in server.bodies][:1] == PROMPTS[:1], "it was sent"
    assert KEY not in said
    assert KEY not in caplog.text
    files = [path for path in home().rglob("*") if path.is_file()]
    assert bool([path for path in files if path.name == "replies.log"]) == (fault is None)
    assert not [path for path in files if KEY.encode() in path.read_bytes() or KEY in str(path)]


@pytest.mark.parametrize("before", [230, 270, 290, 1150])
def test_a_key_that_is_cut_in_a_quotation_leaves_no_part(
    before: int, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    words = "x" * before if before < 1000 else "x ".ljust(before)
    with serving(model, key=KEY) as server:
        server.faults = [status(400, f"{words}{KEY}")]
        with pytest.raises(ValueError, match="answered 400") as refused:
            served(server, key_variable="THE_KEY").write(PROMPTS[:1])
    said = "".join(traceback.format_exception(refused.value))
    assert not [length for length in range(4, len(KEY) + 1) if KEY[:length] in said]


def test_a_wrong_key_is_told_without_it(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    with serving(model, key="another") as server, pytest.raises(ValueError, match="answered 401") as refused:
        served(server, key_variable="THE_KEY").write(PROMPTS[:1])
    assert KEY not in "".join(traceback.format_exception(refused.value))
    assert "wrong key: Bearer ***" in str(refused.value)
