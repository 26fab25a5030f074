from __future__ import annotations

import importlib.util

import pytest

from reml.files.model_location import located


def test_hub_ids_and_folders_stay_as_they_are() -> None:
    assert located("google-t5/t5-base") == "google-t5/t5-base"
    assert located("/some/folder") == "/some/folder"


def test_a_path_in_a_package_is_found_without_importing_it() -> None:
    spec = importlib.util.find_spec("pytest")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    assert located("package:pytest/__init__.py") == f"{spec.submodule_search_locations[0]}/__init__.py"


def test_a_missing_package_is_named_with_what_to_run() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_package, which is not installed. Run `pip install"):
        located("package:no_such_package/model")


def test_a_missing_path_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="the package pytest has no 'weights'"):
        located("package:pytest/weights")
