"""A language model behind a URL writes what an experiment reads: named in its YAML, asked once, its key nowhere."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from reml.__main__ import main
from reml.cli.loading import load
from reml.files.records import read_examples
from reml.text.model_writer import ModelWriter
from tests.openai_server import OpenAIServer, serving
from tests.small_experiment import FACTS, write_experiment
from tests.tiny_gpt2 import write_gpt2

KEY = "sk-never-to-be-seen-91"
QUOTED = {"class_path": "tests.experiment.test_presenting.Quoting"}
BM25 = {"class_path": "reml.retrievers.bm25.BM25"}
PROMPTS = {"Decontextualise": "{title}: {text}", "Translate": "{language}: {text}", "Compress": "{title}. {text}"}


def config(folder: Path, server: OpenAIServer, **settings: Any) -> list[str]:
    """Write an experiment whose access models are named for what writes in them; give the options to run it."""
    given = {"url": server.url, "model": "tiny", "key_variable": "THE_KEY", "max_tokens": 8, "chat": False, **settings}
    writer = {"class_path": "reml.text.writing.served_model.ServedModel", "init_args": given}
    access = {
        name.lower(): {
            "retriever": BM25,
            "k": 1,
            "processors": [
                {
                    "class_path": f"reml.access.presenting.{name}",
                    "init_args": {
                        "writer": writer,
                        "prompt": prompt,
                        **({"language": "Dutch"} if name == "Translate" else {}),
                    },
                }
            ],
        }
        for name, prompt in PROMPTS.items()
    }
    path = write_experiment(folder, access=access, predictor=QUOTED, train_on=None)
    return ["--config", str(path), "--home", str(folder / "home")]


def test_writers_of_an_experiment_are_at_a_server(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    model = write_gpt2(tmp_path / "model")
    local = ModelWriter(model, max_tokens=8, chat=False)
    for name in ("reml", "httpx2", "httpcore2"):
        caplog.set_level(logging.DEBUG, name)
    with serving(model, key=KEY) as server:
        assert main(["run", *config(tmp_path, server)]) == 0
        asked = len(server.bodies)
        assert asked > 0
        runner, _ = load("run", config(tmp_path, server, concurrent=3, tries=2, timeout=5))
        for name, prompt in PROMPTS.items():
            texts = [
                " ".join(local.write([prompt.format(title=title, text=text, language="Dutch")])[0].split())
                for title, text in list(FACTS.items())[3:]
            ]
            answers = read_examples(runner.predictions(name.lower(), "places"))
            assert [example.output[0].text for example in answers] == texts
        assert len(server.bodies) == asked, "it is the same experiment, and is read from disk"
        shutil.rmtree(tmp_path / "home" / "hits")
        shutil.rmtree(tmp_path / "home" / "predictions")
        assert main(["run", *config(tmp_path, server)]) == 0
        assert len(server.bodies) == asked, "what is made anew is asked of the cache"
    said = capfd.readouterr()
    assert list((tmp_path / "home" / "runs").glob("*/report.html"))
    assert KEY not in caplog.text + said.out + said.err
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 30
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_key_in_the_place_of_its_variable_is_not_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = write_gpt2(tmp_path / "model")
    with serving(model) as server:
        assert main(["run", *config(tmp_path, server, key_variable=KEY)]) != 0
        assert main(["run", *config(tmp_path, server, url=f"http://me:{KEY}@host/v1")]) != 0
    said = capfd.readouterr()
    assert "may be the key itself" in said.out + said.err
    assert "is not shown, for it may hold a key" in said.out + said.err
    assert KEY not in said.out + said.err
