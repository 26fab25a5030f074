from __future__ import annotations

import pytest

from reml.kilt.catalogue import DATASETS, KNOWLEDGE_SOURCE, TRIVIAQA, dataset

# The README of facebookresearch/KILT: lines of train, dev and test, and the size of dev in millions of bytes.
README = {
    "fever": (104_966, 10_444, 10_100, 6.17),
    "aidayago2": (18_395, 4_784, 4_463, 21.1),
    "wned": (None, 3_396, 3_376, 12.9),
    "cweb": (None, 5_599, 5_543, 90.2),
    "trex": (2_284_168, 5_000, 5_000, 3.80),
    "structured_zeroshot": (147_909, 3_724, 4_966, 2.27),
    "nq": (87_372, 2_837, 1_444, 7.94),
    "hotpotqa": (88_869, 5_600, 5_569, 3.97),
    "triviaqa": (61_844, 5_359, 6_586, 9.81),
    "eli5": (272_634, 1_507, 600, 14.1),
    "wow": (63_734, 3_054, 2_944, 2.42),
}


def test_the_eleven_datasets_have_the_numbers_of_the_readme() -> None:
    assert list(DATASETS) == list(README)
    for name, (train, dev, test, megabytes) in README.items():
        files = DATASETS[name].files
        assert [file.examples for file in files.values()] == [count for count in (train, dev, test) if count]
        assert files["dev"].remote.size == pytest.approx(megabytes * 1e6, rel=0.005)


def test_they_are_ranked_as_in_the_paper() -> None:
    ranked: dict[str, set[str]] = {}
    for each in DATASETS.values():
        ranked.setdefault(each.measure, set()).add(each.name)
    assert ranked == {
        "accuracy": {"fever", "aidayago2", "wned", "cweb", "trex", "structured_zeroshot"},
        "em": {"nq", "hotpotqa", "triviaqa"},
        "rougel": {"eli5"},
        "f1": {"wow"},
    }


def test_every_file_has_an_address_and_a_checksum_of_its_own() -> None:
    remotes = [file.remote for each in DATASETS.values() for file in each.files.values()]
    remotes += [KNOWLEDGE_SOURCE, TRIVIAQA]
    assert len({remote.url for remote in remotes}) == 33
    assert len({remote.sha256 for remote in remotes}) == 33
    assert all(len(remote.sha256 or "") == 64 for remote in remotes)
    assert dataset("nq").file("test").remote.url.endswith("/KILT/nq-test_without_answers-kilt.jsonl")


def test_the_questions_of_triviaqa_are_joined_under_another_name() -> None:
    file = dataset("triviaqa").file("test")
    assert file.remote.name == "triviaqa-test_id_without_answers-kilt.jsonl"
    assert file.name == "triviaqa-test_without_answers-kilt.jsonl"


def test_what_is_not_there_is_answered_with_what_is() -> None:
    with pytest.raises(ValueError, match=r"no dataset 'zsre'; it has fever .*structured_zeroshot \(zero-shot RE\)"):
        dataset("zsre")
    with pytest.raises(ValueError, match="KILT's wned has no split 'train'; it has dev, test"):
        dataset("wned").file("train")
