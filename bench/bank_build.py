"""Building the bank at full size: the packaged norms, repeated under new ids until there are 12,000 items in each language.

usage: python bench/bank_build.py [--items 12000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import yaml
from measure import OUT, PRIMUM, ROOT, run_measured, spread
from report import Ratio, Section, Table, progress, save_section

SECONDS, MEBIBYTES = 60.0, 1024.0
NORMS = ROOT / "src" / "primum" / "data" / "norms"


def main() -> None:
    """Repeat, build, measure, and keep the table in ``docs/performance.md``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=12_000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    once = _build(NORMS)[2]
    times = -(-wanted.items // once)
    folder = _repeated(times)
    runs = []
    for number in range(wanted.rounds):
        runs.append(_build(folder))
        progress(f"bank build round {number + 1}: {runs[-1][2]} items in each language, {runs[-1][0]:.1f} s, {runs[-1][1]:.0f} MiB")
    seconds, memory = spread([run[0] for run in runs]), spread([run[1] for run in runs])
    ratios: list[Ratio] = [
        ("whole process, seconds", seconds, f"below {SECONDS:g}", seconds["median"] < SECONDS),
        ("peak memory, MiB", memory, f"below {MEBIBYTES:g}", memory["median"] < MEBIBYTES),
    ]
    text = (
        f"`primum bank build` on {times} times the packaged norms under new ids: {runs[0][2]:,} items in each language, every form, both languages."
    )
    rows = [(place, f"{run[0]:.1f}", f"{run[1]:.0f}") for place, run in enumerate(runs, start=1)]
    table = Table(title="Rounds", columns=("round", "seconds", "MiB"), rows=rows)
    save_section("bank", Section(title="Building the bank", text=text, ratios=ratios, tables=[table], command="python bench/bank_build.py", data={}))


def _build(norms: Path) -> tuple[float, float, int]:
    out = OUT / "bank"
    shutil.rmtree(out, ignore_errors=True)
    measured = run_measured([PRIMUM, "bank", "build", "--norms", norms, "--out", out], OUT / "bank.log")
    manifest: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return measured.wall_s, measured.rss_mb, min(manifest["items"].values())


def _repeated(times: int) -> Path:
    folder = OUT / "bank-norms"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in sorted(NORMS.glob("*.yaml")):
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader
        norms = [{**norm, "id": f"{norm['id']}-copy-{copy}"} for copy in range(times) for norm in document["norms"]]
        text = yaml.dump({**document, "norms": norms}, Dumper=dumper, allow_unicode=True, sort_keys=False)
        (folder / path.name).write_text(text, encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
