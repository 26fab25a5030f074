"""What an object refuses is said with the whole path of the setting, the file and line or the option, and in brief."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.__main__ import main
from tests.small_experiment import write_experiment

BM25 = "{retriever: {class_path: reml.retrievers.bm25.BM25}}"
INNER = "access: {a: {retriever: {class_path: reml.retrievers."
ADIST = "{class_path: reml.feedback.adist.Adist, init_args: {temperature: hot}}"


def told(capsys: pytest.CaptureFixture[str], text: str, folder: Path, *options: str) -> list[str]:
    """Prepare an experiment that is refused; give the lines that say so."""
    write_experiment(folder)
    path = folder / "one.yaml"
    task = f"{{name: t, examples: {{dev: {folder}/dev.jsonl}}, knowledge_source: {folder}/pages.jsonl}}"
    path.write_text(f"tasks:\n- class_path: reml.tasks.jsonl.Jsonl\n  init_args: {task}\n{text}\n", encoding="utf-8")
    assert main(["prepare", "--config", str(path), "--home", str(folder / "home"), *options]) == 2
    assert not (folder / "home").exists(), "before any work"
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            f"{INNER}dense.Dense, init_args: {{\n  encoding: {{\n  pooling: first}}}}}}}}}}",
            6,
            "access.a.retriever.init_args.encoding.pooling: there is no pooling 'first': choose one of mean, cls",
        ),
        (f"{INNER}bm25.BM25, init_args: {{b: 0.1,\n k1: -3}}}}}}}}", 5, "access.a.retriever.init_args.k1 is -3.0"),
        (
            f"{INNER}bm25.BM25, init_args: {{analyser: {{\nstemmer: klingon}}}}}}}}}}",
            5,
            "access.a.retriever.init_args.analyser.stemmer: there is no stemmer for 'klingon'",
        ),
        (f"access: {{a: {BM25[:-1]},\n k: 0}}}}", 5, "access.a.k is 0, but must be 1 or more, or left out."),
        (f"access: {{a: {BM25}}}\nreading: {{k: 3,\n limit: 0}}", 6, "reading.limit is 0, but must be 1 or more"),
        (f"access: {{a: {BM25}}}\nreading: {{k: 9,\n depth: 4}}", 6, "reading.depth (4) must be at least"),
        (f"access: {{a: {BM25}}}\ntraining:\n  rates: {{a: .nan}}", 6, "training.rates.a is nan, but must be"),
        (f"access: {{a: {BM25}}}\ntraining: {{warmup: 1.5}}", 5, "training.warmup"),
        (f"access: {{a: {BM25}}}\ntrain_on:\n  access: zz", 6, "train_on.access: there is no access model 'zz'"),
        (f"access: {{a: {BM25}}}\nseed: -1", 5, "seed is -1, but must be 0 or more"),
        (f"access: {{a: {BM25}, b:\n {{fuse: [a, zz]}}}}", 5, "access.b.fuse[1]: there is no access model 'zz'"),
        (f"access: {{a: {BM25}, b: {{feedback:\n {{learner: a, objective: {ADIST}}}}}}}", 5, "access.b.feedback"),
        (
            f"{INNER}bm25.BM25,\n init_arg: {{b: 0.1}}}}}}}}",
            5,
            "access.a.retriever has no setting 'init_arg'; the nearest: init_args (allowed: class_path, init_args)",
        ),
        (f"access: {{a: {BM25}}}\nsede: 1", 5, "Experiment has no setting 'sede'; the nearest: seed"),
        (f"access: {{a: {BM25}}}\npredictor:\n  class_path: reml.predictors.fid.FiDD", 6, "predictor: "),
        (
            f"access: {{a: {BM25}}}\npredictor:\n  class_path: reml.predictors.fid_copy.CopyFiD\n  init_args:\n"
            "    layers: two",
            8,
            "predictor.init_args.layers is 'two', but must be a whole number",
        ),
        (
            f"access: {{a: {BM25}}}\npredictors:\n  x:\n    class_path: reml.predictors.fid_copy.CopyFiD\n"
            "    init_args:\n      input_tokens: -3",
            9,
            "predictors.x.init_args.input_tokens is -3, but must be 1 or more, or left out.",
        ),
        (f"base: &b {{k: 0}}\naccess: {{a: {BM25}}}\nreading: *b", 4, "Experiment has no setting 'base'"),
    ],
)  # fmt: skip
def test_a_refused_setting_is_named_with_file_and_line(
    text: str, line: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, text, tmp_path)
    assert len(lines) <= 3
    assert any(one.startswith(f"  {tmp_path}/one.yaml, line {line}: {said}") for one in lines), lines


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--reading.k", "0"), "--reading.k is 0, but must be 1 or more."),
        (("--reading.k=0",), "--reading.k is 0, but must be 1 or more."),
        (("--seed", "often"), "--seed is 'often', but must be a whole number, 0 or more"),
        (("--reading", "{k: 0}"), "--reading: reading.k is 0, but must be 1 or more."),
        (("--access.a.depth", "-1"), "--access.a.depth is -1, but must be 1 or more, or left out."),
        (("--train_on.access", "zz"), "--train_on.access: there is no access model 'zz'; the experiment has a."),
        (("--reading.kk", "1"), "--reading.kk: reading: Reading has no setting 'kk'; the nearest: k"),
        (("--seed", "${nothing.there}"), "--seed: Interpolation key 'nothing.there' not found."),
        (("--reading", "{k: 1:30}"), "--reading is '{k: 1:30}': line 1, column 5 has 1:30"),
        (("--seeed", "1"), "--seeed: Experiment has no setting 'seeed'; the nearest: seed"),
    ],
)
def test_a_refused_option_is_named(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = told(capsys, f"access: {{a: {BM25}}}", tmp_path, *options)
    assert len(lines) == 2
    assert lines[1].startswith(f"  {said}"), lines


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("run --train_on.acess a --plan", "'acess'"),
        ("run --plan --train_on.acess a", "'acess'"),
        ("run --readng.k 3 --plan extra", "'readng'"),
        ("run --readng.k 3 --plan=true", "'readng'"),
        ("run --reading.k x --plan", "reading.k is 'x'"),
        ("run --seeed 1 --name", "'seeed'"),
        ("search --seeed 1 --query", "'seeed'"),
        ("search --seeed 1 --k", "'seeed'"),
        ("search --k", "argument --k: expected one argument"),
        ("search --k x", "--k is 'x', but must be a whole number"),
        ("run --plan extra", "unrecognized arguments: extra"),
        ("run --plan=true", "ignored explicit argument 'true'"),
    ],
)
def test_an_option_without_a_value_is_given_none(
    words: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = words.split()
    config = write_experiment(tmp_path, train_on=None)
    given = ["--config", str(config), "--home", str(tmp_path / "home"), "--trusted_packages", "tests"]
    assert main([command, *given, *options]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "null" not in told
    assert "--plan is" not in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compare --json some --sampels 3", "unrecognized arguments: --sampels"),
        ("compare some --measures", "argument --measures: expected one argument"),
        ("evaluate --gold", "argument --gold: expected one argument"),
        ("evaluate --gold a --guess b --depths", "argument --depths: expected one argument"),
        ("evaluate --gold a --guess b --passages x", "--passages is 'x', but must be true or false"),
        ("evaluate", "the following arguments are required: --gold, --guess"),
        ("evaluate --guess a", "the following arguments are required: --gold"),
        ("report", "the following arguments are required: --run, or its value as the first word"),
        ("evaluate a b", "unrecognized arguments: a b. Name each by its option, such as --gold, --guess"),
        ("report a b", "unrecognized arguments: b. Name each by its option, such as --run"),
        ("report a --run b", "unrecognized arguments: a. Name each by its option, such as --run"),
        ("report --run b a", "unrecognized arguments: a. Name each by its option, such as --run"),
        ("runs a", "unrecognized arguments: a. Name each by its option; --help shows them"),
        ("report /absent", "/absent"),
    ],
)
def test_nor_is_one_of_a_command_on_files(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words.split()) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "null" not in told
    assert "--json is" not in told


def test_of_two_files_the_one_that_counts_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = tmp_path / "second.yaml"
    second.write_text("\nreading:\n  k: 0\n")
    lines = told(capsys, f"access: {{a: {BM25}}}\nreading: {{k: 3}}", tmp_path, "--config", str(second))
    assert lines[1] == f"  {second}, line 3: reading.k is 0, but must be 1 or more."


class Refusing:
    """A retriever that no machine can make."""

    def __init__(self, depth: int = 3) -> None:
        self.depth = depth / 0


def test_what_a_class_of_a_user_raises_keeps_its_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    access = "access: {a: {processors: [{class_path: tests.cli.settings.test_refused.Refusing}], retriever:\n"
    lines = told(capsys, f"{access} {{class_path: reml.retrievers.bm25.BM25}}}}}}", tmp_path)
    assert lines
    assert "Traceback" not in "".join(lines)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise OSError('no such device')", "OSError: no such device"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError: No module named 'a_module_that_is_not_there'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("class One(:", "SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    source: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"broken_{len(source)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    lines = told(capsys, f"access:\n  a:\n    retriever:\n      class_path: {name}.One", tmp_path)
    place = f"{tmp_path}/one.yaml, line 7: access.a.retriever: {name} cannot be imported: {said}"
    assert lines[1].startswith(f"  {place}"), lines
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("access: {a: {retriever: {class_path: titles.Titles}}}", "titles.py: call reml in "),
        (f"access: {{a: {BM25[:-1]}, k: 5, depth: 3}}}}", "raise its depth, or lower its k."),
        (f"access: {{a: {BM25[:-1]}, depth: 3}}}}", "raise its depth, or lower reading.k."),
    ],
)
def test_it_is_said_what_would_mend_it(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "titles.py").touch()
    assert said in told(capsys, text, tmp_path)[1]
