#!/bin/sh
# bootstrap.sh VENV LIST: a virtual environment with the newest usable Python and, in it, what LIST (requirements/NAME.txt) asks for, in
# the releases that requirements/pins/NAME.txt pins. `make raise-pins` raises them.
# Leaves at once when nothing has changed. Uses uv where it can be had and pip where it cannot; both leave compiled modules,
# as Python would otherwise compile boto3 and Ansible anew at each start wherever it may not write. PYTHON=… names the Python to take.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
venv=$1 list=$(basename "$2")
pins=$here/requirements/pins
# Nothing but the files whose hashes are in the pins; sources would bring what they are built with, which is in no list.
pinned="--require-hashes --only-binary=:all:"

usable() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1; }

find_python() { # a name on PATH may be a shim that runs nothing, so each candidate is tried by running it
  if [ -n "${PYTHON:-}" ]; then
    if usable "$PYTHON"; then command -v "$PYTHON"; return; fi
    echo "bootstrap: PYTHON=$PYTHON is no Python from 3.11 to 3.14" >&2
    return 1
  fi
  for minor in 13 12 14; do
    for python in "python3.$minor" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/python3; do
      if usable "$python"; then command -v "$python"; return; fi
    done
  done
  if usable python3; then command -v python3; return; fi
  echo "bootstrap: Python 3.11 or newer is needed; install it, or name one with PYTHON=/path/to/python3" >&2
  return 1
}

# Programs in an environment hold its path: one that was moved is made anew.
mkdir -p "$venv"
home=$(cd "$venv" && pwd)
sum=$(cat "$pins"/*.txt "$here"/scripts/bootstrap.sh "$here"/scripts/fetch_collections.py | cksum)
stamp="$list $sum $home"
if [ -x "$venv/bin/python" ] && grep -qsxF "$stamp" "$venv/.stamp"; then exit 0; fi

if [ ! -f "$pins/$list" ]; then
  echo "bootstrap: requirements/pins/$list is missing: name the list in scripts/raise_pins.sh and run make raise-pins" >&2
  exit 1
fi
python=$(find_python)
echo "bootstrap: $venv for $list with $("$python" -V)"
if command -v uv >/dev/null 2>&1; then uv=uv
else
  tools=$(mktemp -d)
  trap 'rm -rf "$tools"' EXIT
  uv=
  # shellcheck disable=SC2086  # options
  if "$python" -m pip install -q --disable-pip-version-check $pinned --target "$tools" -r "$pins/uv.txt" >/dev/null 2>&1; then
    uv=$tools/bin/uv
  fi
fi
if [ ! -x "$venv/bin/python" ] || ! grep -qsF " $home" "$venv/.stamp"; then
  { [ -n "$uv" ] && UV_PYTHON_DOWNLOADS=never "$uv" venv -q --clear --python "$python" "$venv"; } ||
    "$python" -m venv --clear "$venv" 2>/dev/null || "$python" -m venv --clear --without-pip "$venv"
fi
# shellcheck disable=SC2086
{ [ -n "$uv" ] && UV_PYTHON_DOWNLOADS=never "$uv" pip install -q --compile-bytecode $pinned --python "$venv/bin/python" -r "$pins/$list"; } ||
  "$python" -m pip --python "$venv/bin/python" install -q --disable-pip-version-check $pinned -r "$pins/$list"
if grep -q '^ansible-core==' "$pins/$list"; then "$venv/bin/python" "$here/scripts/fetch_collections.py" "$list"; fi
# One line for each list that is installed as it is pinned now.
if ! grep -qsF " $sum $home" "$venv/.stamp"; then rm -f "$venv/.stamp"; fi
echo "$stamp" >> "$venv/.stamp"
