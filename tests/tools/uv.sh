#!/usr/bin/env bash
# Put uv into the checkout where there is none on PATH.  usage: uv.sh PYTHON TOOLS_FOLDER
set -euo pipefail

python=$1
tools=$2
mkdir -p "$tools"

"$python" - <<'PYTHON' || exit 1
import sys
if sys.version_info < (3, 11):
    sys.exit(f"setup: Afterimage needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}. "
             "Name another one: make PYTHON=/path/to/python3.12")
PYTHON

if command -v uv > /dev/null || [ -x "$tools/uv/bin/uv" ]; then
    exit 0
fi

echo "setup: uv is not on PATH: installing it into $tools/uv"
# Debian's python3 may come without ensurepip, so without a working venv, and even without pip.
if "$python" -m venv "$tools/uv" > /dev/null 2>&1; then
    "$tools/uv/bin/python" -m pip install --quiet --disable-pip-version-check uv
elif "$python" -m pip --version > /dev/null 2>&1; then
    rm -rf "$tools/uv"
    "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target "$tools/uv" uv
else
    rm -rf "$tools/uv"
    echo "setup: $python has neither venv nor pip: install one of them (Debian: apt-get install python3-venv)," \
        "or uv itself (https://docs.astral.sh/uv/)" >&2
    exit 1
fi
