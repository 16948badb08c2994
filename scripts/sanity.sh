#!/bin/sh
# sanity.sh RESULTS [ansible-test options]: run ansible-test sanity; its JUnit reports go to the folder RESULTS.
# ansible-test wants its files at ansible_collections/petal/hpc, so it gets the collection as it would be shipped.
# Its home lies in our cache: that keeps its environments from run to run, and the user's own home as it is.
set -eu
results=$1
shift
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$root/.venv/bin
cache=${XDG_CACHE_HOME:-$HOME/.cache}/petal-tests/sanity-home
python=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# Every name under which ansible-test has looked for get-pip.py, from ansible-core 2.19 to 2.22.
mkdir -p "$cache/.ansible/test/cache" "$cache/.config"
for version in 24_2 25_2 25_3 26_0; do
  cp "$root/scripts/get_pip_stub.py" "$cache/.ansible/test/cache/get_pip_$version.py"
done
# pip reads its settings from the home folder, too.
[ ! -d "$HOME/.config/pip" ] || ln -sfn "$HOME/.config/pip" "$cache/.config/pip"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
copy=$stage/ansible_collections/petal/hpc
mkdir -p "$stage/source" "$copy" "$results"
cd "$root"
git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -xf - -C "$stage/source"
HOME=$cache "$bin/ansible-galaxy" collection build "$stage/source" --output-path "$stage"
tar -xzf "$stage"/petal-hpc-*.tar.gz -C "$copy"
# The collections we depend on, beside ours.
site=$("$bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
cp -R "$site/ansible_collections/amazon" "$site/ansible_collections/ansible" "$stage/ansible_collections/"

cd "$copy"
code=0
HOME=$cache PATH=$bin:$PATH "$bin/ansible-test" sanity --local --python "$python" --junit "$@" || code=$?
cp tests/output/junit/*.xml "$results/" 2>/dev/null || true
exit "$code"
