#!/bin/sh
# Make .venv hold what requirements/$1.txt pins, and diat itself from this tree. $1: run or dev (which has
# all of run). Called by the Makefile; when nothing is to be done it costs one start of Python.
#
# PYTHON=...  the interpreter to make it with, otherwise the newest on PATH
#
# .venv/.run and .venv/.dev say that the installation is complete, and for which pins. They are taken away
# before anything is changed, so whatever an interruption leaves behind is thrown away by the next call.
set -eu
cd "$(dirname "$0")/.."
extra=$1
# By content, not by time: switching branches touches files without changing them.
wanted=$(cat "requirements/$extra.txt" pyproject.toml deploy/setup.sh | cksum)

fail() {
    echo "diat: $*" >&2
    exit 1
}

# Alive, and made for this place: a copied or moved tree has a .venv that points to the old one.
usable='import os, sys, diat; sys.exit(not os.path.samefile(diat.__path__[0], "diat"))'

if [ -f ".venv/.$extra" ] && [ "$(cat ".venv/.$extra")" = "$wanted" ] && [ -x .venv/bin/diat ] &&
    .venv/bin/python -I -c "$usable" 2>/dev/null; then
    exit 0
fi

# Print the first interpreter that will do; without one, say what was found and what is needed.
find_python() {
    needs="Python 3.11 or newer is needed"
    found=""
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.14 python3.13 python3.12 python3.11 python3 python
    fi
    for candidate; do
        # Run it: a name on PATH may be a stub that starts nothing.
        version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
        where=$(command -v "$candidate")
        if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            found="${found:-$needs; found only Python $version ($where)}"
        elif ! "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            found="Python $version ($where) cannot make virtual environments; on Debian: apt install python${version%.*}-venv"
        else
            echo "$candidate"
            return
        fi
    done
    if [ -n "${PYTHON:-}" ]; then
        fail "${found:-$needs; PYTHON=$PYTHON is none}"
    fi
    fail "${found:-$needs; found none on PATH}" "(or name another: make PYTHON=/path/to/python3)"
}

# What a person's pip is configured to do elsewhere must not lead out of .venv.
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

if [ ! -f .venv/.run ] || ! .venv/bin/python -I -c "$usable" 2>/dev/null; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version 2>&1)"
    rm -rf .venv
    "$python" -m venv .venv
fi
rm -f .venv/.run .venv/.dev
echo "Installing $(grep -c '^[a-z].*==' "requirements/$extra.txt") pinned packages (the first time takes about half a minute)"
.venv/bin/python -I -m pip install -qq --require-hashes --only-binary :all: -r "requirements/$extra.txt"
.venv/bin/python -I -m pip install -qq --no-deps --no-build-isolation -e .
if [ "$extra" = dev ]; then
    cat requirements/run.txt pyproject.toml deploy/setup.sh | cksum >.venv/.run
fi
echo "$wanted" >".venv/.$extra"
