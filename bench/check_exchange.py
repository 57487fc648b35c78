"""The exported bank in the real tools: each must load it, run it, and find the accuracy that Primum finds.

lm-evaluation-harness weighs letters with the embedded model; Inspect talks to a server whose answer depends on the item alone.

usage: python bench/check_exchange.py [--language en] [--items 120] [--model DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
from measure import BENCH, OUT, PEERS, PRIMUM, PRIMUM_PYTHON, environment

EXPORT = OUT / "exchange"


def main() -> None:
    """Export, run both tools, compare; exit code 1 on a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    home = Path(os.environ.get("PRIMUM_HOME") or Path.home() / ".primum")
    parser.add_argument("--language", default="en")
    parser.add_argument("--items", type=int, default=120, help="items for lm-eval; Inspect runs them all")
    parser.add_argument("--model", type=Path, default=home / "models" / "smollm2-135m")
    wanted = parser.parse_args()
    shutil.rmtree(EXPORT, ignore_errors=True)
    _run([PRIMUM, "bank", "export", "-f", "lm-eval", "-f", "inspect", "--out", EXPORT])
    agreed = [_inspect(wanted.language, task) for task in ("choice", "judgement")]
    agreed += [_lm_eval(wanted.language, task, wanted.items, wanted.model) for task in ("judgement", "choice")]
    sys.exit(0 if all(agreed) else 1)


def _run(command: list[object], log: str = "exchange.log", extra: dict[str, str] | None = None) -> None:
    with (OUT / log).open("ab") as sink:
        subprocess.run([str(part) for part in command], check=True, stdout=sink, stderr=sink, env=environment(extra), cwd=OUT)


def _say(tool: str, task: str, theirs: float, ours: float, n: int) -> bool:
    same = abs(theirs - ours) < 1e-9
    print(f"{tool:8} {task:16} {n:5} items  theirs {theirs:.4f}  ours {ours:.4f}  {'same' if same else 'DIFFERENT'}")
    return same


def _scores(run: Path) -> dict[str, float]:
    rows = pq.read_table(run / "scores" / "000-run.parquet", columns=["item", "value", "status"]).to_pylist()
    return {row["item"]: float(row["value"] or 0) for row in rows}


@contextmanager
def _server(export: Path) -> Iterator[str]:
    port = OUT / "exchange-port"
    port.unlink(missing_ok=True)
    process = subprocess.Popen([PRIMUM_PYTHON, BENCH / "exchange_server.py", port, export])
    try:
        while not port.exists():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port.read_text()}/v1"
    finally:
        process.kill()
        process.wait()


def _inspect(language: str, task: str) -> bool:
    export = EXPORT / "inspect" / f"primum_{task}_{language}.jsonl"
    ids = {json.loads(line)["id"] for line in export.read_text(encoding="utf-8").splitlines()}
    logs, run = OUT / "exchange-inspect", OUT / f"exchange-run-{task}"
    for folder in (logs, run):
        shutil.rmtree(folder, ignore_errors=True)
    with _server(export) as url:
        module = f"{EXPORT / 'inspect' / 'primum_bank.py'}@primum_{task}"
        arguments = ["-T", f"language={language}", "--model", "openai-api/bench/bench", "--log-dir", logs, "--log-format", "json"]
        quiet = ["--display", "none", "--model-base-url", url]
        _run([PEERS / "inspect", "eval", module, *arguments, *quiet], extra={"BENCH_API_KEY": "none"})
        model = f"openai:bench@{url}?concurrency=8"
        _run([PRIMUM, "eval", f"primum-{task}", "-l", language, "-m", model, "--method", "generate", "--out", run])
    log = json.loads(next(logs.glob("*.json")).read_text())
    found = next(iter(log["results"]["scores"]))["metrics"]["accuracy"]["value"]
    ours = _scores(run)
    return _say("inspect", task, found, sum(ours[name] for name in ids) / len(ids), len(ids))


def _lm_eval(language: str, task: str, items: int, model: Path) -> bool:
    """Both weigh the same letters after the same strings; lm-eval runs the very items that Primum drew."""
    name = f"primum_{task}_{language}"
    rows = [json.loads(line)["id"] for line in (EXPORT / "lm-eval" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    run, out = OUT / f"exchange-lm-{task}", OUT / "exchange-lm-eval"
    for folder in (run, out):
        shutil.rmtree(folder, ignore_errors=True)
    engine = f"hf:{model}?template=none&dtype=float32"
    _run([PRIMUM, "eval", f"primum-{task}", "-l", language, "-m", engine, "--max-tokens", "4", "--limit", str(items), "--cache", "off", "--out", run])
    ours = {name: value for name, value in _scores(run).items() if name in set(rows)}
    chosen = {name: [place for place, identifier in enumerate(rows) if identifier in ours]}
    arguments = ["--model", "hf", "--model_args", f"pretrained={model},dtype=float32", "--device", "cpu", "--batch_size", "8"]
    where = ["--include_path", EXPORT / "lm-eval", "--tasks", name, "--samples", json.dumps(chosen), "--output_path", out, "--log_samples"]
    _run([PEERS / "lm-eval", "run", *arguments, *where])
    results = json.loads(next(out.rglob("results_*.json")).read_text())["results"][name]
    return _say("lm-eval", task, results["acc,none"], sum(ours.values()) / len(ours), len(ours))


if __name__ == "__main__":
    main()
