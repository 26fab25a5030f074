"""A key given twice in a JSON file of a model folder is refused with the file: programs read the first or the last."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.files.model_location import ModelError
from reml.text.models.declared import declared
from reml.text.models.model_folder import SETTINGS, ModelFolder, opened

TWICE = '{"hidden_size": 8, "inner": {"a": 1}, "hidden_size": 16}'
SAID = "the key 'hidden_size' is given twice in one object: leave out one of the two."


@pytest.mark.parametrize("file", SETTINGS)
def test_each_file_that_is_read_of_a_folder(file: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / file).write_text(TWICE)
    with pytest.raises(ModelError, match=f"^{str(tmp_path)!r}: {file}: {SAID}$"):
        opened(tmp_path)


@pytest.mark.parametrize("file", ["1_Pooling/config.json", "2_Dense/config.json", "modules.json"])
@pytest.mark.parametrize("text", [TWICE, f"[{TWICE}]", f'{{"deep": [{TWICE}]}}'])
def test_files_of_modules_are_named_with_their_folder(file: str, text: str, tmp_path: Path) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text)
    with pytest.raises(ModelError, match=f"^'m': {file}: {SAID}$"):
        ModelFolder("m", tmp_path, str(tmp_path)).read(file)


def test_two_ways_of_pooling(tmp_path: Path) -> None:
    (tmp_path / "1_Pooling").mkdir()
    package = "sentence_transformers.models"
    (tmp_path / "modules.json").write_text(
        f'[{{"type": "{package}.Transformer", "path": ""}}, {{"type": "{package}.Pooling", "path": "1_Pooling"}}]'
    )
    (tmp_path / "1_Pooling" / "config.json").write_text(
        '{"pooling_mode_cls_token": true, "pooling_mode_cls_token": false}'
    )
    with pytest.raises(ModelError, match=r"1_Pooling/config\.json: the key 'pooling_mode_cls_token' is given twice"):
        declared(ModelFolder("m", tmp_path, str(tmp_path)))


def test_numbers_that_models_have_stay(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"time_step_limit": [0.0, Infinity], "other": {"time_step_limit": 1e30}}')
    assert ModelFolder("m", tmp_path, str(tmp_path)).object("config.json")["other"] == {"time_step_limit": 1e30}
