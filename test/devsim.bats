#!/usr/bin/env bats
# devsim panel, with this test as the host.

load helper

# sim [OPTION]...: a panel behind $WORK/dev, requests at "sim".
sim() {
    start sim devsim panel --link "$WORK/dev" -o sim "$@"
    SIM=$PID
    wait_for 5 test -e "$WORK/dev"
}
# host: open the line and keep all that comes in host.out.
host() {
    start host cat "$WORK/dev"
    HOST=$PID
}
heard() { tr -d '\r' <"$WORK/host.out" | grep -cE -- "$1"; }
hears() { (($(heard "$1") >= ${2:-1})); }
bus() { timeout 60 "$PY" "$ROOT/test/tool/spbus.py" "$@"; }
ask() { bus ask sim "$1"; }
ask_do() { ask "{\"op\":\"do\",\"text\":\"$1\"}"; }
stat_of() { ask '{"op":"stats"}' | grep -oE "\"$1\": [0-9]+" | grep -oE '[0-9]+$'; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # of 10 ms

@test "2.4 boots when the host opens the line" {
    sim --buttons 2
    host
    wait_for 5 hears '^READY$' 2
    run cat -A host.out
    assert_line --partial 'Button Panel v2.4.1 (PROTOTYPE: 2 LEDs)^M$'
    assert_line 'Running startup LED test...^M$'
    [[ ${lines[-1]} == 'READY^M$' ]]
    (($(heard '^READY$') == 2))
}

@test "2.4 does not wait for ever: a late host hears no banner, but the answers" {
    sim --buttons 1
    wait_for 6 eval '(($(stat_of tx_dropped_bytes) > 100))'
    sleep 0.4 # the LED run and its READY are over
    host
    wait_for 5 eval 'ask "{\"op\":\"press\",\"id\":1}" && hears "^PRESS 001$"'
    (($(heard READY) == 0))
}

@test "2.5 says READY and its version, with LF alone, and latches" {
    sim --firmware 2.5 --fast
    host
    wait_for 5 hears '^FW selection-panel'
    for i in 5 5 6 5; do ask "{\"op\":\"press\",\"id\":$i}"; done
    wait_for 5 hears PRESS 3
    echo LEDCLR >dev
    wait_for 5 hears OK
    ask '{"op":"press","id":5}'
    wait_for 5 hears PRESS 4
    run cat -A host.out
    assert_output 'READY$
FW selection-panel v2.5.1$
PRESS 005$
PRESS 006$
PRESS 005$
OK$
PRESS 005$'
}

@test "what the host sends is obeyed, shown and counted" {
    start sim devsim panel --link "$WORK/dev" --fast -o sim -o -
    wait_for 5 test -e dev
    host
    wait_for 5 hears READY 2
    printf 'PING\nledset 3\nLEDON 10\nNONSENSE\n' >dev
    wait_for 5 hears 'ERROR Unknown command'
    run ask '{"op":"leds"}'
    assert_output '{"bits": "1000000100", "id": 3, "ok": true}'
    ask '{"op":"press","id":7}'
    ask '{"op":"release","id":7}'
    printf 'LEDCLR\r\n' >dev
    wait_for 5 eval 'ask "{\"op\":\"leds\"}" | grep -q null'
    [[ $(stat_of commands) == 5 && $(stat_of unknown_commands) == 1 && $(stat_of presses) == 1 ]]
    run bus decode sim.out
    assert_line 'sim.command {"text": "ledset 3"}'
    assert_line 'sim.command {"text": "NONSENSE"}'
    assert_line 'sim.led {"bits": "0001000000", "id": 7}'
    assert_line 'sim.press {"id": 7}'
    assert_line 'sim.release {"id": 7}'
    [[ $(grep -n 'LEDCLR' <<<"$output" | cut -d: -f1) -gt $(grep -n sim.release <<<"$output" | cut -d: -f1) ]]
    assert_line 'sim.led {"bits": "0000000000", "id": null}'
    run ask '{"op":"press","id":11}'
    assert_failure
    assert_output --partial 'there is no button 11 (1 to 10)'
}

@test "commands on standard input" {
    mkfifo cmd
    exec 6<>cmd
    start sim bash -c "exec devsim panel --link $WORK/dev --fast <$WORK/cmd"
    wait_for 5 test -e dev
    host
    wait_for 5 hears READY 2
    printf 'press 5\nrelease 5\nsend HELLO YOU\nraw \\x41\\x42\\n\nnonsense 1\npress 99\nraw \\q\n' >&6
    wait_line sim.err 'unknown command "nonsense"'
    wait_line sim.err 'no button 99'
    wait_line sim.err 'is no escape'
    run tail -n 4 host.out
    assert_output $'PRESS 005\r\nRELEASE 005\r\nHELLO YOU\r\nAB'
    echo quit >&6
    exec 6>&-
    wait_end "$PID" || true
    wait_for 5 eval '[[ ! -e dev ]]'
}

@test "the end of standard input ends nothing, and its last line may lack an end" {
    sim --fast
    [[ $(stat_of presses) == 0 ]]
    printf 'press 3' | devsim panel --link "$WORK/second" -o second 2>/dev/null 3>&- &
    PIDS+=("$!")
    wait_for 5 eval 'bus ask second "{\"op\":\"leds\"}" | grep -q "\"id\": 3"'
}

@test "unplugged: the host gets a hang-up; back at another node behind the same link" {
    sim --fast
    host
    wait_for 5 hears READY
    node=$(readlink dev)
    ask '{"op":"press","id":4}'
    ask '{"op":"unplug"}'
    wait_gone "$HOST"
    [[ ! -e dev && ! -L dev ]]
    run ask '{"op":"press","id":4}'
    assert_failure
    assert_output --partial 'unplugged'
    ask '{"op":"plug"}'
    [[ $(readlink dev) != "$node" ]]
    run ask '{"op":"leds"}' # without power it has forgotten
    assert_output --partial 'null'
    host
    wait_for 5 hears READY
    ask '{"op":"unplug","ms":100}'
    wait_gone "$HOST"
    wait_for 5 test -e dev
}

@test "a host that comes and goes is seen each time" {
    start sim devsim panel --link "$WORK/dev" --fast -o sim -o -
    wait_for 5 test -e dev
    for i in 1 2 3; do
        host
        wait_for 5 eval "((\$(bus decode sim.out | grep -c '\"host\": true') == $i))"
        kill "$HOST"
        wait_for 5 eval "bus decode sim.out | grep sim.port | tail -n 1 | grep -q '\"host\": false'"
    done
    (($(bus decode sim.out | grep -c '"plugged": true') == 7))
}

@test "costs nothing while nothing happens, with and without a host" {
    sim --fast
    before=$(ticks "$SIM")
    sleep 0.7 # measures
    host
    wait_for 5 hears READY
    sleep 0.7
    kill "$HOST"
    wait_gone "$HOST"
    sleep 0.7
    echo "ticks: $(($(ticks "$SIM") - before))"
    (($(ticks "$SIM") - before <= 6))
}

@test "a host that does not read costs a bounded amount" {
    sim --fast
    exec 8<>dev
    wait_for 5 eval '(($(stat_of tx_bytes) > 0))'
    ask_do 'burst 30000'
    wait_for 5 eval '(($(stat_of presses) == 30000))'
    (($(stat_of tx_dropped_bytes) > 100000))
    wait_line sim.err 'the host does not read'
    (($(wc -l <sim.err) < 20))
    # What there was room for comes out undamaged.
    start reader cat dev
    exec 8>&-
    wait_for 5 eval '(($(stat -c %s reader.out) > 60000))'
    tr -d '\r' <reader.out | sed '$d' | sed -n '/^Running/,$p' >rest
    run grep -vE '^(PRESS|RELEASE) [0-9]{3}$|^READY$|^Running' rest
    assert_output ''
}

@test "stop-reading holds the host's commands back" {
    sim --fast
    host
    wait_for 5 hears READY 2
    ask_do stop-reading
    echo PING >dev
    [[ $(stat_of commands) == 0 ]]
    ask_do start-reading
    wait_for 5 hears PONG
}

@test "a burst is evenly numbered and complete" {
    sim --fast
    host
    wait_for 5 hears READY 2
    ask_do 'burst 25 2ms'
    wait_for 5 hears RELEASE 25
    run bash -c "grep PRESS host.out | tr -d '\r' | sort | uniq -c | sort -k2,3"
    assert_line --index 0 --regexp ' 3 PRESS 001'
    assert_line --index 9 --regexp ' 2 PRESS 010'
}

@test "a script keeps its times and starts again" {
    cat >script <<'END'
# three presses
wait 100ms
press 1
after 100ms press 2
at 500ms press 3
send DONE
wait 100ms
loop
END
    sim --fast --script script
    host
    wait_for 5 hears '^DONE$' 3
    # The host may be late for the first round.
    run bash -c "tr -d '\r' <host.out | grep -E 'PRESS|DONE' | sed '1,/DONE/d' | head -n 8 | tr '\n' ' '"
    assert_output 'PRESS 001 PRESS 002 PRESS 003 DONE PRESS 001 PRESS 002 PRESS 003 DONE '
    start sim2 devsim panel --script script -o -
    wait_for 5 eval '(($(bus times sim2.out | grep -c sim.press) >= 4))'
    run bash -c "'$PY' '$ROOT/test/tool/spbus.py' times sim2.out | awk '/sim.press/ {print \$1}' | head -n 4"
    d12=$(((lines[1] - lines[0]) / 1000000))
    d13=$(((lines[2] - lines[0]) / 1000000))
    d14=$(((lines[3] - lines[0]) / 1000000))
    echo "$d12 $d13 $d14"
    # A busy machine may be late with the first one; 600 ms and more would be "at" counted wrongly.
    ((d12 >= 50 && d13 >= 350 && d13 < 600 && d14 >= 550))
}

@test "a script without any time in it does not take the processor" {
    echo 'loop' >script
    sim --script script
    before=$(ticks "$SIM")
    sleep 0.5 # measures
    (($(ticks "$SIM") - before <= 10))
}

@test "a wrong script is refused with file and line" {
    printf 'press 1\n\npress 11\n' >script
    run -2 devsim panel --script script
    assert_output --partial 'script:3: there is no button 11 (1 to 10)'
    printf 'after soon press 1\n' >script
    run -2 devsim panel --script script
    assert_output --partial 'script:1: "soon" is not a duration'
    run -2 devsim panel --script nothing
    assert_output --partial 'cannot read the script nothing'
}

@test "random presses are the same for the same seed" {
    for i in 1 2; do
        start "sim$i" devsim panel --random 10ms --seed 7 -o -
        wait_for 10 eval "((\$(bus decode sim$i.out | grep -c sim.press) >= 20))"
        bus decode "sim$i.out" | grep sim.press | head -n 20 >"presses$i"
    done
    cmp presses1 presses2
    (($(sort -u presses1 | wc -l) > 3))
}

@test "messages can command it too" {
    start sim devsim panel -i fifo:do -o -
    wait_for 5 test -e "$TAPLINE_RUN/do.fifo"
    bus put sim.do '{"text":"press 6"}' 1<>"$TAPLINE_RUN/do.fifo"
    wait_for 5 eval 'bus decode sim.out | grep -q "sim.press {\"id\": 6}"'
}

@test "the link: replaced when it is one, spared when it is not, removed at the end" {
    ln -s /nowhere dev
    sim
    wait_for 5 eval '[[ $(readlink dev) == /dev/pts/* ]]'
    kill "$SIM"
    wait_end "$SIM"
    [[ ! -L dev ]]
    echo precious >dev
    run -1 devsim panel --link dev
    assert_output --partial 'no symbolic link'
    [[ $(cat dev) == precious ]]
}

@test "a link that another one has taken over is left alone" {
    sim
    first=$SIM
    node=$(readlink dev)
    start other devsim panel --link "$WORK/dev"
    wait_for 5 eval '[[ $(readlink dev) != "$node" ]]'
    kill "$first"
    wait_end "$first"
    [[ -e dev ]]
}

@test "serialcat killed without a word can come back" {
    sim --fast
    start cat1 serialcat --device "$WORK/dev" -o -
    wait_for 5 eval 'grep -q READY cat1.out'
    kill -KILL "$PID"
    wait_for 5 eval '[[ -e dev ]]'
    start cat2 serialcat --device "$WORK/dev" -o -
    wait_line cat2.err 'connected'
    ask '{"op":"press","id":2}'
    wait_for 5 grep -q 'PRESS 002' cat2.out
}

@test "usage" {
    run -0 devsim --help
    assert_line --partial 'panel'
    run -0 devsim panel --help
    assert_line --partial '--buttons N          buttons and LEDs [10]'
    for args in "" "toaster" "--nonsense" "panel --buttons 0" "panel --buttons 101" \
        "panel --firmware 3" "panel --random soon" "panel operand"; do
        run -2 --separate-stderr devsim $args
        [[ -z $output && ${#stderr_lines[@]} == 1 ]]
    done
    run -2 devsim toaster
    assert_output 'devsim: unknown device "toaster" (see devsim --help)'
}
