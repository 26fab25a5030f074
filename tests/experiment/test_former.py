"""A kept result of the same settings, made from other inputs, is not written over without a word: it is moved aside."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

import reml
from reml.retrievers.dense import Dense
from tests.experiment.test_run import QUIET, small, titles
from tests.small_experiment import write_experiment
from tests.text.models import folders


def told(experiment: reml.Experiment, home: Path) -> tuple[reml.Results, str]:
    printed = io.StringIO()
    results = reml.run(experiment, home, Console(file=printed, width=400))
    return results, printed.getvalue()


def manifest(results: reml.Results) -> dict[str, object]:
    read: dict[str, object] = json.loads((results.folder / "manifest.json").read_text())
    return read


def dense(folder: Path) -> reml.Experiment:
    return titles(folder, access={"dense": reml.Access(Dense(str(folder / "model")))})


def shorter(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def other_weights(folder: Path) -> None:
    shutil.rmtree(folder / "model")
    folders.put(folder / "model", folders.bert(initializer_range=0.5))


def shorter_and_other_weights(folder: Path) -> None:
    shorter(folder / "dev.jsonl")
    other_weights(folder)


CHANGES: dict[str, tuple[Callable[[Path], None], Callable[[Path], reml.Experiment], list[str]]] = {
    "examples": (lambda folder: shorter(folder / "dev.jsonl"), titles, ["places dev"]),
    "examples that are trained on": (lambda folder: shorter(folder / "train.jsonl"), small, ["places train"]),
    "pages": (lambda folder: shorter(folder / "pages.jsonl"), titles, ["places source"]),
    "weights": (other_weights, dense, ["the files of {folder}/model"]),
    "examples and weights": (
        shorter_and_other_weights,
        dense,
        ["places dev", "the files of {folder}/model"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_said_and_both_results_stay(what: str, tmp_path: Path) -> None:
    change, experiment, names = CHANGES[what]
    write_experiment(tmp_path)
    folders.put(tmp_path / "model", folders.bert())
    first, printed = told(experiment(tmp_path), tmp_path / "home")
    assert "kept as" not in printed
    before = (first.folder / "metrics.json").read_bytes()
    change(tmp_path)
    second, printed = told(experiment(tmp_path), tmp_path / "home")
    kept = first.folder.with_name(f"{first.folder.name}-former-1")
    have = "has another fingerprint" if len(names) == 1 else "have other fingerprints"
    said = f"{' and '.join(names).format(folder=tmp_path)} {have} than in the former result of the same settings, which"
    assert f"{first.folder.name}: {said} is kept as {kept.name}.\n" in printed
    assert second.folder == first.folder, "the newest has the name that its settings give it"
    assert (kept / "metrics.json").read_bytes() == before
    assert (kept / "report.html").is_file()
    assert manifest(second)["replaces"] == f"{said} is kept as {kept.name}"
    assert str(manifest(second)["replaces"]).split("/")[0] in second.report.read_text()


def test_what_is_the_same_stays_and_each_former_result_has_its_own_name(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    examples = (tmp_path / "dev.jsonl").read_text()
    runs = tmp_path / "home" / "runs"
    reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    assert len(list(runs.iterdir())) == 1, "nothing changed"
    shorter(tmp_path / "dev.jsonl")
    changed = reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    again = reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    assert manifest(again)["replaces"] == manifest(changed)["replaces"], "said as long as that result is the newest"
    (tmp_path / "dev.jsonl").write_text(examples)
    reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    name = changed.folder.name
    assert sorted(one.name for one in runs.iterdir()) == [name, f"{name}-former-1", f"{name}-former-2"]


def test_a_result_that_an_older_version_wrote_is_compared_by_what_it_knows(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    first = reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    old = manifest(first)
    old["checksums"] = {name: value for name, value in dict(old["checksums"]).items() if "code" not in name}  # type: ignore[call-overload]
    del old["signature"]
    (first.folder / "manifest.json").write_text(json.dumps(old))
    reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    assert len(list((tmp_path / "home" / "runs").iterdir())) == 1


class Pages:
    """A source whose author forgets the fingerprint."""

    fingerprint = "always"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def pages(self) -> Iterator[reml.Page]:
        for text in self.texts:
            yield reml.Page(text, text, (text, f"{text} is a word."))


class Words:
    name, measure = "words", "em"

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def source(self) -> Pages:
        return Pages(self.texts)

    def examples(self, split: str) -> list[reml.Example]:
        return [reml.Example(split, "copper", (reml.Answer("copper"),))]


def test_pages_that_change_under_their_fingerprint_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_experiment(tmp_path)
    for texts, times in ((["copper", "rice"], 0), (["copper", "rice"], 0), (["copper", "maize"], 1)):
        caplog.clear()
        reml.run(titles(tmp_path, tasks=[Words(texts)]), tmp_path / "home", QUIET)
        said = [one for one in caplog.messages if "the first pages of Pages are others than when" in one]
        assert len(said) == times
    assert "its fingerprint is still 'always'" in said[0]
    assert "let the fingerprint change with the pages" in said[0]


def test_a_warning_is_said_again_where_what_was_made_is_reused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_experiment(tmp_path)
    lines = (tmp_path / "dev.jsonl").read_text().splitlines()
    lines[1] = json.dumps({**json.loads(lines[1]), "input": "?!"})
    (tmp_path / "dev.jsonl").write_text("\n".join(lines) + "\n")
    nothing = "bm25 finds nothing for 1 of 3 questions; for the first of them, 'q-cuba'"
    for times in range(3):
        caplog.clear()
        reml.run(titles(tmp_path), tmp_path / "home", QUIET)
        (said,) = [one for one in caplog.messages if one.startswith(nothing)]
        assert said.endswith("(said when the step 'retrieve with bm25 for places dev' was made)") == bool(times)
