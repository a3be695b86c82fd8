#!/usr/bin/env bats
# dispatch hev: what the ventilator's screen is told, the last half hour, what pages may ask.
load helper

setup() {
    common_setup
    mkfifo in lines
    exec 8<>lines 9<>in
    "$PY" "$ROOT/test/tool/msgs.py" encode <lines >in 3>&- 8>&- 9>&- &
    PIDS+=($!)
}
teardown() {
    exec 8>&- 9>&- || true
    common_teardown
}

# rules OPTION...: dispatch on the pipe `in`, its messages as lines in `out`.
rules() {
    start rules dispatch hev "$@" -i - -o rules -o fifo:told
    PID_RULES=$PID
    wait_for 10 tapline req rules ping
}
start() {
    local name=$1
    shift
    "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" 3>&- 8>&- <in 9>&- &
    PID=$!
    PIDS+=("$PID")
}
# The messages to pages, as lines in `out`.
listen() {
    "$PY" "$ROOT/test/tool/msgs.py" decode <"$TAPLINE_RUN/told.fifo" >out 3>&- 8>&- 9>&- &
    PIDS+=($!)
}
say() { printf '%s\n' "$@" >&8; }
samples() { "$PY" "$ROOT/test/tool/hev_samples.py" "$@" 3>&- 8>&- >&9; }
hello() { say 'ws.text {"client": 7, "text": "{\"type\":\"hello\"}"}'; }
state() { tapline req rules state | "$PY" -c "import json,sys; d=json.load(sys.stdin)['body']; print(($1))"; }
state_is() { [ "$(state "$1")" = "$2" ]; }
counter_is() { [ "$(tapline req rules stats | "$PY" -c "import json,sys; print(json.load(sys.stdin)['stats']['counters']['$1'])")" = "$2" ]; }
# ask TEXT [KEY=VALUE]...: a request to the device
ask() {
    local text
    text=$("$PY" -c 'import json,sys; print(json.dumps(sys.argv[1]))' "$1")
    shift
    run tapline req rules request "text=$text" "$@"
}
# history QUERY EXPRESSION
history_of() { tapline req rules history "query=$1" | "$PY" -c "import json,sys; d=json.loads(json.load(sys.stdin)['text']); print(($2))"; }
events_are() { [ "$(history_of 'last=60000' "[(e['kind'], e['text']) for e in d['events']]")" = "$1" ]; }

@test "pages get every sample, in batches, exactly, and the state" {
    rules
    listen
    hello
    wait_line out 'hev.state .*"to": 7'
    grep -q 'ws.join {"client": 7, "group": "hev"}' out
    samples 2 100
    wait_for 10 counter_is samples 200
    wait_for 5 bash -c "grep -o '\[[0-9.]*,[0-9.-]*,[0-9.-]*,[0-9.-]*\]' out | wc -l | grep -qx 200"
    "$PY" - out <<'PY'
import json, sys
texts = [json.loads(line.split(" ", 1)[1])["text"] for line in open(sys.argv[1]) if line.startswith("hev.samples")]
batches = [json.loads(t) for t in texts]
rows = [(b["t"] + s[0], *s[1:]) for b in batches for s in b["s"]]
assert len(batches) < 100 and len(rows) == 200, (len(batches), len(rows))
assert all(abs(b[0] - a[0] - 10) < 0.2 for a, b in zip(rows, rows[1:])), rows[:5]
assert rows[100][1] == 88 and rows[50][1:] == (12.5, 30, 250), (rows[100], rows[50])
PY
}

@test "nothing is sent while no page is there" {
    rules
    listen
    hello
    wait_line out 'hev.state .*"to": 7'
    say 'ws.clients {"count": 1}' 'ws.clients {"count": 0}'
    wait_for 5 state_is "d['clients']" 0
    n=$(grep -c . out)
    samples 1 100
    wait_for 5 counter_is samples 100
    assert_equal "$(grep -c hev.samples out)" 0
    [ "$(grep -c . out)" -le $((n + 1)) ]
}

