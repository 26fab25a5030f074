"""Salient spans of sentences written by hand."""

from __future__ import annotations

import pytest

from reml.tasks.salience import names_within, salient


def spans(sentence: str, *known: str) -> list[str]:
    return [sentence[start:end] for start, end in salient(sentence, known)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        # Names: runs of capitals, with what links them; not the first word of a sentence.
        ("The United States bought Alaska from Russia.", ["United States", "Alaska", "Russia"]),
        ("Only Guinea-Bissau and N'Djamena grow.", ["Guinea-Bissau", "N'Djamena"]),
        ("It lies in the Republic of the Congo, by the Bay of Bengal.", ["Republic of the Congo", "Bay of Bengal"]),
        ("In Saint-Étienne lived Ångström, near Ελλάδα and Москва.", ["Saint-Étienne", "Ångström", "Ελλάδα", "Москва"]),
        ("“Copper left Peru.", ["Peru"]),
        ("Troops of the U.S. and a Côte d’Ivoire unit", ["U.S.", "Côte"]),
        ("Since COVID-19 the 3rd F-16 flew.", ["COVID-19", "F-16"]),
        ("France of old", []),
        ("nothing of note", []),
        # Numbers: whole, with separators, decimals and percent; none that is part of a word.
        ("It has 1,259,200 sq km, 0.5 m and 77.9% of it.", ["1,259,200", "0.5", "77.9%"]),
        ("It is -2.7% in 1990-2000, or $7.2 million.", ["2.7%", "1990", "2000", "7.2"]),
        ("Some 12\u00a0000 men, 3.", ["12\u00a0000", "3"]),
        ("the 3rd of 4x4 by A1 and v2.0", ["A1"]),
        ("東京は 1868 年に首都となった。", ["1868"]),
        # Dates stay whole.
        ("from 30 March 1867 until May 5, 1992", ["30 March 1867", "May 5, 1992"]),
        ("in May 1992, on 5 May, on Sept. 3 and 1992-05-05", ["May 1992", "5 May", "Sept. 3", "1992-05-05"]),
        ("the 35 May 1992", ["35", "May 1992"]),
    ],
)
def test_what_is_salient(sentence: str, expected: list[str]) -> None:
    assert spans(sentence) == expected


def test_a_known_name_counts_at_the_start_too() -> None:
    assert spans("The Gambia borders Senegal.", "The Gambia") == ["The Gambia", "Senegal"]
    assert spans("Paris is large.") == []
    assert spans("Paris is large.", "Paris") == spans("“Paris” is large.", "Paris") == ["Paris"]


def test_names_that_are_known_stand_within_a_sentence() -> None:
    assert names_within("Chad borders Niger and the Central African Republic.") == {"Niger", "Central African Republic"}


def test_the_kinds_that_are_wanted() -> None:
    sentence = "in Lima on 5 May 1992 some 7"
    found = {kind: [sentence[a:b] for a, b in salient(sentence, (), [kind])] for kind in ("names", "numbers", "dates")}
    assert found == {"names": ["Lima"], "numbers": ["7"], "dates": ["5 May 1992"]}
