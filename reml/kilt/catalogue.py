"""The eleven datasets of KILT: what kind of task each is, what it is ranked by, and what is known of its files.

Petroni et al., "KILT: a Benchmark for Knowledge Intensive Language Tasks", NAACL 2021. Addresses and numbers of
examples: the README of https://github.com/facebookresearch/KILT. Sizes and SHA-256 (here and in `files.tsv`):
`download_checksums` of kilt_tasks, kilt_wikipedia and trivia_qa in https://github.com/huggingface/datasets
(`dataset_infos.json` at commit 040102f), which counts as many examples as the README.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Literal, get_args

from reml.contract.examples import Measure
from reml.files.fetching.http_transfer import Remote

Split = Literal["train", "dev", "test"]
Kind = Literal["fact checking", "entity linking", "slot filling", "open domain QA", "dialogue"]
SPLITS: tuple[Split, ...] = get_args(Split)

_SERVER = "http://dl.fbaipublicfiles.com/KILT/"
_MENTION = "a text in which the mention stands between [START_ENT] and [END_ENT]; the answer is a page's title"
_QUESTION = "a question"
_RELATION = "a subject, ` [SEP] ` and the name of a relation"

PAGES = 5_903_530
KNOWLEDGE_SOURCE = Remote(
    f"{_SERVER}kilt_knowledgesource.json",
    37_318_876_722,
    "f966d6f09c4ff91656db5c56c384f136b0c495c7083c043586b8cb1033c389a5",
)
TRIVIAQA = Remote(
    "http://nlp.cs.washington.edu/triviaqa/data/triviaqa-rc.tar.gz",
    2_665_779_500,
    "ef94fac6db0541e5bb5b27020d067a8b13b1c1ffc52717e836832e02aaed87b9",
)


@dataclass(frozen=True, slots=True)
class KiltFile:
    """One split of a dataset: what its file is called here, its file on the server, its number of examples."""

    name: str
    remote: Remote
    examples: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset under the name that KILT's files have.

    input_form: what an input is. files: by split; the two entity linking sets of WNED have no train split.
    """

    name: str
    title: str
    kind: Kind
    measure: Measure
    input_form: str
    files: Mapping[str, KiltFile]

    def file(self, split: str) -> KiltFile:
        """Give the file of a split; `ValueError` names those there are."""
        if split not in self.files:
            raise ValueError(f"KILT's {self.name} has no split {split!r}; it has {', '.join(self.files)}.")
        return self.files[split]


def dataset(name: str) -> Dataset:
    """Give a dataset by name; `ValueError` names those there are."""
    if name not in DATASETS:
        known = ", ".join(f"{each.name} ({each.title})" for each in DATASETS.values())
        raise ValueError(f"KILT has no dataset {name!r}; it has {known}.")
    return DATASETS[name]


def _read_files() -> dict[str, dict[str, KiltFile]]:
    files: dict[str, dict[str, KiltFile]] = {}
    table = resources.files("reml.kilt").joinpath("files.tsv").read_text(encoding="ascii")
    for row in csv.DictReader(table.splitlines(), delimiter="\t"):
        name = row["file"].replace("_id", "")  # TriviaQA's files lack the questions: kept here joined with them
        remote = Remote(_SERVER + row["file"], int(row["bytes"]), row["sha256"])
        files.setdefault(row["dataset"], {})[row["split"]] = KiltFile(name, remote, int(row["examples"]))
    return files


def _described() -> Iterator[Dataset]:
    files = _read_files()
    for name, title, kind, measure, input_form in _ALL:
        yield Dataset(name, title, kind, measure, input_form, files[name])


_ALL: tuple[tuple[str, str, Kind, Measure, str], ...] = (
    ("fever", "FEVER", "fact checking", "accuracy", "a claim; the answer is SUPPORTS or REFUTES"),
    ("aidayago2", "AIDA CoNLL-YAGO", "entity linking", "accuracy", _MENTION),
    ("wned", "WNED-WIKI", "entity linking", "accuracy", _MENTION),
    ("cweb", "WNED-CWEB", "entity linking", "accuracy", _MENTION),
    ("trex", "T-REx", "slot filling", "accuracy", _RELATION),
    ("structured_zeroshot", "zero-shot RE", "slot filling", "accuracy", _RELATION),
    ("nq", "Natural Questions", "open domain QA", "em", _QUESTION),
    ("hotpotqa", "HotpotQA", "open domain QA", "em", _QUESTION),
    ("triviaqa", "TriviaQA", "open domain QA", "em", _QUESTION),
    ("eli5", "ELI5", "open domain QA", "rougel", "a question that asks for a long answer"),
    ("wow", "Wizard of Wikipedia", "dialogue", "f1", "the turns so far, one a line; the answer is the next"),
)
DATASETS: Mapping[str, Dataset] = {each.name: each for each in _described()}
