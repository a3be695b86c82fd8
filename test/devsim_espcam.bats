#!/usr/bin/env bats
# devsim espcam: captures, and cameras on a line with our own stages as the host.

load helper

export TAPLINE_SHARE=$ROOT
bus() { "$PY" "$ROOT/test/tool/spbus.py" "$@"; }
ask() { bus ask "$@"; }
stat_of() { ask "${2:-sim}" '{"op":"stats"}' | grep -oE "\"$1\": [0-9]+" | head -n 1 | grep -oE '[0-9]+$'; }
# Hashes of the pictures that messages in $1 tell of; $2 narrows.
told() { bus decode "$1" | grep sim.picture | grep -E "${2:-.}" | grep -oE '[0-9a-f]{64}' | sort; }
stored() { find "${1:-out}" -name '*.jpg' -exec sha256sum {} + 2>/dev/null | cut -c1-64 | sort; }
saved() { find "${1:-out}" -name '*.jpg' 2>/dev/null | wc -l; }
capture() { devsim espcam --write cap "$@" -o - >told.mp 2>/dev/null; }
decode() { rm -rf out && framedecode --format espcam 2>/dev/null | imgwrite --dir out -q; }
# sim [OPTION]...: cameras behind $WORK/dev, messages in sim.out.
sim() {
    start sim devsim espcam --link "$WORK/dev" -o sim -o - "$@"
    SIM=$PID
    wait_for 5 test -e "$WORK/dev"
}
# host: read the line, decode, save into out.
host() {
    start host bash -c "serialcat --device '$WORK/dev' -o - -o serial | framedecode --format espcam -o - -o dec | imgwrite --dir '$WORK/out' -q"
    HOST=$PID
    wait_for 5 test -S "$TAPLINE_RUN/serial.rep"
}
# tell TEXT: one write of the host.
tell() { ask serial "{\"op\":\"write\",\"data\":\"$1\"}"; }
pictures() { bus decode sim.out | grep -c "sim.picture.*${1:-}" || true; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # of 10 ms

@test "a capture of each dialect holds what it says, and the same for the same seed" {
    for d in A B C D; do
        capture --dialect $d --count 24 --seed 5
        mv cap first
        capture --dialect $d --count 24 --seed 5
        cmp cap first
        (($(told told.mp true | wc -l) == 24 && $(told told.mp | uniq | wc -l) == 24))
        decode <cap
        diff <(told told.mp) <(stored)
    done
    capture --dialect D --count 24 --seed 6
    run ! cmp cap first
}

@test "the frames are those of the dialect" {
    frame() { head -c 19 cap | od -An -tx1 | tr -d ' \n'; }
    capture --dialect A --count 1 --cameras 1 --seed 1
    [[ $(frame) == faceaabb246f28a1b2c30100000000000000?? ]]
    grep -aqE 'HASH:[0-9a-f]{64},VOLT:[0-9]+,TEMP:[-0-9.]+,2025/06/22 12:' cap
    capture --dialect B --count 1 --cameras 1 --seed 1
    [[ $(frame) == faceaabb246f28a1b2c30100000000??000000 ]]
    capture --dialect C --count 1 --cameras 1 --seed 1
    [[ $(frame) == faceaabb246f28a1b2c30201000000df000000 ]]
    grep -aqE 'HASH:[0-9a-f]{16},VOLT:[0-9]+,TEMP:[-0-9]+\.[0-9],TDS_VOLT:-999\.0,2025' cap
    capture --dialect D --count 1 --cameras 1 --seed 1
    [[ $(frame) == faceaabb246f28a1b2c30201000000fa000000 ]]
    (($(stat -c %s cap) > 14061))
    capture --dialect A --hash none --count 2 --seed 1
    (($(grep -ac HASH: cap) == 0))
    decode <cap
    (($(saved) == 2))
}

@test "doubled, swapped, and garbage between frames: every picture arrives" {
    for d in A C; do
        capture --dialect $d --count 40 --seed 3 --double 2% --swap 2% --noise 3%
        (($(told told.mp true | wc -l) == 40))
        decode <cap
        diff <(told told.mp) <(stored)
    done
}

@test "damaged, lost and cut frames: the whole pictures arrive, and no other" {
    for d in A B C D; do
        capture --dialect $d --count 60 --seed 4 --corrupt 0.3% --loss 0.2% --cut 0.1% --radio-loss 0.1% \
            --double 0.3% --swap 0.3% --noise 1%
        whole=$(told told.mp true | wc -l)
        ((whole > 10 && whole < 60))
        decode <cap
        [[ -z $(comm -23 <(told told.mp true) <(stored)) ]]
        [[ -z $(comm -13 <(told told.mp) <(stored)) ]]
        (($(saved) <= whole + 10))
    done
}

@test "four cameras on a line, as fast as it takes: all saved as they were" {
    sim --every 0 --pace 0 --count 40 --seed 2
    host
    wait_for 20 eval '(($(pictures) == 40))'
    wait_for 5 eval '(($(saved) == 40))'
    diff <(told sim.out true) <(stored)
    for m in c3 c4 c5 c6; do (($(ls out | grep -c "^246f28a1b2$m") >= 5)); done
    sleep 0.3
    (($(pictures) == 40))
    [[ $(stat_of tx_dropped_bytes) == 0 ]]
}

@test "the pace is kept" {
    sim --every 0 --pace 5ms --cameras 2 --count 2 --seed 2
    host
    wait_for 10 eval '(($(pictures) == 2))'
    mapfile -t at < <(bus times sim.out | grep -E 'sim.port.*"host": true|sim.picture' | cut -d' ' -f1)
    ms=$(((at[2] - at[0]) / 1000000))
    frames=$(stat_of frames)
    echo "$frames frames in $ms ms"
    ((frames > 100 && ms >= frames * 5 * 9 / 10 && ms < frames * 5 * 3 + 1000))
}

@test "nothing is taken while no host listens, and it costs nothing" {
    sim --every 50ms --pace 0
    before=$(ticks "$SIM")
    sleep 1 # measures
    [[ $(stat_of pictures) == 0 ]]
    (($(ticks "$SIM") - before <= 4))
    host
    wait_for 10 eval '(($(saved) > 8))'
}

@test "each camera keeps its own time, and they are not all at once" {
    sim --every 800ms --pace 0 --seed 1
    host
    wait_for 10 eval '(($(pictures) >= 8))'
    run bash -c "'$PY' '$ROOT/test/tool/spbus.py' times sim.out | grep sim.picture | head -n 8"
    first=$(cut -d' ' -f1 <<<"${lines[0]}") last=$(cut -d' ' -f1 <<<"${lines[7]}")
    ms=$(((last - first) / 1000000))
    echo "$ms ms"
    ((ms >= 1300 && ms < 3500))
}

@test "told to sleep, a camera sleeps, the others go on" {
    sim --every 100ms --pace 0 --cameras 2
    host
    wait_for 10 eval '(($(pictures b2:c3) > 1))'
    tell 'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:600\n'
    wait_for 5 eval '[[ $(stat_of sleeps) == 1 ]]'
    wait_for 5 eval 'bus decode sim.out | grep -qF "sim.sleep {\"mac\": \"24:6f:28:a1:b2:c3\", \"seconds\": 600.0}"'
    bus decode sim.out | grep -qF 'sim.command {"taken": true, "text": "CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:600"}'
    sleep 0.2 # the picture under way
    one=$(pictures b2:c3) other=$(pictures b2:c4)
    wait_for 10 eval '(($(pictures b2:c4) > other + 3))'
    (($(pictures b2:c3) == one))
    ask sim '{"op":"cameras"}' | grep -qE '"asleep_ms": 59[0-9]{4}'
    ask sim '{"op":"do","text":"wake 1"}'
    wait_for 10 eval '(($(pictures b2:c3) > one))'
    run ! ask sim '{"op":"do","text":"sleep 3 5s"}'
    ask sim '{"op":"do","text":"sleep 24:6f:28:a1:b2:c4 5s"}'
    wait_for 5 eval '[[ $(stat_of sleeps) == 2 ]]'
}

@test "orders that a gateway does not take" {
    sim --every 1h --pace 0
    host
    for text in 'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:0\n' 'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:86401\n' \
        'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:00:60\n' 'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:\n' \
        'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:6x\n' 'nonsense\n' \
        'CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:9\nCMD_SEND_ESP_NOW:24:6f:28:a1:b2:c4:9\n'; do
        before=$(stat_of unknown_commands)
        tell "$text"
        wait_for 5 eval '(($(stat_of unknown_commands) == before + 1))'
    done
    [[ $(stat_of sleeps) == 0 ]]
}

@test "unplugged in the middle of a picture: that one is not whole, what follows is" {
    sim --every 0 --pace 1ms --cameras 1
    host
    wait_for 10 eval '(($(pictures) >= 2))'
    ask sim '{"op":"unplug"}'
    wait_for 5 eval '(($(told sim.out false | wc -l) == 1))'
    [[ ! -e dev ]]
    ask sim '{"op":"plug"}'
    wait_for 15 eval '(($(told sim.out true | wc -l) >= 5))'
    kill "$SIM"
    wait "$SIM"
    lost=$(told sim.out false)
    wait_for 5 eval '(($(saved) >= 4))'
    run grep -F "$(head -n 1 <<<"$lost")" <(stored)
    assert_output ''
}

@test "a picture on demand, by number and by address" {
    sim --every 1h --pace 0
    run ! ask sim '{"op":"picture","camera":"1"}'
    host
    wait_for 10 ask sim '{"op":"picture","camera":"2"}'
    wait_for 5 eval '(($(pictures b2:c4) >= 1))'
    n=$(pictures b2:c6)
    wait_for 5 eval 'ask sim "{\"op\":\"do\",\"text\":\"picture 24:6F:28:A1:B2:C6\"}"'
    wait_for 5 eval '(($(pictures b2:c6) > n))'
    run ! ask sim '{"op":"picture","camera":"5"}'
    assert_output --partial 'there is no camera'
}

@test "a script" {
    printf 'wait 100ms\nsleep 24:6f:28:a1:b2:c4 10s\nafter 50ms quit\n' >script
    start sim devsim espcam --script script -o -
    wait_for 5 not_alive "$PID"
    bus decode sim.out | grep -q 'sim.sleep.*b2:c4'
    printf 'sleep 9 10s\n' >script
    run -2 devsim espcam --script script
    assert_output --partial 'script:1: there is no camera "9"'
}

@test "a capture to standard output waits for its reader, and ends with it" {
    devsim espcam --stdout --count 60 --seed 8 2>/dev/null | (sleep 0.3; cat) >piped
    capture --count 60 --seed 8
    cmp piped cap
    run bash -c 'set -o pipefail; devsim espcam --stdout --count 100000 --seed 8 | head -c 1000 | wc -c'
    [[ $status == 0 && ${lines[-1]} == 1000 ]]
    run -1 devsim espcam --write /nowhere/cap --count 1
    assert_output --partial 'cannot write /nowhere/cap'
}

@test "pictures of one's own" {
    mkdir pics
    printf '\xff\xd8\xff\xe0 my own picture \xff\xd9' >pics/a.JPG
    echo 'no picture' >pics/readme.txt
    capture --images pics --count 3 --seed 1
    decode <cap
    (($(grep -alE 'my own picture' out/*.jpg | wc -l) == 3))
    run -1 devsim espcam --images /nowhere
    assert_output --partial 'cannot read the pictures in /nowhere'
    mkdir empty
    run -1 devsim espcam --images empty
    assert_output --partial 'no pictures'
}

@test "usage" {
    run -0 devsim espcam --help
    assert_line --partial '--cameras N'
    run -0 devsim --help
    assert_line --partial 'espcam'
    for args in "--dialect E" "--dialect AB" "--dialect=" "--hash middle" "--corrupt 1" "--noise 200%" \
        "--cameras 0" "--cameras 257" "--write x" "--stdout" "--stdout --count 1 -o -" \
        "--stdout --write x --count 1" "--every soon" "operand"; do
        run -2 --separate-stderr devsim espcam $args
        [[ -z $output && ${#stderr_lines[@]} == 1 ]]
    done
    [[ ! -e x ]]
}
