#!/usr/bin/env bats
# framedecode --format hev: payloads as messages, the link, what cannot be understood.
load helper

FRAMES="$ROOT/test/tool/hev_frames.py"
DATA="$ROOT/test/data/hev"
decode() { "$PY" "$ROOT/test/tool/msgs.py" decode; }
encode() { "$PY" "$ROOT/test/tool/msgs.py" encode; }
hev() { framedecode --format hev -q "$@"; }

# frames ADDRESS NS PAYLOAD-HEX...: on the wire, N(S) counting up.
frames() {
    "$PY" - "$ROOT/test/tool" "$@" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from hev_frames import info
for i, payload in enumerate(sys.argv[4:]):
    sys.stdout.buffer.write(info(int(sys.argv[2], 16), int(sys.argv[3]) + i, bytes.fromhex(payload)))
PYTHON
}
# acks ADDRESS:NR...
acks() {
    "$PY" - "$ROOT/test/tool" "$@" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from hev_frames import ack
pairs = [a.split(":") for a in sys.argv[2:]]
print(*(ack(int(address, 16), int(nr)).hex() for address, nr in pairs))
PYTHON
}
wire() { frames "$@" | od -An -v -tx1 | tr -d ' \n'; }
rx() { echo "serial.rx {\"data\": {\"\$hex\": \"$1\"}}"; }
START=a00100000000
STOP=a00200000000

@test "hev: an A0 stream: sensors, alarms by name, and the state of the link" {
    hev <"$DATA/a0-serial.raw" | decode >out
    assert_equal "$(grep -vc hev.link out)" 102
    run grep -v hev.link out
    assert_line --index 0 'hev.data {"version": 160, "fsm_state": 0, "pressure_air_supply": 0, "pressure_air_regulated": 0, "pressure_o2_supply": 0, "pressure_o2_regulated": 0, "pressure_buffer": 145, "pressure_inhale": 143, "pressure_patient": 0, "temperature_buffer": 0, "pressure_diff_patient": 0, "readback_valve_air_in": 0, "readback_valve_o2_in": 0, "readback_valve_inhale": 0, "readback_valve_exhale": 0, "readback_valve_purge": 1, "readback_mode": 0}'
    assert_line --index 10 'hev.alarm {"version": 160, "alarm_code": "APNEA", "param": 0}'
    assert_line --index 51 'hev.alarm {"version": 160, "alarm_code": "ARDUINO_FAIL", "param": 7}'
    run tail -n 1 out
    assert_output 'hev.link {"version": 160, "frames": 102, "bad_fcs": 0, "repeats": 0, "gaps": 0, "unknown": 0, "sent": 0, "resent": 0, "unanswered": 0}'
}

@test "hev: every value of three recordings is what Python's struct reads" {
    "$PY" "$FRAMES" frames "$DATA/B6-20200805.head1000.dump" >b6.raw
    for capture in "$DATA/a0-serial.raw" "$DATA/aa-emulator-capture.raw" b6.raw; do
        hev <"$capture" | decode | grep -v hev.link >got
        "$PY" "$FRAMES" decode "$capture" >want
        "$PY" - <<'PYTHON'
import json
got, want = open("got").readlines(), open("want").readlines()
assert len(got) == len(want) > 100, (len(got), len(want))
names = {"payload_type", "fsm_state", "ventilation_mode", "mode", "alarm_type", "alarm_code"}
for g, w in zip(got, want):
    assert g.split(" ", 1)[0] == w.split(" ", 1)[0], (g, w)
    g, w = json.loads(g.split(" ", 1)[1]), json.loads(w.split(" ", 1)[1])
    assert list(g) == list(w), (g, w)
    assert all(isinstance(v, str) if k in names and w["version"] > 0xA1 else v == w[k] or k == "alarm_code"
               for k, v in g.items()), (g, w)
PYTHON
    done
    # What the names of the last one come to.
    assert_equal "$(grep -o '"fsm_state": "[A-Z_]*"' got | cut -d '"' -f 4 | LC_ALL=C sort | uniq -c | tr -s ' \n' ' ')" \
        ' 43 BUFF_FILL 6 BUFF_PREFILL 28 BUFF_PURGE 384 EXHALE 83 INHALE '
    assert_equal "$(grep -o '"alarm_code": "[A-Z0-9_]*"' got | cut -d '"' -f 4 | awk '!seen[$0]++' | tr '\n' ' ')" \
        'LOW_PEEP LOW_VTE LOW_VTI LOW_FIO2 CHECK_P_PATIENT O2_FAIL HIGH_PRESSURE '
}

