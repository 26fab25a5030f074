from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from jsonargparse import ArgumentParser

from reml.collection.checks import missing_pages
from reml.contract.examples import Answer, Example, Measure, Provenance
from reml.contract.tasks import Task
from reml.evaluation.metrics import Bleu, KiltMetric, metric_of
from reml.experiment.settings.settings_of import settings_of
from reml.files.records import RecordError, write_examples
from reml.tasks.jsonl import Jsonl

PAGE = (
    '{"_id": "1", "wikipedia_id": "1", "wikipedia_title": "Chad", "text": ["Chad\\n", "Its capital is N\'Djamena.\\n"]}'
)
EXAMPLES = [
    Example("a", "capital of Chad?", (Answer("N'Djamena", (Provenance("1", "Chad", 1, 15, 1, 24),)),)),
    Example("b", "who rules?"),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    write_examples(EXAMPLES, tmp_path / "dev.jsonl")
    (tmp_path / "pages.jsonl").write_text(PAGE + "\n")
    return {"dev": str(tmp_path / "dev.jsonl"), "pages": str(tmp_path / "pages.jsonl")}


def test_it_gives_the_examples_and_pages_of_its_files(files: dict[str, str]) -> None:
    task = Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"], measure="f1")
    assert isinstance(task, Task)
    assert (task.name, metric_of(task)) == ("mine", KiltMetric("f1"))
    assert task.examples("dev") == EXAMPLES
    assert [page.title for page in task.source().pages()] == ["Chad"]


def test_gzip_is_known_by_its_bytes_in_examples_as_in_pages(files: dict[str, str]) -> None:
    for path in map(Path, files.values()):
        path.write_bytes(gzip.compress(path.read_bytes()))
    task = Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"])
    assert task.examples("dev") == EXAMPLES
    assert [page.title for page in task.source().pages()] == ["Chad"]


def test_limit_keeps_the_first_examples(files: dict[str, str]) -> None:
    task = Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"], limit=1)
    assert task.examples("dev") == EXAMPLES[:1]


def test_any_knowledge_source_will_do(files: dict[str, str]) -> None:
    source = Jsonl("other", {"dev": files["dev"]}, knowledge_source=files["pages"]).source()
    assert Jsonl("mine", {"dev": files["dev"]}, knowledge_source=source).source() is source


def test_it_is_made_from_yaml_alone(tmp_path: Path, files: dict[str, str]) -> None:
    config = tmp_path / "task.yaml"
    config.write_text(
        "task:\n"
        "  class_path: reml.tasks.jsonl.Jsonl\n"
        "  init_args:\n"
        "    name: mine\n"
        f"    examples: {{dev: {files['dev']}}}\n"
        f"    knowledge_source: {files['pages']}\n"
        "    measure: accuracy\n"
    )
    parser = ArgumentParser()
    parser.add_argument("--config", action="config")
    parser.add_argument("--task", type=Task)
    task = parser.instantiate(parser.parse_args(["--config", str(config)])).task
    assert isinstance(task, Jsonl)
    assert task.metric == KiltMetric("accuracy")
    assert task.examples("dev") == EXAMPLES


def test_its_metric_is_named_in_yaml(files: dict[str, str]) -> None:
    parser = ArgumentParser()
    parser.add_argument("--task", type=Task)
    settings = {"name": "mine", "examples": {"dev": files["dev"]}, "knowledge_source": files["pages"]}
    metric = {"class_path": "reml.evaluation.metrics.bleu.Bleu"}
    written = {"task": {"class_path": "reml.tasks.jsonl.Jsonl", "init_args": {**settings, "metric": metric}}}
    task = parser.instantiate(parser.parse_object(written)).task
    assert metric_of(task) == Bleu()
    assert settings_of(task) == {"class_path": "reml.tasks.jsonl.Jsonl", "init_args": {**settings, "metric": metric}}


def test_a_task_is_not_measured_in_two_ways(files: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="'mine' has both the measure 'f1' and a metric: leave out one"):
        Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"], measure="f1", metric=Bleu())


def test_a_split_without_a_file_is_named_with_those_there_are(files: dict[str, str]) -> None:
    task = Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"])
    with pytest.raises(ValueError, match=r"'mine' has no split 'train'; it has dev: .* under examples.train.$"):
        task.examples("train")
    with pytest.raises(ValueError, match=r"give a file under examples.test, or choose --reading.split dev.$"):
        task.examples("test")


def test_missing_files_are_errors_at_once(files: dict[str, str]) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*absent\.jsonl for split 'dev'"):
        Jsonl("mine", {"dev": "absent.jsonl"}, knowledge_source=files["pages"])
    with pytest.raises(FileNotFoundError, match=r"absent\.jsonl"):
        Jsonl("mine", {"dev": files["dev"]}, knowledge_source="absent.jsonl")


def test_settings_that_are_not_allowed_are_errors_at_once(files: dict[str, str]) -> None:
    dev = {"dev": files["dev"]}
    with pytest.raises(ValueError, match=r"Jsonl\.measure is 'bleu', but must be one of 'accuracy', 'em', 'f1'"):
        Jsonl("mine", dev, knowledge_source=files["pages"], measure="bleu")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="limit is 0"):
        Jsonl("mine", dev, knowledge_source=files["pages"], limit=0)
    with pytest.raises(ValueError, match="has no files"):
        Jsonl("mine", {}, knowledge_source=files["pages"])
    with pytest.raises(ValueError, match="'' cannot name a task"):
        Jsonl("", dev, knowledge_source=files["pages"])


