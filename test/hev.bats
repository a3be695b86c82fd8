#!/usr/bin/env bats
# pipelines/hev.conf as a whole: a simulated ventilator on a pseudo-terminal, clients on TCP.
load helper

D=$ROOT/test/data/hev
TCP=$ROOT/test/tool/hev_tcp.py

setup() {
    common_setup
    read -r LISTEN_PORT WEBUI QUERY NATIVE < <(free_ports 4)
}
# Ports that are free together.
free_ports() {
    "$PY" -c 'import socket, sys
s = [socket.socket() for _ in range(int(sys.argv[1]))]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))' "$1"
}
# pipeline [NAME=VALUE]...
pipeline() {
    start pipeline tapline up "$ROOT/pipelines/hev.conf" "DEVICE=$WORK/tty" "LISTEN=127.0.0.1:$LISTEN_PORT" \
        "WEBUI_PORT=$WEBUI" "QUERY_PORT=$QUERY" "NATIVE_PORT=$NATIVE" "$@"
    PIPELINE=$PID
    wait_line pipeline.err 'hev is up'
    wait_for 10 tapline req bcast ping
}
# sim [OPTION]...: what it does in sim.out
sim() {
    start sim devsim hev --link "$WORK/tty" --seed 1 -o sim -o - "$@"
    SIM=$PID
    wait_for 10 test -L tty
}
# client NAME PORT DIALECT: what it hears in NAME.out
client() {
    start "$1" "$PY" "$TCP" listen "$2" "$3"
    wait_line "$1.out" '^open$'
}
ask() { timeout 30 "$PY" "$TCP" ask "$QUERY" "$@"; }
told() { timeout 30 "$PY" "$ROOT/test/tool/spbus.py" decode sim.out | grep -E "$1"; }
came() { (($(grep -c "$2" "$1.out") >= $3)); } # NAME PATTERN COUNT
connected_is() { tapline tap serial --topic serial.state -n 1 | grep -q "\"connected\":$1"; }
json() { "$PY" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
stage_pid() { tapline status --json | json "[s['pid'] for s in d['stages'] if s['name'] == '$1'][0]"; }
stage_is_new() { p=$(stage_pid "$1") && [ "$p" != "$2" ] && [ "$p" != 0 ] && [ "$p" != None ]; }
goes_on() { n=$(grep -c '"DATA"' "$1.out" || true) && wait_for 10 came "$1" '"DATA"' $((n + 5)); }
# The objects of type $2 that NAME heard, as the service's own text.
heard() { sed -nE "s/^\{\"type\": \"$2\", \"$2\": (\{[^}]*\}), \"alarms\": .*/\1/p" "$1.out"; }
expected() { "$PY" "$TCP" expect "$1" "$D/layouts.txt" | sed -n "s/^$2 //p"; }

@test "a recording reaches every D3 client whole and in order, value by value" {
    pipeline DIALECT=D3
    client one "$WEBUI" D3
    client two "$NATIVE" D3
    sim --dump "$D/dump.dump" --speed 0
    for c in one two; do
        wait_for 10 eval "[ \"\$(heard $c DATA | wc -l)\" = 91 ]"
        for t in DATA READBACK CYCLE DEBUG IVT; do
            wait_for 5 eval "[ \"\$(heard $c $t | wc -l)\" = \"\$(expected $D/dump.dump $t | wc -l)\" ]"
            diff <(heard $c $t) <(expected "$D/dump.dump" $t)
        done
    done
    # Each payload comes once, with no alarm: nothing else was sent.
    assert_equal "$(grep -c '"alarms": \[\]}$' one.out)" "$(grep -c '^{' one.out)"
}

@test "over a line that loses and damages frames, too: each once, with the alarms" {
    pipeline DIALECT=D3
    client one "$WEBUI" D3
    sim --dump "$D/B6-20200805.head1000.dump" --speed 0 --tries 0 --resend 5ms --loss 5% --corrupt 5%
    wait_for 30 eval '[ "$(heard one DATA | wc -l)" = 544 ]'
    for t in DATA READBACK CYCLE TARGET; do
        wait_for 10 eval "[ \"\$(heard one $t | wc -l)\" = \"\$(expected $D/B6-20200805.head1000.dump $t | wc -l)\" ]"
        diff <(heard one $t | sort) <(expected "$D/B6-20200805.head1000.dump" $t | sort)
    done
    tapline req bcast alarms | "$PY" -c '
import json, sys
names = {a["name"] for a in json.load(sys.stdin)["alarms"]}
assert names == {"LOW_PEEP", "LOW_VTE", "LOW_VTI", "LOW_FIO2", "CHECK_P_PATIENT", "O2_FAIL", "HIGH_PRESSURE"}, names'
    # What arrived damaged was counted, and told.
    wait_for 5 eval 'tapline tap decode --topic hev.link -n 1 | json "1 / (d[\"body\"][\"bad_fcs\"] > 0)"'
}

@test "D1: one text of at most 600 bytes a read, the recording's values, alarms latched and acknowledged" {
    pipeline
    client one "$WEBUI" D1
    client two "$NATIVE" D1
    sim --dump "$D/byteArray.dump" --every 30ms
    wait_for 20 came one '"sensors"' 20
    wait_for 10 told 'sim.dump'
    refute grep -q broken one.out
    run "$PY" - "$D/byteArray.dump" <<'E2'
import json, struct, sys
raw = open(sys.argv[1], "rb").read()
records = [struct.unpack("<BBHHHHHHHHHBBBBBB", raw[i:i + 1] + raw[i + 2:i + 27]) for i in range(0, len(raw), 27)]
for name in "one", "two":
    seen = [json.loads(l) for l in open(name + ".out") if l.startswith("{")]
    assert all(list(p) == ["sensors", "alarms"] and p["alarms"] is None for p in seen)
    assert list(seen[0]["sensors"])[:4] == ["version", "fsm_state", "pressure_air_supply", "pressure_air_regulated"]
    assert list(seen[0]["sensors"])[-2:] == ["readback_valve_purge", "readback_mode"]
    at = 0
    for p in seen:  # what is told is what came, and never goes back
        at = records.index(tuple(p["sensors"].values()), at)
E2
    assert_success
    kill "$SIM"
    wait_gone "$SIM"
    sim --mcu-version A0 --rate 20
    wait_for 10 connected_is true
    wait_for 10 tapline req sim alarm name=APNEA
    wait_line one.out '"alarms": \["APNEA"\]'
    tapline req sim clear name=APNEA
    assert_equal "$(ask '{"type": "alarm", "ack": "LOW_PEEP"}')" '{"type": "nack"}'
    assert_equal "$(ask '{"type": "alarm", "ack": "APNEA"}')" '{"type": "ack"}'
    n=$(wc -l <one.out)
    wait_for 5 eval "tail -n +$n one.out | grep -q '\"alarms\": null'"
    refute grep -q broken two.out
}

@test "START and STOP reach the device, in either dialect; what makes no sense is refused" {
    pipeline
    sim --stopped --rate 20
    wait_for 10 eval 'tapline req bcast values | grep -q "\"version\":182"'
    assert_equal "$(ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "START", "param": null}')" '{"type": "ack"}'
    wait_for 5 told 'sim.command .*"START", "cmdtype": "GENERAL"'
    wait_for 5 told 'sim.state {"breathing": true'
    assert_equal "$(ask '{"type": "CMD", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' nul)" '{"type": "ack"}<NUL>'
    wait_for 5 told 'sim.state {"breathing": false, "fsm_state": "STOP"'
    assert_equal "$(ask '{"type": "CMD", "cmdtype": "SET_TARGET_CURRENT", "cmd": "PEEP", "param": 7.5}' nul)" '{"type": "ack"}<NUL>'
    wait_for 5 told 'sim.command .*"PEEP", "cmdtype": "SET_TARGET_CURRENT", "param": 7.5'
    for bad in '{"type": "cmd", "cmdtype": "general", "cmd": "foo", "param": null}' '{"type": "broadcast"}' 'no json' '{}'; do
        assert_equal "$(ask "$bad")" '{"type": "nack"}'
    done
    assert_equal "$(told sim.command | wc -l)" 3
}

@test "started without a device; it comes, is unplugged and comes back" {
    pipeline DIALECT=D3
    client one "$WEBUI" D3
    wait_for 5 connected_is false
    sim
    goes_on one
    tapline req sim unplug ms=300
    wait_for 5 connected_is false
    wait_for 5 connected_is true
    goes_on one
    refute grep -q closed one.out
    assert_equal "$(ask '{"type": "CMD", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' nul)" '{"type": "ack"}<NUL>'
    wait_for 5 told '"fsm_state": "STOP"'
}

@test "kill -9 of any stage: the device is heard again, commands arrive, latched alarms are kept" {
    pipeline DIALECT=D3
    sim
    client one "$WEBUI" D3
    goes_on one
    tapline req sim alarm name=LOW_PEEP priority=high
    tapline req sim clear name=LOW_PEEP
    wait_line one.out '"alarm_code": "LOW_PEEP"'
    for stage in serial decode; do
        pid=$(stage_pid $stage)
        kill -KILL "$pid"
        wait_for 10 stage_is_new $stage "$pid"
        goes_on one
    done
    refute grep -q closed one.out
    pid=$(stage_pid bcast)
    kill -KILL "$pid"
    wait_for 10 stage_is_new bcast "$pid"
    wait_line one.out '^closed$'
    wait_for 10 tapline req bcast ping
    client two "$WEBUI" D3
    goes_on two
    tail -n 1 two.out | grep -q '"alarm_code": "LOW_PEEP"'
    assert_equal "$(ask '{"type": "CMD", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' nul)" '{"type": "ack"}<NUL>'
    wait_for 5 told '"fsm_state": "STOP"'
    wait_for 10 eval '[ "$(tapline status --json | json "[w for w in d[\"wires\"] if w.get(\"unaccounted\")]")" = "[]" ]'
}

@test "the screen: its routes, a command from it, and kill -9 of what is behind it" {
    url=http://127.0.0.1:$LISTEN_PORT
    state() { curl -s -m 5 "$url/hev/state.json" | json "d['$1']"; }
    state_is() { [ "$(state "$1")" = "$2" ]; }
    post() { curl -s -m 10 -o body -w '%{http_code}' -X POST -H 'Content-Type: application/json' "$@" "$url/hev/request"; }
    pipeline 'ORIGIN=http://icu.example,http://127.0.0.1:*' 'HOSTS=127.0.0.1,icu.example'
    wait_for 10 state_is serial False
    sim
    wait_for 10 state_is device_version 182
    for page in / /ventilator; do
        assert_equal "$(curl -s -o body -w '%{http_code} %{content_type}' "$url$page")" '200 text/html'
    done
    stop='{"type": "cmd", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}'
    assert_equal "$(post -d "$stop" -H 'Origin: http://evil.example')" 403
    assert_equal "$(post -d "$stop" -H 'Host: evil.example')" 421
    assert_equal "$(post -d '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "DANCE", "param": null}')" 409
    refute told sim.command
    assert_equal "$(post -d "$stop" -H 'Origin: http://icu.example')" 200
    wait_for 5 told '"fsm_state": "STOP"'
    wait_for 5 state_is state STOP
    client one "$WEBUI" D1
    for stage in rules ws web; do
        pid=$(stage_pid $stage)
        kill -KILL "$pid"
        wait_for 10 stage_is_new $stage "$pid"
        wait_for 10 state_is state STOP
    done
    assert_equal "$(post -d "${stop/STOP/START}")" 200
    wait_for 10 state_is state INHALE
    refute grep -q closed one.out
}

@test "a device that takes no commands: told as not sent, and what it sends goes on" {
    pipeline DIALECT=D3
    sim --tries 1
    client one "$WEBUI" D3
    goes_on one
    start sent tapline tap decode --topic hev.sent
    tapline req sim do text=stop-reading
    assert_equal "$(ask '{"type": "CMD", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' nul)" '{"type": "ack"}<NUL>'
    wait_line sent.out '"ok":false'
    goes_on one
    refute told sim.command
    tapline req sim do text=start-reading
}

@test "a command that waits too long is not sent later, whoever kept it waiting" {
    pipeline MAX_AGE=500ms
    sim --stopped --rate 20
    wait_for 10 eval 'tapline req bcast values | grep -q "\"version\":182"'
    start commands tapline tap bcast --topic hev.command
    start sent tapline tap decode --topic hev.sent
    wait_for 10 has_subscribers bcast 2
    wait_for 10 has_subscribers decode 1
    pid=$(stage_pid decode)
    kill -STOP "$pid"
    assert_equal "$(ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "START", "param": null}')" '{"type": "ack"}'
    wait_line commands.out '"nack".*not sent later'
    kill -CONT "$pid"
    wait_line sent.out '"expired":true'
    assert_equal "$(ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}')" '{"type": "ack"}'
    wait_for 10 told 'sim.command .*"STOP"'
    refute told 'sim.command .*"START"'
}

@test "no device: a recording in a loop, the sample, a made-up patient" {
    pipeline DIALECT=D3 "DUMP=$D/B6-20200805.head1000.dump"
    client one "$WEBUI" D3
    goes_on one
    for how in SAMPLE=yes SIMULATE=yes; do
        kill -TERM "$PIPELINE"
        wait_gone "$PIPELINE"
        rm -f one.out pipeline.err
        pipeline DIALECT=D3 $how
        client one "$WEBUI" D3
        goes_on one
    done
    grep -q '"version": 182' one.out
}

@test "SIGTERM with clients: exit 0 and nothing left" {
    pipeline
    sim
    client one "$WEBUI" D1
    wait_for 10 came one sensors 3
    kill -TERM "$PIPELINE"
    wait_gone "$PIPELINE" 5
    wait "$PIPELINE"
    wait_line one.out '^closed$'
    run pgrep -f "$WORK"
    refute_output --partial hevbcast
}
