# shellcheck shell=sh
# copy_tree.sh FROM TO: makes the file system at TO hold what FROM holds, and nothing else. Killed at any point, it begins again.
set -eu
exec 9<"$2"
flock 9 # a copy that an earlier run has begun goes on without that run
find "$2" -xdev -mindepth 1 ! -path "$2/lost+found" -delete
complaints=$(mktemp)
trap 'rm -f "$complaints"' EXIT
if ! cp --archive --one-file-system "$1/." "$2" 2>"$complaints"; then
  head -n 5 "$complaints" >&2 # a full disk is a complaint for each file
  exit 1
fi
