#!/bin/sh
# spack_mirror.sh: makes sure that the tests have a Git mirror of Spack, one release without history, in the tests' cache folder.
# Exit code 0: it is there. 3: it is not and cannot be had here; tests then run the stand-in. PETAL_SPACK_URL names another source.
set -eu
tag=v1.2.0
url=${PETAL_SPACK_URL:-https://github.com/spack/spack.git}
mirror=${XDG_CACHE_HOME:-$HOME/.cache}/petal-tests/spack.git

if git -C "$mirror" rev-parse --quiet --verify "refs/tags/$tag" >/dev/null 2>&1; then
    echo "Spack $tag is in $mirror"
    exit 0
fi
mkdir -p "$(dirname "$mirror")"
unfinished=$(mktemp -d "$mirror.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
# Two minutes are plenty for 15 MB; a machine without a way out must not wait for a time-out of TCP.
if GIT_TERMINAL_PROMPT=0 timeout 120 git clone --quiet --bare --depth 1 --branch "$tag" "$url" "$unfinished/spack.git" 2>"$unfinished/error"; then
    rm -rf "$mirror"
    mv "$unfinished/spack.git" "$mirror"
    echo "Spack $tag is now in $mirror"
else
    echo "No mirror of Spack: $(tail -n 1 "$unfinished/error") Tests run the stand-in; or set PETAL_SPACK_URL to a repository in reach." >&2
    exit 3
fi