def test_a_malformed_line_or_an_id_given_twice_is_named(files: dict[str, str]) -> None:
    task = Jsonl("mine", {"dev": files["dev"]}, knowledge_source=files["pages"])
    with Path(files["dev"]).open("a") as stream:
        stream.write('{"id": "a", "input": "again"}\n')
    with pytest.raises(RecordError, match=r"dev\.jsonl, line 3: id 'a' is that of line 1 already"):
        task.examples("dev")


@pytest.mark.parametrize(
    ("name", "measure", "train", "dev"),
    [
        ("fever", "accuracy", 1208, 287),
        ("aidayago2", "accuracy", 124, 137),
        ("trex", "accuracy", 7085, 1000),
        ("nq", "em", 1555, 400),
        ("hotpotqa", "em", 294, 110),
        ("squad", "em", 11801, 4931),
        ("wow", "f1", 376, 142),
    ],
)
def test_real_files_load_and_fit_their_knowledge_source(
    shared: Path, real_page_ids: set[str], name: str, measure: Measure, train: int, dev: int
) -> None:
    folder = shared / "minikilt"
    task = Jsonl(
        name,
        {split: str(folder / f"{name}-{split}-kilt.jsonl.gz") for split in ("train", "dev")},
        knowledge_source=str(folder / "knowledge_source.jsonl.gz"),
        measure=measure,
    )
    assert (len(task.examples("train")), len(task.examples("dev"))) == (train, dev)
    assert missing_pages([*task.examples("train"), *task.examples("dev")], real_page_ids) == []


@pytest.fixture(scope="module")
def real_page_ids(shared: Path) -> set[str]:
    source = Jsonl(
        "nq",
        {"dev": str(shared / "minikilt/nq-dev-kilt.jsonl.gz")},
        knowledge_source=str(shared / "minikilt/knowledge_source.jsonl.gz"),
    ).source()
    return {page.id for page in source.pages()}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('{"_id": "1", "wikipedia_title": "Peru", "text": ["Peru", "Lima"]}', "pages"),
        ('{"_id": "1", "title": "Peru", "text": "Lima"}', "texts of a corpus"),
        ("q Q0 p 1 2.5 tag", "a run"),
        ("q 0 p 1", "judgements in TREC's format"),
        ("query-id\tcorpus-id\tscore", "judgements in BEIR's format"),
        ("name: x", "YAML"),
        ("<html>", "HTML"),
    ],
)
def test_examples_of_another_kind_are_said(text: str, kind: str, tmp_path: Path) -> None:
    for name in ("dev.jsonl", "pages.jsonl"):
        (tmp_path / name).write_text(text + "\n")
    task = Jsonl("t", {"dev": tmp_path / "dev.jsonl"}, knowledge_source=tmp_path / "pages.jsonl")
    with pytest.raises(RecordError, match=f"dev.jsonl holds {kind}.* As examples, name a .jsonl"):
        task.examples("dev")
