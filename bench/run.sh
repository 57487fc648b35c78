#!/bin/sh
# Compare speed and memory with the peers and keep the tables in docs/performance.md.
# usage: sh bench/run.sh PYTHON [all|api|bank|guardian|local|startup]
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3.11} part=${2:-all}
venv=.venv-bench stamp=.venv-bench/.ready

command -v "$python" >/dev/null 2>&1 || python=python3
if [ ! -e "$stamp" ] || [ bench/constraints.txt -nt "$stamp" ]; then
    [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
    pip="$venv/bin/python -m pip --disable-pip-version-check"
    version=$(sed -n 's/^torch==//p' bench/constraints.txt)
    # As in tools/setup_venv.sh: the small CPU build has its own label or its own index.
    $venv/bin/python -c 'import torch' 2>/dev/null ||
        $pip install --quiet "torch==$version+cpu" 2>/dev/null ||
        $pip install --quiet "torch==$version"
    $pip install --quiet --constraint bench/constraints.txt "lm-eval[api,hf]" inspect-ai openai
    touch "$stamp"
fi

primum=.venv/bin/python
mkdir -p bench/out
case $part in all | startup) $primum bench/startup.py ;; esac
case $part in all | api) $primum bench/compare_api.py ;; esac
case $part in all | bank) $primum bench/bank_build.py ;; esac
case $part in all | local) $primum bench/compare_local.py ;; esac
case $part in all | guardian) $primum bench/guardian.py ;; esac