@test "hev: names depend on the version, unknown values stay numbers, texts are UTF-8" {
    name=$(printf 'Jos\xe9\xc3\xa9' | od -An -v -tx1 | tr -d ' \n')
    {
        frames 80 0 $START "b200000000050101000000c0" "b30000000005010100000000" "b30000000005016300000000" \
            "b30000000005630100000000"
        frames c0 5 a0fa00000000 "a1000000000305 00000000" "a200000000060305 00000000" "b60100000006 0363 1234c03f"
        # The READBACK of 68 bytes tells that states of this B6 are numbered in the old way.
        frames 40 9 "b60000000001 07 $(printf '00%.0s' {1..70})" "b60000000002 $(printf '00%.0s' {1..62})" \
            "b60000000001 07 $(printf '00%.0s' {1..70})" "b60000000001 07 $(printf '00%.0s' {1..74})" \
            "b60000000001 07 $(printf '00%.0s' {1..70})"
        frames 40 14 "b60000000009 $name $(printf '00%.0s' {1..44})"
        frames 40 15 "b6000000000b ff7f$(printf '00%.0s' {1..5})"
    } | hev | decode >out
    run cut -c 1-110 out
    assert_line 'hev.cmd {"version": 160, "cmd_code": 1, "param": 0}'
    assert_line 'hev.cmd {"version": 178, "timestamp": 0, "payload_type": "CMD", "cmd_type": 1, "cmd_code": 1, "param": -2.0}'
    assert_line --partial '"version": 179, "timestamp": 0, "payload_type": "CMD", "cmd_type": "GENERAL", "cmd_code": "START"'
    assert_line --partial '"cmd_type": "GENERAL", "cmd_code": 99'
    assert_line --partial '"cmd_type": 99, "cmd_code": 1'
    assert_line 'hev.alarm {"version": 160, "alarm_code": 250, "param": 0}'
    assert_line 'hev.alarm {"version": 161, "timestamp": 0, "alarm_type": 3, "alarm_code": "EXPIRATION_VALVE_Leak", "param": 0}'
    assert_line --partial '"version": 162, "timestamp": 0, "payload_type": "ALARM", "alarm_type": "HP", "alarm_code": "EXP'
    assert_equal "$(grep -c '"alarm_type": "PRIORITY_HIGH", "alarm_code": 99, "param": 1.50' out)" 1
    assert_equal "$(grep -o '"fsm_state": "[A-Z]*"' out | cut -d '"' -f 4 | tr '\n' ' ')" 'INHALE PAUSE INHALE INHALE '
    assert_line 'hev.logmsg {"version": 182, "timestamp": 0, "payload_type": "LOGMSG", "message": "Jos�é"}'
    assert_line --partial '"payload_type": "BATTERY", "bat": -1, "ok": 127, "alarm": 0'
}

@test "hev: a payload that is not understood is told with its bytes, and the next one is" {
    {
        frames 40 0 "" "9f01" "aa00000000ff" "aa0000000001" "a0ff"
        frames 00 5 $START
        frames 80 6 $STOP
    } | framedecode --format hev 2>err | decode >out
    run cat out
    assert_line 'hev.unknown {"address": 64, "version": null, "type": null, "bytes": 0, "data": "", "reason": "empty"}'
    assert_line 'hev.unknown {"address": 64, "version": 159, "type": null, "bytes": 2, "data": "9f01", "reason": "version"}'
    assert_line 'hev.unknown {"address": 64, "version": 170, "type": 255, "bytes": 6, "data": "aa00000000ff", "reason": "type"}'
    assert_line 'hev.unknown {"address": 64, "version": 170, "type": 1, "bytes": 6, "data": "aa0000000001", "reason": "length"}'
    assert_line 'hev.unknown {"address": 64, "version": 160, "type": null, "bytes": 2, "data": "a0ff", "reason": "length"}'
    assert_line 'hev.unknown {"address": 0, "version": 160, "type": null, "bytes": 6, "data": "a00100000000", "reason": "address"}'
    assert_line 'hev.cmd {"version": 160, "cmd_code": 2, "param": 0}'
    assert_line --partial 'hev.link {"version": 160, "frames": 7, "bad_fcs": 0, "repeats": 0, "gaps": 0, "unknown": 6,'
    assert_equal "$(grep -c 'payload not understood (empty): address 40, 0 bytes' err)" 1
    assert_equal "$(grep -c 'not understood' err)" 1
}

