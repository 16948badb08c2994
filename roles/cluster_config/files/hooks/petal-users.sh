#!/bin/sh
# petal-users.sh NAME:UID:GID:GROUP,GROUP ...
# Makes each user, with the same ids on every node. Runs on head, compute and login nodes, as root, any number of times.
# A name or an id that belongs to someone else is an error: files would change hands.
set -eu

refuse() {
  echo "petal-users: $1" >&2
  exit 1
}

id_of() { # passwd|group NAME: its id, or nothing
  getent "$1" "$2" | cut -d: -f3
}

check() { # NAME UID GID
  uid_now=$(id_of passwd "$1")
  gid_now=$(id_of group "$1")
  if [ -n "$uid_now" ] && [ "$uid_now" != "$2" ]; then refuse "$1 exists with another uid: $uid_now, not $2"; fi
  if [ -z "$uid_now" ] && getent passwd "$2" >/dev/null; then refuse "uid $2 of $1 is taken: $(getent passwd "$2")"; fi
  if [ -n "$gid_now" ] && [ "$gid_now" != "$3" ]; then refuse "group $1 exists with another gid: $gid_now, not $3"; fi
}

make_user() { # NAME UID GID
  # A group of another name is as good, as long as it has that id.
  getent group "$3" >/dev/null || groupadd --gid "$3" "$1"
  if getent passwd "$1" >/dev/null; then return; fi
  # /home is shared: the first node makes the home directory, and the others find it.
  if [ -d "/home/$1" ]; then home=--no-create-home; else home=--create-home; fi
  useradd --uid "$2" --gid "$3" "$home" --home-dir "/home/$1" --shell /bin/bash "$1"
}

join_groups() { # NAME GROUP,GROUP
  for group in $(echo "$2" | tr ',' ' '); do
    getent group "$group" >/dev/null || groupadd "$group"
    usermod --append --groups "$group" "$1"
  done
}

for user in "$@"; do
  IFS=: read -r name uid gid groups <<END
$user
END
  check "$name" "$uid" "$gid"
  make_user "$name" "$uid" "$gid"
  join_groups "$name" "$groups"
done
