# What every bats file loads first: `load helper`.
#
# Each test has a run directory of its own (TAPLINE_RUN), processes started with `start` are ended
# by teardown, and everything is waited for by its effect, never by a sleep of a guessed length.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BIN=${TAPLINE_BIN:-$ROOT/build/bin}
PY=/usr/bin/python3
PATH=$BIN:$PATH

common_setup() {
    # Unix socket paths hold 107 bytes, so not below BATS_TEST_TMPDIR.
    WORK=$(mktemp -d /tmp/tl.XXXXXX)
    export TAPLINE_RUN=$WORK/run
    mkdir -m 0700 "$TAPLINE_RUN"
    unset TAPLINE_STAGE
    # Services of this machine are none of a test's business.
    export TAPLINE_SYSTEM_RUN=$WORK/system
    PIDS=()
    cd "$WORK" || return 1
}

common_teardown() {
    local p
    for p in "${PIDS[@]}"; do kill -TERM "$p" 2>/dev/null || true; done
    for p in "${PIDS[@]}"; do wait_gone "$p" 3 || kill -KILL "$p" 2>/dev/null || true; done
    end_strays
    cd /
    rm -rf "$WORK"
}

# Whatever a test has started knows its run directory, even when the shell between us has gone.
end_strays() {
    local e
    for e in $(grep -lzxsF "TAPLINE_RUN=$WORK/run" /proc/[0-9]*/environ); do
        e=${e#/proc/}
        kill -KILL "${e%/environ}" 2>/dev/null || true
    done
}

setup() { common_setup; }
teardown() { common_teardown; }

# start NAME COMMAND...: run in the background, output to $WORK/NAME.out and NAME.err, pid in $PID.
start() {
    local name=$1
    shift
    "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" 3>&- </dev/null &
    PID=$!
    PIDS+=("$PID")
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails (and says so) after that time.
wait_for() {
    local limit=$1 end
    shift
    end=$(($(date +%s%N) + limit * 1000000000))
    until "$@" >/dev/null 2>&1; do
        if (($(date +%s%N) > end)); then
            echo "not within $limit s: $*" >&2
            tail -n 20 "$WORK"/*.err >&2 2>/dev/null || true
            return 1
        fi
        sleep 0.02
    done
}

# has_subscribers ENDPOINT COUNT: so many have joined that endpoint of the stage that is called so.
has_subscribers() {
    [ "$(tapline req "$1" stats | "$PY" -c "import json,sys
print([o['subscribers'] for o in json.load(sys.stdin)['stats']['outputs'] if o['name'] == '$1'][0])")" -ge "$2" ]
}

# Both take patterns as grep -E does.
wait_line() { wait_for "${3:-10}" grep -qE -- "$2" "$1"; }
wait_gone() { wait_for "${2:-5}" not_alive "$1"; }
# wait_end PID [SECONDS]: until that child of ours has ended; its exit status.
wait_end() { wait_gone "$1" "${2:-10}" && wait "$1"; }
not_alive() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; }

free_port() {
    "$PY" "$ROOT/test/tool/ports.py"
}
