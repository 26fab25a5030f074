"""Whose code a configuration may name, and which of what it names is called."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from reml.__main__ import main
from reml.cli.settings.trusted import VARIABLE, distrusted, trusting, user_file
from reml.cli.settings.written import SettingsError
from tests.fuzz.jobs import BASE, experiment

REMEMBERING = "reml.predictors.remembering.Remembering"
CODE = """
from pathlib import Path
from reml.predictors.first_title import FirstTitle
Path("imported").touch()
class Mine(FirstTitle):
    pass
def make() -> FirstTitle:
    return FirstTitle()
def other(command: str = "") -> int:
    Path("called").touch()
def unsaid():
    Path("called").touch()
"""


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with an experiment and somebody's module beside it, where reml is called."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    monkeypatch.delitem(sys.modules, "stranger", raising=False)
    for name, whole in BASE.items():
        Path(name).write_bytes(whole)
    Path("stranger.py").write_text(CODE)


def reml(predictor: object, *options: str, command: str = "run") -> int:
    settings = yaml.safe_load(experiment()) | {"predictor": predictor}
    Path("c.yaml").write_text(yaml.safe_dump(settings))
    return main([command, "--config", "c.yaml", *options])


def is_imported() -> bool:
    return Path("imported").exists()


@pytest.mark.parametrize(
    "predictor",
    [
        {"class_path": "os.system", "init_args": {"command": "touch called"}},
        {"class_path": "subprocess.getoutput", "init_args": {"cmd": "touch called"}},
        "os.system",
        {"class_path": "stranger.other", "init_args": {"command": "x"}},
        {"class_path": "stranger.other"},
        {"class_path": "stranger.unsaid"},
        "stranger.other",
        "stranger.unsaid",
        {"class_path": "stranger.make"},
        {"class_path": REMEMBERING, "init_args": {"memory": "a", "predictor": {"class_path": "os.system"}}},
    ],
    ids=str,
)
def test_a_function_that_makes_no_predictor_is_never_called(
    predictor: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reml(predictor) == 2
    told = capsys.readouterr().err
    assert not Path("called").exists()
    assert "predictor" in told
    assert "function" in told


def test_what_makes_no_predictor_is_not_called_among_several_either() -> None:
    settings = yaml.safe_load(experiment())
    settings["predictors"] = {"x": {"class_path": "os.system", "init_args": {"command": "touch called"}}}
    del settings["predictor"]
    Path("c.yaml").write_text(yaml.safe_dump(settings))
    assert main(["run", "--config", "c.yaml"]) == 2
    assert not Path("called").exists()


def test_a_function_that_says_that_it_makes_a_predictor_makes_it() -> None:
    assert reml("stranger.make") == 0


@pytest.mark.parametrize("predictor", ["stranger.Mine", {"class_path": "stranger.Mine"}], ids=str)
@pytest.mark.parametrize("options", [("--print_config",), ("--plan", "--trusted_packages", "reml,mine")], ids=str)
def test_code_that_nobody_trusts_is_not_imported(
    predictor: object, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert reml(predictor, *options) == 2
    told = capsys.readouterr().err
    assert not is_imported()
    assert "c.yaml, line" in told
    assert "stranger.Mine is not of the trusted packages (reml" in told
    assert "--trusted_packages stranger" in told
    assert str(user_file()) in told


def test_help_imports_nothing_that_a_file_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert reml("stranger.Mine", "--help") == 0
    assert not is_imported()
    assert "a program" in capsys.readouterr().out


def test_everything_is_trusted_unless_somebody_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reml("stranger.Mine", command="prepare") == 0
    monkeypatch.setenv(VARIABLE, "reml")
    assert reml("stranger.Mine", command="prepare") == 2
    assert reml("stranger.Mine", "--trusted_packages=all", command="prepare") == 0
    assert reml("stranger.Mine", "--trusted_packages", "stranger", "--plan") == 0
    monkeypatch.delenv(VARIABLE)
    assert reml("stranger.Mine", command="prepare") == 0, "what one command trusts is not for the next"


def test_the_users_own_file_says_whom_to_trust(capsys: pytest.CaptureFixture[str]) -> None:
    user_file().parent.mkdir(parents=True)
    user_file().write_text("trusted_packages: [mine]\n")
    assert reml("stranger.Mine") == 2
    assert not is_imported()
    assert "trusted packages (reml, mine)" in capsys.readouterr().err
    user_file().write_text("trusted_packages: [stranger]\n")
    assert reml("stranger.Mine", command="prepare") == 0
    user_file().write_text("trusted: [stranger]\n")
    assert reml("stranger.Mine") == 2
    assert "has one setting" in capsys.readouterr().err


def test_an_experiment_does_not_say_whom_to_trust(capsys: pytest.CaptureFixture[str]) -> None:
    Path("c.yaml").write_bytes(experiment() + b"trusted_packages: all\n")
    assert main(["run", "--config", "c.yaml", "--plan"]) == 2
    assert "trusted_packages" in capsys.readouterr().err


@pytest.mark.parametrize("named", ["", "a b", "../x", "1"])
def test_what_names_no_package_is_refused(named: str) -> None:
    with pytest.raises(SettingsError, match="names packages"), trusting(["--trusted_packages", named]):
        pass


def test_the_help_of_a_class_is_shown_of_trusted_ones_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--predictor.help", "stranger.Mine", "--trusted_packages", "reml"]) == 2
    assert not is_imported()
    assert "not of the trusted packages" in capsys.readouterr().err


def test_installed_packages_come_before_files_of_the_folder_where_not_all_is_trusted(tmp_path: Path) -> None:
    assert sys.path[0] == str(tmp_path)
    with trusting(["--trusted_packages", "reml"]) as others:
        assert others == []
        assert sys.path[-1] == str(tmp_path)
        assert distrusted("remlx.Y")
        assert not distrusted("reml.x.Y")
    assert sys.path[0] == str(tmp_path)
    assert not distrusted("remlx.Y")


@pytest.mark.parametrize("path", ["builtins.dict", "a." * 3000 + "b", "os.system", ".x", "reml.retrievers.bm25"])
@pytest.mark.parametrize("place", ["predictor", "reading", "access"])
def test_odd_class_paths_are_answered_in_a_sentence_of_ours(
    path: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {"class_path": path[:9000]}
    settings = yaml.safe_load(experiment()) | {place: {"a": {"retriever": odd}} if place == "access" else odd}
    Path("c.yaml").write_text(yaml.safe_dump(settings))
    assert main(["run", "--config", "c.yaml", "--plan"]) == 2
    told = capsys.readouterr().err
    assert "the settings are wrong" in told
    assert "traceback" not in told
    assert len(told) < 4000
