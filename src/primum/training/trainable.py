"""Opening a base model for training: its precision, its tokenizer, and the adapter that is trained."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from primum.config import Settings
from primum.engines.local_adapters import check_adapter
from primum.engines.local_extra import import_extra
from primum.engines.local_loading import BaseModel, choose_device, choose_dtype, find_context, find_stop_ids, load
from primum.engines.local_options import LocalOptions
from primum.errors import EngineError, MissingExtraError, UsageError
from primum.schema.training import LoraShape, Precision


@dataclass(frozen=True, slots=True)
class Trainable:
    """A base with the adapter to train.

    Attributes:
        model: The peft model.
        tokenizer: Its tokenizer.
        stop_ids: Tokens at which the engine ends an answer.
        context: Longest sequence in tokens.
        device: Kind of device that trains: ``cuda``, ``mps`` or ``cpu``.
        precision: The arithmetic chosen: ``float32``, ``bfloat16`` or ``nf4``.
    """

    model: Any
    tokenizer: Any
    stop_ids: frozenset[int]
    context: int
    device: str
    precision: str


def processes() -> int:
    """How many processes train together, as torchrun and accelerate say."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def check_device(precision: Precision) -> tuple[str, str]:
    """The device that trains, and the arithmetic that ``precision`` means on it.

    Raises:
        UsageError: nf4 without CUDA, or several GPUs and one process.
    """
    torch = import_extra("torch")
    device = "cpu" if os.environ.get("ACCELERATE_USE_CPU", "").lower() in {"1", "true"} else choose_device("auto")
    if precision == "nf4":
        if device != "cuda":
            raise UsageError("nf4 (QLoRA) needs a CUDA GPU, and there is none here", remedy="use precision auto, or a machine with a GPU")
        try:
            import_extra("bitsandbytes")
        except MissingExtraError as error:
            raise MissingExtraError("nf4 (QLoRA) needs bitsandbytes, which cannot be imported here", remedy="pip install bitsandbytes") from error
    if device == "cuda" and torch.cuda.device_count() > 1 and processes() == 1:
        raise UsageError(
            f"{torch.cuda.device_count()} GPUs and one process",
            remedy="use accelerate launch (docs/training.md), or name one GPU in CUDA_VISIBLE_DEVICES",
        )
    return device, precision if precision == "nf4" else choose_dtype(precision, device)


def open_trainable(base: BaseModel, *, precision: Precision, lora: LoraShape | None, start: Path | None, seed: int) -> Trainable:
    """Load ``base`` and put a new adapter on it, or go on with the one in ``start``.

    Args:
        base: What is trained.
        precision: As asked for.
        lora: Shape of a new adapter; with ``start`` it must be that adapter's shape. None takes the start's, or the default.
        start: An adapter's folder.
        seed: Decides a new adapter's factors.

    Raises:
        UsageError: The device cannot do it, the adapter is for another base or of another shape, or the base lacks the layers to adapt.
        EngineError: The base cannot be loaded.
    """
    torch, peft = import_extra("torch"), import_extra("peft")
    device, chosen = check_device(precision)
    model, tokenizer = _in_four_bits(base) if chosen == "nf4" else _whole(base, chosen)
    model.config.use_cache = False
    for weight in model.parameters():
        weight.requires_grad_(False)
    if start is not None:
        config = check_adapter(model, start, base_name=base.name, aliases=base.aliases)
        _check_shape(model, config, lora, start)
        model = peft.PeftModel.from_pretrained(model, start, is_trainable=True)
    else:
        torch.manual_seed(seed)
        model = _with_adapter(model, base, lora or LoraShape())
    return Trainable(
        model=model,
        tokenizer=tokenizer,
        stop_ids=find_stop_ids(model, tokenizer),
        context=find_context(model, tokenizer),
        device=device,
        precision=chosen,
    )


def _with_adapter(model: Any, base: BaseModel, lora: LoraShape) -> Any:
    peft = import_extra("peft")
    head = model.get_output_embeddings()
    heads = {name.rpartition(".")[2] for name, module in model.named_modules() if module is head}
    if heads & set(lora.targets):
        raise UsageError("the output layer cannot be adapted", remedy=f"leave {', '.join(sorted(heads & set(lora.targets)))} out of lora.targets")
    config = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=sorted(lora.targets),
        layers_to_transform=_adapted_blocks(model, lora), task_type="CAUSAL_LM",
    )  # fmt: skip
    try:
        model = peft.get_peft_model(model, config)
    except ValueError as error:
        linear = sorted({name.rpartition(".")[2] for name, part in model.named_modules() if type(part).__name__ == "Linear"})
        raise UsageError(
            f"{base.name}: no layer is named as one of lora.targets ({', '.join(lora.targets)})", remedy=f"its linear layers: {', '.join(linear)}"
        ) from error
    model.peft_config["default"].base_model_name_or_path = base.name
    return model


def _adapted_blocks(model: Any, lora: LoraShape) -> list[int] | None:
    """Numbers of the adapted blocks; None for all."""
    blocks = int(model.config.get_text_config().num_hidden_layers)
    first = blocks - math.ceil(lora.upper * blocks)
    return list(range(first, blocks)) if first else None


def _check_shape(model: Any, config: Any, lora: LoraShape | None, start: Path) -> None:
    found = (config.r, config.lora_alpha, frozenset(config.target_modules or ()))
    if lora is not None and (found != (lora.rank, lora.alpha, frozenset(lora.targets)) or _blocks_of(config) != _adapted_blocks(model, lora)):
        raise UsageError(
            f"{start}: rank {config.r}, alpha {config.lora_alpha} and its layers are not the recipe's",
            remedy="continue an adapter with the LoRA shape it was begun with",
        )


def _blocks_of(config: Any) -> list[int] | None:
    """The blocks that an adapter's configuration names; None where it adapts all."""
    named = config.layers_to_transform
    return [named] if isinstance(named, int) else sorted(named) if named else None


def _whole(base: BaseModel, dtype: str) -> tuple[Any, Any]:
    # Loaded on the CPU: the trainer places it, on each process's own device.
    options = LocalOptions(dtype=dtype, device="cpu")
    loaded = load(base, uri=f"hf:{base.folder}", adapter="", options=options, settings=Settings.from_environment())
    return loaded.model, loaded.tokenizer


def _in_four_bits(base: BaseModel) -> tuple[Any, Any]:
    """The base in NF4 with double quantisation, computing in bfloat16 (arXiv 2305.14314), and its tokenizer."""
    torch, transformers, peft = import_extra("torch"), import_extra("transformers"), import_extra("peft")
    quantised = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
    )
    place = {"": int(os.environ.get("LOCAL_RANK", "0"))}
    local = {"local_files_only": True, "trust_remote_code": False}
    try:
        model = transformers.AutoModelForCausalLM.from_pretrained(
            base.folder, quantization_config=quantised, device_map=place, dtype=torch.bfloat16, **local
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(base.folder, **local)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise EngineError(
            f"{base.folder}: cannot be loaded in four bits ({type(error).__name__})", remedy="use precision auto, or another model"
        ) from error
    return peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False), tokenizer