@test "hev: damage costs the damaged frames only" {
    "$PY" - "$ROOT/test/tool" >damaged <<'PYTHON'
import random, sys
sys.path.insert(0, sys.argv[1])
from hev_frames import info
rng = random.Random(7)
for i in range(300):
    frame = bytearray(info(0x80, i % 128, b"\xa0\x01" + i.to_bytes(4, "little")))
    if i % 3 == 1:
        at = rng.randrange(1, len(frame) - 1)
        frame[at] ^= 1 << rng.randrange(8)
    sys.stdout.buffer.write(frame + (rng.randbytes(rng.randrange(60)) if i % 5 == 2 else b""))
PYTHON
    hev <damaged | decode >out
    "$PY" - <<'PYTHON'
import json
params = [json.loads(l.split(" ", 1)[1])["param"] for l in open("out") if l.startswith("hev.cmd")]
assert params == sorted(params) and not any(p % 3 == 1 for p in params)
assert len(params) == 200, len(params)
PYTHON
    head -c 2000000 /dev/urandom | framedecode --format hev 2>err >/dev/null
    assert [ "$(grep -c 'damaged frames' err)" -le 3 ]
}

@test "hev: a repeated frame is one message, with --link acknowledged each time" {
    one=$(wire c0 5 a00700000000)
    { rx "$one$one"; rx "$(wire 40 7 aa0000000001)"; rx "$one"; rx "$(wire c0 6 a00700000000)"; } | encode >in
    hev --link <in | decode >out
    assert_equal "$(grep -c 'hev.alarm .*HIGH_PRESSURE' out)" 2
    assert_equal "$(grep serial.tx out | cut -d '"' -f 4 | paste -sd ' ')" "$(acks c0:6 c0:6 40:8 c0:6 c0:7)"
    assert_equal "$(head -n 2 out | tail -n 1 | cut -d ' ' -f 1)" hev.alarm # the answer is first
    run tail -n 1 out
    assert_output --partial '"frames": 5, "bad_fcs": 0, "repeats": 2, "gaps": 2, "unknown": 1,'
    hev <in | decode >out
    assert_equal "$(grep -c serial.tx out)" 0
    assert_equal "$(grep -c hev.alarm out)" 2
}

@test "hev: received acknowledgements and refusals are told" {
    rx "7e40020183e27e7e800205 3dae 7e7e40a001cc7d5e7e" | tr -d ' ' | sed 's/rx{/rx {/; s/:{/: {/g' | encode | hev | decode >out
    run cat out
    assert_line --index 0 'hev.ack {"address": 64, "nr": 1}'
    assert_line --index 1 'hev.nack {"address": 128, "nr": 1}'
    assert_line --index 2 'hev.ack {"address": 64, "nr": 80}'
}

# A decoder with an input that stays open: lines written to fd 9 go in.
live() {
    mkfifo lines
    (encode <lines | hev "$@" | decode >out) 3>&- &
    PIDS+=($!)
    exec 9>lines
}
send() { echo "hev.send {\"id\": $1, \"kind\": \"$2\", \"data\": {\"\$hex\": \"$3\"}}" >&9; }

@test "hev: hev.send goes out in its turn and is answered when the ventilator has it" {
    live --link --resend 60s
    send 1 data $STOP
    send 2 data $STOP
    send 3 cmd $START
    send 4 alarm a00100000000
    wait_line out 'serial.tx .*"7e400000a00200000000'
    wait_line out 'hev.link .*"sent": 1'
    assert_equal "$(grep -c . out)" 2 # one at a time on the line
    rx 7e40020183e27e >&9             # N(R) 1
    wait_line out 'hev.sent {"id": 1, "ok": true, "tries": 1, "ns": 0}'
    wait_line out 'serial.tx .*"7ec00002a00100000000'
    # Of the wrong address, then the right ones.
    rx "$(acks 40:2 c0:2 80:3 40:4 | tr -d ' ')" >&9
    wait_line out 'hev.sent {"id": 2, "ok": true, "tries": 1, "ns": 3}'
    assert_equal "$(grep hev.sent out | cut -c 1-19 | tr '\n' ' ')" \
        'hev.sent {"id": 1,  hev.sent {"id": 4,  hev.sent {"id": 3,  hev.sent {"id": 2,  '
    run grep -c hev.send out # it was for us: not passed on
    assert_output 0
    exec 9>&-
}

