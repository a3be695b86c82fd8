#!/usr/bin/env bats
# serialcat against a pseudo-terminal that plays the device (tool/fake_tty.py).

load helper

setup() {
    common_setup
    TOOL=$ROOT/test/tool
}

# device [LINK]: a fake device behind LINK (default dev), told what to do by `tell`.
device() {
    start tty "$PY" "$TOOL/fake_tty.py" "$WORK/${1:-dev}" "$WORK/ctl" "$WORK/log"
    wait_line "$WORK/tty.out" '^ready'
    NODE=$(sed -n 's/^ready //p' "$WORK/tty.out")
}
# Opened for both: to open a named pipe that nobody reads for writing alone waits for ever.
tell() { echo "$*" 1<>"$WORK/ctl"; }

# serial [OPTION]...: serialcat with its messages in cat.out, requests at "serial".
serial() {
    start cat serialcat "$@" -o - -o serial
    CAT=$PID
}
bus() { timeout 60 "$PY" "$TOOL/spbus.py" "$@"; }
seen() { bus decode "$WORK/cat.out" | grep -qE -- "$1"; }
wait_seen() { wait_for 10 seen "$1"; }
ask() { bus ask serial "$1"; }
state() { ask '{"op":"state"}'; }
log_is() { [[ $(cat "$WORK/log") == "$1" ]]; }
size_is() { (($(bus data serial.rx "$WORK/cat.out" | wc -c) == $1)); }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # of 10 ms
stat_of() { ask '{"op":"stats"}' | grep -oE "\"$1\": [0-9]+" | grep -oE '[0-9]+$'; }

# Somebody who is not allowed everything: nobody when this is root, else we ourselves.
as_user() { # in a subshell
    if ((EUID == 0)); then exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; fi
    exec "$@"
}
export -f as_user

# A place and a copy of the program that this somebody can use.
for_user() {
    chmod 0755 "$WORK"
    cp "$BIN/serialcat" "$WORK/serialcat"
}

@test "sets the line raw and says so" {
    device
    tell termios
    wait_line tty.out '^iflag=[1-9].*ICANON.*ECHO'
    serial --device "$WORK/dev"
    wait_seen 'serial.state .*"connected": true.*"state": "up"'
    wait_line cat.err "connected: $NODE \(115200 baud\)"
    tell termios
    wait_line tty.out '^iflag=0 speed=115200 CREAD CLOCAL CS8 min=1 time=0$'
}

@test "sets another rate" {
    device
    serial -p "$WORK/dev" -b 9600
    wait_line cat.err '9600 baud'
    tell termios
    wait_line tty.out 'speed=9600'
}

@test "nothing is echoed to the device" {
    device
    serial --device "$WORK/dev"
    wait_seen '"state": "up"'
    tell 'send hello\r\n'
    wait_seen 'serial.rx \{"data": "hello\\r\\n"\}'
    tell 'send \x03\x04\x11\x13'
    wait_seen 'serial.rx .*u0003.u0004.u0011.u0013'
    [[ ! -s log ]]
}

@test "what waited in the line before the start is not thrown away" {
    device
    tell 'send boot text\n'
    wait_line log 'boot text' # the cooked line echoes: it is there
    serial --device "$WORK/dev"
    wait_seen 'serial.rx \{"data": "boot text\\n"\}'
}

@test "an unplugged device is noticed at once, costs nothing, and is back at once under another node" {
    device
    serial --device "$WORK/dev"
    wait_seen '"state": "up"'
    sleep 1 # a device that was up for less than a second gets no fresh start
    tell unplug
    wait_seen '"cause": "unplugged", "connected": false.*"state": "absent"'
    before=$(ticks "$CAT")
    gone=$(sed -n 's/^unplugged //p' tty.out)
    said=$(bus times cat.out | sed -n 's/ serial.state .*"state": "absent".*//p')
    echo "noticed after $(((said - gone) / 1000)) us"
    ((said - gone < 100000000))
    sleep 1 # measures
    echo "ticks: $(($(ticks "$CAT") - before))"
    (($(ticks "$CAT") - before <= 3))
    tell plug
    wait_for 10 eval '(($(bus decode cat.out | grep -c "\"state\": \"up\"") == 2))'
    back=$(sed -n 's/^plugged //p' tty.out | tail -n 1)
    said=$(bus times cat.out | sed -n 's/ serial.state .*"state": "up".*//p' | tail -n 1)
    echo "back after $(((said - back) / 1000)) us"
    ((said - back < 1000000000))
    [[ $(bus decode cat.out | sed -n 's/.*"path": "\(.*\)", "state": "up".*/\1/p' | sort -u | wc -l) == 2 ]]
    tell 'send again\n'
    wait_seen 'serial.rx \{"data": "again\\n"\}'
    wait_line cat.err "lost: $NODE is gone"
    (($(grep -c lost: cat.err) == 1))
}

