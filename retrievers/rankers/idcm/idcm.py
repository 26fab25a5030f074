"""IDCM: intra-document cascading, a transformer that reads only those windows of a long item that seem worth it.

Hofstaetter, Mitra, Zamani, Craswell and Hanbury, "Intra-Document Cascading: Learning to Select Passages for Neural
Document Ranking", SIGIR 2021, https://arxiv.org/abs/2105.09816. An item is cut into windows of 50 tokens with 7 more on
each side. A student (ESM, `cascade`) scores all, a teacher (ETM, a cross-encoder) the `select` best of these; the score
is a weighted sum of the teacher's best scores, weights by rank. Trained in three stages:

1. the teacher on passages: `CrossEncoder` under `reml.training.regimes.ranking.Ranking`;
2. the teacher on all windows: `IDCM` with `select=None` under `Ranking`;
3. the student on the teacher's scores of windows: `reml.training.regimes.selection.Selection`, with `LambdaLoss`.

Deviations: the student reads word embeddings without positions and norms; its convolution runs over the item, so that
the last two tokens of a window see two more; query and window stand as a pair of the model's tokeniser ([CLS] query
[SEP] window [SEP], with types), as in stage 1, where the code leaves out the last [SEP]; a window's text is tokenised
anew, so a word that its bounds cut may fall into other pieces; padding never counts, where it does in the code.

Published: "over 400% lower query latency" at "essentially the same effectiveness" as the teacher on all windows (MS
MARCO documents, TREC-DL 2019). Here, not run on MS MARCO: 100 dev questions of minikilt's squad over long documents
(`benchmarks/configs/idcm_minikilt.yaml`), MiniLM, nDCG@10: all windows .947 in 7.1 s a question, 4 that the student
selects .943 in 1.2 s, the first 512 tokens .749, BM25 .929.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.devices.precision import Precision
from reml.files.atomic import MANIFEST, CorruptError, atomic_folder, read_manifest, write_manifest
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.model_location import located
from reml.files.weight_digest import digest_with_weights
from reml.files.weights import load_weights, save_weights
from reml.retrievers.encoders.token_batches import longest_first, token_batches
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.rankers.idcm.cascade import Cascade, Selector
from reml.retrievers.rankers.idcm.windows import Document, Form, documents
from reml.retrievers.rankers.pairs import Pairs
from reml.retrievers.rankers.windows import by_owner
from reml.text.models.model_folder import refuse_cut

_LOG = logging.getLogger(__name__)
KIND, WEIGHTS, READER = "idcm", "idcm.safetensors", "reader"
MADE = Made((MANIFEST, WEIGHTS, f"{READER}/*"), KIND)
QUERY_TOKENS = 64  # of a query, for the student


@final
@checked()
@dataclass(frozen=True, eq=False)
class IDCM:
    """A `Scorer` of long items, loaded when it is first needed, on the GPU if there is one.

    model: what `save` wrote, or the cross-encoder that reads windows, as `CrossEncoder` takes it. select: windows of an
    item that the transformer reads, those that the student scores best; all if left out, and as long as the student is
    not trained (stage 3), which a warning says once. form: how items are cut; as the folder says, or
    50 tokens, 7 more on each side, the first 2000 of an item, if left out. Of a longer item the rest is not read, and a
    warning says so once; the student reads 64 tokens of a query. new_classifier: whether a model without a classifier
    gets one at random. trust_remote_code: whether code in the model's folder is run. batch_size, of windows, and
    precision change speed, and scores only in the last digits.

    FirstP is a form whose `tokens` are a few windows.
    """

    model: str
    _: KW_ONLY
    select: Count | None = None
    form: Form | None = None
    new_classifier: bool = False
    trust_remote_code: bool = False
    batch_size: Count = 64
    precision: Precision = "auto"

    @property
    def module(self) -> nn.Module:
        """What is trained and saved: `reader`, the transformer, and `cascade`."""
        return self._parts

    @property
    def selector(self) -> Selector:
        """The student that chooses windows."""
        return self._cascade.selector

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N items, float32 [Q, K], with gradient; -inf at -1.

        The gradient is that of the windows that are read; none leads to the student, which only chooses.
        """
        pairs = Pairs.of(queries, items, positions, self)
        found = self._cut(pairs)
        chosen = self._chosen(pairs.asked, found)
        return pairs.placed(self._cascade.combined(self._read(pairs.asked, found, chosen)), self.model)

    def window_scores(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> tuple[Tensor, Tensor]:
        """Give the student's scores of all windows, with gradient, and the teacher's, without, [Q, K, W] both.

        They are -inf where there is no window.
        """
        pairs = Pairs.of(queries, items, positions, self)
        found = self._cut(pairs)
        student = by_owner(self._selected(pairs.asked, found), [len(one.windows) for one in found])
        with torch.no_grad():
            teacher = self._read(pairs.asked, found, [range(len(one.windows)) for one in found])
        whole = torch.full((*positions.shape, student.shape[1]), -torch.inf, device=student.device)
        at = pairs.places(student.device)
        return whole.index_put(at, student), whole.index_put(at, teacher)

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and the settings that scores depend on."""
        return digest_with_weights(self._cascade, KIND, self.reader.fingerprint(), asdict(self._form), self.select)

    @takes_paths
    def save(self, folder: Path) -> None:
        """Write a folder that an `IDCM` reads; in its `reader` is the transformer, which a `CrossEncoder` reads."""
        with atomic_folder(folder, MADE) as draft:
            self.reader.save(draft / READER)
            save_weights(self._cascade, draft / WEIGHTS)
            write_manifest(draft, KIND, {"form": asdict(self._form), FILES: sealed(draft)})

    def _cut(self, pairs: Pairs) -> list[Document]:
        """Cut the item of each pair, each distinct text once."""
        texts = [item.full_text(title=self._form.title) for item in pairs.items]
        distinct = list(dict.fromkeys(texts))
        cut = dict(zip(distinct, documents(distinct, self.reader.loaded.fast, self._form), strict=True))
        if any(one.whole > self._form.tokens for one in cut.values()):
            self._say(
                f"{self.model!r} reads {self._form.tokens} tokens of an item, and some have more: their ends are not "
                "read. Raise `form.tokens`, or cut items into passages (this is said once)."
            )
        return [cut[text] for text in texts]

    def _chosen(self, asked: Sequence[str], found: Sequence[Document]) -> list[Sequence[int]]:
        """Say which windows of each item are read: all, or those that the student scores best, ties from the start."""
        chosen: list[Sequence[int]] = [range(len(one.windows)) for one in found]
        wide = [place for place, one in enumerate(found) if self.select is not None and len(one.windows) > self.select]
        if not wide:
            return chosen
        if not self.selector.taught:
            if not self._cascade.training:
                self._say(
                    f"the student of {self.model!r} is not trained to choose {self.select} windows of an item: all are "
                    "read. Train it (`selection` of a ranker, or reml.training.regimes.selection)."
                )
            return chosen
        with torch.no_grad():
            some = [found[place] for place in wide]
            scores = by_owner(
                self._selected([asked[place] for place in wide], some), [len(one.windows) for one in some]
            )
        best = scores.argsort(dim=1, descending=True, stable=True)[:, : self.select].tolist()
        for place, windows in zip(wide, best, strict=True):
            chosen[place] = windows
        return chosen

    def _selected(self, asked: Sequence[str], found: Sequence[Document]) -> Tensor:
        """Let the student score all windows of each item, one item after the other, [windows of all]."""
        if not found:
            return torch.zeros(0, device=self._device)
        queries = self.reader.loaded.tokeniser(list(asked), add_special_tokens=False, verbose=False)["input_ids"]
        order = longest_first([one.ids for one in found])
        scores: list[Tensor] = [torch.empty(0)] * len(found)
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            read = self._student(
                [queries[place][:QUERY_TOKENS] for place in part], [found[place].ids for place in part]
            )
            for place, row in zip(part, read, strict=True):
                scores[place] = row[: len(found[place].windows)]
        return torch.cat(scores)

    def _student(self, queries: Sequence[Sequence[int]], items: Sequence[Sequence[int]]) -> Tensor:
        """Score the windows of a batch, [B, windows]; word embeddings are the transformer's and stay as they are."""
        embed: Any = self.reader.loaded.model.get_input_embeddings()
        read = [token_batches(ids, len(ids), padding=0, device=self._device)[0] for ids in (queries, items)]
        asked, there = (embed(batch.ids).detach() for batch in read)
        scores: Tensor = self.selector(asked, read[0].mask, there, read[1].mask)
        return scores

    def _read(self, asked: Sequence[str], found: Sequence[Document], chosen: Sequence[Sequence[int]]) -> Tensor:
        """Let the transformer read windows, [P, W], -inf where there is none."""
        texts = [
            (query, one.windows[place])
            for query, one, places in zip(asked, found, chosen, strict=True)
            for place in places
        ]
        return by_owner(self.reader.read(texts), [len(places) for places in chosen])

    def _say(self, what: str) -> None:
        if what not in self._said:
            self._said.add(what)
            _LOG.warning("%s", what)

    @functools.cached_property
    def _said(self) -> set[str]:
        return set()

    @property
    def _device(self) -> torch.device:
        return self.reader.loaded.model.device

    @property
    def _cascade(self) -> Cascade:
        cascade = self._parts["cascade"]
        assert isinstance(cascade, Cascade)  # noqa: S101
        return cascade

    @functools.cached_property
    def reader(self) -> CrossEncoder:
        """The transformer that reads windows."""
        return CrossEncoder(
            self.model if self._saved is None else str(self._saved / READER),
            new_classifier=self.new_classifier,
            trust_remote_code=self.trust_remote_code,
            batch_size=self.batch_size,
            precision=self.precision,
        )

    @functools.cached_property
    def _saved(self) -> Path | None:
        """Where `save` wrote, if it did."""
        folder = Path(located(self.model)).expanduser()
        return folder if (folder / READER).is_dir() else None

    @functools.cached_property
    def _form(self) -> Form:
        if self._saved is None:
            return self.form or Form()
        manifest = read_manifest(self._saved, KIND)
        check_sealed(self._saved, manifest, again="Take it again from where it came, or make and train it again.")
        try:
            said = Form(**manifest["form"])  # type: ignore[arg-type]
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(f"{self._saved / MANIFEST} cannot be read: {error}.") from error
        if self.form is not None and self.form != said:
            raise ValueError(f"form is {self.form}, but {self.model!r} was trained with {said}: leave it out.")
        return said

    @functools.cached_property
    def _parts(self) -> nn.ModuleDict:
        form, model = self._form, self.reader.loaded.model
        embed: Any = model.get_input_embeddings()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # a student that is new is the same each time
            cascade = Cascade(embed.embedding_dim, form)
        if self._saved is not None:
            refuse_cut(self.model, self._saved / WEIGHTS)
            load_weights(cascade, self._saved / WEIGHTS)
        nn.Module.eval(cascade.to(model.device))
        return nn.ModuleDict({"reader": model, "cascade": cascade})
