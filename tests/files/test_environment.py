"""What settings take from environment variables."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from reml.__main__ import main
from reml.comparison.runs.kept import RUNS
from reml.files.environment import take, without_value, without_values
from tests.fuzz.jobs import BASE, experiment

SECRET = "hunter2-sesame"  # noqa: S105 - no password of anybody


@pytest.fixture(autouse=True)
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PLACE", SECRET)
    Path(SECRET).mkdir()
    for name, whole in BASE.items():
        Path(SECRET, name).write_bytes(whole)


def write(**changes: object) -> None:
    settings = yaml.safe_load(experiment()) | changes
    given = settings["tasks"][0]["init_args"]
    given["examples"] = {"dev": "${oc.env:PLACE}/dev.jsonl"}
    given["knowledge_source"] = "${oc.env:PLACE,elsewhere}/pages.jsonl"
    Path("c.yaml").write_text(yaml.safe_dump(settings))


def test_no_file_or_folder_shows_the_value_of_a_variable(capsys: pytest.CaptureFixture[str]) -> None:
    write()
    assert main(["run", "--config", "c.yaml"]) == 0
    made = [path for path in Path("home").rglob("*") if "digests" not in path.parts]
    assert not [path for path in made if SECRET in path.name]
    assert not [path for path in made if path.is_file() and SECRET.encode() in path.read_bytes()]
    (run,) = Path("home", RUNS).iterdir()
    assert "${oc.env:PLACE}/dev.jsonl" in (run / "config.yaml").read_text()
    assert "${oc.env:PLACE}/dev.jsonl" in (run / "report.html").read_text()


def test_what_was_written_so_can_be_run_again_and_is_the_same() -> None:
    write()
    assert main(["run", "--config", "c.yaml"]) == 0
    (run,) = Path("home", RUNS).iterdir()
    assert main(["run", "--config", str(run / "config.yaml")]) == 0
    assert [run] == list(Path("home", RUNS).iterdir())


def test_no_name_is_taken_from_a_variable(capsys: pytest.CaptureFixture[str]) -> None:
    write(name="x-${oc.env:PLACE}")
    assert main(["run", "--config", "c.yaml"]) == 2
    told = capsys.readouterr().err
    assert "name is taken from an environment variable" in told
    assert not Path("home", RUNS).exists()


def test_a_short_value_is_replaced_only_where_it_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", "em")
    assert take("SHORT") == "em"
    assert take("NO_SUCH_VARIABLE") is None
    take("PLACE")
    assert without_values({"em": ["em", "memo", "an em", 3]}) == {"em": ["${oc.env:SHORT}", "memo", "an em", 3]}
    assert without_value(f"/{SECRET}/a {SECRET}s") == f"/${{oc.env:PLACE}}/a {SECRET}s"