@test "a device missing at the start is waited for" {
    serial --device "$WORK/dev"
    wait_seen 'serial.state .*"cause": "absent", "connected": false.*"state": "absent"'
    wait_line cat.err "waiting for $WORK/dev"
    device
    wait_seen '"state": "up"'
    came=$(sed -n 's/^plugged //p' tty.out)
    said=$(bus times cat.out | sed -n 's/ serial.state .*"state": "up".*//p')
    echo "found after $(((said - came) / 1000)) us"
    ((said - came < 400000000)) # by being told; looking takes longer
    (($(grep -c waiting cat.err) == 1))
}

@test "a missing directory is waited for, again and again" {
    serial --device "$WORK/by/id/board-if00"
    wait_seen '"state": "absent"'
    device
    mkdir -p by/id
    ln -s "$NODE" by/id/board-if00
    wait_for 3 seen "\"path\": \"$NODE\", \"state\": \"up\""
    tell unplug
    rm -r by
    wait_seen '"cause": "unplugged"'
    tell plug
    mkdir by
    mkdir by/id
    ln -s "$(readlink dev)" by/id/board-if00
    wait_for 3 eval '(($(bus decode cat.out | grep -c "\"state\": \"up\"") == 2))'
}

@test "a glob finds the device under whatever number it has" {
    mkdir d
    : >d/ttyF0.txt # no device
    serial --device "$WORK/nothing" --device "$WORK/d/ttyF*"
    wait_seen "\"device\": \"$WORK/nothing or .*\"state\": \"absent\""
    device d/ttyF7
    wait_seen "\"path\": \"$NODE\", \"state\": \"up\""
    tell unplug
    wait_seen '"cause": "unplugged"'
    tell "link $WORK/d/ttyF3"
    tell plug
    wait_for 3 eval '(($(bus decode cat.out | grep -c "\"state\": \"up\"") == 2))'
}

@test "the first device of the list that is there wins" {
    device
    ln -s /dev/null other
    serial --device "$WORK/none" --device "$WORK/dev" --device "$WORK/other"
    wait_seen "\"path\": \"$NODE\", \"state\": \"up\""
}

@test "no permission: says why and how to cure it, once, and goes on when it is given" {
    for_user
    device
    if ((EUID == 0)); then chgrp dialout "$NODE"; fi
    tell 'mode 060'
    wait_for 5 eval '[[ $(stat -L -c %a dev) == 60 ]]'
    group=$(stat -L -c %G dev)
    start cat bash -c 'as_user "$@"' - "$WORK/serialcat" --device "$NODE" -o -
    wait_seen '"cause": "permission", "connected": false.*"state": "failed"'
    wait_line cat.err "cannot open $NODE: Permission denied \(add the user $(as_user id -un) to group $group"
    sleep 1.5 # another try has failed meanwhile
    (($(grep -c Permission cat.err) == 1))
    tell 'mode 666'
    wait_seen '"state": "up"'
}

@test "permissions that udev sets a moment after the node are waited for" {
    for_user
    device
    tell 'mode 666'
    wait_for 5 eval '[[ $(stat -L -c %a dev) == 666 ]]'
    start cat bash -c 'as_user "$@"' - "$WORK/serialcat" --device "$WORK/dev" -o -
    wait_seen '"state": "up"'
    tell unplug
    wait_seen '"state": "absent"'
    tell 'plug 000'
    wait_seen '"cause": "permission", "connected": false.*"state": "opening"'
    tell 'mode 666'
    wait_for 10 eval '(($(bus decode cat.out | grep -c "\"state\": \"up\"") == 2))'
}

@test "no serial device: says so" {
    echo >plain
    serial --device "$WORK/plain"
    wait_seen '"cause": "failed".*plain is no serial device.*"state": "failed"'
}

@test "no serial device, and not ours either: that it is none comes first" {
    echo >plain
    chmod 0 plain
    chmod 755 "$WORK"
    cp "$BIN/serialcat" .
    as_user=()
    [ "$(id -u)" != 0 ] || as_user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
    start plain "${as_user[@]}" ./serialcat --device "$WORK/plain"
    wait_line plain.err 'plain is no serial device'
    run ! grep -q Permission plain.err
}

