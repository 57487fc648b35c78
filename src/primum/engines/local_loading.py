"""Opening a local model: finding its folder, its precision and device, merging an adapter, and saying what it is."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from primum.config import Settings
from primum.engines import models
from primum.engines.chat_templates import Style, choose_style
from primum.engines.fingerprints import fingerprint
from primum.engines.local_adapters import merge_adapter
from primum.engines.local_extra import import_extra
from primum.engines.local_options import HUB_ID, LocalOptions
from primum.errors import EngineError, ModelMissingError, UsageError
from primum.hashing import sha256_of
from primum.schema.provenance import EngineIdentity

EMBEDDED: Final = "smollm2-135m"
_FALLBACK_CONTEXT: Final = 2048
_HUB_PATTERNS: Final = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A model folder on this machine.

    Attributes:
        folder: Holds config, weights and tokenizer.
        name: The model's own name.
        fingerprint: SHA-256 of its weights.
        aliases: Names under which an adapter may have recorded this base.
        details: What the identity says about where the weights came from.
    """

    folder: Path
    name: str
    fingerprint: str
    aliases: frozenset[str]
    details: dict[str, str]


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to compute.

    Attributes:
        model: The causal language model, in evaluation mode.
        tokenizer: Its tokenizer.
        device: The torch device its inputs go to.
        context: Longest sequence in tokens.
        stop_ids: Tokens that end an answer.
        lead_id: What stands before an empty prompt (as lm-evaluation-harness does: BOS, else EOS).
        style: How conversations become text.
        options: As given.
        identity: For the run's record.
    """

    model: Any
    tokenizer: Any
    device: str
    context: int
    stop_ids: frozenset[int]
    lead_id: int
    style: Style
    options: LocalOptions
    identity: EngineIdentity


def find_embedded(settings: Settings) -> BaseModel:
    """The embedded model from the cache; pulled first where it is missing and the network may be used.

    Raises:
        ModelMissingError: It is not in the cache and offline mode is on, or no source delivered it.
    """
    stored = models.find_model(EMBEDDED, settings)
    if stored is None:
        if settings.offline:
            raise ModelMissingError(
                f"model {EMBEDDED!r} is not in the cache {models.models_folder(settings)} and offline mode forbids fetching it",
                remedy=f"on a connected machine: primum models pull {EMBEDDED}",
            )
        stored = models.pull_model(EMBEDDED, settings)
    card = models.pullable(EMBEDDED)
    origin = stored.manifest.origin
    return BaseModel(
        folder=stored.path,
        name=EMBEDDED,
        fingerprint=stored.manifest.weights_sha256,
        aliases=frozenset({EMBEDDED, "embedded", card.title, card.hub, str(stored.path)}),
        details={"origin": f"{origin.kind}: {origin.reference}", "weights": origin.weights},
    )


def find_base(target: str, settings: Settings) -> BaseModel:
    """A model by folder or by hub id; a hub id is downloaded into the hub's own cache unless it is there.

    Raises:
        UsageError: Neither a folder nor shaped like a hub id.
        ModelMissingError: A hub id that is not cached and cannot be fetched.
    """
    folder = find_folder(target, settings)
    name = target if HUB_ID.match(target) and not Path(target).expanduser().is_dir() else folder.name
    return BaseModel(
        folder=folder,
        name=name,
        fingerprint=fingerprint(folder, settings.home / "fingerprints.json"),
        aliases=frozenset({target, name, target.rpartition("/")[2], str(folder), folder.name}),
        details={},
    )


def find_folder(target: str, settings: Settings) -> Path:
    """The folder of a local path or of a hub id; raises as :func:`find_base`."""
    path = Path(target).expanduser()
    if target and path.is_dir():
        return path.resolve()
    if not HUB_ID.match(target):
        raise UsageError(f"{target!r} is neither a folder here nor a hub id", remedy="give hf:FOLDER or hf:OWNER/NAME")
    hub = import_extra("huggingface_hub")
    try:
        return Path(hub.snapshot_download(target, local_files_only=settings.offline, allow_patterns=_HUB_PATTERNS, etag_timeout=8))
    except Exception as error:  # noqa: BLE001 - whatever stands in the way, the model is not to be had
        why = "offline mode forbids fetching it" if settings.offline else f"fetching it failed ({type(error).__name__})"
        raise ModelMissingError(
            f"hub model {target!r} is not cached here and {why}", remedy="check the name, or download it and give hf:FOLDER"
        ) from error


def load(base: BaseModel, *, uri: str, adapter: str, options: LocalOptions, settings: Settings) -> LoadedModel:
    """Load base and tokenizer, merge the adapter, and describe the result.

    Raises:
        MissingExtraError: The ``local`` extra is not installed.
        UsageError: The device is not there, or the adapter was made for another base.
        EngineError: transformers cannot load the folder.
    """
    torch, transformers = import_extra("torch"), import_extra("transformers")
    device = choose_device(options.device)
    dtype = choose_dtype(options.dtype, device)
    with _quiet():
        model, report = _loaded(base, transformers.AutoModelForCausalLM, dtype=getattr(torch, dtype), output_loading_info=True)
        tokenizer = _loaded(base, transformers.AutoTokenizer)
    if absent := sorted(report["missing_keys"]):
        # transformers would fill these with random numbers and only warn.
        raise EngineError(f"{base.folder}: the weights lack {len(absent)} tensors, the first is {absent[0]}", remedy="fetch the model again")
    details = {**base.details, "dtype": dtype, "device": _device_name(device), "attention": str(getattr(model.config, "_attn_implementation", ""))}
    weights = base.fingerprint
    if adapter:
        folder = find_folder(adapter, settings)
        model = merge_adapter(model, folder, base_name=base.name, aliases=base.aliases)
        adapted = fingerprint(folder, settings.home / "fingerprints.json")
        weights = sha256_of({"base": weights, "adapter": adapted})
        details |= {"adapter": folder.name, "adapter_sha256": adapted}
    model = model.to(device).eval()
    style = choose_style(options.template, tokenizer)
    details |= {"template": style, "torch": torch.__version__, "transformers": transformers.__version__}
    if style == "tokenizer":
        details["template_sha256"] = sha256_of(tokenizer.chat_template)
    name = f"{base.name}+{details['adapter']}" if adapter else base.name
    stop_ids = find_stop_ids(model, tokenizer)
    return LoadedModel(
        model=model,
        tokenizer=tokenizer,
        device=device,
        context=find_context(model, tokenizer),
        stop_ids=stop_ids,
        lead_id=tokenizer.bos_token_id if tokenizer.bos_token_id is not None else min(stop_ids, default=0),
        style=style,
        options=options,
        identity=EngineIdentity(uri=uri, model=name, backend="transformers", fingerprint=weights, details=details),
    )


def choose_device(option: str) -> str:
    """The device ``auto`` means here, or the one asked for.

    Raises:
        UsageError: It is not on this machine.
    """
    torch = import_extra("torch")
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if option == "auto":
        return next(name for name, there in present.items() if there)
    kind, _, index = option.partition(":")
    if not present[kind] or (index and int(index) >= torch.cuda.device_count()):
        there = [name for name, is_there in present.items() if is_there]
        raise UsageError(f"device {option!r} is not on this machine", remedy=f"use device={' or device='.join(there)}")
    return option


def choose_dtype(option: str, device: str) -> str:
    """The arithmetic ``auto`` means on a device: bfloat16 on a GPU and on a CPU that multiplies it natively, else float32.

    Measured on two cores of a Zen 3 CPU (AVX2 only): matrix products of this model's shapes run at 150 GFLOP/s in float32 and 18 in bfloat16; with
    AVX-512 BF16 or AMX it is the other way round. bfloat16 weights are exact in float32, so nothing is lost but memory. The run records
    which it was, and the choice can be made with ``?dtype=``.
    """
    if option != "auto":
        return option
    return "float32" if device == "cpu" and not multiplies_bfloat16() else "bfloat16"


def multiplies_bfloat16() -> bool:
    """True when the CPU has instructions for bfloat16 products."""
    able = import_extra("torch").cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "avx10_2", "bf16", "sve_bf16"))


def _loaded(base: BaseModel, kind: Any, **extra: Any) -> Any:
    try:
        # Local files only, and no code from the folder: a model is data here, never a program.
        return kind.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False, **extra)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise EngineError(
            f"{base.folder}: transformers cannot load this as a causal language model ({type(error).__name__})",
            remedy="the folder needs config.json, safetensors weights and a tokenizer of an architecture that transformers knows by itself",
        ) from error


def find_context(model: Any, tokenizer: Any) -> int:
    """The longest sequence, in tokens, that model and tokenizer both take."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None) or _FALLBACK_CONTEXT
    return min(int(positions), int(tokenizer.model_max_length))  # the latter is a huge number where the tokenizer knows no limit


def find_stop_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer, by the model's generation settings and by the tokenizer."""
    named = model.generation_config.eos_token_id
    ids = named if isinstance(named, list) else [named]
    return frozenset(int(value) for value in [*ids, tokenizer.eos_token_id] if value is not None)


def _device_name(device: str) -> str:
    return f"{device} ({import_extra('torch').cuda.get_device_name(device)})" if device.startswith("cuda") else device


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars and no advice from the libraries: standard error is ours."""
    logging = import_extra("transformers").utils.logging
    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
