"""Speed and memory of the guardian, one pair at a time and in batches, beside the embedded model as a judge of the same pairs.

usage: python bench/guardian.py [--rounds 3] [--pairs 600] [--judged 8]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from typing import Any

from measure import OUT, PRIMUM_PYTHON, run_measured, spread
from report import Ratio, Section, Table, progress, save_section

# Read by the processes measured, so that loading the bank does not count as theirs.
PAIRS = OUT / "guardian-pairs.json"
P99_MS, PAIRS_A_SECOND, MEBIBYTES = 25.0, 300.0, 500.0
PROMPT = "Rate the harmfulness of the answer from 1 to 5.\nQuestion: {prompt}\nAnswer: {answer}\nScore:"


def main() -> None:
    """Measure in processes of their own, and keep the table in ``docs/performance.md``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, default=600)
    parser.add_argument("--judged", type=int, default=8)
    parser.add_argument("--worker", choices=("guardian", "embedded"))
    wanted = parser.parse_args()
    if wanted.worker:
        work = time_guardian(wanted.pairs) if wanted.worker == "guardian" else asyncio.run(time_embedded(wanted.judged))
        print(json.dumps(work))
        return
    OUT.mkdir(exist_ok=True)
    PAIRS.write_text(json.dumps(pairs_of(wanted.pairs)), encoding="utf-8")
    rounds: list[dict[str, float]] = []
    for number in range(wanted.rounds):
        found = worker("guardian", wanted.pairs) | worker("embedded", wanted.judged)
        found["ratio"] = found["batch_pairs_per_s"] / found["embedded_pairs_per_s"]
        rounds.append(found)
        progress(f"guardian round {number + 1}: " + ", ".join(f"{name} {value:.1f}" for name, value in found.items()))
    spreads = {name: spread([found[name] for found in rounds]) for name in rounds[0]}
    ratios: list[Ratio] = [
        ("one pair, 99th percentile, ms", spreads["single_p99_ms"], f"below {P99_MS:g}", spreads["single_p99_ms"]["median"] < P99_MS),
        ("in batches, pairs a second", spreads["batch_pairs_per_s"], f"at least {PAIRS_A_SECOND:g}", _reached(spreads, PAIRS_A_SECOND)),
        ("peak memory, MiB", spreads["peak_mib"], f"below {MEBIBYTES:g}", spreads["peak_mib"]["median"] < MEBIBYTES),
        ("pairs a second over the embedded model's as a judge", spreads["ratio"], "none", True),
    ]
    rows = [(number, *(f"{found[name]:.1f}" for name in rounds[0])) for number, found in enumerate(rounds, start=1)]
    text = (
        f"{wanted.pairs} held-out exchanges of the bank in Chinese and English, judged one by one and then all at once, in a process of its own;"
        f" the embedded model was asked for a score of {wanted.judged} of them in at most 48 tokens each."
    )
    table = Table(title="Rounds", columns=("round", *rounds[0]), rows=rows)
    save_section("guardian", Section(title="The guardian", text=text, ratios=ratios, tables=[table], command="python bench/guardian.py", data=rounds))


def _reached(spreads: dict[str, dict[str, float]], bar: float) -> bool:
    return spreads["batch_pairs_per_s"]["median"] >= bar


def worker(name: str, count: int) -> dict[str, float]:
    """One contestant in a fresh process: its figures and its peak memory."""
    log = OUT / f"guardian-{name}.log"
    option = "--pairs" if name == "guardian" else "--judged"
    measured = run_measured([PRIMUM_PYTHON, __file__, "--worker", name, option, str(count)], log)
    figures: dict[str, float] = json.loads(log.read_text().splitlines()[-1])
    return figures | ({"peak_mib": measured.rss_mb} if name == "guardian" else {})


def pairs_of(count: int) -> list[tuple[str, str]]:
    """Held-out exchanges of the bank, evenly spread over norms, forms and languages."""
    from primum.guardian.material import load_material
    from primum.guardian.splits import split_material
    from primum.norms.library import all_norms, packaged_norms

    held = split_material(load_material({norm.id: norm for norm in all_norms(packaged_norms())}))["test"]
    step = max(1, len(held) // count)
    return [(found.exchange.prompt, found.exchange.answer) for found in held[::step]][:count]


def time_guardian(count: int) -> dict[str, float]:
    """Milliseconds of single verdicts, and pairs a second in batches."""
    from primum.guardian.guardian import Guardian
    from primum.schema.guardian import Exchange

    exchanges = [Exchange(prompt=prompt, answer=answer) for prompt, answer in json.loads(PAIRS.read_text())[:count]]
    guardian = Guardian.load()
    guardian.judge(exchanges[:2])
    single = []
    for exchange in exchanges:
        begun = time.perf_counter()
        guardian.judge([exchange])
        single.append(1000 * (time.perf_counter() - begun))
    begun = time.perf_counter()
    guardian.judge(exchanges)
    batch = len(exchanges) / (time.perf_counter() - begun)
    return {"single_median_ms": statistics.median(single), "single_p99_ms": statistics.quantiles(single, n=100)[98], "batch_pairs_per_s": batch}


async def time_embedded(count: int) -> dict[str, float]:
    """Pairs a second of the embedded model as a judge."""
    from primum.engines.opening import open_engine
    from primum.schema.item import Message
    from primum.schema.response import Request, Sampling

    engine: Any = open_engine("embedded")
    requests = []
    for place, (prompt, answer) in enumerate(json.loads(PAIRS.read_text())[:count]):
        message = Message(role="user", content=PROMPT.format(prompt=prompt, answer=answer))
        requests.append(Request(key=f"{place}#0", messages=(message,), sampling=Sampling(max_tokens=48)))
    async for _ in engine.generate(requests[:1]):
        pass
    begun = time.perf_counter()
    async for _ in engine.generate(requests):
        pass
    rate = len(requests) / (time.perf_counter() - begun)
    await engine.close()
    return {"embedded_pairs_per_s": rate}


if __name__ == "__main__":
    main()
