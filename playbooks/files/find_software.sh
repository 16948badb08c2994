#!/usr/bin/env bash
# find_software.sh FINGERPRINT: prints where a volume with that software is mounted, the first one; nothing when none is.
# After an upgrade a cluster has several, and its tags name the newest.
findmnt --raw --noheadings --output TARGET | while read -r written; do
  place=$(printf '%b' "$written")
  if grep -qsF "$1" "$place/.petal/manifest.json"; then
    printf '%s\n' "$place"
    break
  fi
done
