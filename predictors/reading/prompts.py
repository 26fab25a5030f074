"""Prompts of a language model: items, best first, before a question; and what it is to say after them."""

from __future__ import annotations

from collections.abc import Sequence

from reml.contract.examples import Example, Item
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import token_ids

INPUT_TOKENS = 1536
PROMPT = "Answer with a few words of the passages.\n\n{passages}Question: {question}\nAnswer:"
PASSAGE = "Title: {title}\n{text}\n\n"


class Prompts:
    """Writes prompts as token ids.

    prompt: holds `{passages}` and, behind it, `{question}`. passage: one item, holds `{text}` and may hold `{title}`.
    limit: tokens of a prompt; items that do not fit any more are left out, the worst first.
    """

    def __init__(self, tokeniser: PreTrainedTokenizerFast, prompt: str, passage: str, limit: int) -> None:
        self.head, self.tail = _parts(prompt)
        self.tokeniser, self.passage, self.limit = tokeniser, passage, limit

    def __call__(self, examples: Sequence[Example], items: Sequence[Sequence[Item]]) -> list[list[int]]:
        """Tokenise prompts, as many items as fit."""
        tails = token_ids(self.tokeniser, [self.tail.format(question=example.input) for example in examples])
        head: list[int] = self.tokeniser(self.head, verbose=False)["input_ids"]
        flat = [self.passage.format(title=item.title, text=item.text) for given in items for item in given]
        passages = iter(token_ids(self.tokeniser, flat))
        return [
            self._fitted(head, [next(passages) for _ in given], tail) for given, tail in zip(items, tails, strict=True)
        ]

    def _fitted(self, head: list[int], passages: list[list[int]], tail: list[int]) -> list[int]:
        room = self.limit - len(head) - len(tail)
        if room < 0:
            # The end of a question says most of what is asked, as the last turn of a dialogue does.
            return head + tail[len(head) - self.limit :]
        kept: list[int] = []
        for passage in passages:
            if len(kept) + len(passage) > room:
                break
            kept += passage
        return head + kept + tail


def _parts(prompt: str) -> tuple[str, str]:
    if prompt.count("{passages}") != 1 or prompt.count("{question}") != 1:
        raise ValueError(f"the prompt must hold {{passages}} and {{question}}, each once; it is {prompt!r}.")
    head, _, tail = prompt.partition("{passages}")
    if "{question}" not in tail:
        raise ValueError(f"in the prompt {{question}} must stand after {{passages}}; it is {prompt!r}.")
    return head, tail
