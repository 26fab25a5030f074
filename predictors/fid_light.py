"""FiD-Light: Fusion-in-Decoder whose decoder reads the first vectors of each passage, and whose outputs name sources.

Hofstaetter, Chen, Raman and Zamani, "FiD-Light: Efficient and Effective Retrieval-Augmented Text Generation", SIGIR
2023, https://arxiv.org/abs/2209.14290.

Implemented: of each passage's encoder states the decoder reads the first `vectors`; with as many as an input has tokens
it is FiD, digit for digit. Source pointers (`reml.predictors.reading.pointers`): passages are numbered, the output says
which of them its text comes from before it says the text, and those are the first of the provenance. What to point to
are the passages that overlap the evidence of the example.

Deviations: decoding is greedy, where the paper has a beam of 4; inputs have titles, as those of FiD here have; of an
example without evidence among its passages the target is `index: text: ...` (`train_on.relevant` leaves such out).

Numbers: not run; there are no weights of T5 here. Published KILT scores on test, T5-Base with 64 vectors: NQ 45.6,
HotpotQA 25.6, TriviaQA 57.6, FEVER 80.6, T-REx 76.0, zsRE 81.1, WoW 11.9. With a small copying decoder
(`CopyFiD(provenance="pointed", vectors=...)`), which learns here: `benchmarks/configs/fid_light.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Responses
from reml.contract.signals import Prediction, Signal
from reml.predictors.fid import Encoded, FiD
from reml.predictors.reading.sampling import Output


@checked("FiDLight")
class FiDLight(nn.Module):
    """A `FiD` with the settings of the paper.

    model: a hub id, a folder, or `package:NAME/PATH` of an encoder-decoder. vectors: of each input, how many encoder
    states the decoder reads. pointers: without them, the ablation, the provenance is in the order of retrieval.
    input_tokens: of a question with one item. answer_tokens: of an output. trust_remote_code: whether code in the
    model's folder is run.
    """

    signals = FiD.signals

    def __init__(
        self,
        model: str = "google-t5/t5-base",
        *,
        vectors: Count = 64,
        pointers: bool = True,
        input_tokens: Count | None = 384,
        answer_tokens: Count = 64,
        trust_remote_code: bool = False,
    ) -> None:
        super().__init__()
        self.fid = FiD(
            model,
            input_tokens=input_tokens,
            answer_tokens=answer_tokens,
            vectors=vectors,
            pointers=pointers,
            trust_remote_code=trust_remote_code,
        )

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Tokenise the collections once, into `folder`."""
        self.fid.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give -log p(pointers and y given x and all items), [B], summed over the tokens of the output and its end."""
        return self.fid.loss(batch, signals)

    def generate(self, batch: Batch) -> list[Answer]:
        """Decode greedily; the provenance are the items pointed to, then the others as they were retrieved."""
        return self.fid.generate(batch)

    def encoded(self, examples: Sequence[Example], responses: Responses) -> Encoded:
        """Read a batch: the first of what `reml.predictors.reading.lists.ReadsLists` asks for."""
        return self.fid.encoded(examples, responses)

    def right(self, read: Encoded) -> list[Output]:
        """Give the right output of each example."""
        return self.fid.right(read)

    def draw(self, read: Encoded) -> list[Output]:
        """Draw an output for each example."""
        return self.fid.draw(read)

    def list_log_likelihood(self, read: Encoded, rounds: Sequence[Sequence[Output]], drawn: Tensor) -> Tensor:
        """Give log p(output | x, the drawn list) of S outputs for each example, [B, S]."""
        return self.fid.list_log_likelihood(read, rounds, drawn)
