"""What processors make of texts reaches the predictor: live, ahead, from disk, in training, and in a memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reml.access.rank_fusion import interleaved
from reml.cli.loading import load
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.experiment.plan.predictions import WORDS_READ
from reml.experiment.runner import Runner
from reml.files.atomic import read_json
from reml.files.hits import SHOWN
from reml.files.records import read_examples, write_examples
from tests.first_words import Echo
from tests.small_experiment import FACTS, write_experiment

BM25 = {"class_path": "reml.retrievers.bm25.BM25"}
SNIPPET = {"class_path": "reml.access.presenting.Snippet", "init_args": {"words": 5}}
QUOTED = {"class_path": "tests.experiment.test_presenting.Quoting"}


class Quoting(Echo):
    """Answers with all that it reads."""

    def generate(self, batch: Batch) -> list[Answer]:
        return [
            Answer(" | ".join(item.text for item in items), tuple(map(Provenance.of, items)))
            for items in batch.read.items
        ]


def runner(folder: Path, access: Mapping[str, object], **changes: object) -> Runner:
    config = write_experiment(folder, access=access, predictor=QUOTED, train_on=None, **changes)
    examples = read_examples(folder / "dev.jsonl")
    # A word that all pages have: each is found, the one that is asked for first.
    write_examples([replace(one, input=f"{one.input} Where?") for one in examples], folder / "dev.jsonl")
    opened, _ = load("run", ["--config", str(config), "--home", str(folder / "home")])
    return opened


def answers(runner: Runner, access: str) -> list[Answer]:
    return [example.output[0] for example in read_examples(runner.predictions(access, "places"))]


def test_a_snippet_is_read_live_and_from_disk_and_points_to_its_characters(tmp_path: Path) -> None:
    access = {"cut": {"retriever": BM25, "processors": [SNIPPET], "k": 1}, "whole": {"retriever": BM25, "k": 1}}
    first = runner(tmp_path, access)
    read = answers(first, "cut")
    assert [answer.text for answer in answers(first, "whole")] == list(FACTS.values())[3:]
    assert [answer.text for answer in read] == [" ".join(text.split()[:5]) for text in list(FACTS.values())[3:]]
    for answer in read:
        (place,) = answer.provenance[:1]
        page = f"{FACTS[str(place.title)]}\n"
        assert (place.start_paragraph_id, place.end_paragraph_id) == (1, 1)
        assert page[place.start_character : place.end_character] == answer.text == place.text
    assert read_json(first.predictions("cut", "places").parent / WORDS_READ) == [5, 5, 5]
    hits = first.hits("cut", "places", "dev")
    assert hits.shown is not None
    again = runner(tmp_path, access)
    assert answers(again, "cut") == read
    more = runner(tmp_path, {"cut": {**access["cut"], "k": 2}, "whole": access["whole"]})
    assert [str(answer.text).partition(" | ")[0] for answer in answers(more, "cut")] == [one.text for one in read]
    assert len(list((tmp_path / "home" / "hits").glob(f"*/{SHOWN}"))) == 1, "hits of snippets were read from disk"


def test_order_changes_what_is_read_and_not_what_is_measured(tmp_path: Path) -> None:
    reading = {"retriever": BM25, "k": 3}
    opened = runner(tmp_path, {"best": reading, "turned": {**reading, "order": "best_last"}})
    best, turned = answers(opened, "best"), answers(opened, "turned")
    for one, other in zip(best, turned, strict=True):
        assert len(str(one.text).split(" | ")) == 3
        assert str(other.text).split(" | ") == str(one.text).split(" | ")[::-1]
        assert other.provenance == one.provenance, "its pages are ranked as they were found"
    kept = [opened.hits(name, "places", "dev") for name in ("best", "turned")]
    np.testing.assert_array_equal(kept[0].rows, kept[1].rows)


def test_training_reads_what_is_shown(tmp_path: Path) -> None:
    """FirstWords learns two words; the tokens of a snippet are its own, so that another cut is another training."""
    models = set()
    for words in (1, 5):
        snippet = {**SNIPPET, "init_args": {"words": words}}
        config = write_experiment(
            tmp_path, access={"cut": {"retriever": BM25, "processors": [snippet]}}, train_on={"access": "cut"}
        )
        opened, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home"), "--training.steps", "12"])
        said = [example.output[0].text for example in read_examples(opened.predictions("cut", "places"))]
        assert said == [" ".join(text.split()[: min(words, 2)]) for text in list(FACTS.values())[3:]]
        models = {path.name for path in (tmp_path / "home" / "models").iterdir()}
    assert len(models) == 2


def test_a_memory_shows_what_its_processors_made(tmp_path: Path) -> None:
    storage = {"class_path": "reml.access.storing.CollectionMemory"}
    access = {"notes": {"retriever": BM25, "processors": [SNIPPET], "k": 1, "storage": storage}}
    opened = runner(tmp_path, access)
    assert [answer.text for answer in answers(opened, "notes")] == [
        " ".join(text.split()[:5]) for text in list(FACTS.values())[3:]
    ]
    hits, _ = opened.found("notes", "notes", "places")
    assert isinstance(hits, Hits)
    assert hits.shown is not None
    assert (hits.shown.at[hits.rows >= 0] >= 0).all()


def test_more_items_of_a_memory_are_read_anew(tmp_path: Path) -> None:
    """How much is handed over decides what is predicted, and what is written."""
    storage = {"class_path": "reml.access.storing.CollectionMemory"}
    read = []
    for k in (1, 2):
        opened = runner(tmp_path, {"notes": {"retriever": BM25, "k": k, "storage": storage, "order": "best_last"}})
        read.append([str(answer.text).split(" | ") for answer in answers(opened, "notes")])
    for one, two in zip(*read, strict=True):
        assert (len(one), len(two)) == (1, 2)
        assert two[-1] == one[0], "the best is read last"


def test_rankings_are_interleaved_where_an_access_model_says_so(tmp_path: Path) -> None:
    flat = {"retriever": {"class_path": "reml.retrievers.bm25.BM25", "init_args": {"b": 0.0, "k1": 9.0}}}
    parts: dict[str, Any] = {"bm25": {"retriever": BM25}, "flat": flat}
    both = {"fuse": ["bm25", "flat"], "fusing": "interleaved"}
    opened = runner(tmp_path, {**parts, "both": both, "sum": {"fuse": ["bm25", "flat"]}})
    first, second, taken = (opened.hits(name, "places", "dev") for name in ("bm25", "flat", "both"))
    assert taken.rows.tolist() == interleaved([first, second], taken.k).rows.tolist()
    live = opened.access("both", "places").search(opened.examples("places", "dev"))
    assert live.rows.tolist() == taken.rows.tolist()
    assert taken.scores.tolist() != opened.hits("sum", "places", "dev").scores.tolist()
    with pytest.raises(ValueError, match="fusing says how the rankings of others are fused"):
        runner(tmp_path / "alone", {"bm25": {"retriever": BM25, "fusing": "interleaved"}})


def test_fused_rankings_refuse_texts_that_were_changed(tmp_path: Path) -> None:
    cut = {"retriever": BM25, "processors": [SNIPPET]}
    opened = runner(tmp_path, {"cut": cut, "plain": {"retriever": BM25}, "both": {"fuse": ["cut", "plain"]}})
    with pytest.raises(ValueError, match="fused by their rows"):
        opened.predictions("both", "places")
