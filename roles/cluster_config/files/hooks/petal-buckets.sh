#!/bin/sh
# petal-buckets.sh BUCKET:MOUNT_POINT:LINK:rw|ro ...
# Mounts each S3 bucket with Mountpoint for Amazon S3 on this node, and again after a restart. Runs on head, compute and login nodes,
# as root, any number of times. LINK, where given, becomes a symbolic link to MOUNT_POINT: it lies on a shared directory, in which a
# mount would not be seen by the other nodes.
set -eu
# Amazon S3 User Guide, "Installing Mountpoint": packages for both architectures, rpm and deb.
packages=https://s3.amazonaws.com/mountpoint-s3-release/latest

install_mountpoint() {
  command -v mount-s3 >/dev/null && return
  case $(uname -m) in aarch64) machine=arm64 ;; *) machine=x86_64 ;; esac
  folder=$(mktemp -d)
  if command -v dnf >/dev/null; then
    curl -fsSL -o "$folder/mount-s3.rpm" "$packages/$machine/mount-s3.rpm"
    dnf install -y "$folder/mount-s3.rpm"
  else
    curl -fsSL -o "$folder/mount-s3.deb" "$packages/$machine/mount-s3.deb"
    apt-get install -y "$folder/mount-s3.deb"
  fi
  rm -rf "$folder"
}

mount_bucket() { # BUCKET MOUNT_POINT rw|ro
  mkdir -p "$2"
  # S3 knows no users: everyone on the node may read, and write where the mount may.
  case $3 in
    ro) options="--read-only --dir-mode 0755 --file-mode 0644" ;;
    *) options="--allow-delete --allow-overwrite --dir-mode 0777 --file-mode 0666" ;;
  esac
  unit=$(systemd-escape --suffix=service "petal-s3$2")
  cat >"/etc/systemd/system/$unit" <<END
[Unit]
Description=S3 bucket $1 at $2
Wants=network-online.target
After=network-online.target

[Service]
Type=forking
ExecStart=$(command -v mount-s3) --allow-other $options $1 $2
ExecStop=/bin/umount $2

[Install]
WantedBy=multi-user.target
END
  systemctl daemon-reload
  systemctl enable --now "$unit"
}

link_to() { # LINK MOUNT_POINT
  mkdir -p "$(dirname "$1")"
  # An empty directory is what an earlier mount in this place left behind.
  if [ -d "$1" ] && [ ! -L "$1" ]; then rmdir "$1"; fi
  # Another node may make the same link at this moment.
  [ -L "$1" ] || ln -s "$2" "$1" || true
  if [ "$(readlink "$1")" != "$2" ]; then
    echo "petal-buckets: $1 exists and does not lead to $2" >&2
    exit 1
  fi
}

install_mountpoint
for mount in "$@"; do
  IFS=: read -r bucket mount_point link mode <<END
$mount
END
  mountpoint -q "$mount_point" || mount_bucket "$bucket" "$mount_point" "$mode"
  [ -z "$link" ] || link_to "$link" "$mount_point"
done