@test "a device in use is refused, named, and taken when it is free" {
    device
    start first serialcat --device "$WORK/dev" -o -
    FIRST=$PID
    wait_line first.err connected
    serial --device "$WORK/dev" -b 9600
    wait_seen '"cause": "busy", "connected": false'
    wait_line cat.err "cannot open $WORK/dev: process $FIRST \(serialcat\) has it"
    tell termios
    wait_line tty.out 'speed=115200' # the loser has changed nothing
    tell 'send mine\n'
    wait_for 5 eval 'bus decode first.out | grep -q mine'
    kill "$FIRST"
    wait_seen '"state": "up"'
    run bus decode cat.out
    refute_output --partial mine
}

@test "an ordinary user's open is exclusive, and a killed owner leaves the line usable" {
    for_user
    device
    tell 'mode 666'
    wait_for 5 eval '[[ $(stat -L -c %a dev) == 666 ]]'
    start cat bash -c 'as_user "$@"' - "$WORK/serialcat" --device "$NODE" -o -
    wait_seen '"state": "up"'
    run timeout 5 bash -c "as_user cat $NODE"
    assert_failure
    assert_output --partial 'busy'
    kill "$PID"
    wait_gone "$PID"
    run bash -c "as_user stty -F $NODE"
    assert_success
}

@test "writes what messages and requests say" {
    device
    serial --device "$WORK/dev" -i fifo:tx
    wait_seen '"state": "up"'
    bus put serial.tx '{"data":"LEDSET 005\n"}' 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 5 log_is 'LEDSET 005'
    bus put serial.tx '{"data":"b:PING\n"}' 1<>"$TAPLINE_RUN/tx.fifo"
    bus put other.topic '{"data":"NO\n"}' 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 5 log_is $'LEDSET 005\nPING'
    run ask '{"op":"write","data":"LEDCLR\n"}'
    assert_success
    run ask '{"op":"write","data":"b:STATUS\n"}'
    assert_success
    wait_for 5 log_is $'LEDSET 005\nPING\nLEDCLR\nSTATUS'
    run ask '{"op":"write"}'
    assert_failure
    assert_output --partial 'needs \"data\"'
    head -c 70000 /dev/zero | tr '\0' x >big
    run bus ask serial "{\"op\":\"write\",\"data\":\"$(cat big)\"}"
    assert_failure
    assert_output --partial '70000 bytes are more than --tx-queue holds (65536)'
    run ask '{"op":"dance"}'
    assert_failure
    [[ $(stat_of tx_bytes) == 30 && $(stat_of tx_dropped) == 1 ]]
}

@test "requests without a device are refused with the reason" {
    serial --device "$WORK/dev" -i fifo:tx
    wait_seen '"state": "absent"'
    run ask '{"op":"write","data":"LEDCLR\n"}'
    assert_failure
    assert_output --partial "device $WORK/dev is not connected: LEDCLR dropped"
    run state
    assert_success
    assert_output --partial '"connected": false'
    bus put serial.tx '{"data":"LEDSET 005\n"}' 1<>"$TAPLINE_RUN/tx.fifo"
    wait_line cat.err 'not connected: LEDSET 005 dropped'
    [[ $(stat_of tx_dropped) == 2 ]]
}

@test "a device that stops reading holds up nobody, and gets whole lines, the newest, later" {
    device
    serial --device "$WORK/dev" -i fifo:tx --tx-queue 16k
    wait_seen '"state": "up"'
    tell hold
    before=$(stat_of memory_bytes)
    bus put serial.tx '{"data":"LEDSET %d\n"}' 30000 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 10 eval '[[ $(stat_of in) == 30000 ]]'
    tell 'send PRESS 005\n'
    wait_seen 'serial.rx \{"data": "PRESS 005'
    (($(stat_of queue) <= 16384 && $(stat_of tx_dropped) > 20000))
    echo "memory grew by $(($(stat_of memory_bytes) - before))"
    (($(stat_of memory_bytes) - before < 16 << 20))
    wait_line cat.err 'does not take what is sent to it'
    (($(grep -c 'does not take' cat.err) < 20))
    ask '{"op":"write","data":"LEDCLR\n"}' >answer &
    asking=$!
    wait_for 5 eval '[[ $(stat_of requests_waiting) == 1 ]]'
    [[ ! -s answer ]]
    tell go
    wait_for 10 grep -q LEDCLR log
    wait_end "$asking" 20
    grep -q '"ok": true' answer
    grep -q '^LEDSET 30000$' log
    run grep -vE '^LEDSET [0-9]+$|^LEDCLR$' log
    assert_output ''
    sed -n 's/LEDSET //p' log | sort -nc
    (($(wc -l <log) + $(stat_of tx_dropped) == 30001))
}

