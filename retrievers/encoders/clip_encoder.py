"""Images and texts as vectors of one space, by a CLIP of transformers, for searching and for training.

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021,
https://arxiv.org/abs/2103.00020. Deviations: the temperature is that of the objective, so the model's own
`logit_scale` does not learn; several images of an item are one vector, the mean of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Self, final

import torch
from PIL import Image
from torch import Tensor, nn

from reml.contract.arguments.several import several
from reml.contract.examples import Item, Media
from reml.contract.vectors import DenseVectors, Similarity
from reml.devices.device import default_device
from reml.devices.evaluating import evaluating
from reml.devices.progress import tracked
from reml.files.model_location import ModelError
from reml.files.weight_digest import UNRELATED, digest_with_weights
from reml.text.models.kinds import CLIP
from reml.text.models.loading import config_of, load
from reml.text.models.model_folder import not_loaded, opened, said
from reml.text.models.token_limit import token_limit
from reml.text.models.transformers_types import CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerBase


@final
class ClipEncoder:
    """A `TrainableEncoder` of images and texts: vectors of length 1, compared by their products.

    A query is a text or an image. An item is its images, or its title and text where it has none. batch_size: images
    or texts encoded at once.
    """

    similarity: Similarity = "dot"

    def __init__(
        self,
        module: CLIPModel,
        tokeniser: PreTrainedTokenizerBase,
        processor: CLIPImageProcessorPil,
        batch_size: int = 32,
    ) -> None:
        self._module, self._tokeniser, self._processor = module, tokeniser, processor
        self._batch_size = batch_size

    @classmethod
    def load(cls, model: str, batch_size: int = 32) -> Self:
        """Load a hub id, a folder or `package:NAME/PATH`, on the GPU if there is one, ready to encode.

        `ModelError` if there is no such model, or it lacks weights, tokeniser or image processor, or they do not fit.
        """
        from transformers import CLIPImageProcessorPil, CLIPModel

        folder = opened(model, CLIP.wanted)
        loaded = load(folder, CLIP, config_of(folder, CLIP, trust_remote_code=None), trust_remote_code=None)
        try:
            processor = CLIPImageProcessorPil.from_pretrained(folder.source)
        except Exception as error:
            raise not_loaded(model, CLIP.wanted, f"Its image processor cannot be read: {said(error)}") from error
        assert isinstance(loaded.model, CLIPModel)  # noqa: S101 - what CLIP loads
        _check_end(model, loaded.model, loaded.tokeniser)
        nn.Module.to(loaded.model, default_device())
        return cls(loaded.model, loaded.tokeniser, processor, batch_size)

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._module

    def fingerprint(self) -> str:
        """Digest the weights as they are now, the tokeniser and how images are prepared; reads all weights.

        The files of images are known by their paths, as items have them: one that changes in place is not seen.
        """
        config = {name: value for name, value in self._module.config.to_dict().items() if name not in UNRELATED}
        vocabulary = sorted(self._tokeniser.get_vocab().items())
        return digest_with_weights(self._module, "clip", config, vocabulary, self._processor.to_json_string())

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give one vector for each text or image, in order, without gradient; `ValueError` for video or audio."""
        with evaluating(self._module):
            return DenseVectors(self.query_vectors(contents).cpu().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        """Give one vector for each item, in order, without gradient; `ValueError` for video or audio."""
        with evaluating(self._module):
            return DenseVectors(self.item_vectors(items).cpu().numpy())

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, float32 [B, D]."""
        return self._means([[content] for content in several(contents, "contents")])

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, float32 [N, D]."""
        return self._means([item.media or [item.full_text().strip()] for item in items])

    def _means(self, groups: Sequence[Sequence[str | Media]]) -> Tensor:
        """Encode each distinct content once, and give the mean of each group, of length 1: [groups, D]."""
        distinct = dict.fromkeys(chain.from_iterable(groups))
        texts = [content for content in distinct if isinstance(content, str)]
        images = [content for content in distinct if isinstance(content, Media)]
        places = {content: place for place, content in enumerate([*texts, *images])}
        vectors = nn.functional.normalize(torch.cat([*self._of_texts(texts), *self._of_images(images)]), dim=-1)
        owners = [owner for owner, group in enumerate(groups) for _ in group]
        chosen = vectors[[places[content] for group in groups for content in group]]
        sums = vectors.new_zeros(len(groups), vectors.shape[1])
        sums = sums.index_add(0, torch.tensor(owners, dtype=torch.long, device=vectors.device), chosen)
        return nn.functional.normalize(sums, dim=-1)

    def _of_texts(self, texts: Sequence[str]) -> Iterator[Tensor]:
        yield torch.zeros(0, self._module.text_projection.out_features, device=self._module.device)
        limit = token_limit(self._module, self._tokeniser)
        for start in tracked(range(0, len(texts), self._batch_size), "encode texts", unit="batches"):
            batch = list(texts[start : start + self._batch_size])
            inputs = self._tokeniser(batch, padding=True, truncation=True, max_length=limit, return_tensors="pt")
            ids, mask = (inputs[name].to(self._module.device) for name in ("input_ids", "attention_mask"))
            yield self._module.get_text_features(input_ids=ids, attention_mask=mask).pooler_output

    def _of_images(self, images: Sequence[Media]) -> Iterator[Tensor]:
        for start in tracked(range(0, len(images), self._batch_size), "encode images", unit="batches"):
            batch = [_opened(one) for one in images[start : start + self._batch_size]]
            pixels = self._processor(images=batch, return_tensors="pt")["pixel_values"]
            yield self._module.get_image_features(pixel_values=pixels.to(self._module.device)).pooler_output


def _check_end(model: str, module: CLIPModel, tokeniser: PreTrainedTokenizerBase) -> None:
    """Refuse a tokeniser that does not end a text as the model expects: its vector is that of this token."""
    end = module.text_model.config.eos_token_id
    (ids,) = tokeniser(["a"])["input_ids"]
    if end not in ids and end != 2:  # 2: of old folders, where the largest token is the end
        raise ModelError(
            f"{model!r}: a text's vector is that of token {end} (eos_token_id of config.json), which its tokeniser "
            "does not write. Get config.json and the tokeniser from one place."
        )


def _opened(media: Media) -> Image.Image:
    if media.kind != "image":
        raise ValueError(
            f"ClipEncoder reads images and texts, and {media.written!r} is {media.kind}: choose an encoder of "
            f"{media.kind}, or give images (frames of a video, say)."
        )
    with Image.open(media.path) as image:
        return image.convert("RGB")
