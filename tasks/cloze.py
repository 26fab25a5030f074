"""Cloze questions in LAMA's form made of the World Factbook's relations: `The capital of Chad is [MASK].`.

Petroni, Rocktäschel, Riedel, Lewis, Bakhtin, Wu, Miller, "Language Models as Knowledge Bases?", EMNLP 2019,
https://arxiv.org/abs/1909.01066. As there, one template a relation, and only facts whose object is a single token of
the model's vocabulary, so that the one token that stands for the gap can be right: P@1 is the exact match.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example
from reml.contract.recorded import recorded
from reml.tasks.by_digest import Draft, Split
from reml.tasks.factbook.pages import FactbookPages
from reml.tasks.factbook.questions import answers, name_in_sentence, sentence, slug
from reml.tasks.factbook.relations import Fact, facts
from reml.tasks.factbook.splits import subjects
from reml.tasks.made import MadeTask, Making
from reml.text.models.kinds import MASKED
from reml.text.models.loading import config_of, load_tokeniser
from reml.text.models.model_folder import opened
from reml.text.models.transformers_types import PreTrainedTokenizerBase

GAP = "[MASK]"
# An object that is a number says little of what a model knows.
_LETTERS = 2


@recorded
@checked()
class Cloze(MadeTask):
    """Cloze questions whose answers are single tokens of a model's vocabulary; `limit` of each split.

    model: a hub id, a folder or `package:NAME/PATH`, of which the tokeniser is read. The gap is written `[MASK]`,
    whatever token the model has for it. Splits are by country, as of all tasks of the World Factbook.
    """

    def __init__(self, model: str, limit: int | None = None) -> None:
        self.model = model
        sizes: dict[Split, int] = {"train": 900, "dev": 300, "test": 300}
        super().__init__("factbook", {"cloze": Making(self._drafts, "em", sizes)}, "cloze", limit)

    def source(self) -> KnowledgeSource:
        """Give the pages."""
        return FactbookPages()

    def _drafts(self, split: Split) -> Iterator[Draft]:
        for page in subjects(split):
            for fact in facts(page.page.id).values():
                if self._in_vocabulary(fact.value):
                    example_id = f"cloze_{page.page.id}_{slug(fact.relation.name)}"
                    yield Draft(example_id, (page.page.id,), functools.partial(self._cloze, example_id, fact))

    def _cloze(self, example_id: str, fact: Fact) -> Example:
        """Ask with the first wording of a claim; other values are right if they are single tokens too."""
        right = tuple(answer for answer in answers(fact) if self._in_vocabulary(answer.text or ""))
        return Example(
            id=example_id,
            input=sentence(fact.relation.wordings["claims"][0], x=name_in_sentence(fact.part), y=GAP),
            output=right,
            meta={"relation": fact.relation.name},
        )

    def _in_vocabulary(self, value: str) -> bool:
        """Tell whether a value is one token, as it stands within a sentence, and a word."""
        ids = self._tokeniser(f" {value}", add_special_tokens=False)["input_ids"]
        return sum(map(str.isalpha, value)) >= _LETTERS and len(ids) == 1 and ids[0] != self._tokeniser.unk_token_id

    @functools.cached_property
    def _tokeniser(self) -> PreTrainedTokenizerBase:
        folder = opened(self.model, MASKED.wanted)
        config = config_of(folder, MASKED, trust_remote_code=None)
        return load_tokeniser(folder, config, MASKED.wanted, trust_remote_code=None)