@test "hev: what is not acknowledged is repeated, and given up in the end" {
    live --link --resend 20ms --tries 3
    send 7 cmd $START
    wait_line out 'hev.sent {"id": 7, "ok": false, "tries": 3, "ns": 0}'
    assert_equal "$(grep -c 'serial.tx .*7e800000a00100000000b6fe7e' out)" 3
    send 8 cmd $START
    wait_line out 'hev.sent {"id": 8, "ok": false, "tries": 3, "ns": 1}'
    wait_line out 'hev.link .*"sent": 2, "resent": 4, "unanswered": 2'
    exec 9>&-
}

@test "hev: what cannot be sent is answered too; so is what the unplugged device will not get" {
    live --link --resend 60s
    send 1 cmd ""
    send 2 urgent $START
    send 3 cmd "$(printf '00%.0s' {1..129})"
    echo 'hev.send {"id": 4}' >&9
    for i in 1 2 3 4; do wait_line out "hev.sent {\"id\": $i, \"ok\": false, \"tries\": 0, \"ns\": null}"; done
    send 5 cmd $START
    send 6 cmd $STOP
    echo 'serial.state {"connected": false}' >&9
    wait_line out 'serial.state'
    run grep -E 'hev.sent {"id": [56]' out
    assert_line --index 0 'hev.sent {"id": 6, "ok": false, "tries": 0, "ns": null}'
    assert_line --index 1 'hev.sent {"id": 5, "ok": false, "tries": 1, "ns": 0}'
    for i in {10..60}; do send "$i" cmd $START; done # one on the line, 32 wait, the oldest go
    wait_line out 'hev.sent {"id": 28, "ok": false, "tries": 0'
    run grep -cE 'hev.sent {"id": (10|29|60),' out
    assert_output 0
    exec 9>&-
}

@test "hev: without --link nothing is answered and hev.send passes through" {
    { rx "$(wire 80 0 $START)"; echo 'hev.send {"id": 1}'; } | encode | hev | decode >out
    run cut -d ' ' -f 1 out
    assert_output "$(printf 'hev.cmd\nhev.link\nhev.send')"
}

@test "hev: through a terminal, pipes and serialcat, both ways, on a line that loses answers" {
    start peer "$PY" "$FRAMES" peer "$WORK/tty" 2 "$DATA/dump.dump"
    wait_for 5 test -e "$WORK/tty"
    mkfifo pipe lines
    serialcat -q --device "$WORK/tty" -i fifo:tx -o - >pipe 3>&- </dev/null &
    PIDS+=($!)
    framedecode -q --format hev --link --resend 30ms -i - -i fifo:send -o "fifo:tx?serial." -o - -o decode \
        <pipe 2>decode.err 3>&- | decode >out 3>&- &
    PIDS+=($!)
    wait_for 5 test -p "$TAPLINE_RUN/send.fifo"
    encode <lines >"$TAPLINE_RUN/send.fifo" 3>&- &
    PIDS+=($!)
    exec 9>lines
    send 1 cmd aa0000000005010100000000
    wait_line "$WORK/peer.out" 'all acknowledged' 20
    wait_line out 'hev.sent {"id": 1, "ok": true, "tries": 3, "ns": 0}'
    assert_equal "$(grep -c 'got 800000aa0000000005010100000000' "$WORK/peer.out")" 3
    "$PY" - "$ROOT/test/tool" <<'PYTHON'
import json, sys
sys.path.insert(0, sys.argv[1])
import hev_frames as h
want = [h.decode(a, p)[1]["timestamp"] for a, p in h.dump_payloads(h.DATA / "dump.dump")]
got = [json.loads(l.split(" ", 1)[1])["timestamp"] for l in open("out") if '"timestamp"' in l]
assert got == want, (len(got), len(want))
PYTHON
    # Whoever comes late is told how the link is.
    run tapline tap decode --topic hev.link --count 1
    assert_output --partial '"version":170'
    exec 9>&-
}

@test "hev: options out of bounds are refused" {
    run framedecode --format hev --tries 0
    assert_failure 2
    assert_output --partial 'tries'
    run framedecode --format hev --resend 1ms
    assert_failure 2
}
