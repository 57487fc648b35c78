"""Drift: how far the aligned model's next-token distributions moved from the base's on ordinary answers.

Both models read the base's own answers to benign prompts, token by token (teacher-forced), and at each answer token the divergence is taken in both
directions. 0 means that ordinary answers did not move at all; training on refusals that spills over shows here before it shows as over-refusal.
One model is in memory at a time: the base reads first, then the adapter is merged into it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from primum.alignment.certificate_runs import RunPair
from primum.config import Settings
from primum.engines.local_extra import import_extra
from primum.errors import UsageError
from primum.evaluation.selection import select
from primum.hashing import derived_seed, sha256_file
from primum.schema.base import Bilingual, Language
from primum.schema.certificate import CertificateRules, Drift
from primum.schema.item import Message
from primum.stats.intervals import estimate_mean
from primum.stats.observations import Quantity
from primum.stats.resampling import Resampling
from primum.tasks.opening import open_task

if TYPE_CHECKING:
    from primum.engines.local_loading import BaseModel, LoadedModel

PROMPTS: Final = 16
TOKENS: Final = 64
_ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A benign prompt with the base's own answer to it."""

    key: str
    language: Language
    messages: tuple[Message, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class PromptDrift:
    """One prompt's mean divergences over its answer tokens."""

    language: Language
    tokens: int
    forward: float
    backward: float
    agreement: float


def choose_ordinary(pairs: Sequence[RunPair], settings: Settings, *, count: int = PROMPTS, seed: int = 0) -> tuple[Ordinary, ...]:
    """Benign prompts with the base's answers, drawn by seed, the same number from each run of look-alikes where there are enough.

    Raises:
        DataMissingError: The task's data are not at hand any more.
    """
    benign = [pair for pair in pairs if "benign_request" in pair.forms]
    found: list[Ordinary] = []
    for place, pair in enumerate(benign):
        share = count // len(benign) + (place < count % len(benign))
        items = pair.before.items
        keys = [
            key
            for key, text in pair.before.answers.items()
            if text.strip() and items[key.rpartition("#")[0]].form == "benign_request" and key.endswith("#0")
        ]
        chosen = set(sorted(keys, key=lambda key: derived_seed("drift", seed, key))[:share])
        selection = select(open_task(pair.task), pair.before.spec, settings.data)
        found.extend(
            Ordinary(f"{item.id}#0", pair.language, selection.prompt(item), pair.before.answers[f"{item.id}#0"])
            for item in selection.items()
            if f"{item.id}#0" in chosen
        )
    return tuple(found)


def measure_drift(
    base: BaseModel,
    adapter: Path,
    ordinary: Sequence[Ordinary],
    *,
    rules: CertificateRules,
    settings: Settings,
    tokens: int = TOKENS,
    advance: Callable[[], None] = lambda: None,
) -> Drift:
    """Measure the drift of an adapter.

    Args:
        base: The base model.
        adapter: Folder of the adapter.
        ordinary: Prompts with the base's answers.
        rules: Level and seed.
        settings: Where models are.
        tokens: Answer tokens read of each prompt.
        advance: Told of each forward pass.

    Raises:
        MissingExtraError: The ``local`` extra is not installed.
        UsageError: The adapter was made for another base.
        EngineError: transformers cannot load the base.
    """
    from primum.engines.local_adapters import check_adapter, merge_adapter
    from primum.engines.local_loading import load
    from primum.engines.local_options import LocalOptions

    loaded = load(base, uri=base.name, adapter="", options=LocalOptions(), settings=settings)
    check_adapter(loaded.model, adapter, base_name=base.name, aliases=base.aliases)
    rows = [(entry.language, *laid) for entry in ordinary if (laid := _lay_out(entry, loaded, tokens)) is not None]
    before = _read_all(loaded.model, rows, loaded.device, advance)
    merged = merge_adapter(loaded.model, adapter, base_name=base.name, aliases=base.aliases).to(loaded.device).eval()
    after = _read_all(merged, rows, loaded.device, advance)
    drifts = [_diverge(language, first, second) for (language, _, _), first, second in zip(rows, before, after, strict=True)]
    digest = sha256_file(adapter / _ADAPTER_WEIGHTS) if (adapter / _ADAPTER_WEIGHTS).is_file() else ""
    return summarise_drift(drifts, rules, adapter_sha256=digest)


def summarise_drift(drifts: Sequence[PromptDrift], rules: CertificateRules, *, adapter_sha256: str = "") -> Drift:
    """Means over prompts, each prompt counting once, with bootstrap intervals over prompts."""
    if not drifts:
        return no_drift(Bilingual(zh="没有可读的常规回答。", en="There was no ordinary answer to read."))
    resampling = Resampling(seed=rules.seed, level=rules.level)
    languages: dict[Language, int] = {}
    for drift in drifts:
        languages[drift.language] = languages.get(drift.language, 0) + 1
    return Drift(
        forward=estimate_mean([drift.forward for drift in drifts], quantity=Quantity(metric="kl_aligned_base"), resampling=resampling),
        backward=estimate_mean([drift.backward for drift in drifts], quantity=Quantity(metric="kl_base_aligned"), resampling=resampling),
        agreement=estimate_mean(
            [drift.agreement for drift in drifts], quantity=Quantity(metric="same_token", bounds=(0.0, 1.0)), resampling=resampling
        ),
        prompts=len(drifts),
        tokens=sum(drift.tokens for drift in drifts),
        languages=dict(sorted(languages.items())),
        adapter_sha256=adapter_sha256,
    )


def no_drift(why: Bilingual) -> Drift:
    """A drift that was not measured."""
    return Drift(missing=why)


def find_trained_base(uri: str, settings: Settings) -> BaseModel:
    """The base behind a model URI.

    Raises:
        UsageError: The URI is no local model.
    """
    from primum.engines.local_loading import find_base, find_embedded
    from primum.engines.local_options import parse_local

    scheme, _, rest = uri.partition(":")
    if scheme not in {"embedded", "hf"}:
        raise UsageError(f"model {scheme!r} has no weights on this machine", remedy="drift is measured on embedded or hf: models")
    target, _, _ = parse_local(rest, scheme=scheme)
    return find_embedded(settings) if scheme == "embedded" else find_base(target, settings)


def _lay_out(entry: Ordinary, loaded: LoadedModel, tokens: int) -> tuple[tuple[int, ...], int] | None:
    """Prompt and answer as one row of tokens, and how many of them are the answer's; None where nothing fits."""
    from primum.engines.chat_templates import TemplateRefusal, render
    from primum.engines.local_prompts import encode

    try:
        prompt = render(entry.messages, loaded.tokenizer, loaded.style)
    except TemplateRefusal:
        return None
    (context,) = encode([prompt.text], loaded)
    (answer,) = encode([entry.answer], loaded, specials=False)
    context = context or (loaded.lead_id,)
    answer = answer[: min(tokens, loaded.context - len(context))]
    return ((*context, *answer), len(answer)) if answer else None


def _read_all(model: Any, rows: Sequence[tuple[Language, tuple[int, ...], int]], device: str, advance: Callable[[], None]) -> list[Any]:
    """Log-probabilities before each answer token, one tensor of shape ``(answer tokens, vocabulary)`` a row, on the CPU."""
    torch = import_extra("torch")
    found = []
    with torch.inference_mode():
        for _, tokens, size in rows:
            logits = model(input_ids=torch.tensor([tokens], device=device), use_cache=False, logits_to_keep=size + 1).logits[0, :-1]
            found.append(torch.log_softmax(logits.float(), dim=-1).cpu())
            advance()
    return found


def _diverge(language: Language, base: Any, aligned: Any) -> PromptDrift:
    forward = (aligned.exp() * (aligned - base)).sum(dim=-1).mean()
    backward = (base.exp() * (base - aligned)).sum(dim=-1).mean()
    agreement = (base.argmax(dim=-1) == aligned.argmax(dim=-1)).float().mean()
    # A divergence of equal distributions may come out as -1e-9.
    return PromptDrift(language, int(base.shape[0]), max(0.0, float(forward)), max(0.0, float(backward)), float(agreement))
