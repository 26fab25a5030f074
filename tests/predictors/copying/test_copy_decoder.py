"""The copying decoder alone: what it says step by step is what it says at once."""

import torch

from reml.predictors.copying.copy_decoder import CopyDecoder, KeysValues, Memory

B, S, T, D = 2, 9, 6, 16


def _decoder_and_memory() -> tuple[CopyDecoder, Memory]:
    torch.manual_seed(0)
    decoder = CopyDecoder(D, 4, layers=2, steps=T, dropout=0.1).double().eval()
    ids = torch.randint(5, (B, S))  # few tokens, so that answers stand in the source more than once
    mask = torch.ones(B, S, dtype=torch.bool)
    mask[1, 7:] = False
    return decoder, decoder.memory(torch.randn(B, S, D).double(), ids, mask, mask)


def test_decoding_step_by_step_gives_what_decoding_at_once_gives() -> None:
    decoder, memory = _decoder_and_memory()
    ids, inputs = torch.randint(5, (B, T)), torch.randn(B, T, D).double()
    at_once = decoder(inputs, ids, memory)
    past: tuple[KeysValues, ...] = ()
    for step in range(T):
        one = decoder(inputs[:, step : step + 1], ids[:, : step + 1], memory, past)
        past = one.past
        for name in ("states", "pointer", "gate", "mass"):
            whole, part = getattr(at_once, name)[:, step], getattr(one, name)[:, 0]
            assert torch.allclose(whole, part, atol=1e-10), (name, step)


def test_the_last_steps_together_give_the_same() -> None:
    decoder, memory = _decoder_and_memory()
    ids, inputs = torch.randint(5, (B, T)), torch.randn(B, T, D).double()
    first = decoder(inputs[:, :2], ids[:, :2], memory)
    rest = decoder(inputs[:, 2:], ids, memory, first.past)
    assert torch.allclose(decoder(inputs, ids, memory).states[:, 2:], rest.states, atol=1e-10)
