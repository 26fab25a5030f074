from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from reml.contract.access import Continuing, Likelihoods, Writer
from reml.files.model_location import ModelError
from reml.text.language_model import load_language_model
from reml.text.model_writer import ModelWriter
from reml.text.writing.asked import cut_at_stop
from reml.text.writing.drawn_tokens import DrawnTokens
from tests.tiny_gpt2 import write_gpt2

PROMPTS = ["Say it.", "A longer prompt, about lakes and mountains.", "x"]
TEMPLATE = "{% for one in messages %}<{{ one['role'] }}> {{ one['content'] }}{% endfor %} Answer:"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


def likeliest(model: str, prompt: str, tokens: int) -> str:
    """Go on token by token, without padding and without a cache."""
    loaded = load_language_model(model, trust_remote_code=False)
    nn.Module.eval(loaded.model)
    ids = loaded.fast(prompt)["input_ids"]
    said: list[int] = []
    with torch.no_grad():
        for _ in range(tokens):
            logits = loaded.model(input_ids=torch.tensor([ids + said])).logits
            said.append(int(logits[0, -1].argmax()))
            if said[-1] == 2:
                break
    text = loaded.fast.decode(said, skip_special_tokens=True)
    return str(text).strip().partition("\n\n")[0].strip()


def test_each_prompt_goes_on_with_the_likeliest_tokens_whatever_else_is_asked(model: str) -> None:
    writer = ModelWriter(model, max_tokens=6, batch_size=2)
    assert isinstance(writer, Writer)
    written = writer.write(PROMPTS)
    assert written == [likeliest(model, prompt, 6) for prompt in PROMPTS]
    assert written == [writer.write([prompt])[0] for prompt in PROMPTS]
    assert writer.write([]) == []


def test_a_prompt_is_what_a_user_says_where_the_model_was_taught_so(tmp_path: Path) -> None:
    model = write_gpt2(tmp_path / "chat")
    tokeniser = load_language_model(model, trust_remote_code=False).fast
    tokeniser.chat_template = TEMPLATE
    tokeniser.save_pretrained(model)
    framed = "<user> Say it. Answer:"
    assert ModelWriter(model, max_tokens=4).write(["Say it."]) == [likeliest(model, framed, 4)]
    assert ModelWriter(model, max_tokens=4, chat=False).write(["Say it."]) == [likeliest(model, "Say it.", 4)]


