"""KILT's eleven datasets, each a task.

fever, aidayago2, wned, cweb, trex, structured_zeroshot, nq, hotpotqa, triviaqa, eli5, wow (`reml.kilt.catalogue`):

    class_path: reml.tasks.kilt.Kilt
    init_args:
      dataset: nq
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.arguments.checked import checked
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.contract.recorded import recorded
from reml.files.records import read_examples
from reml.kilt.catalogue import dataset as known_dataset
from reml.kilt.files import kilt_folder, require_pages, require_split
from reml.kilt.templates import t5_input

Template = Literal["input", "t5"]


@recorded
@checked()
class Kilt:
    """A dataset of KILT, measured as KILT ranks it. The test split has no answers.

    dataset: its name in KILT's files. folder: where they are, plain or gzip, fetched by `reml prepare kilt` or your
    own; `REML_HOME/kilt` if left out. knowledge_source: a file of pages in KILT's schema or any
    `KnowledgeSource`; the one in the folder if left out. template: `t5` shows inputs as KILT's T5 baseline does
    (`reml.kilt.templates`; its `PlainQuery` makes queries of them). limit: keep the first so many examples of each
    split.

    Nothing is downloaded here: `FileNotFoundError` says which command fetches what is missing. `ValueError` for a
    dataset, split, template or limit that is not there.
    """

    def __init__(
        self,
        dataset: str,
        folder: str | None = None,
        *,
        knowledge_source: str | KnowledgeSource | None = None,
        template: Template = "input",
        limit: int | None = None,
    ) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}: give at least 1, or leave it out for all examples.")
        self.dataset = known_dataset(dataset)
        self.folder = kilt_folder(folder)
        self._given_source = knowledge_source
        self._template = template
        self._limit = limit
        self._splits: dict[str, Sequence[Example]] = {}
        self._source: KnowledgeSource | None = None

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.dataset.name

    @property
    def measure(self) -> Measure:
        """The measure KILT ranks the dataset by."""
        return self.dataset.measure

    def source(self) -> KnowledgeSource:
        """Give the knowledge source."""
        if self._source is None:
            given = self._given_source if self._given_source is not None else require_pages(self.folder)
            self._source = JsonlPages(given) if isinstance(given, str | Path) else given
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Read the examples of a split, once."""
        if split not in self._splits:
            found = read_examples(require_split(self.dataset, split, self.folder), self._limit)
            self._splits[split] = tuple(map(self._shown, found))
        return self._splits[split]

    def _shown(self, example: Example) -> Example:
        return example if self._template == "input" else replace(example, input=t5_input(self.dataset, example.input))
