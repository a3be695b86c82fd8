#!/bin/sh
# Install what is missing, and nothing else, on Debian 12 and 13 and Raspberry Pi OS.
#
#   contrib/deps.sh [run|test]     run: to build and start (default); test: also what the tests use
#
# Says first what it will install; asks sudo when it is not started by root.
set -eu

# a|b: the first name that this release has.
build="gcc make pkg-config libnng-dev libmsgpack-dev|libmsgpack-c-dev libmicrohttpd-dev libwslay-dev
libuv1-dev libjansson-dev libinih-dev nettle-dev"
run="libjs-dygraphs ffmpeg"
test="bats bats-assert bats-support bats-file parallel curl procps iproute2 python3 python3-msgpack
python3-websockets python3-selenium chromium chromium-driver prometheus stunnel4 openssl"

case ${1:-run} in
run) wanted="$build $run" ;;
test) wanted="$build $run $test" ;;
*)
    echo "deps.sh: unknown set \"$1\" (there are: run, test)" >&2
    exit 2
    ;;
esac

installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

any_installed() {
    for name in $(echo "$1" | tr '|' ' '); do
        installed "$name" && return 0
    done
    return 1
}

available() {
    apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'
}

first_available() {
    for name in $(echo "$1" | tr '|' ' '); do
        if available "$name"; then
            echo "$name"
            return
        fi
    done
    echo "$1" | cut -d '|' -f 1
}

# One a line, for people.
list() {
    for entry in $missing; do
        echo "  $entry" | sed 's/|/ or /g'
    done
}

missing=""
for entry in $wanted; do
    any_installed "$entry" || missing="$missing $entry"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "deps.sh: no apt-get here; install the equivalents of:$missing" >&2
    exit 1
fi

cure="Become root (su) and run $PWD/contrib/deps.sh ${1:-run} once."
as_root=""
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "These Debian packages are missing, and there is no sudo to install them with:" >&2
        list >&2
        echo "$cure" >&2
        exit 1
    fi
    as_root=sudo
    echo "These Debian packages are missing; sudo may ask for your password to install them:"
else
    echo "Installing these Debian packages:"
fi
list
echo "With what they need themselves that may take some minutes ..."

# sudo asks for the password here, where its question is seen.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed() {
    cat "$log" >&2
    echo "deps.sh: $1" >&2
    exit 1
}
if [ -n "$as_root" ] && ! $as_root true; then
    failed "sudo does not let you. $cure"
fi
wait="-o DPkg::Lock::Timeout=120"
# shellcheck disable=SC2086 # two words
$as_root apt-get $wait update -qq || echo "deps.sh: going on with the lists of packages that are here" >&2
names=""
for entry in $missing; do
    names="$names $(first_available "$entry")"
done
$as_root env DEBIAN_FRONTEND=noninteractive apt-get $wait install -y -q --no-install-recommends $names \
    </dev/null >"$log" 2>&1 || failed "the packages could not be installed; apt-get says why above"

# The tests want promtool, which comes with a server that Debian starts at once, on port 9090.
case "$names " in
*" prometheus "*)
    if [ -d "${DEPS_SYSTEMD:-/run/systemd/system}" ]; then
        $as_root systemctl disable --now prometheus
        echo "The server of the package prometheus is stopped and disabled: only its promtool is used."
    fi
    ;;
esac