@test "figures are the device's own, or computed from the breaths" {
    rules
    samples 21 100
    wait_for 10 state_is "len(d['numbers']) > 4" True
    assert_equal "$(state "d['mode'], d['raw'], d['device_version'], d['state']")" "(None, False, 182, 'INHALE')"
    run state "[(k, round(v), s) for k, (v, s) in sorted(d['numbers'].items())]"
    assert_output "[('ie', 2, 'breaths'), ('mve', 8, 'breaths'), ('peep', 5, 'breaths'), ('pip', 20, 'breaths'), ('plateau', 17, 'breaths'), ('rr', 15, 'breaths'), ('vte', 500, 'breaths'), ('vti', 500, 'breaths')]"
    say 'hev.cycle {"respiratory_rate": 16.5, "peak_inspiratory_pressure": 21.25, "exhaled_tidal_volume": 0.0, "fiO2_percent": 30.0}' \
        'hev.target {"mode": "CURRENT", "inspiratory_pressure": 17.0, "peep": 5.0, "fiO2_percent": 21.0, "volume": 0.0}' \
        'hev.target {"mode": "CPAP", "inspiratory_pressure": 99.0}' \
        'hev.readback {"ventilation_mode": "PC_AC", "peep": 4.0}' 'hev.battery {"bat": 1, "ok": 1}'
    wait_for 5 state_is "d['mode']" PC_AC
    assert_equal "$(state "d['version']")" "$(dispatch --version | grep -oE '[0-9.]+$')"
    assert_equal "$(state "d['numbers']['rr'], d['numbers']['pip'], d['numbers']['fio2'], d['numbers']['vte'][1]")" \
        "([16.5, 'device'], [21.25, 'device'], [30.0, 'device'], 'breaths')"
    assert_equal "$(state "d['targets']")" "{'pip': 17.0, 'peep': 5.0, 'fio2': 21.0}"
    assert_equal "$(state "d['battery']['bat']")" 1
}

@test "an A0 device: raw counts, its states and modes by name" {
    rules
    samples 2 5 raw
    wait_for 5 state_is "d['raw']" True
    assert_equal "$(state "d['state'], d['mode'], d['numbers'], d['device_version']")" "('INHALE', 'BREATHE', {}, 160)"
    assert_equal "$(history_of 'last=10000' "d['raw'], len(d['t']), d['p']['low'], d['v']['low'][0]")" \
        "(True, 10, [100, 101, 102, 103, 104, 105, 106, 107, 108, 109], 144)"
}

@test "history: exact where it can be, every extreme where not, the window that was asked for" {
    rules
    samples 60 100
    wait_for 10 counter_is samples_kept 6000
    assert_equal "$(history_of 'last=61000&points=6000' "d['exact'], len(d['t']), 'high' in d['p'], max(d['p']['low'])")" "(True, 6000, False, 88)"
    assert_equal "$(history_of 'last=61000&points=100' "d['exact'], 95 <= len(d['t']) <= 100, max(d['p']['high']), min(d['f']['low']), max(d['v']['high'])")" \
        "(False, True, 88, -30, 500)"
    first=$(history_of 'last=61000' "d['first']")
    run history_of "from=$((first + 10000))&to=$((first + 20000))&points=2000" "d['exact'], len(d['t']), round(d['t'][0]) <= 10, d['t'][-1] < 10000"
    assert_output '(True, 1000, True, True)'
    for q in 'points=0' 'points=999999999' 'from=99999999999999' 'to=1' 'from=x&to=-1&last=%00' 'last=1' ''; do
        history_of "$q" "len(d['t']) <= 6000"
    done | sort -u >all
    assert_equal "$(cat all)" True
}

@test "the ring is bounded: the newest are kept, and no more are answered than were asked to be kept" {
    rules --history 10s
    samples 30 200
    wait_for 10 counter_is samples 6000
    counter_is samples_kept 2500 # 250 a second
    assert_equal "$(history_of 'points=6000' "len(d['t']) <= 2000")" True
    [ "$(stat -c %s "$TAPLINE_RUN"/*.state)" -lt 120000 ]
}

