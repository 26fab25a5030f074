"""An agent that writes its own queries, several turns long, and learns by the reward of its answers.

Jin et al., "Search-R1: Training LLMs to Reason and Leverage Search Engines with Reinforcement Learning", COLM 2025,
https://arxiv.org/abs/2503.09516.

Implemented: the paper's prompt and tags; turns of thought, search and what was found
(`reml.predictors.agents.rolling`); GRPO by outcome reward, exact match, with tokens that were retrieved left out of the
loss (`reml.predictors.agents.grpo`). Any model that goes on from a text can be the policy; a causal model here learns.

Deviations: when the budget is spent, `<answer>` is written for the agent, where the paper's code lets it write once
more without tools; each roll-out is learnt from once, so that nothing is to be clipped; the divergence from the start
is off unless wanted; the reward may be F1. Of PPO, the paper's other algorithm, nothing.

Published, over retrieval-augmented baselines on seven sets of questions: 24 % better (Qwen2.5-7B), 20 % (3B). Here,
with an untrained model of 135M parameters: benchmarks/configs/search_r1.yaml.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reml.contract.access import Continuing
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.contract.refusal import refuse
from reml.contract.signals import Credit, Prediction, Signal
from reml.files.model_location import ModelError
from reml.predictors.agents.grpo import Grpo, advantages, divergence, policy_loss, rewards_of, utilities
from reml.predictors.agents.policies import AnyPolicy, LocalPolicy
from reml.predictors.agents.rolling import Ask, Budget, Loop
from reml.predictors.agents.transcript import Rollout
from reml.predictors.reading.right_answers import right_answers
from reml.text.language_model import SMOLLM2

# Table 1 of the paper.
PROMPT = (
    "Answer the given question. You must conduct reasoning inside <think> and </think> first every time you get new "
    "information. After reasoning, if you find you lack some knowledge, you can call a search engine by <search> query "
    "</search>, and it will return the top searched results between <information> and </information>. You can search "
    "as many times as you want. If you find no further external knowledge needed, you can directly provide the answer "
    "inside <answer> and </answer> without detailed illustrations. For example, <answer> Beijing </answer>. Question: "
    "{question}\n"
)


@checked("SearchR1")
class SearchR1(nn.Module):
    """Thinks, searches with queries of its own, reads what is found, and answers.

    policy: the name of a causal model, which can be trained (a hub id, a folder or `package:NAME/PATH`), or any model
    that goes on from a text (`reml.contract.access.Continuing`), which is used as it comes. prompt: holds `{question}`,
    with the marks of a chat where the model needs them. k: items of a search, as many as each access model gives if
    left out. Every access model is asked each query; given none, it finds nothing. What an answer cost and what was out
    of order stands in its `meta`: turns, asks, tokens_read, tokens_written, notes.
    """

    signals = Signal.ITEM_UTILITY

    def __init__(
        self,
        policy: str | Continuing = SMOLLM2,
        *,
        prompt: str = PROMPT,
        budget: Budget | None = None,
        k: Count | None = None,
        learning: Grpo | None = None,
    ) -> None:
        super().__init__()
        if prompt.count("{question}") != 1:
            raise ValueError(f"the prompt must hold {{question}}, once; it is {prompt!r}.")
        budget, self.learning = budget or Budget(), learning or Grpo()
        self.policy: LocalPolicy | AnyPolicy
        if isinstance(policy, str):
            self.policy = LocalPolicy(policy, self.learning.temperature)
            room = self.policy.limit - budget.turn_tokens
            if room < 1 or (budget.context or 1) > room:
                raise ModelError(
                    f"{policy!r} takes {self.policy.limit} tokens, and the budget asks for {budget.turn_tokens} of own "
                    f"text after {budget.context or 1}: lower budget.turn_tokens or budget.context."
                )
        else:
            self.policy, room = AnyPolicy(policy), None
        self.loop = Loop(self.policy, prompt, budget, budget.context or room, k)
        # In a tuple, so that it is no part of what is trained and kept.
        self._start = _frozen(self.policy) if self.learning.kl else ()

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Do nothing: the items stand in prompts as text."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Draw a group of roll-outs of each example and give the mean of their losses, [B] (`grpo.policy_loss`).

        Its value is no measure of quality: advantages add up to 0. Roll-outs of one example that search in the same
        turn spend one ask of its budget. With ITEM_UTILITY, one credit for each list in the order of the sessions'
        `asked`, [Q, K] (`grpo.utilities`); what was asked before is worth 0. `ValueError` for a policy that cannot
        learn, and for an example without an answer.
        """
        refuse(signals, self.signals, "SearchR1")
        policy = self._learner()
        for example in batch.examples:
            right_answers(example)
        before = {name: len(session.asked) for name, session in batch.sessions.items()}
        with policy.drawing():
            rollouts, asks = self.loop.run(batch, self.learning.group)
            rewards = rewards_of(rollouts, batch.examples, self.learning.reward)
            losses = self._losses(policy, rollouts, advantages(rewards.view(len(batch.examples), -1)).flatten())
        loss = losses.view(len(batch.examples), -1).mean(1)
        worth = dict(zip(rollouts, rewards.tolist(), strict=True))
        return Prediction(loss, _credit(batch, asks, before, worth) if signals else ())

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Take the likeliest text each time; the evidence is what was shown, what was used first (`Rollout.used`)."""
        rollouts, _ = self.loop.run(batch)
        return [one.given_answer for one in rollouts]

    def _learner(self) -> LocalPolicy:
        if isinstance(self.policy, LocalPolicy):
            return self.policy
        raise ValueError(
            f"SearchR1 is given {type(self.policy.model).__name__}, which writes and does not learn: leave out "
            "train_on, or name a causal model under `policy`, such as a folder."
        )

    def _losses(self, policy: LocalPolicy, rollouts: list[Rollout], weights: Tensor) -> Tensor:
        """Give the loss of each roll-out, [R]."""
        passes = [(number, one) for number, rollout in enumerate(rollouts) for one in rollout.learnt_from]
        texts = [one for _, one in passes]
        said, own = policy.log_likelihoods(texts)
        owners = torch.tensor([number for number, _ in passes], device=said.device)
        losses = policy_loss(said, own, owners, weights.to(said.device))
        for start in self._start:
            with torch.no_grad():
                first, _ = start.to(said.device).log_likelihoods(texts)
            losses = losses + self.learning.kl * divergence(said, first, own, owners, len(rollouts))
        return losses


def _frozen(policy: LocalPolicy | AnyPolicy) -> tuple[LocalPolicy, ...]:
    if isinstance(policy, AnyPolicy):
        return ()
    start = copy.deepcopy(policy).requires_grad_(False)
    return (start.eval(),)


def _credit(
    batch: Batch, asks: list[Ask], before: Mapping[str, int], worth: Mapping[Rollout, float]
) -> tuple[Credit, ...]:
    """Say of every list of every session what it was worth, those that were asked for before nothing."""
    return tuple(
        Credit(item_utility=value)
        for name, session in batch.sessions.items()
        for value in [
            *(torch.zeros(found.rows.shape) for _, found in session.asked[: before[name]]),
            *(utilities(ask, ask.found[name], worth) for ask in asks),
        ]
    )