def test_texts_that_do_not_end_are_said_to_be_cut(model: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ModelWriter(model, max_tokens=2).write(PROMPTS)
    assert "of 3 texts" in caplog.text
    assert "max_tokens (2)" in caplog.text


def test_what_does_not_fit_is_refused(model: str) -> None:
    with pytest.raises(ValueError, match=r"a prompt has 600 tokens, and .* reads 1 to 504 before 8 of its own"):
        ModelWriter(model, max_tokens=8).write(["x" * 600])
    with pytest.raises(ModelError, match="max_tokens is 512"):
        ModelWriter(model, max_tokens=512).write(["x"])


def drawn(model: str, prompt: str, count: int = 40) -> str:
    """A text of many different letters: the tiny model repeats itself where the likeliest is taken."""
    return ModelWriter(model, max_tokens=count, temperature=1.5).go_on([prompt])[0].text


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_a_text_goes_on_as_it_is_up_to_a_stop(model: str, temperature: float) -> None:
    writer = ModelWriter(model, max_tokens=40, temperature=temperature, batch_size=2)
    assert isinstance(writer, Continuing)
    whole = writer.go_on(PROMPTS)
    texts = [one.text for one in whole]
    stops = [text[7:9] for text in texts]
    for prompt, text, stop in zip(PROMPTS, texts, stops, strict=True):
        (one,) = writer.go_on([prompt], [stop])
        assert one.text == text[: text.index(stop)]
        assert (one.stop, one.whole, one.read) == (stop, True, len(prompt.encode()))
        assert 0 < one.wrote < 40
    assert writer.go_on(PROMPTS, stops) == [writer.go_on([prompt], stops)[0] for prompt in PROMPTS]
    assert [(one.wrote, one.whole) for one in writer.go_on(PROMPTS, max_tokens=3)] == [(3, False)] * 3


def test_a_stop_that_the_prompt_begins_does_not_end_a_text(model: str) -> None:
    text = drawn(model, "x")
    writer = ModelWriter(model, max_tokens=40, temperature=1.5)
    assert "x" + text[0] not in text
    (one,) = writer.go_on(["x"], ["x" + text[0]])
    assert (one.text, one.stop) == (text, "")


def test_what_is_drawn_hangs_on_the_prompt_and_the_seed_alone(model: str) -> None:
    writer = ModelWriter(model, max_tokens=12, temperature=1.0, batch_size=2)
    texts = writer.write([*PROMPTS, PROMPTS[0]])
    assert texts[0] == texts[3]
    assert texts[:3] == [writer.write([prompt])[0] for prompt in PROMPTS]
    assert texts[:3] != ModelWriter(model, max_tokens=12, temperature=1.0, seed=1).write(PROMPTS)


def test_draws_are_of_the_softmax(model: str) -> None:
    """Of 400 seeds, each of the eight likeliest bytes comes about as often as its probability says."""
    loaded = load_language_model(model, trust_remote_code=False)
    nn.Module.eval(loaded.model)
    with torch.no_grad():
        logits = loaded.model(input_ids=torch.tensor([loaded.fast("x")["input_ids"]])).logits[0, -1]
    expected = torch.softmax(logits / 0.1, 0)
    drawn = torch.stack([DrawnTokens([[5]], 0.1, seed)(logits[None], logits[None]).argmax() for seed in range(400)])
    counts = Counter(drawn.tolist())
    for token in expected.topk(8).indices.tolist():
        share, error = float(expected[token]), float((expected[token] * (1 - expected[token]) / 400).sqrt())
        assert abs(counts[token] / 400 - share) < 4 * error


def test_likelihoods_are_those_of_the_tokens_one_by_one(model: str) -> None:
    texts = ["It is.", "", " lakes and ä mountain"]
    writer = ModelWriter(model, batch_size=2)
    assert isinstance(writer, Likelihoods)
    found = writer.log_likelihoods(PROMPTS, texts)
    loaded = load_language_model(model, trust_remote_code=False)
    nn.Module.eval(loaded.model)
    for prompt, text, scores in zip(PROMPTS, texts, found, strict=True):
        before, ids = (loaded.fast(one)["input_ids"] for one in (prompt, prompt + text))
        with torch.no_grad():
            logits = torch.log_softmax(loaded.model(input_ids=torch.tensor([ids])).logits[0], 1)
        expected = [float(logits[place - 1, ids[place]]) for place in range(len(before), len(ids))]
        assert scores == pytest.approx(expected, abs=1e-5)
    assert writer.log_likelihoods([], []) == []


def test_what_cannot_be_asked_is_refused(model: str) -> None:
    writer = ModelWriter(model, max_tokens=8)
    with pytest.raises(ValueError, match="nothing stands before the text 'It'"):
        writer.log_likelihoods([""], ["It"])
    with pytest.raises(ValueError, match="1 prompts but 2 texts"):
        writer.log_likelihoods(["a"], ["b", "c"])
    with pytest.raises(ValueError, match=r"a prompt with its text has 600 tokens, and .* reads 512"):
        writer.log_likelihoods(["x" * 599], ["y"])
    with pytest.raises(ValueError, match=r"each must be a text of one letter or more"):
        writer.go_on(["a"], [""])
    with pytest.raises(ValueError, match=r"max_tokens is 0, but must be 1 or more"):
        writer.go_on(["a"], max_tokens=0)
    with pytest.raises(ValueError, match=r"reads 1 to 12 before 500 of its own"):
        writer.go_on(["x" * 13], max_tokens=500)


def test_a_model_without_a_padding_token_says_nothing_behind_its_end(tmp_path: Path) -> None:
    """Its rows are padded with token 0, which is a letter: a text ends at its own end, and not at that letter."""
    folder = write_gpt2(tmp_path / "bare")
    tokeniser = load_language_model(folder, trust_remote_code=False).fast
    tokeniser.pad_token = None
    tokeniser.save_pretrained(folder)
    writer = ModelWriter(folder, max_tokens=60, temperature=3.0)
    prompts = [f"{number}" for number in range(8)]
    together = writer.go_on(prompts)
    assert {one.whole for one in together} == {True, False}
    assert together == [writer.go_on([prompt])[0] for prompt in prompts]
    assert all(one.wrote == 60 for one in together if not one.whole)


def test_the_first_stop_that_is_complete_ends_a_text() -> None:
    assert cut_at_stop("one abc", ["abc", "b"]) == ("one a", "b")
    assert cut_at_stop("one abc", ["bc", "abc"]) == ("one ", "abc")
    assert cut_at_stop("one", ["b"]) == ("one", "")
