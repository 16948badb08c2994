"""python -m tests.judge [--level LEVEL] [--world FILE.json] [--json FILE] CONFIG.yaml ...

Judges cluster configurations with the aws-parallelcluster of the Python that runs this, in a simulated account that holds what they name.
Make that Python with: sh scripts/bootstrap.sh .venv-pcluster requirements/pcluster.txt
Exit status: 0 all are accepted, 1 some are refused.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys

from tests.judge.judge import check, judge


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="CONFIG.yaml")
    parser.add_argument("--level", choices=check.LEVELS, default="validators")
    parser.add_argument("--world", type=pathlib.Path, help="JSON file: what the account holds where that differs")
    parser.add_argument("--json", type=pathlib.Path, help="write all findings to this file")
    parser.add_argument("--cluster-name", help="left out, each file's name")
    options = parser.parse_args()
    world = json.loads(options.world.read_text(encoding="utf-8")) if options.world else None
    judged = judge(options.files, options.level, world, options.cluster_name)
    for file in judged:
        print(f"{'ok    ' if file.ok else 'refuse'} {file.file}")
        for finding in file.findings:
            if finding.level != "INFO":
                print(f"       {finding.level} {finding.validator}: {finding.message}")
    accepted = sum(file.ok for file in judged)
    print(f"{accepted} of {len(judged)} accepted at level {options.level}")
    if options.json:
        options.json.write_text(json.dumps([file.to_dict() for file in judged], indent=1), encoding="utf-8")
    return 0 if accepted == len(judged) else 1


if __name__ == "__main__":
    sys.exit(main())
