"""The contract tests of a language model: one that writes, and one that goes on up to a stop."""

from __future__ import annotations

from abc import ABC, abstractmethod

from reml.contract.access import Continuing, Writer
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS


class WriterContract(Contract, ABC):
    """What every writer must do, asked for a few short texts."""

    @abstractmethod
    def make(self) -> Writer:
        """Make the writer."""

    def test_writes_one_text_for_each_prompt(self) -> None:
        """Texts are as many as prompts, none of none."""
        texts = self.make().write(TEXTS[:3])
        assert len(texts) == 3
        assert all(isinstance(text, str) for text in texts)
        assert self.make().write([]) == []

    def test_a_prompt_gets_the_same_text_whatever_else_is_asked(self) -> None:
        """Neither order nor company changes a text, and a prompt that stands there twice gets it twice."""
        writer = self.make()
        prompts = [*TEXTS[:3], TEXTS[0]]
        texts = writer.write(prompts)
        assert texts == [writer.write([prompt])[0] for prompt in prompts]
        assert self.make().write(prompts[::-1]) == texts[::-1]


class ContinuingContract(Contract, ABC):
    """What every model that goes on from texts must do; each text it writes must have at least two letters."""

    @abstractmethod
    def make(self) -> Continuing:
        """Make the model."""

    def test_goes_on_from_each_prompt_alone(self) -> None:
        """One text for each prompt, in order, the same whatever else is asked; none of none."""
        model = self.make()
        texts = [one.text for one in model.go_on(TEXTS[:3])]
        assert texts == [model.go_on([prompt])[0].text for prompt in TEXTS[:3]]
        assert model.go_on([]) == []

    def test_a_text_ends_before_its_stop(self) -> None:
        """The stop is no part of the text, and a text that it ended is whole."""
        model = self.make()
        for prompt in TEXTS[:3]:
            (whole,) = model.go_on([prompt])
            stop = whole.text[1:3]
            (cut,) = model.go_on([prompt], [stop])
            assert cut.text == whole.text[: whole.text.index(stop)]
            assert cut.whole
            assert cut.stop in (stop, "")

    def test_max_tokens_cut_a_text(self) -> None:
        """Fewer tokens give the beginning of the same text, which is not whole."""
        model = self.make()
        for prompt in TEXTS[:3]:
            (whole,), (cut,) = model.go_on([prompt]), model.go_on([prompt], max_tokens=1)
            assert whole.text.startswith(cut.text)
            assert len(cut.text) < len(whole.text)
            assert not cut.whole
