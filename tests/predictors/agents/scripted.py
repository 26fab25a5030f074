"""A real, deterministic language model of a few rules: what stands at the end of a prompt says what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from reml.contract.access import Written


@dataclass
class Scripted:
    """Goes on by the first rule whose key the prompt holds last; cuts at stops. prompts: all that it was given."""

    rules: Mapping[str, str]
    prompts: list[list[str]] = field(default_factory=list)

    def go_on(
        self, prompts: Sequence[str], stops: Sequence[str] = (), *, max_tokens: int | None = None
    ) -> list[Written]:
        self.prompts.append(list(prompts))
        return [self._one(prompt, stops, max_tokens) for prompt in prompts]

    def _one(self, prompt: str, stops: Sequence[str], max_tokens: int | None) -> Written:
        key = max(self.rules, key=prompt.rfind)
        words = self.rules[key].split(" ") if prompt.rfind(key) >= 0 else []
        cut = " ".join(words[:max_tokens])
        stop = min((stop for stop in stops if stop in cut), key=cut.index, default="")
        text = cut.partition(stop)[0] if stop else cut
        whole = bool(stop) or max_tokens is None or len(words) <= max_tokens
        return Written(text, stop, whole, len(prompt.split()), len(text.split()))
