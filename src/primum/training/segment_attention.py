"""Block-diagonal attention for rows laid end to end, computed block by block.

A mask over the whole pack makes attention quadratic in the pack, most of it thrown away, and on a CPU it also leaves the fused causal kernel.
Here each row's attention is that kernel on that row alone. Only for a CPU: on a GPU many small launches cost more than the mask does.

A segment with more keys than queries continues the pack's first segment, whose tokens stand before its own: a beginning that all rows have in
common (a system turn) passes through the model once a pack, and its gradient is the sum over all rows, as if each had its own copy.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv

NAME: Final = "primum_segments"
# Architectures whose layers hand the boundaries down to the attention function, and whose attention is causal over the whole row.
_KNOWN: Final = frozenset({"llama", "qwen2", "qwen3", "mistral", "smollm3", "olmo2", "granite"})


def use_segments(model: Any) -> bool:
    """Switch a model to this attention; False, and nothing is changed, where its architecture is not known to allow it."""
    config = model.config.get_text_config()
    layers = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    if config.model_type not in _KNOWN or layers != {"full_attention"} or window is not None or config._attn_implementation != "sdpa":
        return False
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, _no_mask)
    model.set_attn_implementation(NAME)
    return True


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    cu_seq_lens_k: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each segment; shapes as in transformers' ``sdpa_attention_forward``."""
    if cu_seq_lens_q is None or cu_seq_lens_k is None or attention_mask is not None:
        raise RuntimeError("rows laid end to end came without their boundaries")
    bounds, keys = cu_seq_lens_q.tolist(), cu_seq_lens_k.diff().tolist()
    groups = module.num_key_value_groups
    key, value = repeat_kv(key, groups), repeat_kv(value, groups)
    blocks = [
        _within(query, key, value, start, end, length - (end - start), dropout=dropout, scaling=scaling)
        for start, end, length in zip(bounds, bounds[1:], keys, strict=False)
    ]
    return torch.cat(blocks, dim=2).transpose(1, 2).contiguous(), None


def _within(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, start: int, end: int, before: int, *, dropout: float, scaling: float | None
) -> torch.Tensor:
    """Attention of tokens ``start`` to ``end`` over themselves and the pack's first ``before`` tokens."""
    # The beginning's queries are asked again and dropped: the causal kernel without a mask wants as many queries as keys.
    parts = [
        torch.cat((states[:, :, :before], states[:, :, start:end]), dim=2) if before else states[:, :, start:end] for states in (query, key, value)
    ]
    found = torch.nn.functional.scaled_dot_product_attention(*parts, dropout_p=dropout, scale=scaling, is_causal=before + end - start > 1)
    return found[:, :, before:]
