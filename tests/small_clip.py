"""A CLIP of random weights, the smallest that reads pictures and texts, and pictures of one colour each."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from tokenizers import processors
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from reml.contract.examples import Media
from tests.predictors.conftest import END, PAD, PIECES, SIZE, START, tiny_tokeniser

COLOURS = ["red", "lime", "blue", "yellow", "black", "white"]


def write_clip(folder: Path, seed: int = 0) -> str:
    """Write model, tokeniser and image processor; give the folder."""
    torch.manual_seed(seed)
    tower = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = {
        "pad_token_id": PIECES.index(PAD),
        "bos_token_id": PIECES.index(START),
        "eos_token_id": PIECES.index(END),
    }
    text = {**tower, **special, "vocab_size": SIZE, "max_position_embeddings": 64}
    vision = {**tower, "image_size": 8, "patch_size": 4}
    CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)).save_pretrained(folder)
    tokeniser = tiny_tokeniser(bos_token=START, eos_token=END)
    marks = [(mark, PIECES.index(mark)) for mark in (START, END)]
    template = processors.TemplateProcessing(single=f"{START} $A {END}", special_tokens=marks)
    tokeniser.backend_tokenizer.post_processor = template
    tokeniser.save_pretrained(folder)
    size = {"height": 8, "width": 8}
    CLIPImageProcessorPil(size={"shortest_edge": 8}, crop_size=size).save_pretrained(folder)
    return str(folder)


def write_picture(folder: Path, colour: str) -> Media:
    """Write a picture of one colour."""
    path = folder / f"{colour}.png"
    Image.new("RGB", (12, 10), colour).save(path)
    return Media("image", str(path))
