from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from torch import nn

from reml.contract.access import Writer
from reml.files.model_location import ModelError
from reml.text.language_model import load_language_model
from reml.text.model_writer import ModelWriter
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
