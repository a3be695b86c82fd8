#!/usr/bin/env bats
# devsim hev, with test/tool/hev_host.py as the gateway at the other end of the line.

load helper

D=$ROOT/test/data/hev
bus() { timeout 60 "$PY" "$ROOT/test/tool/spbus.py" "$@"; }
ask() { bus ask sim "$1"; }
ask_do() { ask "{\"op\":\"do\",\"text\":\"$1\"}"; }
stat_of() { ask '{"op":"stats"}' | grep -oE "\"$1\": [0-9]+" | head -n 1 | grep -oE '[0-9]+$'; }
stat_is() { [[ $(stat_of "$1") == "$2" ]]; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; } # of 10 ms
told() { bus decode sim.out | grep -E "${1:-.}"; }
# sim [OPTION]...: a ventilator behind $WORK/dev, messages in sim.out.
sim() {
    start sim devsim hev --link "$WORK/dev" --seed 1 -o sim -o - "$@"
    SIM=$PID
    wait_for 5 test -e dev
}
# host [deaf]: commands through say
host() {
    [ -p host.in ] || mkfifo host.in
    "$PY" "$ROOT/test/tool/hev_host.py" "$WORK/dev" "$@" <>host.in >host.out 2>host.err 3>&- &
    HOST=$!
    PIDS+=("$HOST")
    wait_line host.out '^open$'
}
say() { printf '%s\n' "$@" 1<>host.in; }
# payloads [TYPE-BYTE]: those that came, from A2 on of one type only
payloads() { awk '$1 == "info" {print $4}' host.out | grep -E "^.{10}${1:-}"; }
came() { (($(payloads "${2:-}" | wc -l) >= $1)); }
# A command to a B6: cmd N(S) TYPE CODE [PARAM as 4 bytes]
cmd() { say "send 80 $1 B60000000005$2$3${4:-00000000}"; }
# The newest B6 payload of type $1, its field $2.
field() {
    payloads "$1" | tail -n 1 | "$PY" -c '
import struct, sys
form = {"01": "<BIBBHfHffffHfHHffffffffff", "02": "<BIBHHHHHHHHHHffBBBBBBBBBBBffffffB", "0A": "<BIBBfffffffBBBffff"}
name = {"01": {"fsm": 3, "pressure": 9, "volume": 17}, "02": {"pause": 11, "mode": 18, "kp": 28}, "0A": {"rate": 7, "ie": 5}}
print(round(struct.unpack(form[sys.argv[1]], bytes.fromhex(sys.stdin.read()))[name[sys.argv[1]][sys.argv[2]]], 3))' "$1" "$2"
}
field_is() { [[ $(field "$1" "$2") == "$3" ]]; }
hex_of() { sed -n "s/^b'\(.*\)'\$/\1/p" "$1" | tr a-f A-F; }

@test "recordings: every line reaches the host once, byte for byte" {
    sim --dump "$D/dump.dump" --speed 0
    host
    wait_for 10 came 100
    diff <(hex_of "$D/dump.dump") <(payloads)
    wait_for 5 told 'sim.dump {"damaged": 0, "pass": 1, "sent": 100}'
    kill "$HOST" "$SIM"
    wait_gone "$SIM"
    sim --dump "$D/B6-20200805.head1000.dump" --speed 0
    host
    wait_for 10 came 1000
    diff <(hex_of "$D/B6-20200805.head1000.dump" | sort) <(payloads | sort)
    (($(grep -c '^info C0' host.out) == 279 && $(grep -c '^info 40' host.out) == 721))
    kill "$HOST" "$SIM"
    wait_gone "$SIM"
    sim --dump "$D/byteArray.dump" --every 1ms
    host
    wait_for 10 came 100
    diff <(od -An -v -tx1 -w27 "$D/byteArray.dump" | tr a-f A-F | sed 's/^ A0 1B/A0/; s/ //g') <(payloads)
    run ! grep -q bad host.out
}