@test "kill -9: the history is still there, and goes on" {
    rules
    samples 10 100
    wait_for 5 counter_is samples_kept 1000
    say 'hev.alarms {"alarms": [{"name": "APNEA", "alarm_code": "APNEA", "param": 0, "since": 1, "count": 1}]}'
    wait_for 5 state_is "len(d['alarms'])" 1
    kill -9 "$PID_RULES"
    wait_gone "$PID_RULES"
    rules
    wait_line rules.err '1000 samples of earlier'
    counter_is samples_kept 1000
    assert_equal "$(history_of 'last=60000&points=6000' "len(d['t']), [e['text'] for e in d['events']]")" "(1000, ['APNEA'])"
    samples 0.01 100
    wait_for 5 counter_is samples_kept 1001
}

@test "alarms: priorities, what came and what was acknowledged" {
    rules
    say 'hev.alarms {"alarms": [{"name": "LOW_PEEP", "alarm_type": "PRIORITY_LOW", "alarm_code": "LOW_PEEP", "param": -500.0, "since": 1700000000000000000, "count": 3}, {"name": "APNEA", "alarm_code": "APNEA", "param": 0, "since": 1, "count": 1}, {"name": "HIGH_RR", "alarm_code": "HIGH_RR", "param": 0, "since": 1, "count": 1}, {"name": "NEVER_HEARD", "since": 1}]}'
    wait_for 5 state_is "[(a['name'], a['priority'], a['count']) for a in d['alarms']]" \
        "[('LOW_PEEP', 'low', 3), ('APNEA', 'high', 1), ('HIGH_RR', 'medium', 1), ('NEVER_HEARD', 'none', 1)]"
    assert_equal "$(state "d['alarms'][0]['since_ms'], d['alarms'][0]['param']")" "(1700000000000, -500.0)"
    say 'hev.alarms {"alarms": [{"name": "APNEA", "since": 1, "count": 2}]}'
    wait_for 5 state_is "len(d['alarms'])" 1
    run history_of 'last=60000' "[(e['kind'], e['text']) for e in d['events']]"
    assert_output "[('alarm', 'LOW_PEEP'), ('alarm', 'APNEA'), ('alarm', 'HIGH_RR'), ('alarm', 'NEVER_HEARD'), ('cleared', 'LOW_PEEP'), ('cleared', 'HIGH_RR'), ('cleared', 'NEVER_HEARD')]"
}

@test "no samples for a while: told, and again when they are back; the port as well" {
    rules --stale 300ms
    listen
    hello
    say 'serial.state {"connected": true, "device": "/dev/ttyX", "cause": "ok"}'
    samples 0.5 100
    wait_line out 'stale.":true'
    samples 0.1 100 live
    wait_for 5 events_are "[('device', 'on'), ('stale', 'on'), ('stale', 'off'), ('stale', 'on')]"
    say 'serial.state {"connected": false, "device": "/dev/ttyX", "cause": "unplugged"}'
    wait_for 5 state_is "d['serial'], d['cause']" "(False, 'unplugged')"
    events_are "[('device', 'on'), ('stale', 'on'), ('stale', 'off'), ('stale', 'on'), ('device', 'off')]"
}

