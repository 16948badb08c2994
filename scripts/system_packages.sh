#!/bin/sh
# system_packages.sh: installs the Debian packages that the lab's hosts need (tests/lab/packages.txt), and nothing when all are there.
# With PETAL_NO_APT=1 it prints the line to run instead, and exits with 3. Without root or apt-get it says what is missing: exit 1.
set -eu
list=$(cd "$(dirname "$0")/.." && pwd)/tests/lab/packages.txt
PATH=$PATH:/usr/sbin:/sbin

is_there() { case $1 in /*) [ -e "$1" ] ;; *) command -v "$1" > /dev/null ;; esac; }

missing=
while read -r package evidence; do
  case $package in '' | '#'*) continue ;; esac
  is_there "$evidence" || missing="$missing $package"
done < "$list"
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086  # a list of words
set -- $missing
if [ "${PETAL_NO_APT:-}" = 1 ]; then
  echo "system_packages: hosts need packages that are missing; run: apt-get install --no-install-recommends $*" >&2
  exit 3
fi
if ! command -v apt-get > /dev/null; then
  echo "system_packages: hosts need a Debian or Ubuntu machine; this one lacks apt-get and: $*" >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "system_packages: not root, cannot install what is missing; run: sudo apt-get install --no-install-recommends $*" >&2
  exit 1
fi
echo "system_packages: apt-get install --no-install-recommends $*"
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" > /dev/null
