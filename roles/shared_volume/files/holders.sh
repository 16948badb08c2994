# shellcheck shell=sh
# holders.sh DEVICE: prints the processes in whose mount namespaces a device is mounted, a line each. Waits some seconds for them to let go:
# a container that is just starting has every mount of the host for a moment.
set -eu
numbers=$(lsblk --noheadings --nodeps --raw --output MAJ:MIN "$1" 2>/dev/null) || exit 0 # the device is gone

holders() {
  grep --files-with-matches --no-messages " $numbers " /proc/[0-9]*/mountinfo | while read -r table; do
    folder=${table%/mountinfo}
    echo "process ${folder#/proc/} ($(cat "$folder/comm" 2>/dev/null))"
  done
}

for second in 0 1 2 3 4; do
  sleep "$second"
  found=$(holders)
  if [ -z "$found" ]; then exit 0; fi
done
echo "$found"
