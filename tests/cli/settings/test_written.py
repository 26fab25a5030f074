from __future__ import annotations

from pathlib import Path

import pytest

from reml.cli.settings.written import SettingsError, options, read_settings, written_settings


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"name: a\nseed: 0\n  tasks: 1\n", r"one\.yaml, line 3, column 8 is not YAML: mapping values"),
        (b"name: a\n\taccess: {}\n", r"one\.yaml, line 2, column 1 is not YAML"),
        ("name: café".encode("latin-1"), r"one\.yaml, line 1: not UTF-8"),
        (b"name: \x00", r"one\.yaml, line 1: a NUL byte"),
        (b"", r"one\.yaml is empty: an experiment names its tasks"),
        (b"# nothing yet\n", r"one\.yaml is empty"),
        (b"- 1\n", r"one\.yaml holds a list"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused_with_its_name(text: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes(text)
    with pytest.raises(SettingsError, match=told):
        read_settings(tmp_path / "one.yaml")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent\.yaml does not exist: name the YAML file of an experiment"):
        read_settings(tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="is a folder"):
        read_settings(tmp_path)


def test_what_comes_later_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("seed: 1\nreading: {k: 2, depth: 9}\n")
    second.write_text("reading: {k: 3}\n")
    given = ["--config", str(first), "--by", "bm25", f"--config={second}", "--reading.words", "50", "--seed=4"]
    assert written_settings(given, {"by"}) == {"seed": 4, "reading": {"k": 3, "depth": 9, "words": 50}}


@pytest.mark.parametrize(
    ("arguments", "valued"),
    [
        (["--seed", "4"], [("--seed", "4")]),
        (["--seed=4"], [("--seed", "4")]),
        (["--name="], [("--name", "")]),
        (["--name", ""], [("--name", "")]),
        (["--plan"], []),
        (["--plan", "--seed", "4"], [("--seed", "4")]),
        (["--seed", "4", "--plan"], [("--seed", "4")]),
        (["--seed", "-1"], [("--seed", "-1")]),
        (["run.yaml", "--seed", "4", "more"], [("--seed", "4")]),
        (["--by"], []),
        ([], []),
    ],
)
def test_what_nothing_follows_has_no_value(arguments: list[str], valued: list[tuple[str, str]]) -> None:
    assert list(options(arguments)) == valued


@pytest.mark.parametrize("arguments", [(), ("--by", "bm25"), ("twice",), ("--config",)])
def test_no_experiment_is_an_error(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError, match=r"no experiment is named: give its YAML file with --config"):
        written_settings(arguments, {"by"})
