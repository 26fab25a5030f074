"""Bytes flipped, files cut and emptied: told in a sentence, or nothing else comes out. `flipping` does hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.experiment.integrity.flipping import cases_of, seen, small_homes

pytestmark = pytest.mark.slow
# Of what no manifest has on record: it is written anew at each call.
NOT_ON_RECORD = "report.html"


def test_no_damage_changes_figures_without_a_word(tmp_path: Path) -> None:
    cases = [case for home in small_homes(tmp_path) for case in cases_of(home, 60)]
    found = seen(cases)
    assert len(found) > 50
    assert {one.outcome for one in found} <= {"told", "same"}, [
        one for one in found if one.outcome not in {"told", "same"}
    ]
    missed = [one.case for one in found if not one.verified and not one.case.name.endswith(NOT_ON_RECORD)]
    assert missed == []
