#!/bin/bash
# One Ceph node with its S3 gateway (RADOS Gateway) on loopback: no systemd, no cephx, as any user.
#   ceph-up.sh DIR [memstore|bluestore]      ends with ceph-down.sh DIR
# RGW is the port of the S3 endpoint, MON the address of the monitor, OSD_PORTS the range of the store's own ports;
# set all three when several run side by side. Keys: AKTEST / SKTESTSECRET.
set -e
D=${1:?a folder}; STORE=${2:-memstore}; MON=${MON:-127.0.0.1:16789}; RGW=${RGW:-15001}; OSD_PORTS=${OSD_PORTS:-6800-7568}
rm -rf "$D"; mkdir -p "$D"/{mon,osd,run,log}; FS=$(cat /proc/sys/kernel/random/uuid)
cat > "$D/ceph.conf" <<C
[global]
fsid = $FS
mon_host = v2:$MON
auth_allow_insecure_global_id_reclaim = false
ms_cluster_mode = crc
ms_service_mode = crc
ms_client_mode = crc
ms_mon_client_mode = crc
ms_mon_service_mode = crc
ms_mon_cluster_mode = crc
ms_bind_port_min = ${OSD_PORTS%-*}
ms_bind_port_max = ${OSD_PORTS#*-}
public_addr = 127.0.0.1
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_tick_interval = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 500
ms_bind_ipv6 = false
ms_bind_msgr1 = false
run_dir = $D/run
admin_socket = $D/run/\$name.asok
log_file = $D/log/\$name.log
pid_file = $D/run/\$name.pid
crash_dir = $D/log
keyring = $D/keyring
mon_data = $D/mon
osd_data = $D/osd
osd_objectstore = $STORE
memstore_device_bytes = 4294967296
bluestore_block_size = 8589934592
osd_memory_target = 939524096
mon_cluster_log_file = $D/log/cluster.log
osd_heartbeat_grace = 60
mon_data_avail_warn = 1
mon_data_avail_crit = 1
osd_class_dir = /usr/lib/$(uname -m)-linux-gnu/rados-classes
rgw_frontends = beast endpoint=127.0.0.1:$RGW
rgw_enable_usage_log = false
rgw_thread_pool_size = 64
rgw_verify_ssl = false
C
export CEPH_CONF=$D/ceph.conf
# Keys exist even though nothing asks for them: the daemons do not start without.
ceph-authtool -C "$D/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool "$D/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
ceph-authtool "$D/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd' >/dev/null
ceph-authtool "$D/keyring" --gen-key -n client.rgw --cap mon 'allow rw' --cap osd 'allow rwx' >/dev/null
monmaptool --create --clobber --fsid "$FS" --addv a "[v2:$MON]" "$D/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$D/monmap" -c "$CEPH_CONF" --keyring "$D/keyring"
ceph-mon -i a -c "$CEPH_CONF"
OU=$(cat /proc/sys/kernel/random/uuid)
ceph -c "$CEPH_CONF" osd new "$OU" 0 >/dev/null
ceph -c "$CEPH_CONF" auth rm osd.0 >/dev/null 2>&1 || true
ceph -c "$CEPH_CONF" auth import -i "$D/keyring" >/dev/null 2>&1 || true
ceph-osd -i 0 --mkfs --osd-uuid "$OU" -c "$CEPH_CONF" >/dev/null 2>&1
ceph-osd -i 0 -c "$CEPH_CONF"
radosgw -c "$CEPH_CONF" -n client.rgw
for _ in $(seq 300); do curl -s -o /dev/null "127.0.0.1:$RGW/" && break; sleep 0.1; done
radosgw-admin -c "$CEPH_CONF" user create --uid=t --display-name=t --access-key=AKTEST --secret=SKTESTSECRET >/dev/null 2>&1
