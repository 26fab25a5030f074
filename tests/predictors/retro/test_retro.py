"""RETRO over sessions: what it asks, what it excludes, how likely texts are, and what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from reml.access.composed_access import NoAccess
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.access import Access
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrievers import Retriever
from reml.evaluation.metrics.perplexity import Perplexity
from reml.predictors.retro import CrossAttention, Retro
from reml.retrievers.bm25 import BM25
from reml.retrievers.chunks import Chunks
from reml.testing import MemoryCollection, PredictorContract
from reml.testing.memory_collection import TEXTS
from reml.text.language_model import load_language_tokeniser
from tests.predictors.retro.stirring import stir

M = 16
CROSS = CrossAttention(layers=(1, 2), chunk=M, width=8, heads=2, depth=1)
# The first page and the last one say the same.
PAGES = (*TEXTS, TEXTS[0])


def retro(folder: str, *, begun: bool = False, **settings: object) -> Retro:
    torch.manual_seed(0)
    predictor = Retro(folder, **{"cross": CROSS, **settings})  # type: ignore[arg-type]
    if not begun:
        stir(predictor)
    return predictor.eval()


class TestContract(PredictorContract):
    reads = False  # it asks its session for chunks, and reads no list of its own

    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return retro(self.folder, answer_tokens=20)

    def access(self, collection: Collection, folder: Path, asks: int | None) -> Mapping[str, Access]:
        retriever = Chunks(self.folder, retriever=BM25(), chunk=M).index(collection, folder / "chunks")
        return {"chunks": InformationAccess(retriever, limits=Limits(depth=10, k=5, asks=asks), name="chunks")}


@pytest.fixture(scope="module")
def chunks(tiny_llama: str, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return Chunks(tiny_llama, retriever=BM25(), chunk=M).index(MemoryCollection(PAGES), tmp_path_factory.mktemp("a"))


def opened(chunks: Retriever, predictor: Retro, *examples: Example, asks: int | None = None) -> Batch:
    access = InformationAccess(chunks, limits=Limits(depth=10, k=5, asks=asks), name="chunks")
    predictor.prepare({"chunks": chunks.collection}, Path())
    return Batch(examples, {"chunks": access.open(examples)})


def text(number: int, **meta: str) -> Example:
    return Example(f"text {number}", PAGES[number], (Answer(PAGES[number]),), meta)


def asked(batch: Batch) -> list[tuple[list[int], tuple[str, ...]]]:
    return [(queries.owners.tolist(), queries.texts) for queries, _ in batch.sessions["chunks"].asked]


def test_all_whole_chunks_of_a_batch_are_asked_for_at_once(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    batch = opened(chunks, predictor, Example("short", "Too short."), text(1), text(3))
    predictor.loss(batch)
    whole = [[PAGES[page][:-1][start : start + M] for start in range(0, len(PAGES[page]) - M, M)] for page in (1, 3)]
    assert asked(batch) == [([1] * len(whole[0]) + [2] * len(whole[1]), (*whole[0], *whole[1]))]


def test_chunks_of_the_own_page_are_not_found_and_those_of_its_double_are(tiny_llama: str, chunks: Retriever) -> None:
    predictor, table = retro(tiny_llama), chunks.collection
    batch = opened(chunks, predictor, text(0, own_page="0"), text(0))
    predictor.loss(batch)
    ((queries, found),) = batch.sessions["chunks"].asked
    pages = table.values("page", found.rows)
    for owner, row, mask in zip(queries.owners, pages, found.mask.numpy(), strict=True):
        assert (0 in row[mask].tolist()) == bool(owner), "only who does not say where it stands finds itself"
    named = queries.owners == 0
    there = found.mask.numpy().any(axis=1)
    assert (pages[named & there, 0] == 5).any(), "the same text on another page is a neighbour"


def test_items_that_are_no_chunks_are_named(tiny_llama: str, tmp_path: Path) -> None:
    passages = BM25().index(MemoryCollection(PAGES), tmp_path / "passages")
    with pytest.raises(ValueError, match=r"Retro reads chunks.*no column 'tokens'.*reml\.retrievers\.chunks\.Chunks"):
        retro(tiny_llama).loss(opened(passages, retro(tiny_llama), text(1)))


def test_a_page_that_is_not_known_cannot_be_excluded(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    access = InformationAccess(chunks, name="chunks")
    example = text(0, own_page="0")
    with pytest.raises(ValueError, match="call `prepare` with its collection first"):
        predictor.loss(Batch((example,), {"chunks": access.open((example,))}))


def test_the_loss_is_that_of_the_tokens_with_the_neighbours_that_were_found(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    with_answer = Example("asked", PAGES[1][:30], (Answer(PAGES[1][31:]),))
    examples = (text(1), with_answer, Example("short", "ab"), Example("one", "a"))
    batch = opened(chunks, predictor, *examples)
    losses = predictor.loss(batch).loss
    tokeniser = load_language_tokeniser(tiny_llama)
    for example, loss, first in zip(examples, losses, (1, 30, 1, 1), strict=True):
        written = example.input if example is not with_answer else f"{example.input} {example.answers[0]}"
        ids = torch.tensor([tokeniser(written, add_special_tokens=False)["input_ids"]])
        (found,) = [found for queries, found in batch.sessions["chunks"].asked]
        mine = batch.sessions["chunks"].asked[0][0].owners == examples.index(example)
        rows = found.rows[mine]
        sides = [torch.from_numpy(chunks.collection.values(name, rows)) for name in ("tokens", "continuation")]
        neighbours = torch.cat(sides, dim=2)[None]
        neighbours[0][torch.from_numpy(rows < 0)] = -1
        if ids.shape[1] == 1:
            assert loss == 0
            continue
        if not len(rows):
            neighbours = neighbours.new_zeros((1, 0, 2, 2 * M))
        logits, _ = predictor.reader(ids[:, :-1], neighbours, predictor.reader.begin(1, 2))
        said = torch.log_softmax(logits, dim=2)[0].gather(1, ids[0, 1:, None])[first - 1 :]
        torch.testing.assert_close(loss, -said.sum(), rtol=1e-5, atol=1e-4)


def test_answers_say_how_likely_inputs_are_and_perplexity_takes_it(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    batch = opened(chunks, predictor, text(1), text(2))
    losses = predictor.loss(batch).loss
    answers = predictor.generate(opened(chunks, predictor, *(one.unanswered for one in batch.examples)))
    figures = Perplexity()(batch.examples, answers)["perplexity"]
    tokens = torch.tensor([len(PAGES[page]) - 1 for page in (1, 2)])
    torch.testing.assert_close(torch.from_numpy(figures).float(), (losses / tokens).exp().detach())


@pytest.mark.parametrize("start", [5, M - 1, M, 40])
@torch.no_grad()
def test_writing_asks_for_each_chunk_that_ends_and_is_teacher_forcing(
    tiny_llama: str, chunks: Retriever, start: int
) -> None:
    predictor = retro(tiny_llama, answer_tokens=30)
    predictor.tokeniser.eos_token = None  # a model of random weights would end at once
    example = Example("1", PAGES[1][:start])
    batch = opened(chunks, predictor, example)
    (answer,) = predictor.generate(batch)
    live = batch.sessions["chunks"].asked[int(start > M) :]  # the first ask is for how likely the input is
    rows = torch.cat([torch.zeros((0, 2), dtype=torch.int64), *(torch.from_numpy(found.rows) for _, found in live)])
    sides = [torch.from_numpy(chunks.collection.values(name, rows.numpy())) for name in ("tokens", "continuation")]
    neighbours = torch.cat(sides, dim=2).masked_fill((rows < 0)[:, :, None], -1)[None]
    ids = predictor.tokeniser(example.input, add_special_tokens=False)["input_ids"]
    said: list[int] = []
    while True:
        now = torch.tensor([[*ids, *said]])
        logits, _ = predictor.reader(now, neighbours[:, : now.shape[1] // M], predictor.reader.begin(1, 2))
        token = int(logits[0, -1].argmax())
        if token == predictor.tokeniser.eos_token_id:
            break
        said.append(token)
        if len(said) == 30:
            break
    assert len(said) >= 12, "it goes on into another chunk"
    assert answer.text == predictor.tokeniser.decode(said, skip_special_tokens=True)
    ends = range(start // M + 1, now.shape[1] // M + 1)
    assert [len(queries) for queries, _ in live] == [start // M] * (start >= M) + [1] * len(ends)


@torch.no_grad()
def test_a_spent_budget_and_a_closed_book_leave_the_language_model(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    examples = (text(1), text(2))
    spent = opened(chunks, predictor, *examples, asks=1)
    told = predictor.loss(spent).loss
    bare = predictor.loss(Batch(examples)).loss
    torch.testing.assert_close(predictor.loss(spent).loss, bare)
    closed = NoAccess(MemoryCollection(TEXTS), "closed")
    predictor.prepare({"closed": closed.collection}, Path())
    shut = (text(1, own_page="1"), text(2))
    torch.testing.assert_close(predictor.loss(Batch(shut, {"closed": closed.open(shut)})).loss, bare)
    assert (told - bare).abs().min() > 0.01


@torch.no_grad()
def test_before_training_it_is_the_language_model_exactly(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama, begun=True)
    batch = opened(chunks, predictor, text(1))
    (loss,) = predictor.loss(batch).loss
    ids = predictor.tokeniser(PAGES[1], add_special_tokens=False, return_tensors="pt")["input_ids"]
    base = AutoModelForCausalLM.from_pretrained(tiny_llama)(input_ids=ids[:, :-1]).logits
    said = torch.log_softmax(base, dim=2).gather(2, ids[:, 1:, None]).sum()
    assert asked(batch)
    torch.testing.assert_close(loss, -said, rtol=1e-6, atol=0)


def trained(predictor: Retro, batch: Batch, steps: int, optimizer: torch.optim.Optimizer) -> list[float]:
    losses = []
    for _ in range(steps):
        loss = predictor.loss(batch).loss.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def learning(predictor: Retro) -> torch.optim.Optimizer:
    return torch.optim.AdamW([one for one in predictor.parameters() if one.requires_grad], lr=1e-2)


def test_only_what_is_put_in_is_trained_of_a_frozen_model(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama, begun=True)
    batch = opened(chunks, predictor, text(1), text(2))
    before = {name: value.clone() for name, value in predictor.state_dict().items()}
    losses = trained(predictor, batch, 12, learning(predictor))
    assert losses[-1] < 0.97 * losses[0]
    moved = {name for name, value in predictor.state_dict().items() if not torch.equal(value, before[name])}
    assert all(name.startswith(("reader.encoder", "reader.attentions")) for name in moved)
    assert {name.split(".")[1] for name in moved} == {"encoder", "attentions"}
    trained(predictor, Batch(batch.examples), 1, learning(predictor))  # without neighbours nothing is learnt, or fails


def test_a_training_that_goes_on_is_equal_to_the_last_digit(tiny_llama: str, chunks: Retriever) -> None:
    whole, first, second = (retro(tiny_llama, begun=True) for _ in range(3))
    batch = opened(chunks, whole, text(1), text(2))
    expected = trained(whole, batch, 6, learning(whole))
    optimizer = learning(first)
    losses = trained(first, batch, 3, optimizer)
    second.load_state_dict(first.state_dict())
    again = learning(second)
    again.load_state_dict(optimizer.state_dict())
    assert losses + trained(second, batch, 3, again) == expected
    assert all(torch.equal(one, second.state_dict()[name]) for name, one in whole.state_dict().items())


def test_a_new_model_of_the_same_family_is_trained_whole(tiny_llama: str, chunks: Retriever) -> None:
    fresh = {"num_hidden_layers": 3, "hidden_size": 16, "intermediate_size": 32, "head_dim": 4}
    predictor = retro(tiny_llama, begun=True, fresh=fresh, frozen=False)
    assert len(predictor.reader.model.model.layers) == 3
    assert all(parameter.requires_grad for parameter in predictor.parameters())
    losses = trained(predictor, opened(chunks, predictor, text(1), text(2)), 12, learning(predictor))
    assert losses[-1] < 0.9 * losses[0]
    with pytest.raises(ValueError, match="set `frozen` to false"):
        retro(tiny_llama, fresh=fresh)
    with pytest.raises(ValueError, match=r"the configuration of .* has no wings; it has .*hidden_size"):
        retro(tiny_llama, fresh={"wings": 2}, frozen=False)


def test_a_tokeniser_without_padding_changes_nothing(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    batch = opened(chunks, predictor, text(1), Example("short", "ab"))
    before = predictor.loss(batch).loss
    predictor.tokeniser.pad_token = None
    predictor.reader.model.config.pad_token_id = None
    torch.testing.assert_close(predictor.loss(batch).loss, before)


def test_long_texts_are_cut_and_blank_ones_begin_as_texts_do(tiny_llama: str) -> None:
    predictor = retro(tiny_llama, tokens=20)
    one, blank, answered = predictor.generate(Batch((Example("1", PAGES[1]), Example("2", ""), Example("3", "x" * 50))))
    assert [answer.meta["tokens"] for answer in (one, blank, answered) if answer.meta] == [19, 0, 19]
    before = Example("4", "abc", (Answer("y" * 50),))
    assert torch.isfinite(predictor.loss(Batch((before,))).loss).all()
    with pytest.raises(ValueError, match="answer_tokens is 20, but the model takes 19"):
        retro(tiny_llama, tokens=20, answer_tokens=20)


def test_what_stands_behind_a_long_input_comes_after_its_end(tiny_llama: str) -> None:
    predictor = retro(tiny_llama, tokens=20, answer_tokens=8)
    whole = f"{'a beginning that is left out, ' * 3}the very end"
    long, other = (Batch((Example("1", text, (Answer("yes"),)),)) for text in (whole, f"x{whole}"))
    torch.testing.assert_close(predictor.loss(long).loss, predictor.loss(other).loss)
    cut = [one for batch in (long, other) for one in predictor.generate(batch)]
    assert cut[0].text == cut[1].text
    assert cut[0].meta != cut[1].meta, "how likely it is is said of the start"
    ids, first = predictor._text(long.examples[0])
    assert str(predictor.tokeniser.decode(ids[:first])).endswith(whole[-8:])


def test_chunks_of_another_length_and_of_another_model_are_refused(tiny_llama: str, chunks: Retriever) -> None:
    other = retro(tiny_llama, cross=CrossAttention(layers=(1,), chunk=8, width=8, heads=2))
    with pytest.raises(ValueError, match="chunks of 16 tokens and the predictor reads chunks of 8"):
        other.loss(opened(chunks, other, text(1)))
    predictor = retro(tiny_llama)
    predictor.reader.model.config.vocab_size = 50
    with pytest.raises(ValueError, match="the model knows 50: cut the chunks with the tokeniser of this model"):
        predictor.loss(opened(chunks, predictor, text(1)))


def test_the_access_model_it_asks_is_named_where_there_are_several(tiny_llama: str, chunks: Retriever) -> None:
    predictor = retro(tiny_llama)
    session = opened(chunks, predictor, text(1)).sessions["chunks"]
    both = Batch((text(1),), {"wiki": session, "chunks": session})
    with pytest.raises(ValueError, match=r"named by `access` \(None\), and is given wiki, chunks"):
        predictor.loss(both)
    named = retro(tiny_llama, access="chunks")
    named.loss(both)
