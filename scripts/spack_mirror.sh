#!/bin/sh
# spack_mirror.sh [recipes]: makes sure that the tests have a Git mirror of Spack (or of its recipes), one release without history, in the
# tests' cache folder. Exit code 0: it is there. 3: it is not and cannot be had here. Only `make test-real`, the demo and benchmarks use it.
# PETAL_SPACK_URL and PETAL_RECIPES name other sources.
set -eu
release() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" "$(dirname "$0")/../plugins/module_utils/_core/software/releases.py"; }
case ${1:-spack} in
    spack) what=Spack tag=$(release SPACK_VERSION) name=spack.git variable=PETAL_SPACK_URL url=${PETAL_SPACK_URL:-https://github.com/spack/spack.git} ;;
    recipes)
        what="Spack's recipes" tag=$(release RECIPES_VERSION) name=spack-packages.git variable=PETAL_RECIPES
        url=${PETAL_RECIPES:-https://github.com/spack/spack-packages.git}
        ;;
    *)
        echo "spack_mirror.sh: there is no mirror of '$1'; leave it out for Spack, or say recipes" >&2
        exit 2
        ;;
esac
# Git makes no shallow copy of a plain path.
case $url in /*) url=file://$url ;; esac
mirror=${XDG_CACHE_HOME:-$HOME/.cache}/petal-tests/$name

if git -C "$mirror" rev-parse --quiet --verify "refs/tags/$tag" >/dev/null 2>&1; then
    echo "$what $tag is in $mirror"
    exit 0
fi
mkdir -p "$(dirname "$mirror")"
unfinished=$(mktemp -d "$mirror.XXXXXX")
trap 'rm -rf "$unfinished"' EXIT
# Two minutes are plenty for 15 MB; a machine without a way out must not wait for a time-out of TCP.
if GIT_TERMINAL_PROMPT=0 timeout 120 git clone --quiet --bare --depth 1 --branch "$tag" "$url" "$unfinished/mirror.git" 2>"$unfinished/error"; then
    rm -rf "$mirror"
    mv "$unfinished/mirror.git" "$mirror"
    echo "$what $tag is now in $mirror"
else
    echo "No mirror of $what: $(tail -n 1 "$unfinished/error") Or set $variable to a repository in reach." >&2
    exit 3
fi
