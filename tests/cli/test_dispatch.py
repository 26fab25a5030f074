from __future__ import annotations

import inspect
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.cli.commands import COMMANDS
from reml.cli.parsers import named
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries, Responses
from reml.contract.signals import Prediction, Signal
from tests.first_words import Echo
from tests.small_experiment import task_of, write_experiment


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that cannot go well; give what it says."""
    assert main(arguments) == 2
    return capsys.readouterr().err


def test_an_unknown_command_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    message = told(capsys, "retrieve")
    assert "'retrieve'" in message
    assert all(name in message for name in ("run", "prepare", "index", "search", "train", "evaluate", "report"))


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("benchmark", "--help")])
def test_help_lists_the_commands(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("usage: reml COMMAND")
    for name, path in COMMANDS.items():
        told = (inspect.getdoc(named(name)) or "").partition("\n")[0].rstrip(".")
        assert sum(line.split("  ")[1:2] == [name] and line.endswith(told) for line in lines) == 1, path
    assert len(lines) < 45


def test_help_loads_no_command() -> None:
    program = (
        "import sys; from reml.__main__ import main; main(['--help']); "
        "heavy = {'torch', 'transformers', 'rich.table', 'reml.cli.experiment_commands'}; "
        "print(heavy & set(sys.modules), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stderr == "set()\n"


@pytest.mark.parametrize("given", [("benchmark",), ("benchmark", "klit"), ("benchmark", "--rows", "3")])
def test_a_word_that_begins_commands_is_answered_with_them(
    given: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    message = told(capsys, *given)
    assert f"there is no benchmark {' '.join(given[1:2])!r}; there are kilt, speed, ingest" in message


def test_a_command_that_is_misspelt_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no command 'serach'; the nearest: search" in told(capsys, "serach", "--query", "x")


@pytest.mark.parametrize("asked", ["--help", "-h"])
@pytest.mark.parametrize(("word", "near"), [("serach", "search"), ("mesure", "measure"), ("repport", "report")])
def test_there_is_no_help_of_a_command_that_is_not_there(
    word: str, near: str, asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"there is no command {word!r}; the nearest: {near}" in told(capsys, word, asked)


def test_the_help_of_a_command_is_short_and_names_what_reml_has() -> None:
    program = (
        "import sys; from reml.__main__ import main; main(['search', '--help']); "
        "assert not {'pytorch_lightning', 'transformers', 'faiss', 'numba'} & set(sys.modules), 'slow to load'"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[0] == "usage: reml search --config FILE.yaml [options]"
    assert len(lines) < 240
    assert "torch." not in ended.stdout
    assert ended.stdout.index("--query") < ended.stdout.index("--tasks"), "its own arguments first"
    for path in ("retrievers.bm25.BM25", "predictors.fid_copy.CopyFiD", "tasks.jsonl.Jsonl", "feedback.adist.Adist"):
        assert sum(line.startswith(f"  reml.{path}  ") for line in lines) == 1


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("reml 0.")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("reml.retrievers.bm25.BM52", "reml.retrievers.bm25.BM25"),
        ("reml.retrievers.bm52.BM25", "reml.retrievers.bm25.BM25"),
    ],
)
def test_a_wrong_class_path_is_answered_with_the_nearest(
    given: str, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_experiment(tmp_path, access={"bm25": {"retriever": {"class_path": given}}}, train_on=None)
    message = told(capsys, "prepare", "--config", str(config), "--home", str(tmp_path))
    assert given.rpartition(".")[0] in message
    assert f"the nearest: {named}" in message


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"train_on": {"access": "bm52"}}, ("'bm52'", "bm25, flat, both, closed_book")),
        ({"access": {}, "train_on": None}, ("at least one access model",)),
        ({"reading": {"k": 9, "depth": 4}}, ("reading.depth (4)", "reading.k (9)")),
        ({"reading": {"kay": 9}}, ("reading: Reading has no setting 'kay'", "the nearest: k")),
        ({"training": {"rate": "fast"}}, ("training.rate is 'fast'", "must be a number")),
        ({"acess": {"bm25": {"fuse": ["flat"]}}}, ("no setting 'acess'", "the nearest: access")),
        ({"name": "../elsewhere"}, ("'../elsewhere'", "slash")),
        ({"seed": "${nothing.there}"}, ("nothing",)),
    ],
)
def test_a_wrong_setting_is_named(
    changes: dict[str, object], named: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_experiment(tmp_path, **changes)
    message = told(capsys, "prepare", "--config", str(config), "--home", str(tmp_path / "home"))
    assert all(name in message for name in named), message
    assert "Traceback" not in message


def test_what_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), str(tmp_path / "home")
    given = ("--config", str(config), "--home", home)
    assert "'bm52'" in told(capsys, "search", *given, "--by", "bm52", "--query", "x")
    nothing = told(capsys, "search", *given, "--by", "closed_book", "--query", "x")
    assert "'closed_book' retrieves nothing: ask another one, of bm25, flat, both" in nothing
    assert "'place'" in told(capsys, "search", *given, "--task", "place", "--query", "x")
    assert "no split 'test'" in told(capsys, "run", *given, "--reading.split", "test")
    assert "absent.yaml" in told(capsys, "run", "--config", str(tmp_path / "absent.yaml"))
    (tmp_path / "dev.jsonl").unlink()
    message = told(capsys, "run", *given)
    assert str(tmp_path / "dev.jsonl") in message


def test_a_malformed_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), str(tmp_path / "home")
    with (tmp_path / "dev.jsonl").open("a") as stream:
        stream.write('{"id": 5}\n')
    message = told(capsys, "prepare", "--config", str(config), "--home", home)
    assert "dev.jsonl" in message
    assert "line 4" in message


def test_the_malformed_line_of_a_yaml_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.yaml").write_text("access: {bm25: [")
    message = told(capsys, "run", "--config", str(tmp_path / "broken.yaml"))
    assert f"{tmp_path / 'broken.yaml'}, line 1, column 17" in message


def test_a_wrong_setting_on_the_command_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ("prepare", "--config", str(write_experiment(tmp_path)))
    assert "predictor.init_args: FirstWords has no setting 'wrods'; the nearest: words" in told(
        capsys, *given, "--predictor.init_args.wrods", "2"
    )
    assert "unrecognized arguments: twice" in told(capsys, *given, "twice")


def test_what_an_experiment_lacks_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closed: dict[str, object] = {"access": {"closed_book": {}}, "train_on": None}
    given = ("--home", str(tmp_path / "home"), "--config")
    assert "`train_on`" in told(capsys, "train", *given, str(write_experiment(tmp_path, **closed)))
    without = write_experiment(tmp_path, **closed, predictor=None)
    assert "names no predictor" in told(capsys, "run", *given, str(without))
    assert not (tmp_path / "home" / "collections").exists()  # said before any work
    module = write_experiment(tmp_path, **closed, predictor={"class_path": "tests.first_words.NoPredictor"})
    assert "NoPredictor is no PredictorModule, it has no prepare, loss, generate" in told(
        capsys, "run", *given, str(module)
    )


def test_files_are_scored_without_loading_pytorch(tmp_path: Path) -> None:
    record = {"id": "1", "input": "?", "output": [{"answer": "ice", "provenance": [{"wikipedia_id": "1"}]}]}
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_text(json.dumps(record) + "\n")
    program = (
        "import sys; from reml.__main__ import main; "
        f"path = {str(tmp_path / 'a.jsonl')!r}; "
        "other = path.replace('a.jsonl', 'b.jsonl'); "
        "status = main(['evaluate', '--gold', path, '--guess', other]) or main(['report', '--run', '/absent']) - 2; "
        "heavy = {'torch', 'transformers', 'pytorch_lightning', 'faiss', 'numba'} & set(sys.modules); "
        "sys.exit(f'status {status}, loaded {heavy}' if status or heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "1.0000" in ended.stdout


def test_a_search_says_what_it_opens_and_ends_with_its_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("search", "--config", str(write_experiment(tmp_path)), "--home", str(tmp_path / "home"), "--by", "both")
    monkeypatch.setattr(sys, "stdin", io.StringIO("copper mined\nzebra\n"))
    assert main(given) == 0
    printed = capsys.readouterr().out
    opened = [printed.index(f"open {name} for places") for name in ("bm25", "flat")]
    assert max(opened) < printed.index("an empty line ends") < printed.index("Oman") < printed.index("nothing found")


def test_names_with_square_brackets_are_shown_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    access = {"bm[25]": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}}
    task = task_of(tmp_path / "[red]", "facts[dev]")
    config = write_experiment(tmp_path / "[red]", access=access, tasks=[task], train_on=None)
    given = ["--config", str(config), "--home", str(tmp_path / "[home]")]
    assert main(["run", *given]) == 0
    printed = capsys.readouterr().out
    assert any(line.startswith("facts[dev]: em, n = ") for line in printed.splitlines())
    assert any(line.split()[:1] == ["bm[25]"] for line in printed.splitlines())
    assert f"results: {tmp_path}/[home]/runs/" in printed
    assert main(["search", *given, "--by", "bm[25]", "--query", "copper"]) == 0
    assert "open bm[25] for facts[dev]" in capsys.readouterr().out
    assert main(["prepare", *given]) == 0
    assert f"facts[dev]: 6 passages in {tmp_path}/[home]/" in capsys.readouterr().out


def test_pages_that_are_absent_are_named_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, train_on=None)
    gold = {"answer": "ice", "provenance": [{"wikipedia_id": "[page]"}]}
    with (tmp_path / "dev.jsonl").open("a") as stream:
        stream.write(json.dumps({"id": "x", "input": "?", "output": [gold]}) + "\n")
    assert main(["prepare", "--config", str(config), "--home", str(tmp_path / "home")]) == 0
    assert "[page]" in next(line for line in capsys.readouterr().out.splitlines() if "The first: " in line)


class Untold:
    """A processor that does not keep what it was made with."""

    def __init__(self, cut: int) -> None:
        self._cut = cut

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        return responses.first(self._cut)


def test_a_class_that_cannot_tell_its_settings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    untold = {"class_path": "tests.cli.test_dispatch.Untold", "init_args": {"cut": 1}}
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}, "processors": [untold]}
    config = write_experiment(tmp_path, access={"bm25": bm25}, train_on=None)
    message = told(capsys, "run", "--config", str(config), "--home", str(tmp_path / "home"))
    assert "Untold does not tell what it was made with (cut): keep each constructor argument" in message


def test_who_answers_wrongly_is_named_with_task_and_system(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_experiment(tmp_path, predictor={"class_path": "tests.first_words.OneAnswer"}, train_on=None)
    given = ("run", "--config", str(config), "--home", str(tmp_path / "home"))
    first, *others = told(capsys, *given).partition("reml run: ")[2].splitlines()
    assert first.startswith("OneAnswer gave 1 answers to 3 examples: `generate` gives a list of one `Answer` for each")
    assert first.endswith(
        "(while OneAnswer answers, given the sessions of 'bm25'; in the step 'predict places with bm25')"
    )
    assert not others, "reml refused it in a sentence: no traceback says more"
    monkeypatch.setenv("REML_TRACEBACK", "1")
    message = told(capsys, *given)
    assert "Traceback (most recent call last)" in message
    assert "asking.py" in message
    assert "reml run: OneAnswer gave" in message


def test_who_cannot_learn_is_named_with_its_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, predictor={"class_path": "tests.cli.test_dispatch.MeanLoss"})
    message = told(capsys, "train", "--config", str(config), "--home", str(tmp_path / "home"))
    assert "the loss of MeanLoss has the shape [] for 2 examples: give [2]" in message
    assert "in the step 'train the predictor'" in message


class MeanLoss(Echo):
    """Gives one loss for the whole batch."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction(super().loss(batch, signals).loss.mean())


def test_help_says_how_to_see_where_an_error_arose(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "REML_TRACEBACK=1" in capsys.readouterr().out.splitlines()[-1]
