#!/bin/sh
# image_setup.sh ROOT: turns a plain Debian root file system into one that looks like an EC2 instance of a cluster.
# mmdebstrap runs it as its last step. Nothing here needs the network.
set -eu
root=$1

for user in ec2-user ubuntu rocky; do
  chroot "$root" useradd --create-home --shell /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD:ALL" > "$root/etc/sudoers.d/$user"
done

cat > "$root/etc/ssh/sshd_config.d/lab.conf" <<'SSHD'
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
# Ansible opens many sessions at once.
MaxStartups 100
MaxSessions 100
SSHD

# A host lives for minutes: no timers, no terminals, and the NFS server only where a playbook starts it.
chroot "$root" systemctl --quiet mask \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
  e2scrub_reap.service systemd-pstore.service getty.target console-getty.service systemd-update-utmp.service
chroot "$root" systemctl --quiet disable nfs-ganesha.service nfs-client.target rpcbind.service rpcbind.socket
chroot "$root" systemctl --quiet set-default multi-user.target

# User data that starts with #! runs once, at the first boot, as cloud-init does it.
cat > "$root/etc/systemd/system/lab-user-data.service" <<'UNIT'
[Unit]
Description=User data script of this instance
ConditionPathExists=/var/lib/cloud/instance/scripts/part-001
ConditionPathExists=!/var/lib/cloud/instance/sem/config_scripts_user
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'mkdir -p /var/lib/cloud/instance/sem && touch /var/lib/cloud/instance/sem/config_scripts_user && exec /var/lib/cloud/instance/scripts/part-001'
StandardOutput=append:/var/log/cloud-init-output.log
StandardError=inherit
[Install]
WantedBy=multi-user.target
UNIT
chroot "$root" systemctl --quiet enable lab-user-data.service

# What ParallelCluster's images bring below /opt, as far as a build asks for it.
mkdir -p "$root/opt/slurm/bin" "$root/opt/amazon/efa/lib64/pkgconfig"
printf '#!/bin/sh\necho slurm 24.05.8\n' > "$root/opt/slurm/bin/sinfo"
chmod 755 "$root/opt/slurm/bin/sinfo"
printf 'Name: libfabric\nVersion: 1.22.0amzn1.0\n' > "$root/opt/amazon/efa/lib64/pkgconfig/libfabric.pc"

# Lmod, for the toy recipe that stands for a built one: the hosts themselves have Environment Modules, as ParallelCluster's images do.
dpkg-deb --extract "$root"/tmp/lmod_*.deb "$root"
rm "$root"/tmp/lmod_*.deb "$root/etc/profile.d/lmod.sh"

# Each host gets its own identity when it starts.
: > "$root/etc/machine-id"
: > "$root/etc/resolv.conf"
echo LANG=C.UTF-8 > "$root/etc/default/locale"

# The git mirrors in /srv/petal belong to whoever ran the lab.
printf '[safe]\n\tdirectory = *\n' > "$root/etc/gitconfig"

# What mmdebstrap's own clean-up leaves behind.
rm -rf "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/lintian
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