@test "a recording keeps its pace where its times jump back, and loops with times that go on" {
    sim --dump "$D/B6-20200805.head1000.dump" --speed 20
    host
    wait_for 20 came 1000
    mapfile -t at < <(bus times sim.out | grep -E 'host": true|sim.dump' | cut -d' ' -f1)
    ms=$(((at[1] - at[0]) / 1000000))
    echo "$ms ms" # 19.9 s / 20; 6.6 s if each step back were a wait
    ((ms >= 950 && ms < 5500))
    kill "$HOST" "$SIM"
    wait_gone "$SIM"
    sim --dump "$D/dump.dump" --speed 0 --loop
    host
    wait_for 10 came 250
    run "$PY" - <<'E2'
t = [int.from_bytes(bytes.fromhex(l.split()[3])[1:5], "little") for l in open("host.out") if l.startswith("info")][:250]
assert t[:100] == sorted(t[:100]) and t[100] == t[99] + 10 and t[200] == t[199] + 10
assert [a - t[0] for a in t[:100]] == [a - t[100] for a in t[100:200]]
E2
    assert_success
}

@test "a recording waits for its host; what is damaged in it is left out and told" {
    { head -n 3 "$D/dump.dump"; printf "nonsense\nb'zz'\nb'aa00'\n\n"; sed -n 4,6p "$D/dump.dump"; } >bad.dump
    sim --dump bad.dump
    [[ $(stat_of lines) == 0 ]]
    host
    wait_for 10 came 6
    wait_for 5 told 'sim.dump {"damaged": 3, "pass": 1, "sent": 6}'
    grep -q 'dump, line 4' sim.err
    run ask '{"op":"alarm","name":"APNEA"}'
    assert_output --partial 'a recording plays'
    : >empty
    run -2 devsim hev --dump empty
    assert_output --partial 'empty holds no payload'
    run -1 devsim hev --dump /nowhere
    assert_output --partial 'cannot read the dump /nowhere'
}

@test "the patient breathes: pressure, flow, volume; a cycle is told after each breath" {
    sim --breath-rate 60 --pressure 20 --peep 8 --resistance 5
    host
    wait_for 10 came 3 03
    run "$PY" - <<'E2'
import struct
p = [bytes.fromhex(l.split()[3]) for l in open("host.out") if l.startswith("info")]
data = [struct.unpack("<BIBBHfHffffHfHHffffffffff", x) for x in p if x[5] == 1]
assert {7, 9} <= {d[3] for d in data}  # INHALE, EXHALE
breathing = [d for d in data if d[1] > 2500]
pressure, flow, volume = ([d[k] for d in breathing] for k in (9, 16, 18))
assert 19 < max(pressure) < 21 and 7.5 < min(pressure) < 9, (min(pressure), max(pressure))
assert max(flow) > 30 and min(flow) < -20, (min(flow), max(flow))
assert 300 < max(volume) < 500 and min(volume) < 100, (min(volume), max(volume))
assert [d[1] for d in data] == sorted(d[1] for d in data)
cycle = struct.unpack("<BIBffffffffffffffHHB", [x for x in p if x[5] == 3][-1])
assert 59 < cycle[3] < 61 and 300 < cycle[4] < 500 and 19 < cycle[13] < 21, cycle
assert {1, 2, 3, 7, 8, 10, 11, 12} <= {x[5] for x in p}
E2
    assert_success
    run ! grep -q bad host.out
}

@test "STOP and START are obeyed, acknowledged, told; a repetition is not carried out again" {
    sim --rate 100
    host
    wait_for 10 came 20 01
    cmd 5 01 02
    wait_line host.out '^ack 80 6$'
    wait_for 5 field_is 01 fsm 10
    wait_for 5 eval '[[ $(field 01 pressure) =~ ^-?0\. ]]'
    ask '{"op":"state"}' | grep -q '"breathing": false'
    cmd 5 01 02
    wait_for 5 eval '(($(grep -c "^ack 80 6" host.out) == 2))'
    cmd 6 01 01
    wait_line host.out '^ack 80 7$'
    wait_for 5 eval '[[ $(field 01 fsm) == [79] ]]'
    run told 'sim.(command|state)'
    assert_output 'sim.state {"breathing": true, "fsm_state": "BUFF_PREFILL"}
sim.command {"cmd": "STOP", "cmdtype": "GENERAL", "param": 0.0}
sim.state {"breathing": false, "fsm_state": "STOP"}
sim.command {"cmd": "START", "cmdtype": "GENERAL", "param": 0.0}
sim.state {"breathing": true, "fsm_state": "BUFF_PREFILL"}'
    [[ $(stat_of repeats) == 1 && $(stat_of commands) == 2 ]]
}

