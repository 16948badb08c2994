#!/bin/sh
# petal-users.sh NAME:UID:GID:GROUP,GROUP ...
# Makes each user, with the same ids on every node. Runs on head, compute and login nodes, as root, any number of times.
# A name or an id that belongs to someone else is an error: files would change hands.
set -eu

make_group() { # NAME GID: the user's own group; another name for that gid is as good
  getent group "$2" >/dev/null || groupadd --gid "$2" "$1"
}

make_user() { # NAME UID GID
  if entry=$(getent passwd "$1"); then
    if [ "$(echo "$entry" | cut -d: -f3)" != "$2" ]; then
      echo "petal-users: $1 exists with another uid: $entry" >&2
      exit 1
    fi
    return
  fi
  if entry=$(getent passwd "$2"); then
    echo "petal-users: uid $2 of $1 is taken: $entry" >&2
    exit 1
  fi
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
  make_group "$name" "$gid"
  make_user "$name" "$uid" "$gid"
  join_groups "$name" "$groups"
done