@test "requests go to hevbcast: acknowledged, refused, or nobody there; pages of others may not" {
    rules
    ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "START", "param": null}'
    assert_failure
    ports=$("$PY" -c '
import socket
s = [socket.socket() for _ in range(3)]
[x.bind(("127.0.0.1", 0)) for x in s]
print(*[x.getsockname()[1] for x in s])')
    read -r a b c <<<"$ports"
    mkfifo "$TAPLINE_RUN/nothing.fifo"
    start bcast hevbcast --webui-port "$a" --query-port "$b" --native-port "$c" -i fifo:nothing -o bcast
    wait_for 10 tapline req bcast ping
    ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "START", "param": null}'
    assert_success
    assert_output --partial '"reply":"ack"'
    ask '{"type": "cmd", "cmdtype": "general", "cmd": "foo", "param": null}'
    assert_failure
    ask '{"type": "alarm", "ack": "APNEA"}'
    assert_failure
    assert_output --partial APNEA
    ask "$(printf 'x%.0s' {1..2100})"
    assert_failure
    assert_output --partial 'at most 2000'
    # As httpd passes it on from a form of another site, and from our page.
    ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' method=POST type=text/plain
    assert_output --partial '"status":400'
    ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "STOP", "param": null}' method=POST type=application/json
    assert_output --partial '"ok":true,"reply":"ack"'
    ask '{"type": "cmd", "cmdtype": "GENERAL", "cmd": "EXPLODE", "param": null}' method=POST type=application/json
    assert_output --partial '"status":409'
}

@test "a command that the device did not acknowledge is told" {
    rules
    say 'hev.sent {"id": 1, "ok": true, "tries": 1, "ns": 0}' 'hev.command {"client": 1, "from": "tcp", "cmdtype": "GENERAL", "cmd": "STOP", "param": 0, "reply": "ack"}' 'hev.sent {"id": 2, "ok": false, "tries": 10, "ns": 1}'
    wait_for 5 state_is "d['unsent_ms'] is not None" True
    events_are "[('command', 'GENERAL STOP'), ('unsent', '')]"
}

@test "another kind of device: its curves begin anew" {
    rules
    samples 1 100
    wait_for 5 counter_is samples_kept 100
    samples 0.5 10 raw live
    wait_for 5 counter_is samples 105
    counter_is samples_kept 5
}

@test "messages that make no sense are harmless" {
    rules
    listen
    hello
    wait_line out 'hev.state .*"to": 7'
    say 'hev.data {}' 'hev.data {"airway_pressure": "x", "flow": null, "fsm_state": -5, "timestamp": -1, "version": "v"}' \
        'hev.data {"airway_pressure": 1e300, "flow": 1e39, "volume": -1e308, "timestamp": 4294967295, "fsm_state": 99999999999}' \
        'hev.data {"airway_pressure": 1, "flow": 2, "volume": 3, "timestamp": 18446744073709551615}' \
        'hev.data {"airway_pressure": 1, "flow": 2, "volume": 3, "timestamp": 4611686018427387904}' \
        'hev.data {"airway_pressure": NaN, "flow": Infinity, "volume": -Infinity, "timestamp": 0}' \
        'hev.alarms {"alarms": 5}' 'hev.alarms {"alarms": [1, null, {}, {"name": 7, "since": -1, "count": "x"}]}' 'hev.alarms {}' \
        'hev.cycle {"respiratory_rate": NaN, "peak_inspiratory_pressure": -1}' 'hev.cycle {"respiratory_rate": "x"}' \
        'hev.command {}' 'hev.command {"cmdtype": 5, "cmd": [], "reply": {}}' 'hev.sent {"ok": 5}' 'hev.target {"mode": 5}' \
        'hev.battery {}' 'hev.link {}' 'hev.clients {"webui": "x"}' 'serial.state {}' 'ws.text {"client": 7, "text": "no json"}' \
        'ws.text {"client": 7, "text": "[1]"}' 'ws.text {}' 'ws.clients {"count": 1}' \
        "hev.alarms {\"alarms\": [$(for i in $(seq 199); do printf '{"name": "A%s"},' "$i"; done){\"name\": \"last\"}]}" \
        'hev.data {"airway_pressure": 7.5, "flow": 2, "volume": 3, "timestamp": 20}'
    wait_line out 'hev.samples .*,7.5,2,3\]'
    wait_for 5 state_is "len(d['alarms'])" 128
    assert_equal "$(history_of 'last=60000' "d['p']['low'][-1]")" 7.5
}
