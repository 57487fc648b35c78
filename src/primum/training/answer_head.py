"""The output layer computed on answer tokens only, on devices where trl's fused head scores every position.

With 49,152 tokens in the vocabulary the output layer is a fifth of the work of SmolLM2-135M on every position, and trl computes it twice more in
the backward pass to save memory. The interface is trl's (``fused_lm_head=True``), so that its trainers and their losses run unchanged.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import torch
from trl.trainer.utils import FusedCausalLMOutput

from primum.engines.local_head import only_positions


def score_answers_only(model: Any) -> None:
    """Replace the fused forward that trl put on a causal language model (inside any adapter)."""
    fused = model.forward

    @functools.wraps(type(model).forward)  # generate() reads the signature
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, labels: Any = None, **kwargs: Any) -> Any:
        if not fused_lm_head or args or kwargs.get("shift_labels") is not None:
            return fused(*args, fused_lm_head=fused_lm_head, labels=labels, **kwargs)
        shifted = labels[:, 1:]
        mask = shifted != -100
        kwargs["use_cache"] = False
        wanted = mask.nonzero().tolist()
        if not wanted:
            return fused(fused_lm_head=True, labels=labels, **kwargs)
        logits = only_positions(self, kwargs, wanted)
        found = -torch.nn.functional.cross_entropy(logits.float(), shifted[mask], reduction="none")
        log_probs = found.new_zeros(mask.shape).masked_scatter(mask, found)
        # The trainers also read these for their logs, which are off; entropies over the vocabulary cost as much as the loss.
        unused = torch.zeros_like(log_probs)
        return FusedCausalLMOutput(
            loss=-log_probs.sum() / mask.sum(),
            log_probs=log_probs,
            entropy=unused,
            log_sum_sq_probs=unused,
            mean_logits=unused,
            is_top1=torch.zeros_like(mask),
            label_mask=mask,
            aux_loss=None,
        )

    model.forward = types.MethodType(forward, model)
