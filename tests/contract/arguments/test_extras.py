"""What is to be installed is named by one function, with what works where it is said."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from reml.contract.arguments import extras
from reml.contract.arguments.extras import install_hint, requirements
from tests import ROOT
from tests.test_layout import ROOMS, sources

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_checkout_installs_itself(extra: str) -> None:
    assert install_hint(extra).startswith(f"`pip install -e '.[{extra}]'` in {ROOT}")


def test_an_installed_package_names_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path)
    assert install_hint("measures") == f"`pip install {requirements('measures')[0]!r}`"
    assert [re.split(r"[<>=]", one)[0] for one in requirements("measures")] == ["ir-measures"]


def test_every_hint_names_an_extra_that_is_there() -> None:
    texts = [path.read_text(encoding="utf-8") for folder in ("reml", *ROOMS) for path in sources(folder)]
    named = {extra for text in texts for extra in re.findall(r"install_hint\(['\"]([\w-]+)['\"]\)", text)}
    assert named
    assert named <= set(EXTRAS)
    assert not [text for text in texts if "'reml[" in text], "only the function says how to install"
