from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from reml.__main__ import main
from reml.cli.search import like, show
from reml.contract.examples import Item, Span, canonical

COPPER = Item(4, "Copper and zinc are exported.\nMiners [dig] for it.", "Harbour", "h", Span(1, 0, 1, 5))


def marked(query: str, text: str) -> list[str]:
    pattern = like(query)
    return [found[0] for found in pattern.finditer(canonical(text))] if pattern is not None else []


def test_words_that_begin_like_one_of_the_query_are_marked() -> None:
    assert marked("Which exports of COPPER?", COPPER.text) == ["Copper", "exported"]
    assert marked("traded", "cotton, a trader and a stranger") == ["trader"]
    assert marked("(zinc*", COPPER.text) == ["zinc"]


def test_a_query_without_words_marks_nothing() -> None:
    assert marked("", COPPER.text) == []
    assert marked("is it", COPPER.text) == []


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("h", "(page h, row 4)"),
        ("sub/copper.txt", "(page sub/copper.txt, row 4)"),
        ("12", "(page 12, row 4)"),
        ("New York", "(page New York, row 4)"),
        ("Beyoncé", "(page Beyoncé, row 4)"),
        ("a, row 7", "(page a, row 7, row 4)"),
        ("[bold]x", "(page [bold]x, row 4)"),
        ("a\n b\x1b[2J", r"(page a\n b\x1b[2J, row 4)"),
        ("0", "(page 0, row 4)"),
        ("x" * 90, f"(page {'x' * 90}, row 4)"),
        ("", "(row 4)"),
    ],
)
def test_hits_are_shown_with_rank_score_title_page_and_row(page: str, shown: str) -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=80), "zinc", [(2.5, replace(COPPER, page_id=page))])
    assert stream.getvalue().splitlines()[0] == f"  1  2.500  Harbour  {shown}"
    assert "     Miners [dig] for it." in stream.getvalue(), "a text is no markup"


def test_a_title_and_a_text_are_shown_as_they_stand() -> None:
    item = Item(4, "[/INST]\t\x1b[2J\u202e\nend", "[link=x]\n:smile:", "h", Span(1, 0, 1, 5))
    stream = io.StringIO()
    show(Console(file=stream, width=80), "zinc", [(2.5, item)])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[0].startswith("  1  2.500  [link=x]\\n:smile:  (page h, row 4)")
    assert lines[1:] == ["     [/INST] \\x1b[2J\\u202e", "     end"]


@pytest.mark.parametrize("width", [0, 1, 3, 6, 19])
def test_a_text_can_be_read_in_the_narrowest_terminal(width: int) -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=width), "zinc", [(2.5, COPPER)])
    assert "     Miners [dig]" in [line.rstrip() for line in stream.getvalue().splitlines()]


def test_wrapped_lines_are_indented() -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=20), "zinc", [(2.5, COPPER)])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[-4:] == ["     Copper and zinc", "     are exported.", "     Miners [dig]", "     for it."]


def test_scripts_without_spaces_are_marked_by_pairs_and_accents_in_either_form() -> None:
    assert marked("首都東京", "日本の首都は東京です") == ["首都", "東京"]
    assert marked("Beyonce\u0301", "BEYONCÉ and Beyonce\u0301s") == ["BEYONCÉ", "Beyoncés"]
    assert marked("हिन्दी", "वह हिन्दी है") == ["हिन्दी"]


PAGES = {
    "Beyoncé": "Beyoncé is an American singer.",
    "हिन्दी": "हिन्दी भारत की एक प्रमुख भाषा है।",
    "C": "C is older than R.",
    "東京": "東京は日本の首都である。" * 3_000,
    "Lima": "",
}


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    pages = [
        {"_id": str(number), "wikipedia_title": title, "text": [title, text]}
        for number, (title, text) in enumerate(PAGES.items())
    ]
    (folder / "pages.jsonl").write_text("\n".join(map(json.dumps, pages)))
    example = {"id": "q", "input": "C", "output": [{"answer": "x", "provenance": [{"wikipedia_id": "0"}]}]}
    (folder / "dev.jsonl").write_text(json.dumps(example))
    task = {"name": "t", "measure": "em", "examples": {"dev": str(folder / "dev.jsonl")}}
    config = {
        "tasks": [
            {
                "class_path": "reml.tasks.jsonl.Jsonl",
                "init_args": {**task, "knowledge_source": str(folder / "pages.jsonl")},
            }
        ],
        "access": {"a": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        "predictor": {"class_path": "reml.predictors.first_title.FirstTitle"},
    }
    (folder / "c.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Beyoncé", "Beyoncé is an American singer."),
        ("Beyonce\u0301", "Beyoncé is an American singer."),
        ("हिन्दी", "हिन्दी भारत की"),
        ("東京", "東京は日本の首都"),
        ("京", "東京は日本の首都"),
        ("Lima", "Lima (page 4, row "),
        ("C", "nothing found: the query holds only single letters or digits ('c'), which are not searched for."),
        ("the of", "nothing found: the query holds only stop words ('the', 'of'), which are not searched for."),
        ("?!", "nothing found: the query holds only signs, which are not searched for."),
        ("  ", "nothing found: the query is empty."),
        ("zebra", "nothing found: no passage has the word 'zebra'."),
        ("Москва", "nothing found: no passage has the word 'москва', nor any word in Cyrillic letters."),
    ],
)
def test_what_is_found_or_why_nothing_is(
    experiment: Path, query: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REML_HOME", str(experiment / "home"))
    assert main(["search", "--config", str(experiment / "c.yaml"), "--query", query, "--k", "1"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())
