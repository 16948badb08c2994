#!/bin/sh
# raise_pins.sh: takes the newest releases that the lists in requirements/ allow, and pins them with their hashes in requirements/pins/.
# What CI, demo and benchmarks install is installed from there. The pins hold for every Python from 3.11 on and every platform.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv-pins/bin/uv}
[ -n "${UV:-}" ] || sh scripts/bootstrap.sh .venv-pins requirements/uv.txt

pin() { # pin NAME [option of uv]...
  list=requirements/$1.txt
  lock=requirements/pins/$1.txt
  shift
  echo "raise_pins: $lock"
  "$uv" pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --custom-compile-command "make raise-pins" \
    --python-version 3.11 "$@" --output-file "$lock" "$list" > /dev/null
}

mkdir -p requirements/pins
pin uv --universal
pin test --universal
# Demo and tests share an environment, and a host gets no newer Ansible than its controller has.
pin demo --universal --constraint requirements/pins/test.txt
pin host-wheels --constraint requirements/pins/test.txt
pin host-image --constraint requirements/pins/test.txt
pin pcluster --universal
pin floors --universal --resolution lowest-direct
# Only what lies in the packages is wanted, not what they depend on.
pin collections --universal --no-deps
pin floors-collections --universal --no-deps