@test "an unplugged device answers the writes that waited for it" {
    device
    serial --device "$WORK/dev"
    wait_seen '"state": "up"'
    tell hold
    head -c 60000 /dev/zero | tr '\0' x >big
    echo "{\"op\":\"write\",\"data\":\"$(cat big)\"}" >request
    ask "$(cat request)" >answer &
    asking=$!
    wait_for 5 eval '[[ $(stat_of requests_waiting) == 1 ]]'
    tell unplug
    wait_for 5 grep -q 'did not take it: dropped' answer
    wait_end "$asking" 20 || true # it says no
}

@test "every byte passes unchanged, both ways" {
    device
    serial --device "$WORK/dev" -i fifo:tx
    wait_seen '"state": "up"'
    head -c 1048576 /dev/urandom >random
    tell "file $WORK/random"
    wait_for 30 size_is 1048576
    bus data serial.rx cat.out | cmp - random
    all=$("$PY" -c 'import json; print(json.dumps({"data": "b:" + bytes(range(256)).decode("latin-1")}))')
    bus put serial.tx "$all" 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 5 eval '(($(stat -c %s log) == 256))'
    "$PY" -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' | cmp - log
}

@test "a reader that does not read holds the device back, loses nothing, and commands still pass" {
    device
    mkfifo out
    exec 7<>out
    start cat bash -c "exec serialcat --device $WORK/dev -i fifo:tx -o - -o serial >$WORK/out"
    CAT=$PID
    wait_line cat.err connected
    head -c 8388608 /dev/urandom >random
    tell "file $WORK/random"
    wait_for 10 eval 'a=$(stat_of rx_bytes); ((a > 1000000)) && sleep 0.3 && (($(stat_of rx_bytes) == a))'
    (($(stat_of rx_bytes) < 4000000))
    bus put serial.tx '{"data":"LEDCLR\n"}' 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 5 log_is LEDCLR
    start reader cat out
    exec 7>&-
    wait_for 30 eval '[[ $(stat_of rx_bytes) == 8388608 ]]'
    wait_for 10 eval 'bus data serial.rx reader.out | cmp -s - random'
}

@test "loss is noticed while the reader does not read" {
    device
    mkfifo out
    exec 7<>out
    start cat bash -c "exec serialcat --device $WORK/dev -o - -o serial >$WORK/out"
    wait_line cat.err connected
    head -c 8388608 /dev/urandom >random
    tell "file $WORK/random"
    wait_for 10 eval 'a=$(stat_of rx_bytes); ((a > 1000000)) && sleep 0.3 && (($(stat_of rx_bytes) == a))'
    tell unplug
    wait_line cat.err lost:
    exec 7>&-
}

@test "as a session leader it takes no controlling terminal" {
    device
    start cat setsid serialcat --device "$WORK/dev" -o -
    wait_seen '"state": "up"'
    run awk '{print $6, $7}' "/proc/$PID/stat"
    assert_output "$PID 0"
    tell unplug
    wait_seen '"cause": "unplugged"'
    tell plug
    wait_for 5 eval '(($(bus decode cat.out | grep -c "\"state\": \"up\"") == 2))'
}

@test "ends well on SIGTERM, up, absent and with a device that does not read" {
    device
    for kind in up absent held; do
        dev=$WORK/dev
        [[ $kind == absent ]] && dev=$WORK/none
        [[ $kind == held ]] && tell hold
        serial --device "$dev" -i fifo:tx
        wait_for 5 state
        [[ $kind == held ]] && bus put serial.tx '{"data":"LEDSET 000000000000000000000000000000005\n"}' 2000 1<>"$TAPLINE_RUN/tx.fifo"
        [[ $kind == held ]] && wait_for 5 eval '(($(stat_of queue) > 0))'
        kill "$CAT"
        wait_end "$CAT" # by itself: what hangs is ended by SIGALRM
    done
}

@test "a last command still reaches the device" {
    device
    serial --device "$WORK/dev" -i fifo:tx
    wait_seen '"state": "up"'
    tell hold
    bus put serial.tx '{"data":"LEDSET 1\n"}' 6000 1<>"$TAPLINE_RUN/tx.fifo"
    wait_for 5 eval '(($(stat_of queue) > 0))'
    kill "$CAT"
    tell go
    wait_gone "$CAT"
    wait_for 5 eval '(($(wc -l <log) == 6000))'
}

@test "bad usage: one line and status 2" {
    for args in "" "--device" "--device /dev/x --baud 12345" "--device /dev/x --baud abc" \
        "--device /dev/x --nonsense" "--device /dev/x operand" "--device /dev/x --tx-queue 1"; do
        run -2 --separate-stderr serialcat $args
        [[ -z $output && ${#stderr_lines[@]} == 1 ]]
    done
    run -2 serialcat --device /dev/x --baud 12345
    assert_output --partial '--baud 12345: no such rate here; there are 50, 75'
    run -0 serialcat --help
    assert_output --partial '[115200]'
}
