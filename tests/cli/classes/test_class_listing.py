from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reml.cli.classes.class_listing import listed, listing


def test_each_kind_lists_its_classes_with_what_they_are_for() -> None:
    lines = listing().splitlines()
    retrievers, predictors = lines.index("retrievers:"), lines.index("predictors:")
    assert retrievers < lines.index("  reml.retrievers.bm25.BM25  Settings of BM25 over a collection.") < predictors
    assert any(line.startswith("  reml.predictors.fid_copy.CopyFiD  Reads each item") for line in lines[predictors:])
    assert (
        "  reml.evaluation.metrics.Bleu  Measure answers by their BLEU against the right ones, sentence by sentence."
        in lines
    )
    assert not any("BM25Encoder" in line or "Objective" in line for line in lines), "parts, and what only says what"


def test_a_package_lists_what_it_takes_from_its_own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "room_of_one" / "inner"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("from room_of_one.inner.parts import Shown\n")
    (package / "parts.py").write_text(
        'class Shown:\n    """Is shown.\n\n    At length.\n    """\n\nclass Hidden: ...\n'
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (shown,) = listed("room_of_one")
    assert (shown.path, shown.purpose) == ("room_of_one.inner.Shown", "Is shown.")


def test_a_module_that_is_not_there_is_named() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"reml\.absent"):
        listed("reml.absent")


def test_nothing_is_imported() -> None:
    program = (
        "from reml.cli.classes import class_listing as c; import sys; c.listing(); "
        "print({'torch','numpy'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"set()\n"
