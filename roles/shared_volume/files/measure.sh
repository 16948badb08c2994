# shellcheck shell=sh
# measure.sh PATH: prints what the files below PATH take of their file system, as JSON. A file with several names counts once.
set -eu
bytes=$(du --summarize --one-file-system --block-size=1 "$1")
inodes=$(du --summarize --one-file-system --inodes "$1")
file_system=$(findmnt --noheadings --output FSTYPE --target "$1")
printf '{"bytes": %s, "inodes": %s, "file_system": "%s"}\n' "${bytes%%[!0-9]*}" "${inodes%%[!0-9]*}" "$file_system"