@test "what is set shows in TARGET and READBACK" {
    sim --rate 10
    host
    wait_for 10 came 1 02
    cmd 0 0D 02 00002042 # SET_TARGET_CURRENT RESPIRATORY_RATE 40
    wait_for 5 field_is 0A rate 40.0
    cmd 1 0D 07 00000040 # INHALE_TIME 2, which a breath of 1.5 s has no room for
    cmd 2 0D 07 0000003F # 0.5 s
    wait_for 5 field_is 0A ie 0.5
    cmd 3 02 09 0000C842 # SET_DURATION PAUSE 100
    wait_for 5 field_is 02 pause 100
    cmd 4 07 01 0000003E # SET_PID KP 0.125
    wait_for 5 field_is 02 kp 0.125
    cmd 5 08 02 0000A041 # SET_TARGET_PC_AC RESPIRATORY_RATE 20: of the mode it is in
    wait_for 5 field_is 0A rate 20.0
    cmd 6 03 04          # SET_MODE CPAP, whose rate is still the usual one
    wait_for 5 field_is 02 mode 4
    wait_for 5 field_is 0A rate 15.0
    cmd 7 63 01          # no such thing
    wait_for 5 stat_is unknown_commands 1
    told sim.command | grep -qF '{"cmd": null, "cmdtype": null, "param": 0.0}'
    say "send 40 8 B6000000000B01000000000000" # the host's battery is taken without a word
    wait_line host.out '^ack 40 9$'
    [[ $(stat_of unknown_commands) == 1 ]]
}

@test "the first version: DATA of 26 bytes five times a second, START and STOP by their first codes" {
    sim --mcu-version A0 --rate 50 --stopped
    host
    fsm_is() { [[ $(payloads | tail -n 1 | cut -c 3-4) == "$1" ]]; }
    wait_for 5 fsm_is 00
    say 'send 80 0 A00100000000'
    wait_for 10 fsm_is 05
    say 'send 80 1 A00200000000'
    wait_for 5 fsm_is 00
    ask_do 'alarm APNEA high 7'
    wait_line host.out '^info C0 [0-9]+ A00107000000$'
    [[ $(payloads | head -n 1 | wc -c) == 53 ]]
    told sim.command | grep -qF '{"cmd": "STOP", "cmdtype": "GENERAL", "param": 0.0}'
    for v in A1 A3 A9 AA AC AE B0 B2 B4; do
        kill "$SIM"
        wait_gone "$SIM"
        sim --mcu-version $v --rate 50
        host
        wait_for 5 came 10
        [[ $(payloads | head -n 1) == $v* ]]
    done
}

@test "alarms: raised, repeated, cleared; thresholds raise them by themselves" {
    sim --breath-rate 60
    host
    wait_for 5 came 5 01
    ask '{"op":"alarm","name":"LOW_PEEP","priority":"PRIORITY_HIGH","param":-500}'
    wait_line host.out '^info C0 [0-9]+ B6........0603120000FAC3$' 2
    ask_do 'alarm HIGH_RR'
    wait_line host.out '^info C0 [0-9]+ B6........060208'
    wait_for 5 eval '(($(grep -c "^info C0 .* B6........060312" host.out) >= 3))'
    ask '{"op":"state"}' | grep -qF '"alarms": ["HIGH_RR", "LOW_PEEP"]'
    ask '{"op":"clear","name":"LOW_PEEP"}'
    ask_do 'clear HIGH_RR'
    n=$(grep -c '^info C0' host.out)
    cmd 0 05 07 00002041 # SET_THRESHOLD_MAX HIGH_PRESSURE 10
    wait_line host.out '^info C0 [0-9]+ B6........060307'
    cmd 1 05 07 0000C842
    wait_for 5 eval 'ask "{\"op\":\"state\"}" | grep -qF "\"alarms\": []"'
    (($(grep '^info C0' host.out | tail -n +$((n + 1)) | grep -vc '060307') == 0))
    run ask_do 'alarm NONSENSE'
    assert_output --partial 'NONSENSE\" in version B6'
    run ask_do 'alarm APNEA urgent'
    assert_output --partial 'no priority'
}

