#!/usr/bin/env bats
# tapline tap: what flows, shown.
load helper

msgs() { "$PY" "$ROOT/test/tool/msgs.py" "$@"; }
idle() { start "$1" framedecode --format lines -i "none-$1" -o "${2:-$1}" && wait_for 5 tapline req "$1" ping; }
# A terminal of so many lines.
terminal() { script -qec "stty rows ${ROWS:-24} cols 200; $1" /dev/null; }

sample() {
    msgs encode <<'E2'
panel.press {"id":1}
serial.rx {"data":{"$hex":"505245535320303031ff000d0a"},"n":1}
serial.rx {"data":{"$hex":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"}}
panel.release {"id":1,"text":"line\u001b[31m","evil\u001b[31m":2}
E2
}

@test "JSON lines, msgpack, hex" {
    sample >m
    run tapline tap <m
    assert_line --index 0 --regexp '^\{"topic":"panel.press","time":[0-9]{19},"seq":1,"body":\{"id":1\}\}$'
    assert_line --index 1 --partial '"body":{"data":{"$bin":"UFJFU1MgMDAx/wANCg=="},"n":1}}'
    tapline tap -f msgpack <m | cmp - m
    tapline tap --hex <m | grep -q '"data":"505245535320303031ff000d0a"'
    run tapline tap -f xml <m
    assert_failure 2
}

@test "pretty: times from the first message, aligned columns, short binary" {
    sample >m
    run tapline tap -f pretty <m
    assert_line --index 0 --regexp '^   \+0\.000000  -  panel.press #1      id 1$'
    assert_line --index 1 --regexp '^   \+0\.0[0-9]{5}  -  serial.rx   #1      data 505245535320303031ff000d0a  n 1$'
    assert_line --index 2 --regexp 'data 000102030405060708090a0b0c0d0e0f1011121314151617\.\.\. \(33 bytes\)$'
    assert_line --index 3 --partial '"evil\u001b[31m" 2'
    refute_output --partial $'\033'
}

@test "pretty --hex: a dump below the line, as hexdump -C" {
    sample >m
    run tapline tap -f pretty --hex <m
    assert_line --index 1 --partial 'data (13 bytes)  n 1'
    assert_line --index 2 '              00000000  50 52 45 53 53 20 30 30  31 ff 00 0d 0a           |PRESS 001....|'
    assert_line --index 5 --regexp '^ {14}00000010  10 11 .* 1f  \|\.{16}\|$'
    assert_line --index 6 --regexp '^ {14}00000020  20  +\| \|$'
    head -c 10000 /dev/zero | tr '\0' 0 >hex # 5000 bytes
    printf 'big.one {"data":{"$hex":"%s"}}\n' "$(cat hex)" | msgs encode | tapline tap -f pretty --hex >out
    grep -q '904 bytes more' out
}

@test "on a terminal: pretty with colours, unless NO_COLOR" {
    sample >m
    run terminal 'tapline tap <m'
    assert_output --partial $'\033[1;36mpanel.press'
    NO_COLOR=1 run terminal 'tapline tap <m'
    assert_output --partial 'panel.press #1'
    refute_output --partial $'\033'
    run terminal 'tapline tap -f json <m'
    assert_output --partial '{"topic":"panel.press"'
}

@test "several endpoints, topics, --count, --for" {
    idle one
    idle two
    start tap tapline tap one two -f pretty --topic test. -n 3
    until not_alive "$PID"; do
        echo '{}' | tapline put test.x --to one
        echo '{}' | tapline put none.x --to one
        echo '{}' | tapline put test.y --to two
    done
    wait "$PID"
    assert_equal "$(wc -l <tap.out)" 3
    refute grep -q none tap.out
    grep -qE '  one  test.x #' tap.out
    grep -qE '  two  test.y #' tap.out
    began=$(date +%s%N)
    run tapline tap one --topic never. --for 300ms
    assert_success
    [ $((($(date +%s%N) - began) / 1000000)) -ge 290 ]
}

@test "--rate: a block a second: rates, gaps, last number, age" {
    for n in $(seq 1 40); do echo "test.n {\"n\":$n}"; done | msgs encode | "$PY" -c "
import sys, msgpack
for m in msgpack.Unpacker(sys.stdin.buffer):
    if m[2] not in (7, 8, 20):
        sys.stdout.buffer.write(msgpack.packb(m))" >rate.in
    run bash -c '(cat rate.in; sleep 1.3) | tapline tap --rate 2>rate.err'
    assert_success
    assert_line --index 0 --regexp '^from  topic +msg/s  bytes/s +count  gaps  lost  seq +age$'
    assert_line --index 1 --regexp '^-     test.n +[0-9.]+ +[0-9.]+K? +37 +2 +3 +40 +[0-9.]+s$'
    [ "$(grep -c '^from' <<<"$output")" -ge 2 ]
    grep -q '3 messages in all were lost' rate.err
}

@test "--rate on a terminal is drawn in place, and never higher than it" {
    "$PY" -c "
import sys, msgpack
for k in range(40): sys.stdout.buffer.write(msgpack.packb(['t.n%02d' % k, 1, 1, {}]))" >m
    ROWS=10 run terminal '(cat m; sleep 2.2) | tapline tap --rate'
    assert_output --partial $'\033[9A\033[J'
    assert_output --partial 'and 33 more'
}

@test "losses are told, never silent: a tap whose reader is slow does not disturb the publisher" {
    "$PY" "$ROOT/test/tool/tape.py" make a.tap n=20000 size=2000 gap=0.00005
    start play tapline play a.tap -o src --wait 20s
    PLAY=$PID
    mkfifo slow
    exec 9<>slow
    start tap bash -c 'exec tapline tap src -f msgpack --topic test. >slow' 9>&-
    TAP=$PID
    wait_gone "$PLAY" 20
    wait_line play.err 'played 20000 messages'
    cat <slow >got 9>&- &
    PIDS+=($!)
    wait_line tap.err 'lost before they came here'
    kill -TERM "$TAP"
    wait "$TAP"
    exec 9>&-
    grep -q 'messages in all were lost' tap.err
}

@test "a reader that is slow gets all that was asked for; a signal does not wait for it" {
    "$PY" "$ROOT/test/tool/tape.py" make a.tap n=3000 size=1000 # as JSON more than the pipe holds
    mkfifo one two
    exec 8<>one 9<>two
    start one bash -c 'exec tapline tap <a.tap -n 2500 >one' 8>&- 9>&-
    start two bash -c 'exec tapline tap <a.tap >two' 8>&- 9>&-
    sleep 1.5 # a pause that no reader may be cut off for
    kill -TERM "$PID"
    wait_end "$PID"
    wait_line two.err 'the last [0-9]+ bytes were not read'
    refute not_alive "${PIDS[0]}"
    cat <one >rest 8>&- 9>&- &
    exec 8>&- 9>&-
    wait_end "${PIDS[0]}"
    wait $!
    assert_equal "$(wc -l <rest)" 2500
}

@test "damaged input is told" {
    (sample; printf 'garbage'; sample) >m
    run --separate-stderr tapline tap <m
    assert_success
    assert_equal "${#lines[@]}" 8
    [[ $stderr == *"7 bytes that came in were no messages"* ]]
}

@test "no operand: standard input when it is a pipe or a file, else the pipeline" {
    sample >m
    assert_equal "$(tapline tap <m | wc -l)" 4
    assert_equal "$(cat m | tapline tap | wc -l)" 4
    run tapline tap </dev/null
    assert_failure 1
    assert_output --partial 'no pipeline is running'
    run tapline tap fifo:tx
    assert_failure 2
    assert_output --partial 'fifo:tx has one reader'
}

@test "the whole running pipeline: every endpoint that others may attach to" {
    cat >p.conf <<'E2'
[a]
run = framedecode --format lines -i supervisor --topic none. -o - -o a | framedecode --format lines -o b
[c]
run = framedecode --format lines -i b -o "c?line" -o fifo:back
[d]
run = framedecode --format lines -i fifo:back -o d
E2
    start up tapline up p.conf
    wait_for 10 tapline req d ping
    start tap tapline tap --all -f pretty --topic test. --topic line
    for s in a d; do wait_for 5 bash -c "echo {} | tapline put test.$s --to $s; grep -qE '  $s +test.$s' tap.out"; done
    # A narrowed output, by its plain name. Put again and again: who has joined by now nobody knows.
    wait_for 5 bash -c "echo '{\"data\":{\"\$bin\":\"SGVsbG8K\"}}' | tapline put serial.rx --to b
        grep -qE '  c +line .*text \"Hello\"' tap.out"
    run tapline record -n 1 -w all.tap --topic test. --for 5s </dev/null &
    wait_for 5 bash -c "echo {} | tapline put test.b --to b; tapline info all.tap | grep -q test.b"
    assert_equal "$(tapline info --json all.tap | "$PY" -c 'import json,sys; print(json.load(sys.stdin)["sources"])')" "['a', 'b', 'c', 'd']"
    tapline down
}

@test "nothing publishes it: said after a second, and it waits on; what there is" {
    start tap tapline tap nonsense
    wait_line tap.err 'waiting for nonsense: no pipeline is running \(start one: tapline up ' 5
    idle nonsense
    wait_for 5 bash -c "echo {} | tapline put test.x --to nonsense; grep -q test.x tap.out"
    printf '[a]\nrun = framedecode --format lines -i supervisor --topic none. -o - -o a | framedecode --format lines -o b\n' >p.conf
    start up tapline up p.conf
    wait_for 10 tapline req b ping
    start tap2 tapline tap decoed a
    wait_line tap2.err 'waiting for decoed: nothing publishes it \(there are: a, b, supervisor\)' 5
    start tap3 tapline tap a tcp://127.0.0.1:1
    wait_line tap3.err 'waiting for tcp://127.0.0.1:1: nobody answers there' 5
    run tapline tap a --topic never. --for 1500ms
    assert_success
    assert_output ''
    tapline down
}

@test "--for and nobody ever published: that is a failure" {
    run tapline tap nonsense --for 100ms
    assert_failure 1
    assert_output --partial 'nothing publishes nonsense'
    idle here
    run tapline tap here nonsense --for 500ms
    assert_success
    start tap tapline tap nonsense -n 1
    sleep 0.3
    kill -TERM "$PID"
    status=0
    wait "$PID" || status=$?
    assert_equal $status 1
}

@test "a tap in a terminal ends when that is closed; one into a file goes on" {
    start file tapline tap -n 1 later
    file=$PID
    timeout 60 "$PY" - <<'END'
import os, pty, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp("tapline", ["tapline", "tap", "later"])
seen = b""
while b"waiting for later" not in seen:
    seen += os.read(fd, 4096)
os.close(fd)
for _ in range(1000):
    if os.waitpid(pid, os.WNOHANG)[0]:
        break
    time.sleep(0.01)
else:
    os.kill(pid, 9)
    raise SystemExit("it goes on where nobody sees it")
END
    wait_line file.err 'waiting for later'
    kill -HUP "$file"
    idle later
    put() { tapline put --to later a.b <<<'{}' && grep -q a.b file.out; }
    wait_for 10 put
}
