from __future__ import annotations

import unicodedata
from typing import Literal

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from reml.contract.examples import Answer, Example, Item, Provenance
from reml.predictors.copying.copy_target import targets
from reml.predictors.copying.quoting import Case, Quotable, Written, cased_ids, cut, wording
from reml.predictors.reading.pairs import occurrences
from reml.text.token_table import token_ids, tokenise
from tests.predictors.conftest import tiny_tokeniser

TOKENISER = tiny_tokeniser()


def _source(text: str) -> Quotable:
    return Quotable(text, np.array(token_ids(TOKENISER, [text])[0]))


def _written(text: str, *, copied: bool) -> list[Written]:
    ids, cases = cased_ids(TOKENISER, text)
    return [Written(int(token), copied, Case(case)) for token, case in zip(ids, cases, strict=True)]


@pytest.mark.parametrize("answer", ["N'Djamena", "Bogotá", "1,284,000 sq. km", "(the U.S.)", "Île-de-France"])
def test_what_was_copied_keeps_case_accents_and_spacing(answer: str) -> None:
    sources = [_source("a city"), _source(f"the capital is {answer} of what")]
    assert wording(_written(answer, copied=True), sources, TOKENISER) == answer


@pytest.mark.parametrize("answer", ["SUPPORTS", "Supports", "what is the city?", "12.5", "The capital of France."])
def test_what_was_generated_is_written_in_the_case_decoded(answer: str) -> None:
    assert wording(_written(answer, copied=False), [], TOKENISER) == answer


def test_a_sentence_mixes_both() -> None:
    tokens = [
        *_written("The capital of", copied=False),
        *_written("Chad", copied=True),
        *_written("is", copied=False),
        *_written("N'Djamena", copied=True),
        *_written(".", copied=False),
    ]
    sources = [_source("Chad"), _source("N'Djamena, a city")]
    assert wording(tokens, sources, TOKENISER) == "The capital of Chad is N'Djamena."


def test_a_sentence_that_begins_with_a_quotation_begins_with_a_capital() -> None:
    tokens = _written("The capital", copied=True)
    assert wording(tokens, [_source("what is the capital")], TOKENISER) == "The capital"


def test_the_longest_match_wins_then_the_first_source() -> None:
    tokens = _written("chad river", copied=True)
    sources = [_source("CHAD"), _source("Chad River"), _source("chad RIVER")]
    assert wording(tokens, sources, TOKENISER) == "Chad River"


def test_pieces_copied_from_two_places_are_put_together() -> None:
    tokens = _written("chad river", copied=True)
    assert wording(tokens, [_source("Chad"), _source("the River")], TOKENISER) == "Chad River"


def test_a_quotation_that_begins_with_a_mark_keeps_its_space() -> None:
    tokens = [*_written("is", copied=False), *_written(".td", copied=True), *_written(".", copied=False)]
    assert wording(tokens, [_source("code: .td")], TOKENISER) == "is .td."


def test_a_copied_token_that_stands_in_no_source_is_decoded() -> None:
    assert wording(_written("city", copied=True), [_source("river")], TOKENISER) == "city"


def test_nothing_decoded_is_an_empty_answer() -> None:
    assert wording([], [_source("river")], TOKENISER) == ""


@pytest.mark.parametrize("word", ["Istmeno", "Chari949", "Bogotá"])
def test_a_quotation_never_ends_or_begins_inside_a_word(word: str) -> None:
    text = f"the {word} (of {word})"
    pieces = len(token_ids(TOKENISER, [word])[0])
    assert pieces > 1
    assert {cut(text, 1, length, TOKENISER) for length in range(1, pieces + 1)} == {word}
    assert {cut(text, 1 + skipped, pieces - skipped, TOKENISER) for skipped in range(pieces)} == {word}


def test_cut_gives_the_characters_of_tokens() -> None:
    assert cut("The Río Chari,  949 km", 0, 2, TOKENISER) == "The Río"
    assert cut("What is  the capital", 1, 3, TOKENISER) == "is  the capital"


def _of_bytes() -> PreTrainedTokenizerFast:
    """A tokeniser that takes texts as they come: a token is a byte, as where nothing was merged in GPT-2's."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("text_form", ["NFC", "NFD"])
@pytest.mark.parametrize("answer_form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("the singer Beyoncé is known", "Beyoncé"),
        ("in Việt Nam, in Asia", "Việt Nam"),
        ("वह हिन्दी है", "हिन्दी"),
        ("서울은 수도", "서울"),
        ("首都は東京です。", "東京"),
        ("か\u3099っこう", "か\u3099っ"),
        ("ใน กรุงเทพ มี", "กรุงเทพ"),
        ("θέλω την Αθήνα.", "Αθήνα"),
        ("ṩ is a letter", "ṩ"),
        ("the Ångström unit", "Ångström"),
    ],
)
def test_an_answer_stands_and_is_quoted_in_either_form(
    text: str, answer: str, text_form: Literal["NFC", "NFD"], answer_form: Literal["NFC", "NFD"]
) -> None:
    tokeniser = _of_bytes()
    text, answer = unicodedata.normalize(text_form, text), unicodedata.normalize(answer_form, answer)
    tokens, ids = np.array(token_ids(tokeniser, [text])[0]), cased_ids(tokeniser, answer)[0]
    (place,) = occurrences(ids, tokens)
    assert cut(text, int(place), len(ids), tokeniser) == unicodedata.normalize("NFC", answer)
    item = Item(0, text, "title")
    (tokenised,) = tokenise(tokeniser, [item])
    assert tokenised.text.tolist() == tokens.tolist()
    example = Example("a", "what", (Answer("nowhere"), Answer(answer)))
    target = targets([example], [{0: tokenised}], tokeniser, end=0, limit=99)
    # With a space before it an answer is another one for this tokeniser: only those inside of a text stand there.
    assert target.ids[0].tolist()[:-1] in (
        token_ids(tokeniser, [f" {answer}"])[0],
        token_ids(tokeniser, [" nowhere"])[0],
    )
    assert Provenance.of(item).text == text, "provenance keeps what the page has"


def test_scripts_without_spaces_are_quoted_as_they_were_copied_with_their_marks() -> None:
    tokeniser = _of_bytes()
    text = "首都は東京です"
    assert cut(text, 9, 6, tokeniser) == "東京"
    assert cut("ที่นี่", 0, 3, tokeniser) == "ที่"
    assert cut("หิ", 0, 3, tokeniser) == "หิ"
