#!/bin/bash
# Ends what ceph-up.sh DIR started: asks first, kills after ten seconds. SIGNAL=KILL does not ask, for a memory store
# whose bytes nobody wants (the OSD takes six seconds to say goodbye).
D=${1:?a folder}
P="$(pgrep -f "radosgw -c $D/ceph.conf") $(cat "$D"/run/osd.0.pid "$D"/run/mon.a.pid 2>/dev/null)"
# shellcheck disable=SC2086  (a list of process ids)
kill -s "${SIGNAL:-TERM}" $P 2>/dev/null
for _ in $(seq 100); do
  n=0
  for p in $P; do kill -0 "$p" 2>/dev/null && n=1; done
  [ $n = 0 ] && break
  sleep 0.1
done
# shellcheck disable=SC2086
[ $n = 1 ] && kill -9 $P
sleep .3
pgrep -fa "$D/ceph.conf" || true
