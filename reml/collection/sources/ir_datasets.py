"""Collections of ir_datasets as knowledge sources: each document is a page of one paragraph under its title.

MacAvaney et al., "Simplified Data Wrangling with ir_datasets", SIGIR 2021; https://ir-datasets.com lists the ids and
says which of them are downloaded and which are asked for elsewhere.

    class_path: reml.collection.sources.IrDatasetsTexts
    init_args: {id: beir/scifact}
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Literal, Protocol, cast

from reml.contract.arguments.checked import checked
from reml.contract.arguments.extras import install_hint
from reml.contract.examples import Page
from reml.files.atomic import digest

_LOG = logging.getLogger(__name__)


class Document(Protocol):
    """A document of ir_datasets; some kinds also have a title."""

    @property
    def doc_id(self) -> str:
        """Its id."""

    @property
    def _fields(self) -> Sequence[str]:
        """The names of what it holds."""

    def default_text(self) -> str:
        """Give what is searched of it, the title first."""


class Query(Protocol):
    """A query of ir_datasets."""

    @property
    def query_id(self) -> str:
        """Its id."""

    def default_text(self) -> str:
        """Give what is searched with."""


class Judgement(Protocol):
    """How relevant a document is to a query."""

    query_id: str
    doc_id: str
    relevance: int


class IrDataset(Protocol):
    """What is used of a dataset of ir_datasets."""

    def has(self, etype: str) -> bool:
        """Say whether it has `docs`, `queries` or `qrels`."""

    def docs_iter(self) -> Iterator[Document]:
        """Yield its documents."""

    def queries_iter(self) -> Iterator[Query]:
        """Yield its queries."""

    def qrels_iter(self) -> Iterator[Judgement]:
        """Yield its judgements."""


@checked()
class IrDatasetsTexts:
    """The documents of a dataset, in their order; those without text or title are left out and counted in the log.

    What is not on this machine is downloaded by ir_datasets, into `IR_DATASETS_HOME`, when pages are first read.
    `ValueError` if there is no such dataset or it has no documents, `ImportError` says how to install ir_datasets.
    """

    def __init__(self, id: str) -> None:  # noqa: A002  what ir_datasets calls it
        self.id = id
        self._dataset = load_ir_dataset(id, "docs")

    def __repr__(self) -> str:
        return f"IrDatasetsTexts({self.id!r})"

    @property
    def fingerprint(self) -> str:
        """A digest of the id and the version of ir_datasets, which has a checksum of each file that it downloads."""
        from importlib.metadata import version

        return digest("ir_datasets", version("ir_datasets"), self.id)

    def pages(self) -> Iterator[Page]:
        """Yield every document once, one in memory at a time."""
        blank = 0
        for document in self._dataset.docs_iter():
            page = _page(document)
            if any(page.paragraphs):
                yield page
            else:
                blank += 1
        if blank:
            _LOG.warning("%s: %d documents have neither text nor title and are left out.", self.id, blank)


def load_ir_dataset(id: str, *needed: Literal["docs", "queries", "qrels"]) -> IrDataset:  # noqa: A002
    """Give a dataset that has what is needed; `ValueError` if it has not or there is none, `ImportError` without it."""
    try:
        import ir_datasets
    except ImportError as error:
        raise ImportError(f"{error}. Install what reads these datasets: {install_hint('ir-datasets')}.") from error
    try:
        dataset = cast(IrDataset, ir_datasets.load(id))
    except KeyError as error:
        raise ValueError(
            f"ir_datasets has no dataset {id!r}: https://ir-datasets.com lists those there are."
        ) from error
    missing = [part for part in needed if not dataset.has(part)]
    if missing:
        raise ValueError(f"{id!r} of ir_datasets has no {' and no '.join(missing)}: name a dataset with them.")
    return dataset


def _page(document: Document) -> Page:
    title = str(getattr(document, "title", None) or "").strip() if "title" in document._fields else ""
    text = document.default_text().strip().removeprefix(title).strip()
    return Page(document.doc_id, title, (title, text))
