"""A language model that, at each step, also goes by what came next where the context was alike.

Khandelwal, Levy, Jurafsky, Zettlemoyer, Lewis, "Generalization through Memorization: Nearest Neighbor Language Models",
ICLR 2020, https://arxiv.org/abs/1911.00172.

Implemented: p(w) = weight * p_kNN(w) + (1 - weight) * p_LM(w), where p_kNN(w) is proportional to the sum of
exp(-d / temperature) over those of the k nearest states of a datastore (`reml.retrievers.states.States`) that w came
next to, d the squared l2 distance. Any access model serves whose rows have a `target`. Where nothing is found (no
access model, a budget that is spent) p is p_LM.

Deviations: it answers questions, so a prompt stands before the answer, which ends with its line; the neighbours move no
weights, so that training trains p_LM inside the mixture; temperature is the paper's 1 unless given.

Numbers: not run on WikiText-103 (the paper: perplexity 18.65 -> 16.12 with k = 1024 and weight 0.25, exact distances).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.access import Access, Session
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count, Positive
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.predictors.knn_lm.neighbours import Neighbours, ask, check_tokeniser
from reml.predictors.one_access import session_of
from reml.predictors.reading.right_answers import right_answers
from reml.text.language_model import SMOLLM2, LanguageModel, first_token
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import Cache
from reml.text.state_encoder import StateEncoder
from reml.text.token_table import token_ids


@checked("KnnLm")
class KnnLm(nn.Module):
    """Mixes a language model with what came next at the nearest states of a datastore, asked at each step.

    model: a hub id, a folder or `package:NAME/PATH`; the one that the datastore was built with. access: the access
    model that is asked, the only one it is given if left out. k: neighbours. weight: of p_kNN, 0 asks nothing.
    temperature: what distances are divided by. prompt: stands before the answer, holds `{question}`. block: as of the
    datastore. answer_tokens: of the longest answer; of a longer prompt than the model takes before it the end is read.
    """

    signals = Signal.NONE  # what it finds are tokens, and each step finds others

    def __init__(
        self,
        model: str = SMOLLM2,
        access: str | None = None,
        *,
        k: Count = 1024,
        weight: Annotated[float, Bounds(least=0, below=1)] = 0.25,
        temperature: Positive = 1.0,
        prompt: str = "Question: {question}\nAnswer:",
        block: str = "mlp",
        answer_tokens: Count = 32,
    ) -> None:
        super().__init__()
        if prompt.count("{question}") != 1:
            raise ValueError(f"the prompt must hold {{question}}, once; it is {prompt!r}.")
        self.lm = LanguageModel(model, block)
        allowed(answer_tokens, answer_tokens, self.lm.limit - 2, model=model, setting="answer_tokens")
        self.access, self.k, self.weight, self.temperature = access, k, weight, temperature
        self.prompt, self.answer_tokens = prompt, answer_tokens
        self._newline = token_ids(self.lm.tokeniser, ["\n"])[0]

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:  # noqa: ARG002
        """Look that the tokens of datastores are the model's; `ValueError` names one that is of another tokeniser."""
        check_tokeniser(collections, self.lm)

    def encoder(self, name: str) -> StateEncoder:
        """Lend `states`: texts as the states that this model, as it is now, knows them by."""
        if name != "states":
            raise ValueError(f"KnnLm lends no encoder {name!r}: it has the encoder `states`.")
        return StateEncoder(self.lm)

    def memory(self, name: str) -> Access:
        """Lend nothing."""
        raise ValueError(
            f"KnnLm holds no memory {name!r}, and no other: its datastore is an access model "
            "(`retriever: {class_path: reml.retrievers.states.States}`)."
        )

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(y given x), [B], summed over the tokens of the answer and the end of its line.

        All tokens are asked for at once: a query for each, one ask of each example.
        """
        if signals:
            raise ValueError(f"KnnLm says nothing of the rows it finds, so not {signals}: choose another predictor.")
        session, answers = self._session(batch), [self._target(example) for example in batch.examples]
        prompts = self._prompts(batch.examples)
        ids, mask = self.lm.padded([[*asked, *said] for asked, said in zip(prompts, answers, strict=True)], "left")
        steps = max(map(len, answers))
        read = self.lm(ids, mask, keep=steps + 1)
        lengths = torch.tensor([len(answer) for answer in answers], device=ids.device)
        there = torch.arange(steps, device=ids.device) >= steps - lengths[:, None]  # [B, T], answers end at the right
        tokens = ids[:, -steps:][there]  # [B, T] -> [Q]
        said = torch.log_softmax(read.logits[:, :-1][there], dim=1).gather(1, tokens[:, None]).squeeze(1)
        owners = there.nonzero()[:, 0]
        found = self._neighbours(session, owners.cpu().numpy(), read.states[:, -steps - 1 : -1][there])
        mixed = said if found is None else self._mixed(said, found, found.log_likelihood(tokens))
        return Prediction(-mixed.new_zeros(len(ids)).index_add(0, owners, mixed))

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Take the most likely token, asking at each step, up to the end of the line; no provenance of its own."""
        session, prompts = self._session(batch), self._prompts(batch.examples)
        said: list[list[int]] = [[] for _ in prompts]
        going = np.arange(len(prompts))
        ids, mask = self.lm.padded(prompts, "left")
        cache: Cache | None = None
        for _ in range(self.answer_tokens):
            read = self.lm(ids, mask, cache=cache, go_on=True)
            ids, cache = self._next(session, going, read.states[:, -1], read.logits[:, -1]), read.cache
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            for place in going.tolist():
                said[place].append(int(ids[place, 0]))
            going = np.array([place for place in going.tolist() if not self._ended(said[place])], dtype=np.int64)
            if not len(going):
                break
        return [Answer(self._text(tokens).partition("\n")[0].strip()) for tokens in said]

    def _next(self, session: Session | None, going: Int64Array, states: Tensor, logits: Tensor) -> Tensor:
        """Give the most likely token of each example, [B, 1]; those that have ended ask nothing."""
        best = logits.argmax(dim=1, keepdim=True)
        asking = torch.from_numpy(going).to(logits.device)
        found = self._neighbours(session, going, states[asking])
        if found is not None:
            said = torch.softmax(logits[asking], dim=1)
            mixed = (1 - self.weight) * said + self.weight * found.distribution(said.shape[1])
            best[asking] = torch.where(found.there[:, None], mixed, said).argmax(dim=1, keepdim=True)
        return best

    def _neighbours(self, session: Session | None, owners: Int64Array, states: Tensor) -> Neighbours | None:
        """Ask for the neighbours of states [Q, D] of these examples; nothing where nothing can be found."""
        if session is None:
            return None
        size = self.lm.vocabulary
        return ask(session, owners, states, k=self.k, temperature=self.temperature, vocabulary=size)

    def _mixed(self, said: Tensor, found: Neighbours, nearest: Tensor) -> Tensor:
        """Mix log p_LM with log p_kNN, both [Q]."""
        mixed = torch.logaddexp(said + math.log(1 - self.weight), nearest + math.log(self.weight))
        return torch.where(found.there, mixed, said)

    def _session(self, batch: Batch) -> Session | None:
        """Give the session that is asked, none where none is given or nothing is made of it."""
        return session_of(batch, self.access, "KnnLm")[1] if self.weight else None

    def _prompts(self, examples: Sequence[Example]) -> list[list[int]]:
        """Tokenise prompts; an empty one begins with the token that begins texts, so that something is known."""
        written = [self.prompt.format(question=example.input) for example in examples]
        room = self.lm.limit - self.answer_tokens - 1  # the answer's end is a token too
        return [row[-room:] or [first_token(self.lm.tokeniser)] for row in token_ids(self.lm.tokeniser, written)]

    def _target(self, example: Example) -> list[int]:
        return token_ids(self.lm.tokeniser, [f" {right_answers(example)[0]}"])[0][: self.answer_tokens] + self._newline

    def _ended(self, tokens: Sequence[int]) -> bool:
        return tokens[-1] == self.lm.tokeniser.eos_token_id or "\n" in self._text(tokens)

    def _text(self, tokens: Sequence[int]) -> str:
        return str(self.lm.tokeniser.decode(list(tokens), skip_special_tokens=True))
