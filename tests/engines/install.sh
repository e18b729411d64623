#!/bin/sh
# Installs the real engines that the tests need and that are missing, from Debian's packages. What cannot be had is
# said loudly, and written down so that `make test` leaves those tests out by name and repeats it at the end:
# FOR names the engines; `make faults` asks for some that `make test` does not need.
#   OUT/marks    a pytest marker expression ("" when everything is there), OUT/missing  the same for people.
# Safe to run again: what is there is not touched. ENGINES_INSTALL=no only looks. No service is started.
set -u
out=${1:-var/engines}
limit=${ENGINES_SECONDS:-420}
wanted=${FOR:-postgres s3 browser exiftool typescript nginx disk}
patroni=${PATRONI_VENV:-$out/patroni}
mkdir -p "$out" || exit 1
log=$out/install.log
: >"$log"
updated=no

has_postgres() {
    for folder in /usr/lib/postgresql/*/bin; do
        version=${folder#/usr/lib/postgresql/}
        version=${version%/bin}
        case $version in *[!0-9]* | '') continue ;; esac
        [ "$version" -ge 15 ] && [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] && return 0
    done
    command -v initdb >/dev/null 2>&1 && initdb --version | grep -Eq ' (1[5-9]|[2-9][0-9])([.]|$)'
}
has_s3() {
    for program in radosgw ceph-mon ceph-osd ceph ceph-authtool monmaptool radosgw-admin; do
        command -v "$program" >/dev/null 2>&1 || return 1
    done
}
# With a Chinese font: pages are looked at, and without one every character is the same box.
has_browser() {
    command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || return 1
    ls /usr/share/fonts/*/wqy/* /usr/share/fonts/*/noto/*CJK* >/dev/null 2>&1 || fc-list :lang=zh 2>/dev/null | grep -q .
}
has_exiftool() { command -v exiftool >/dev/null 2>&1; }
has_typescript() { command -v tsc >/dev/null 2>&1; }
has_nginx() { command -v nginx >/dev/null 2>&1 || [ -x /usr/sbin/nginx ]; }
# A small file system of its own, to fill up: only root may mount, and not in every container.
has_disk() {
    [ "$(id -u)" = 0 ] || return 1
    place=$(mktemp -d) || return 1
    mount -t tmpfs -o size=1m tmpfs "$place" 2>/dev/null && umount "$place"
    mounted=$?
    rmdir "$place"
    return $mounted
}
has_patroni() { [ -x "$patroni/bin/patroni" ] && command -v etcd >/dev/null 2>&1; }
has_faketime() { ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; }

packages_of() {
    case $1 in
    postgres)
        if apt-cache show postgresql-15 >/dev/null 2>&1; then echo postgresql-15; else echo postgresql; fi ;;
    s3) echo radosgw ceph-mon ceph-osd ceph-common ;;
    browser) echo chromium fonts-wqy-microhei ;;
    exiftool) echo libimage-exiftool-perl ;;
    typescript) echo node-typescript ;;
    nginx) echo nginx-light ;;
    disk) echo mount ;;
    patroni) echo etcd-server ;;
    faketime) echo libfaketime ;;
    esac
}
name_of() {
    case $1 in
    postgres) echo 'PostgreSQL 15+' ;;
    s3) echo "an S3 server (Ceph's object gateway)" ;;
    browser) echo 'Chromium, and a Chinese font' ;;
    exiftool) echo 'ExifTool' ;;
    typescript) echo 'the TypeScript compiler' ;;
    nginx) echo 'nginx' ;;
    disk) echo 'a disk that may be filled (root mounts it)' ;;
    patroni) echo 'Patroni, and etcd under it' ;;
    faketime) echo 'libfaketime' ;;
    esac
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}
can_install() {
    [ "${ENGINES_INSTALL:-yes}" = no ] && return 1
    command -v apt-get >/dev/null 2>&1 || return 1
    [ "$(id -u)" = 0 ] && return 0
    command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null
}
apt() {
    # RUNLEVEL=1 keeps the packages' scripts from starting services; the tests start their own.
    left=$((deadline - $(date +%s)))
    [ "$left" -gt 5 ] || { echo "no time left for: apt-get $*" >>"$log"; return 1; }
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 timeout -k 10 "$left" apt-get -qq -y \
        -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
        "$@" >>"$log" 2>&1 </dev/null
}
install() {
    # shellcheck disable=SC2046  (several words are meant)
    [ "$updated" = no ] && apt install --no-install-recommends $(packages_of "$1") && return 0
    [ "$updated" = yes ] || { apt update; updated=yes; }
    # shellcheck disable=SC2046
    apt install --no-install-recommends $(packages_of "$1")
}
install_patroni() {
    # Patroni is in an environment of its own: nothing of it belongs into the service's.
    [ -x "$patroni/bin/patroni" ] && return 0
    python3 -m venv "$patroni" >>"$log" 2>&1 &&
        timeout 240 "$patroni/bin/pip" install --quiet --disable-pip-version-check \
            'patroni[etcd3]==4.1.*' 'psycopg[binary]==3.*' >>"$log" 2>&1 </dev/null
}

deadline=$(($(date +%s) + limit))
marks=
missing=
for engine in $wanted; do
    "has_$engine" && continue
    if can_install; then
        echo "engines: installing $(name_of "$engine") ($(packages_of "$engine"))"
        install "$engine"
        [ "$engine" = patroni ] && install_patroni
        "has_$engine" && continue
    fi
    marks="${marks:+$marks and }not $engine"
    missing="${missing}$(name_of "$engine") is missing: tests marked \`$engine\` DO NOT RUN (Debian: $(packages_of "$engine"))
"
done
printf '%s' "$marks" >"$out/marks"
printf '%s' "$missing" >"$out/missing"
if [ -n "$missing" ]; then
    echo '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!' >&2
    printf '%s' "$missing" | sed 's/^/!! /' >&2
    can_install && echo "!! installing failed; see $log" >&2
    can_install || echo '!! cannot install: needs apt-get, and root or sudo without a password' >&2
    echo '!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!' >&2
else
    echo "engines: $wanted are there"
fi
