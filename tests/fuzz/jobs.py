"""What is done with files: right ones, the one that is mutated, the command, and what it gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.fuzz.mutations import DATA_FILE, JSON_LINES, Mutation
from tests.fuzz.settings_and_models import CONFIG, TOKENIZER, WEIGHTS, YAML

TEXTS = {
    "101": ("Peru", "Stone terraces climb the mountains of Peru. Lima is its capital."),
    "102": ("Chad", "Mosque minarets rise over the markets of Chad; N'Djamena is its capital."),
    "103": ("Fiji", "Coral reefs ring the islands of Fiji, where \u00a75 of sugar is milled in Suva."),
    "104": ("C\u00f4te d'Ivoire", "Cocoa grows around Yamoussoukro in C\u00f4te d'Ivoire."),
}
ASKED = {
    "q1": ("capital of Peru", "Lima", "101"),
    "q2": ("markets of Chad", "N'Djamena", "102"),
    "q3": ("sugar milled", "Suva", "103"),
}


def _lines(records: list[object]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


PAGES = _lines(
    [
        {"_id": key, "wikipedia_id": key, "wikipedia_title": title, "text": [f"{title}\n", text]}
        for key, (title, text) in TEXTS.items()
    ]
)
EXAMPLES = _lines(
    [
        {
            "id": key,
            "input": text,
            "output": [{"answer": answer, "provenance": [{"wikipedia_id": page, "title": TEXTS[page][0]}]}],
        }
        for key, (text, answer, page) in ASKED.items()
    ]
)
CORPUS = _lines([{"_id": key, "title": title, "text": text} for key, (title, text) in TEXTS.items()])
TSV = "".join(f"{key}\t{text}\t{title}\n" for key, (title, text) in TEXTS.items()).encode()
RUN = b"".join(
    f"{question} Q0 {page} {rank} {10.5 - rank} tag\n".encode()
    for question in ASKED
    for rank, page in enumerate(TEXTS, start=1)
)
QRELS = b"".join(f"{question} 0 {page} 1\n".encode() for question, (_, _, page) in ASKED.items())
TEXT_FILES = "reml.collection.sources.text_files"


def experiment(source: object = "pages.jsonl", retriever: object = None) -> bytes:
    """Give a small experiment's YAML."""
    task = {"name": "places", "measure": "em", "examples": {"dev": "dev.jsonl"}, "knowledge_source": source}
    settings = {
        "name": "small",
        "seed": 3,
        "tasks": [{"class_path": "reml.tasks.jsonl.Jsonl", "init_args": task}],
        "access": {"a": {"retriever": retriever or {"class_path": "reml.retrievers.bm25.BM25"}}},
        "predictor": {"class_path": "reml.predictors.first_title.FirstTitle"},
        "reading": {"k": 2, "depth": 3, "limit": 3, "words": 40},
    }
    return yaml.safe_dump(settings, sort_keys=False).encode()


def _class(class_path: str, **settings: object) -> dict[str, object]:
    return {"class_path": class_path, "init_args": settings}


@dataclass(frozen=True, slots=True)
class Job:
    """A command over files, one of which is mutated.

    gives: reads what came out, to be compared with what comes of the right files. model: whether the folder holds a
    model. weight: how many of the mutants it gets.
    """

    name: str
    files: Mapping[str, bytes]
    target: str
    words: tuple[str, ...]
    mutations: tuple[Mutation, ...]
    gives: Callable[[Path, str], object]
    model: bool = False
    weight: int = 1


def _printed(_: Path, printed: str) -> object:
    return printed


def _results(folder: Path, _: str) -> object:
    """Read the figures and the ranking of the only run."""
    (run,) = (path for path in (folder / "home/runs").iterdir() if path.is_dir())
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return metrics, *(path.read_text(encoding="utf-8") for path in sorted(run.rglob("run.trec")))


RUNNING = ("run", "--config", "c.yaml")
BASE = {"c.yaml": experiment(), "pages.jsonl": PAGES, "dev.jsonl": EXAMPLES}
GUESSES = {"gold.jsonl": EXAMPLES, "guess.jsonl": EXAMPLES}
EVALUATING = ("evaluate", "--gold", "gold.jsonl", "--guess", "guess.jsonl")
RANKINGS = {"a.run": RUN, "a.qrels": QRELS}
MEASURING = ("measure", "--run", "a.run", "--relevance", "a.qrels")


def _of_corpus(source: dict[str, object], name: str, whole: bytes) -> dict[str, bytes]:
    return {"c.yaml": experiment(source), name: whole, "dev.jsonl": EXAMPLES}


def _of_model(file: str, mutations: tuple[Mutation, ...]) -> Job:
    dense = _class("reml.retrievers.dense.Dense", model="model")
    files = {**BASE, "c.yaml": experiment(retriever=dense)}
    return Job(f"model, {file}", files, f"model/{file}", RUNNING, mutations, _results, model=True)


JOBS = (
    Job("gold", GUESSES, "gold.jsonl", EVALUATING, JSON_LINES, _printed, weight=3),
    Job("predictions", GUESSES, "guess.jsonl", EVALUATING, JSON_LINES, _printed, weight=3),
    Job("run", RANKINGS, "a.run", MEASURING, DATA_FILE, _printed, weight=2),
    Job("judgements", RANKINGS, "a.qrels", MEASURING, DATA_FILE, _printed, weight=2),
    Job("pages", BASE, "pages.jsonl", RUNNING, JSON_LINES, _results, weight=3),
    Job("examples", BASE, "dev.jsonl", RUNNING, JSON_LINES, _results, weight=3),
    Job(
        "corpus, JSONL",
        _of_corpus(_class(f"{TEXT_FILES}.JsonlTexts", path="c.jsonl"), "c.jsonl", CORPUS),
        "c.jsonl",
        RUNNING,
        JSON_LINES,
        _results,
        weight=2,
    ),
    Job(
        "corpus, TSV",
        _of_corpus(_class(f"{TEXT_FILES}.TsvTexts", path="c.tsv"), "c.tsv", TSV),
        "c.tsv",
        RUNNING,
        DATA_FILE,
        _results,
    ),
    Job(
        "corpus, quoted TSV",
        _of_corpus(_class(f"{TEXT_FILES}.TsvTexts", path="c.tsv", quoted=True), "c.tsv", TSV),
        "c.tsv",
        RUNNING,
        DATA_FILE,
        _results,
    ),
    Job("configuration", BASE, "c.yaml", RUNNING, YAML, _results, weight=4),
    _of_model("model.safetensors", WEIGHTS),
    _of_model("config.json", CONFIG),
    _of_model("tokenizer.json", TOKENIZER),
)
