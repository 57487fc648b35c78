#!/bin/sh
# Make a virtual environment with the versions of constraints.txt and Primum installed in place.
# usage: setup_venv.sh PYTHON VENV TORCH
set -eu
python=$1 venv=$2 torch=$3

if ! command -v "$python" >/dev/null 2>&1; then
    python=python3
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "error: Python 3.11 or newer is needed; found $("$python" --version 2>&1)" >&2
    echo "  -> install it, or name it: make PYTHON=/path/to/python3.11 ..." >&2
    exit 2
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"
$pip install --quiet --upgrade "pip>=24"
version=$(sed -n 's/^torch==//p' constraints.txt)
if [ "$torch" = cpu ] && ! $venv/bin/python -c 'import torch' 2>/dev/null; then
    # An index may carry the small CPU build under a local version label; where it does not, its default build serves.
    $pip install --quiet "torch==$version+cpu" 2>/dev/null || $pip install --quiet "torch==$version"
fi
$pip install --quiet --constraint constraints.txt --editable ".[local,train,dev]"