@test "an unanswered frame comes ten times, then the next; without an end when told so" {
    sim --rate 1
    host deaf
    wait_for 5 eval '(($(stat_of unanswered) >= 2))'
    (($(grep -c '^again' host.out) >= 9))
    run bash -c "awk '\$1 != \"open\" {print \$3}' host.out | uniq -c | awk '{print \$1}' | head -n 2"
    assert_output $'10\n10'
    kill "$HOST" "$SIM"
    wait_gone "$SIM"
    sim --tries 0
    host deaf
    wait_for 5 eval '(($(grep -c ^again host.out) > 15))'
    (($(grep -c '^info' host.out) == 1))
    say hear
    wait_for 5 came 20
    [[ $(stat_of unanswered) == 0 ]]
}

@test "frames lost and damaged on the way are repeated until they arrive" {
    sim --dump "$D/B6-20200805.head1000.dump" --speed 0 --tries 0 --resend 2ms --loss 10% --corrupt 10%
    host
    wait_for 30 came 1000
    diff <(hex_of "$D/B6-20200805.head1000.dump" | sort) <(payloads | sort)
    (($(grep -c '^bad' host.out) > 20 && $(stat_of lost) > 50 && $(stat_of resent) > 100))
}

@test "garbage from the host does no harm" {
    sim
    host
    wait_for 5 came 5
    for i in 1 2 3 4 5 6 7 8; do say "raw $(head -c 900 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"; done
    say "raw $(printf '7e%.0s' {1..50})" "raw $(printf '41%.0s' {1..1000})" 'raw 7e'
    cmd 100 01 02
    wait_line host.out '^ack 80 101$'
    wait_for 5 field_is 01 fsm 10
}

@test "unplugged, it has lost power: back at another node, with a new clock" {
    sim --stopped
    host
    wait_for 5 came 60 01
    node=$(readlink dev)
    ask '{"op":"unplug","ms":100}'
    wait_line host.out '^gone$'
    wait_for 5 test -e dev
    [[ $(readlink dev) != "$node" ]]
    host
    wait_for 5 came 5 01
    stamp=$(payloads 01 | head -n 1 | sed -E 's/^..(..)(..)(..)(..).*/\4\3\2\1/')
    ((16#$stamp < 1000))
    kill "$HOST"
    host
    wait_for 5 came 5 01
}

@test "knobs, in a script too" {
    printf 'set peep 9\nset pressure 25\nafter 100ms set compliance 20\n' >script
    sim --breath-rate 60 --script script
    host
    wait_for 10 eval '[[ $(field 01 pressure) == 2[45].* ]]'
    wait_for 10 eval '[[ $(field 01 pressure) == [89].* || $(field 01 pressure) == 10.* ]]'
    run ask '{"op":"set","name":"peep","value":99}'
    assert_output --partial 'peep 99: 0 to 50'
    run ask_do 'set colour 1'
    assert_output --partial 'nothing called \"colour\"'
    printf 'set peep much\n' >script
    run -2 devsim hev --script script
    assert_output --partial 'script:1: peep: "much" is not a number'
    printf 'clear all\nalarm HIGH_TEA\n' >script
    run -2 devsim hev --script script
    assert_output --partial 'script:2: there is no alarm "HIGH_TEA"'
}

@test "costs nothing while no host listens" {
    sim --rate 1000
    before=$(ticks "$SIM")
    sleep 0.7 # measures
    echo "ticks: $(($(ticks "$SIM") - before))"
    (($(ticks "$SIM") - before <= 4))
}

@test "usage" {
    run -0 devsim hev --help
    assert_line --partial '--mcu-version VERSION'
    run -0 devsim --help
    assert_line --partial 'hev'
    for args in "--mcu-version B7" "--mcu-version 9F" "--mcu-version xx" "--mcu-version A00" "--mcu-version=" \
        "--ie 1:0" "--ie 1:20" "--ie soon" "--speed fast" "--speed -1" "--loss 1" "--corrupt 101%" \
        "--rate 1001" "--peep 51" "--breath-rate 1" "--every soon" "operand"; do
        run -2 --separate-stderr devsim hev $args
        [[ -z $output && ${#stderr_lines[@]} == 1 ]]
    done
}
