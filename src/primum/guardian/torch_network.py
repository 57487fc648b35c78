"""The guardian's network in torch, for training only; :mod:`primum.guardian.network` runs the same weights without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from primum.guardian.network import CHANNELS, HEADS, ORDERS, VECTOR, Texts, window_index
from primum.norms.sentence_encoder import encoder_layers, token_vectors

_TOKEN = VECTOR + len(ORDERS) * CHANNELS
_LEFT = 2
# The encoder's own constant in its normalisations; NumPy uses the same.
_EPS = 1e-12


class Encoder(nn.Module):
    """The universal sentence encoder's layers above its token table, ready to be fine-tuned."""

    def __init__(self) -> None:
        super().__init__()
        for name, array in encoder_layers().items():
            self.register_parameter(name.replace(".", "_"), nn.Parameter(torch.from_numpy(np.array(array, dtype=np.float32))))

    def forward(self, texts: Texts) -> tuple[Tensor, Tensor, Tensor]:
        """Token features (tokens, 1280), the text of each token, and sentence vectors (texts, 512)."""
        own = torch.from_numpy(token_vectors(texts.ids))
        weights = dict(self.named_parameters())
        projected = own @ weights["projection_weight"] + weights["projection_bias"]
        projected = functional.layer_norm(projected, projected.shape[-1:], weights["inner_weight"], weights["inner_bias"], _EPS)
        index = torch.from_numpy(window_index(texts))
        parts = [own]
        for branch, (order, left) in enumerate(ORDERS):
            columns = index[:, _LEFT - left : _LEFT - left + order]
            inner = projected[:, branch * CHANNELS : (branch + 1) * CHANNELS]
            first = functional.relu(self._window(f"first_{branch}", inner, columns)) + inner
            parts.append(functional.relu(self._window(f"second_{branch}", first, columns)) + first)
        features = functional.layer_norm(torch.cat(parts, 1), (_TOKEN,), weights["outer_weight"], weights["outer_bias"], _EPS)
        place = torch.repeat_interleave(torch.arange(len(texts.lengths)), torch.from_numpy(texts.lengths))
        lengths = torch.from_numpy(texts.lengths).float().unsqueeze(1)
        total = torch.zeros(len(texts.lengths), _TOKEN).index_add_(0, place, features)
        mean = (total @ weights["mean_weight"] + lengths * weights["mean_bias"]) / lengths.sqrt()
        deep = functional.relu(mean @ weights["deep_shortcut"] + functional.relu(mean @ weights["deep_0"]) @ weights["deep_1"])
        out = torch.tanh(deep @ weights["deep_exit"] + functional.relu(deep @ weights["deep_2"]) @ weights["deep_3"])
        return features, place, functional.normalize(out, dim=1)

    def _window(self, name: str, values: Tensor, columns: Tensor) -> Tensor:
        weights = dict(self.named_parameters())
        padded = torch.cat([values, values.new_zeros(1, values.shape[1])])
        windows = padded[columns].reshape(len(columns), -1)
        return windows @ weights[f"{name}_weight"] + weights[f"{name}_bias"]


class Network(nn.Module):
    """See :mod:`primum.guardian.network` for what it computes.

    Args:
        width: Width of the token layer above the encoder.
        dropout: Share dropped before the last layers.
    """

    def __init__(self, *, width: int = 128, dropout: float = 0.2) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.token, self.attention = nn.Linear(_TOKEN, width), nn.Linear(_TOKEN, HEADS)
        joined = VECTOR + (HEADS + 1) * width
        self.prompt, self.answer = nn.Linear(joined, 160), nn.Linear(joined, 160)
        self.norm, self.joint, self.out = nn.LayerNorm(480, eps=_EPS), nn.Linear(480, 160), nn.Linear(160, 13)
        self.harmful_prompt = nn.Linear(160, 1)
        self.drop = nn.Dropout(dropout)

    def forward(self, prompts: Texts, answers: Texts, prompt_of: np.ndarray) -> Tensor:
        """Logits, (pairs, 14)."""
        p = functional.relu(self.prompt(self.drop(self._read(prompts))))[torch.from_numpy(prompt_of)]
        a = functional.relu(self.answer(self.drop(self._read(answers))))
        joined = self.drop(self.norm(torch.cat([p, a, p * a], 1)))
        return torch.cat([self.out(self.drop(functional.relu(self.joint(joined)))), self.harmful_prompt(p)], 1)

    def _read(self, texts: Texts) -> Tensor:
        features, place, sentence = self.encoder(texts)
        count = len(texts.lengths)
        hidden = functional.relu(self.token(features))
        attention = self.attention(features).clamp(-15, 15).exp()
        share = attention / torch.zeros(count, HEADS).index_add_(0, place, attention)[place]
        averages = [torch.zeros(count, hidden.shape[1]).index_add_(0, place, hidden * share[:, [head]]) for head in range(HEADS)]
        lowest = torch.zeros(count, hidden.shape[1])
        highest = lowest.scatter_reduce(0, place.unsqueeze(1).expand(-1, hidden.shape[1]), hidden, "amax", include_self=True)
        return torch.cat([sentence * 10, *averages, highest], 1)

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights by the names that the NumPy network reads."""
        state: dict[str, Any] = self.state_dict()
        return {_plain(name): tensor.detach().cpu().numpy().astype(np.float32) for name, tensor in state.items()}


def _plain(name: str) -> str:
    """``encoder.first_0_weight`` as ``first.0.weight``."""
    return name.removeprefix("encoder.").replace("_", ".") if name.startswith("encoder.") else name
