#!/bin/sh
# petal-software.sh MOUNT_PATH
# Makes the software volume usable on this node: `module` finds it in every new shell. Runs on head, compute and login nodes, as
# root, any number of times. On the node that has the volume itself, its file system is grown to the volume's size, and the files that
# .petal/hot-list names (one path a line, below MOUNT_PATH) are read in the background: a block of a new volume comes from S3 when it is
# read first.
set -eu
mount_path=${1:?usage: petal-software.sh MOUNT_PATH}
profile=$mount_path/etc/profile.d/petal.sh

if [ ! -r "$profile" ]; then
  echo "petal-software: $profile is missing: $mount_path is not a petal.hpc software volume, or is not mounted" >&2
  exit 1
fi

# link SCRIPT PLACE: only where the image has such a directory, and the volume such a script
link() { [ ! -d "${2%/*}" ] || [ ! -r "$mount_path/etc/profile.d/$1" ] || ln -sfn "$mount_path/etc/profile.d/$1" "$2"; }
link petal.sh /etc/profile.d/petal.sh
link petal.csh /etc/profile.d/petal.csh
# Debian and Ubuntu: csh reads another directory, and zsh none.
link petal.csh /etc/csh/cshrc.d/petal.csh
if [ -f /etc/zsh/zprofile ] && ! grep -q /etc/profile.d/petal.sh /etc/zsh/zprofile; then
  echo '[ ! -r /etc/profile.d/petal.sh ] || . /etc/profile.d/petal.sh' >>/etc/zsh/zprofile
fi
link petal.fish /etc/fish/conf.d/petal.fish

device=$(findmnt -n -o SOURCE --target "$mount_path")
case $device in
  /dev/*)
    case $(findmnt -n -o FSTYPE --target "$mount_path") in
      ext4) resize2fs "$device" ;;
      xfs) xfs_growfs "$mount_path" ;;
    esac
    if [ -r "$mount_path/.petal/hot-list" ]; then
      (cd "$mount_path" && exec setsid xargs -d '\n' -a .petal/hot-list cat -- >/dev/null 2>&1 </dev/null) &
    fi
    ;;
esac
