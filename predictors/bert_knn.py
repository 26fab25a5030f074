"""A masked language model that fills a gap also by the words that stood in like contexts of what was retrieved.

Kassner, Schütze, "BERT-kNN: Adding a kNN Search Component to Pretrained Language Models for Better QA", Findings of
EMNLP 2020, https://arxiv.org/abs/2005.00766.

Implemented: every word of the retrieved passages is masked in its sentence, and its context is known by the state of
the model at the mask; the gap of a cloze question is known so too. p_kNN(w) is proportional to the sum of exp(-d) over
those of the 128 nearest contexts that w stood in, d the Euclidean distance; p = 0.3 p_kNN + 0.7 p_MLM. Where nothing is
retrieved p is p_MLM.

Deviations: any access model retrieves, where the paper has TF-IDF of DrQA over a datastore of all Wikipedia, computed
ahead: here the contexts of the passages that were found are computed when they are read, none twice for a batch; words
of several tokens are no values; states of the last layer.

Numbers: not run on LAMA (the paper: P@1 27.7 -> 39.4 on T-REx and Google-RE).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds, Count, Positive
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example, Item, Provenance, canonical
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.files.model_location import ModelError
from reml.predictors.reading.encoding import without_dropout
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.right_answers import right_answers
from reml.text.models.kinds import MASKED
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import opened
from reml.text.models.token_limit import allowed
from reml.text.models.transformers_types import PreTrainedModel
from reml.text.sentences import sentences

TOKENS = 128


@dataclass(frozen=True, eq=False, slots=True)
class Contexts:
    """What N masked words are known by: states [N, D] and the words, as tokens [N]."""

    states: Tensor
    tokens: Tensor


@checked("BertKnn")
class BertKnn(nn.Module):
    """Fills the gap of a cloze question with one token.

    model: a hub id, a folder or `package:NAME/PATH` of a masked language model. gap: how inputs write the gap. k:
    nearest contexts. weight: of p_kNN. temperature: what distances are divided by. tokens: of a sentence or a question,
    128 unless given, or what the model takes; longer sentences are cut. batch_size: masked sentences read at once.

    `ModelError` for a model without a mask token or padding; `ValueError` for an input without one gap.
    """

    signals = Signal.NONE

    def __init__(
        self,
        model: str,
        *,
        gap: str = "[MASK]",
        k: Count = 128,
        weight: Annotated[float, Bounds(least=0, below=1)] = 0.3,
        temperature: Positive = 1.0,
        tokens: Count | None = None,
        batch_size: Count = 32,
    ) -> None:
        super().__init__()
        folder = opened(model, MASKED.wanted)
        loaded = load(folder, MASKED, config_of(folder, MASKED, trust_remote_code=None), trust_remote_code=None)
        without_dropout(loaded.model)  # or contexts would be known by other states each time they are read
        self.model: PreTrainedModel = loaded.model
        self.tokeniser = loaded.fast
        for role, token in (("mask", self.tokeniser.mask_token_id), ("padding", self.tokeniser.pad_token_id)):
            if token is None:
                raise ModelError(f"{model!r} has no {role} token: {MASKED.advice}, and its own tokeniser.")
        self.mask, self._special = int(str(self.tokeniser.mask_token_id)), frozenset(self.tokeniser.all_special_ids)
        self.gap, self.k, self.weight, self.temperature = gap, k, weight, temperature
        self.tokens = allowed(tokens, TOKENS, loaded.limit, model=model, setting="tokens")
        self.batch_size = batch_size

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Do nothing: contexts are those of what is retrieved."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p of the first token of the right answer, [B]; the gradient is that of p_MLM."""
        if signals:
            raise ValueError(f"BertKnn says nothing of the items it reads, so not {signals}: choose another predictor.")
        firsts = [self._ids(f" {right_answers(example)[0]}")[:1] for example in batch.examples]
        if not all(firsts):
            raise ValueError("a right answer has no token: leave out its example.")
        right = torch.tensor(firsts, device=self.model.device)
        chances = self._chances(batch).gather(1, right).squeeze(1)
        return Prediction(-chances.clamp(min=torch.finfo(chances.dtype).tiny).log())

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Give the likeliest token of each gap; the provenance are the items in the order they were retrieved."""
        best = self._chances(batch).argmax(dim=1).tolist()
        return [
            Answer(str(self.tokeniser.decode([token])).strip(), tuple(map(Provenance.of, items.values())))
            for token, items in zip(best, readable(batch.read), strict=True)
        ]

    def _chances(self, batch: Batch) -> Tensor:
        """Give p of each token at the gap of each example, [B, V]."""
        rows = [self._question(example) for example in batch.examples]
        states, logits = self._at_masks(rows)
        chances = torch.softmax(logits, dim=1)
        if not self.weight:
            return chances
        known: dict[str, Contexts] = {}
        mixed = []
        for place, items in enumerate(readable(batch.read)):
            found = self._contexts(list(items.values()), known)
            mixed.append(self._mixed(chances[place], states[place].detach(), found))
        return torch.stack(mixed) if mixed else chances

    def _mixed(self, chances: Tensor, state: Tensor, found: Contexts) -> Tensor:
        """Mix p_MLM [V] with that of the contexts nearest to a state [D]."""
        if not len(found.tokens):
            return chances
        distances = torch.linalg.vector_norm(found.states - state, dim=1)
        near, places = distances.topk(min(self.k, len(distances)), largest=False)
        shares = torch.softmax(-near / self.temperature, dim=0)
        nearest = torch.zeros_like(chances).scatter_add(0, found.tokens[places], shares)
        return self.weight * nearest + (1 - self.weight) * chances

    @torch.no_grad()
    def _contexts(self, items: Sequence[Item], known: dict[str, Contexts]) -> Contexts:
        """Give the contexts of all words of some items. known: those of sentences that were read before."""
        texts = [canonical(item.text[first:last]) for item in items for first, last in sentences(item.text)]
        texts = list(dict.fromkeys(texts))
        for text in texts:
            if text not in known:
                rows, tokens = self._masked(text)
                known[text] = Contexts(self._at_masks(rows)[0], torch.tensor(tokens, dtype=torch.int64))
        if not texts:
            return Contexts(torch.empty(0, 0), torch.empty(0, dtype=torch.int64))
        states = torch.cat([known[text].states for text in texts])
        return Contexts(states, torch.cat([known[text].tokens for text in texts]).to(states.device))

    def _masked(self, text: str) -> tuple[list[list[int]], list[int]]:
        """Mask each word of a sentence that is one token the model knows; give the rows, framed, and the words."""
        encoded = self.tokeniser(text, truncation=True, max_length=self.tokens)
        ids, words = encoded["input_ids"], encoded.word_ids()
        alone = [place for place, word in enumerate(words) if word is not None and words.count(word) == 1]
        places = [place for place in alone if self._is_word(ids[place])]
        return [[*ids[:place], self.mask, *ids[place + 1 :]] for place in places], [ids[place] for place in places]

    def _is_word(self, token: int) -> bool:
        """Tell whether a token has a letter or a digit, and is none of those that stand for others."""
        return token not in self._special and any(map(str.isalnum, str(self.tokeniser.decode([token]))))

    def _at_masks(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Read rows of one mask each; give the state of the last layer and the logits there, [N, D] and [N, V]."""
        read = [self._read(rows[start : start + self.batch_size]) for start in range(0, len(rows), self.batch_size)]
        if not read:
            config, device = self.model.config, self.model.device
            return torch.empty(0, config.hidden_size, device=device), torch.empty(0, config.vocab_size, device=device)
        states, logits = zip(*read, strict=True)
        return torch.cat(states), torch.cat(logits)

    def _read(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        padded = self.tokeniser.pad({"input_ids": [list(row) for row in rows]}, return_tensors="pt")
        ids = padded["input_ids"].to(self.model.device)
        output = self.model(
            input_ids=ids, attention_mask=padded["attention_mask"].to(ids.device), output_hidden_states=True
        )
        at = torch.arange(len(rows), device=ids.device), (ids == self.mask).int().argmax(dim=1)
        return output.hidden_states[-1][at].float(), output.logits[at].float()

    def _question(self, example: Example) -> list[int]:
        """Frame the question with the model's mask in the gap."""
        if example.input.count(self.gap) != 1:
            raise ValueError(
                f"the input of example {example.id!r} has {example.input.count(self.gap)} gaps {self.gap!r}: a cloze "
                "question has one (reml.tasks.cloze makes some), or name under `gap` what stands for it."
            )
        text = canonical(example.input).replace(self.gap, str(self.tokeniser.mask_token))
        ids: list[int] = self.tokeniser(text)["input_ids"]
        if len(ids) > self.tokens:
            raise ValueError(f"the input of example {example.id!r} has {len(ids)} tokens, more than {self.tokens}.")
        return ids

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokeniser(text, add_special_tokens=False)["input_ids"]
        return ids
