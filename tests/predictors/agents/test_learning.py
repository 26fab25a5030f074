"""What a policy learns from: its own tokens alone, weighed by what its answers are worth beside those of its group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Answer, Example, Item
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.contract.signals import Signal
from reml.predictors.agents.grpo import Grpo, advantages, divergence, policy_loss, rewards_of, utilities
from reml.predictors.agents.policies import AnyPolicy, LocalPolicy
from reml.predictors.agents.rolling import Budget, Loop
from reml.predictors.agents.search_r1 import SearchR1
from reml.predictors.agents.tags import information
from reml.predictors.agents.transcript import Rollout, Segment
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection
from tests.predictors.agents.scripted import Scripted
from tests.tiny_gpt2 import write_gpt2

TOGO = MemoryCollection(["Its capital is Lome.", "Lome lies by the sea."], ["Togo", "Ports"])
EXAMPLE = Example("1", "capital of Togo?", (Answer("Lome"),))
LETTERS = tuple(Answer(letter) for letter in "abcdefghijklmnopqrstuvwxyz")


@pytest.fixture
def policy(tiny_llama: str) -> LocalPolicy:
    return LocalPolicy(tiny_llama).eval()


@pytest.fixture
def wiki(tmp_path: Path) -> InformationAccess:
    return InformationAccess(BM25().index(TOGO, tmp_path / "wiki"), limits=Limits(depth=2, k=2), name="wiki")


def transcript(policy: LocalPolicy, *, start: str = "Q") -> list[Segment]:
    def own(text: str) -> Segment:
        return Segment(text, own=True, ids=policy.given(text).ids)

    found = policy.given(information([Item(0, "Its capital is Lome.", "Togo")]))
    return [policy.given(start), own("<search>a</search>"), found, own("<answer>Lome</answer>")]


@torch.no_grad()
def plain_mean(policy: LocalPolicy, segments: Sequence[Segment], temperature: float = 1.0) -> float:
    """Give the mean of log p over own tokens, one context at a time."""
    ids, own = zip(*((token, part.own) for part in segments for token in part.ids), strict=True)
    said = []
    for place in range(1, len(ids)):
        logits = policy.model(torch.tensor([ids[:place]])).logits[0, -1].double() / temperature
        if own[place]:
            said.append(float(torch.log_softmax(logits, 0)[ids[place]]))
    return sum(said) / len(said)


@torch.no_grad()
def test_the_loss_is_that_of_a_plain_loop_over_own_tokens(policy: LocalPolicy) -> None:
    texts = [transcript(policy), transcript(policy, start="Another, longer question")]
    said, own = policy.log_likelihoods(texts)
    losses = policy_loss(said, own, torch.tensor([0, 1]), torch.tensor([0.5, -2.0]))
    assert losses.tolist() == pytest.approx([-0.5 * plain_mean(policy, texts[0]), 2 * plain_mean(policy, texts[1])])


@torch.no_grad()
def test_passes_of_one_roll_out_count_together(policy: LocalPolicy) -> None:
    texts = [transcript(policy), transcript(policy, start="Shortened")[:2]]
    counts = [sum(len(part.ids) for part in text if part.own) for text in texts]
    said, own = policy.log_likelihoods(texts)
    (loss,) = policy_loss(said, own, torch.tensor([0, 0]), torch.tensor([1.0])).tolist()
    sums = [plain_mean(policy, text) * count for text, count in zip(texts, counts, strict=True)]
    assert loss == pytest.approx(-sum(sums) / sum(counts))


def test_tokens_that_were_given_have_no_gradient(policy: LocalPolicy) -> None:
    kept: list[Tensor] = []

    def keep(_: object, __: object, output: object) -> None:
        kept.append(output.logits)  # type: ignore[attr-defined]
        kept[0].retain_grad()

    handle = policy.model.register_forward_hook(keep)
    segments = transcript(policy)
    said, own = policy.log_likelihoods([segments])
    handle.remove()
    policy_loss(said, own, torch.tensor([0]), torch.tensor([1.0])).sum().backward()  # type: ignore[no-untyped-call]
    assert kept[0].grad is not None
    moved = kept[0].grad[0].abs().sum(1) > 0  # [L], what each position says of the next token
    wanted = [part.own for part in segments for _ in part.ids][1:]
    assert moved[:-1].tolist() == wanted
    assert not moved[-1]
    assert 0 < sum(wanted) < len(wanted)


def test_advantages_by_hand() -> None:
    found = advantages(torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0]]))
    deviation = math.sqrt(4 * 0.25 / 3)
    assert found[0].tolist() == pytest.approx([value / deviation for value in (0.5, -0.5, -0.5, 0.5)], rel=1e-4)
    assert found[1].tolist() == [0.0] * 4


def test_rewards_by_hand() -> None:
    rollouts = [Rollout(0, [], answer=text) for text in ("lome.", "Lome city", "", "x")]
    assert rewards_of(rollouts, [EXAMPLE], "em").tolist() == [1, 0, 0, 0]
    assert rewards_of(rollouts, [EXAMPLE], "f1").tolist() == pytest.approx([1, 2 / 3, 0, 0])
    assert rewards_of([Rollout(0, [], answer="the")], [Example("2", "?", (Answer("a"),))], "em").tolist() == [0]


def test_the_divergence_is_0_from_itself_and_by_hand_elsewhere() -> None:
    said, own = torch.tensor([[-1.0, -2.0, -9.0]]), torch.tensor([[True, True, False]])
    assert divergence(said, said, own, torch.tensor([0]), 1).tolist() == [0.0]
    found = divergence(said, torch.tensor([[-2.0, -2.0, -1.0]]), own, torch.tensor([0]), 1)
    assert found.tolist() == pytest.approx([(math.exp(-1) + 1 - 1) / 2])


def test_what_is_learnt_from_is_what_was_drawn(tiny_llama: str) -> None:
    predictor = SearchR1(tiny_llama, prompt="{question}", budget=Budget(turns=2, turn_tokens=5))
    assert isinstance(predictor.policy, LocalPolicy)
    torch.manual_seed(3)
    with predictor.policy.drawing():
        (one,), _ = predictor.loop.run(Batch((EXAMPLE,)))
    ids = [token for segment in one.segments for token in segment.ids]
    torch.manual_seed(3)
    drawn = []
    for place in range(len(ids)):
        if next(part.own for part, start, stop in spans(one.segments) if start <= place < stop):
            logits = predictor.policy.model(torch.tensor([ids[:place]])).logits[0, -1]
            drawn.append(int(torch.multinomial(torch.softmax(logits, 0)[None], 1)))
    assert drawn == [token for segment in one.segments for token in segment.ids if segment.own]
    assert len(drawn) == 10


def spans(segments: Sequence[Segment]) -> list[tuple[Segment, int, int]]:
    found, start = [], 0
    for segment in segments:
        found.append((segment, start, start + len(segment.ids)))
        start += len(segment.ids)
    return found


def group(tiny_llama: str, **learning: object) -> tuple[SearchR1, Batch]:
    settings = Grpo(**{"group": 4, **learning})  # type: ignore[arg-type]
    predictor = SearchR1(tiny_llama, prompt="{question}", budget=Budget(turns=1, turn_tokens=1), learning=settings)
    return predictor, Batch((Example("1", "A letter?", LETTERS), Example("2", "Which?", LETTERS)))


def test_a_group_is_weighed_by_its_rewards(tiny_llama: str) -> None:
    predictor, batch = group(tiny_llama, temperature=1.3)
    policy = predictor.policy
    assert isinstance(policy, LocalPolicy)
    torch.manual_seed(1)
    losses = predictor.loss(batch).loss
    torch.manual_seed(1)
    with policy.drawing():
        rollouts, _ = predictor.loop.run(batch, 4)
    rewards = rewards_of(rollouts, batch.examples, "em").view(2, 4)
    assert all(0 < sum(row) < 4 for row in rewards.tolist()), "each group has right and wrong answers"
    means = torch.tensor([plain_mean(policy, one.segments, 1.3) for one in rollouts]).view(2, 4)
    torch.testing.assert_close(losses, -(advantages(rewards) * means).mean(1))


def test_it_learns_what_is_rewarded(tiny_llama: str) -> None:
    predictor, batch = group(tiny_llama, group=16)
    optimizer = torch.optim.Adam(predictor.parameters(), lr=2e-2)
    torch.manual_seed(1)

    def rewarded() -> float:
        with predictor.policy.drawing(), torch.no_grad():  # type: ignore[union-attr]
            rollouts, _ = predictor.loop.run(batch, 64)
        return float(rewards_of(rollouts, batch.examples, "em").mean())

    before = rewarded()
    for _ in range(15):
        optimizer.zero_grad()
        predictor.loss(batch).loss.mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert before < 0.4
    assert rewarded() > 0.8


def test_the_divergence_from_the_start_is_added(tiny_llama: str) -> None:
    (plain, batch), (held, _) = group(tiny_llama), group(tiny_llama, kl=0.5)
    assert [name for name, _ in plain.named_parameters()] == [name for name, _ in held.named_parameters()]
    losses = []
    for predictor in (plain, held):
        torch.manual_seed(0)
        losses.append(predictor.loss(batch).loss)
    torch.testing.assert_close(losses[0], losses[1], msg="it is 0 at the start")
    moved = []
    for predictor in (plain, held):
        with torch.no_grad():
            for weight in predictor.parameters():
                weight.mul_(1.5)
        torch.manual_seed(0)
        moved.append(predictor.loss(batch).loss)
    assert (moved[1] - moved[0] > 1e-4).all()


def test_a_loss_repeats_with_the_seed_and_drops_nothing_out(tmp_path: Path) -> None:
    predictor, batch = group(write_gpt2(tmp_path), group=12)
    policy = predictor.policy
    assert isinstance(policy, LocalPolicy)
    losses = []
    for seed, learns in ((1, True), (1, False), (5, True)):
        predictor.train(learns)
        torch.manual_seed(seed)
        losses.append(predictor.loss(batch).loss.tolist())
        assert policy.model.training is learns, "it is left as it was"
    assert losses[0] == losses[1] != losses[2]
    predictor.train()
    said, own = policy.log_likelihoods([transcript(policy)])
    again, _ = policy.log_likelihoods([transcript(policy)])
    assert not torch.equal(said, again), "the model does drop out, elsewhere"
    assert own.any()


def test_an_agent_that_imitates_searches_reads_and_gives_credit(tiny_llama: str, wiki: InformationAccess) -> None:
    predictor = SearchR1(tiny_llama, prompt="{question}", budget=Budget(turns=3, turn_tokens=40))
    policy = predictor.policy
    assert isinstance(policy, LocalPolicy)
    asked, answered = "<search>Togo capital</search>", "<answer>Lome</answer>"
    texts = [policy.given(EXAMPLE.input), Segment(asked, own=True, ids=policy.given(asked).ids)]
    found = wiki.open([EXAMPLE]).ask(Queries.of(["Togo capital"]))
    texts += [policy.given(information(found.items[0])), Segment(answered, own=True, ids=policy.given(answered).ids)]
    optimizer = torch.optim.Adam(predictor.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        said, own = policy.log_likelihoods([texts])
        policy_loss(said, own, torch.tensor([0]), torch.tensor([1.0])).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    session = wiki.open([EXAMPLE])
    (answer,) = predictor.generate(Batch((EXAMPLE,), {"wiki": session}))
    assert (answer.text, [queries.texts for queries, _ in session.asked]) == ("Lome", [("Togo capital",)])
    assert answer.meta is not None
    assert answer.meta["notes"] == []
    policy.temperature = 0.01  # all of a group do the same
    learnt = wiki.open([EXAMPLE])
    learnt.ask()
    prediction = predictor.loss(Batch((EXAMPLE,), {"wiki": learnt}), Signal.ITEM_UTILITY)
    first, second = [one.item_utility for one in prediction.credit]
    assert len(prediction.credit) == len(learnt.asked)
    assert first is not None
    assert not first.any(), "what others asked for is worth nothing"
    assert [queries.texts for queries, _ in learnt.asked[1:]] == [("Togo capital",) * 4]
    assert second is not None
    assert second.tolist() == [[1.0, 0.0]] * 4, "one item was found, it holds the answer, and that was right"


def test_what_an_item_was_worth_by_hand(wiki: InformationAccess) -> None:
    rules = {"?": "<search>Lome</search>", "by the sea": "<think>Ports it is.</think><answer>9</answer>"}
    loop = Loop(AnyPolicy(Scripted(rules)), "{question}", Budget(), None, None)
    session = wiki.open([EXAMPLE])
    (one,), (ask,) = loop.run(Batch((EXAMPLE,), {"wiki": session}))
    found = ask.found["wiki"]
    titles = [item.title for item in found.items[0]]
    worth = utilities(ask, found, {one: 0.5})
    assert dict(zip(titles, worth[0].tolist(), strict=True)) == {"Togo": 0.0, "Ports": 0.5}
    assert not one.used(0, Item(7))


def test_other_signals_are_refused_by_name(tiny_llama: str) -> None:
    predictor, batch = group(tiny_llama)
    with pytest.raises(ValueError, match="SearchR1 cannot give ATTENTION"):
        predictor.loss(batch, Signal.ATTENTION)
    with pytest.raises(ValueError, match="example 'q' has no answer"):
        predictor.loss(Batch((Example("q", "What?"),)))
