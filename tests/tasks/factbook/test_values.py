from __future__ import annotations

import pytest

from reml.tasks.factbook.values import other_forms


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        (
            "1.284 million sq km",
            {
                "1.284 million",
                "1.284 million square kilometers",
                "1,284,000 sq km",
                "1,284,000",
                "1,284,000 square kilometers",
            },
        ),
        ("6,406 km", {"6,406", "6,406 kilometers"}),
        ("16.9 years", {"16.9"}),
        ("5.13 children born/woman", {"5.13"}),
        ("USA", {"USA", "US", "United States", "United States of America"}),
        ("Paris", set()),
        ("30.6%", set()),
    ],
)
def test_numbers_come_with_and_without_their_unit(value: str, forms: set[str]) -> None:
    assert set(other_forms(value)) == forms
