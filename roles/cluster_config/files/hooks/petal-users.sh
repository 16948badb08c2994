#!/bin/sh
# petal-users.sh GROUP:GID ... NAME:UID:GID:GROUP,GROUP ...
# Makes the groups and the users of a seed, with the same ids on every node. Runs on head, compute and login nodes, as root, any number
# of times. No id is chosen here, and no name or id that belongs to someone else is used: files would change hands. All arguments are
# checked before anything is made. A user whose gid is among no GROUP:GID gets a group of the user's own name.
set -eu

problems=''
problem() {
  problems="$problems
  - $1"
}

ids() { # passwd|group NAME-OR-ID FIELDS: these fields of its entry, or nothing
  getent "$1" "$2" | cut -d: -f"$3"
}

groups=$(
  {
    for one in "$@"; do case $one in *:*:*) ;; *) echo "$one" ;; esac; done
    for one in "$@"; do case $one in *:*:*) echo "$one" | awk -F: '{print $1 ":" $3}' ;; esac; done
  } | awk -F: '!seen[$2]++' # The first one of an id names its group.
)

check_group() { # NAME GID
  gid_now=$(ids group "$1" 3)
  owner=$(ids group "$2" 1)
  if [ -n "$gid_now" ] && [ "$gid_now" != "$2" ]; then
    problem "group $1 exists with another gid: $gid_now, not $2"
  elif [ -n "$owner" ] && [ "$owner" != "$1" ]; then
    problem "gid $2 of group $1 is taken: $owner"
  fi
}

check_user() { # NAME UID GID GROUP,GROUP
  now=$(ids passwd "$1" 3,4)
  owner=$(ids passwd "$2" 1)
  if [ -n "$now" ] && [ "${now%:*}" != "$2" ]; then
    problem "$1 exists with another uid: ${now%:*}, not $2"
  elif [ -n "$now" ] && [ "${now#*:}" != "$3" ]; then
    problem "$1 exists with another gid: ${now#*:}, not $3"
  elif [ -n "$owner" ] && [ "$owner" != "$1" ]; then
    problem "uid $2 of $1 is taken: $owner"
  fi
  for group in $(echo "$4" | tr ',' ' '); do
    echo "$groups" | grep -q "^$group:" || problem "group $group of $1 comes without a gid"
  done
}

make_user() { # NAME UID GID
  if getent passwd "$1" >/dev/null; then return; fi
  # /home is shared: the first node makes the home directory, and the others find it.
  if [ -d "/home/$1" ]; then home=--no-create-home; else home=--create-home; fi
  useradd --uid "$2" --gid "$3" "$home" --home-dir "/home/$1" --shell /bin/bash "$1"
}

join_groups() { # NAME GROUP,GROUP
  for group in $(echo "$2" | tr ',' ' '); do
    id -nG "$1" | tr ' ' '\n' | grep -qx "$group" || usermod --append --groups "$group" "$1"
  done
}

each_user() { # FUNCTION: calls it with the parts of each user
  for one in $users; do
    IFS=: read -r name uid gid more <<END
$one
END
    "$1" "$name" "$uid" "$gid" "$more"
  done
}

users=''
for one in "$@"; do case $one in *:*:*) users="$users $one" ;; esac; done

for one in $groups; do check_group "${one%:*}" "${one#*:}"; done
each_user check_user
if [ -n "$problems" ]; then
  echo "petal-users: this node cannot have the users of the seed:$problems" >&2
  echo "Change these ids or names in the seed, or use an image that does not have them. Nothing was made." >&2
  exit 1
fi

for one in $groups; do
  getent group "${one#*:}" >/dev/null || groupadd --gid "${one#*:}" "${one%:*}"
done
finish_user() {
  make_user "$1" "$2" "$3"
  join_groups "$1" "$4"
}
each_user finish_user
