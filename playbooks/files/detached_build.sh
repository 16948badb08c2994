#!/bin/sh
# detached_build.sh prepare|start|run: finishes a build on its own host, with no controller.
# It lies beside what the action petal.hpc.build_bundle has sent: the collections, variables.json, and environment, which
# systemd gives to all three steps. `prepare` makes a Python environment, `start` hands over to systemd, `run` is the build.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
unit=petal-detached
log=${PETAL_LOG:-/var/log/petal-detached.log}
deadline=${PETAL_DEADLINE_REASON:-/run/petal-deadline.reason}

# ansible-core needs Python 3.11 or newer; ParallelCluster's images carry one beside the system's.
find_python() {
  for python in python3.13 python3.12 python3.11 python3 /opt/parallelcluster/pyenv/versions/3.*/bin/python3; do
    if "$python" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info)' 2>/dev/null; then
      echo "$python"
      return
    fi
  done
  echo "A build goes on with no controller only where there is Python 3.11 or newer with venv; install it on the image." >&2
  return 1
}

prepare() {
  [ ! -e "$here/venv/.complete" ] || return 0
  python=$(find_python)
  "$python" -m venv --clear "$here/venv"
  # Never a newer release than the controller's, which is the one that is known to work.
  "$here/venv/bin/python" -m pip install --quiet --disable-pip-version-check "ansible-core>=2.19.0,<=$PETAL_ANSIBLE_VERSION" \
    -r "$here/collections/ansible_collections/petal/hpc/requirements.txt"
  touch "$here/venv/.complete"
}

start() {
  cat >"/etc/systemd/system/$unit.service" <<END
[Unit]
Description=petal.hpc: build, prove and snapshot with no controller
Wants=network-online.target
After=network-online.target
[Service]
EnvironmentFile=$here/environment
ExecStart=/bin/sh $here/detached_build.sh run
StandardOutput=append:$log
StandardError=inherit
# A program that ends for want of memory is not the end of the run.
OOMPolicy=continue
Restart=on-failure
RestartSec=2
[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable --now --no-block "$unit.service"
}

# The playbook itself tells what fails in a build. What keeps it from getting so far is told here: the host and its log are gone soon.
tell_failure() {
  reason=$(echo "$1" | tr -c '[:alnum:] .,:;()/=_-' ' ' | cut -c 1-200)
  "$here/venv/bin/ansible" localhost -m petal.hpc.build_lease -a "{\"state\": \"released\", \"build_id\": \"$PETAL_BUILD_ID\",
    \"volume_id\": \"$PETAL_VOLUME_ID\", \"region\": \"$AWS_REGION\", \"failure\": \"$reason\"}"
}

# Systemd stops us: where the host ends itself, its deadline has left the reason.
stopped() {
  trap - TERM
  [ ! -s "$deadline" ] || tell_failure "$(cat "$deadline")" || true
  exit 143
}

run() {
  export ANSIBLE_COLLECTIONS_PATH="$here/collections" ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_INVENTORY_UNPARSED_WARNING=false
  export ANSIBLE_NOCOLOR=1 LC_ALL=C.UTF-8 HOME=/root
  built=false
  trap stopped TERM
  for _attempt in 1 2; do
    if "$here/venv/bin/ansible-playbook" petal.hpc.build_seed -e "@$here/variables.json"; then built=true; break; fi
  done
  [ "$built" = true ] || tell_failure "the host gave up: $(grep -E '^(fatal|ERROR|\[ERROR\])' "$log" | tail -n 1)" || true
  systemctl disable "$unit.service"
  # The instance is launched so that it is terminated when it powers off: that needs no permission.
  [ "$PETAL_KEEP_HOST" = true ] || systemctl poweroff
}

"$1"
