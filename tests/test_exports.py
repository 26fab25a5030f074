"""What `reml` exports: there, loaded late, and known to type checkers."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

import reml
from tests import ROOT


def test_every_name_is_there_and_type_checkers_know_it() -> None:
    known = {
        alias.name: node.module
        for node in ast.walk(ast.parse((ROOT / "reml" / "__init__.py").read_text()))
        if isinstance(node, ast.ImportFrom) and node.module not in {"typing", "importlib"}
        for alias in node.names
    }
    assert set(known) == set(reml.__all__)
    for name, module in known.items():
        assert getattr(reml, name) is getattr(sys.modules[str(module)], name)
    assert set(reml.__all__) <= set(dir(reml))


def test_a_name_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Experiments'; it exports Access, Answer, .*, runs\."):
        _ = reml.Experiments  # type: ignore[attr-defined]


def loaded(program: str) -> set[str]:
    """Run a program in a process of its own; give the packages that it loaded."""
    told = f"{program}; import sys; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    return set(ended.stdout.split())


def test_importing_reml_loads_nothing_heavy() -> None:
    assert not {"torch", "numpy", "pyarrow", "transformers"} & loaded("import reml")


def test_examples_and_answers_load_no_torch() -> None:
    assert "torch" not in loaded("from reml import Answer, Example, Item, Page, Provenance")
