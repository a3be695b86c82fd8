#!/usr/bin/env bats
# Loss that adds up: what each wire of a pipeline carried and lost, after drops that are forced;
# tapline status and graph, which show it.
load helper

FRAMES='framedecode --format lines'

setup() {
    common_setup
    mkfifo go
    SOURCE="$PY $ROOT/test/tool/lines_on_demand.py $WORK/go"
}
teardown() {
    local pid
    # What a test has stopped would not end.
    for pid in "${STOPPED[@]}"; do kill -CONT "$pid" 2>/dev/null || true; done
    common_teardown
}

conf() { printf '%s\n' "$@" >p.conf; }
up() {
    start sup supervisor p.conf
    wait_line sup.err 'pipeline p is up'
}
status() { tapline status --json; }
# of EXPRESSION: with d the status, w(FROM, TO) a wire, s(NAME) a stage.
of() {
    status | "$PY" -c "import json,sys
d=json.load(sys.stdin)
def w(a, b, via=None): return [x for x in d['wires'] if (x['from'],x['to'])==(a,b) and via in (None,x['via'])][0]
def s(name): return [x for x in d['stages'] if x['name']==name][0]
print(($1))"
}
is() { [ "$(of "$1")" = "$2" ]; }
pid_of() { of "s('$1')['pid']"; }
# Nothing is on its way on any wire that is known.
idle() { is "all(x['queued'] in (0, None) for x in d['wires'])" True; }
# ask COUNT RATE: that many lines, and wait until they are written.
ask() {
    rm -f go.done
    echo "$1 $2" >go
    wait_for 20 test -e go.done
}
# Every wire: sent = received + lost + dropped, nothing unaccounted for.
assert_balanced() {
    wait_for 15 idle
    run of "[x for x in d['wires'] if x['sent'] is not None and (x['unaccounted'] or x['sent'] != x['received'] + x['lost'] + x['dropped'])]"
    assert_output '[]'
}
stop() {
    local pid
    pid=$(pid_of "$1")
    STOPPED+=("$pid")
    kill -STOP "$pid"
}
go_on() { kill -CONT "${STOPPED[-1]}"; }
kill_stage() {
    wait_for 5 is "s('$1')['pid'] > 0" True
    local pid
    pid=$(pid_of "$1")
    [ "$pid" -gt 1 ] && kill -9 "$pid"
}

@test "every kind of wire, nothing lost: all messages accounted for" {
    conf '[p]' "run = $SOURCE | $FRAMES -o - -o a | $FRAMES -o fifo:f -o b" \
        '[q]' "run = $FRAMES -i fifo:f -i b -o c"
    up
    ask 500 1000
    wait_for 10 is "(w('b','q','b')['received'], w('b','q','fifo:f')['received'])" '(500, 500)'
    assert_balanced
    run of "[(x['from'], x['to'], x['via'], x['sent'], x['lost']) for x in d['wires']]"
    assert_output "[('p.python3', 'a', 'pipe', None, 0), ('a', 'b', 'pipe', 500, 0), ('b', 'q', 'fifo:f', 500, 0), ('b', 'q', 'b', 500, 0)]"
    run of "d['balance']['text']"
    assert_output 'all 1500 messages accounted for; unknown on 1 of 4 wires'
    run of "(s('q')['section'], s('q')['run_index'], s('q')['inputs'], s('q')['outputs'])"
    assert_output "('q', 0, ['fifo:f', 'b'], ['c'])"
    run of "(s('b')['section'], s('b')['run_index'], s('b')['inputs'], s('b')['outputs'])"
    assert_output "('p', 2, ['-'], ['fifo:f', 'b'])"
    reported() { is "[(x['name'], x['received']) for x in s('q')['report']['inputs']], [(x['name'], x['sent'], x['subscribers']) for x in s('b')['report']['outputs']]" \
        "([('fifo:f', 500), ('b', 500)], [('fifo:f', 500, None), ('b', 500, 1)])"; }
    wait_for 5 reported
}

@test "a subscriber that stands still while a publisher bursts: what NNG threw away is lost there" {
    conf '[p]' "run = $SOURCE | $FRAMES -o a" '[n]' "run = $FRAMES -i a -o n"
    up
    ask 10 100
    wait_for 5 is "w('a','n')['received']" 10
    stop n
    ask 20000 0
    wait_for 10 is "w('a','n')['sent']" 20010
    run of "w('a','n')"
    assert_output --partial "'received': 10, 'lost': 0, 'crashed': 0, 'dropped': 0, 'queued': 20000, "
    go_on
    assert_balanced
    run of "w('a','n')['lost'] > 10000, w('a','n')['received'] > 100, w('a','n')['crashed']"
    assert_output '(True, True, 0)'
    lost=$(of "w('a','n')['lost']")
    run tapline status
    assert_line "$lost lost on a → n; unknown on 1 of 2 wires"
    # The stage says the same.
    wait_for 5 is "s('n')['report']['lost']" "$lost"
}

@test "kill -9 in the middle: the pipe loses what was inside the process, and nothing twice" {
    conf '[p]' 'backoff = 1ms' "run = $SOURCE | $FRAMES -o - -o a | $FRAMES -o - -o b | $FRAMES -o c"
    up
    echo '8000 2000' >go
    for i in 1 2 3; do
        wait_for 10 is "w('a','b')['received'] > 1500 * $i" True
        kill_stage b
        wait_for 5 is "s('b')['restarts']" $i
    done
    wait_for 20 is "w('a','b')['sent']" 8000
    assert_balanced
    # Two of three were fast enough to be killed with a message inside, or none; never thousands.
    run of "(w('a','b')['lost'] < 200, w('a','b')['crashed'] == w('a','b')['lost'], w('b','c')['crashed'] == w('b','c')['lost'])"
    assert_output '(True, True, True)'
    run of "8000 - w('a','b')['lost'] - w('b','c')['sent'] < 4"
    assert_output True
}

@test "kill -9 of a stage whose output nobody takes: what it held is counted as crashed" {
    conf '[p]' "run = $SOURCE | $FRAMES -o - -o a | $FRAMES -o b"
    up
    ask 10 100
    wait_for 5 is "w('a','b')['received']" 10
    stop b
    rm -f go.done
    echo '60000 0' >go # more than the pipe holds
    wait_for 20 is "w('a','b')['queued'] > 20000 and w('a','b')['queued_bytes'] > 1050000" True
    wait_for 20 test -e go.done
    held=$(of "w('a','b')['sent']")
    kill_stage a
    kill_stage b
    assert_balanced
    run of "w('a','b')['sent'] >= $held, 0 < w('a','b')['lost'] == w('a','b')['crashed'] < 60000, d['balance']['text']"
    assert_output --regexp "^\(True, True, '([0-9]+) lost on a → b \(\1 crashed\); unknown"
    # Everything still adds up afterwards.
    ask 100 0
    assert_balanced
}

@test "restarts of either side over NNG: what was sent meanwhile is lost, and said to be" {
    conf '[p]' "run = $SOURCE | $FRAMES -o a" '[m]' 'backoff = 800ms' "run = $FRAMES -i a -o m"
    up
    wait_for 5 is "s('a')['report']['outputs'][0]['subscribers']" 1
    ask 100 0
    wait_for 5 is "w('a','m')['received']" 100
    tapline restart m
    wait_for 5 is "s('m')['restarts'], s('m')['state']" "(1, 'ready')"
    ask 50 100
    assert_balanced
    run of "w('a','m')['sent']"
    assert_output 150
    tapline restart a
    wait_for 5 is "s('a')['restarts'], s('a')['state']" "(1, 'ready')"
    ask 50 100
    assert_balanced
    run of "w('a','m')['sent'], w('a','m')['lost'] == w('a','m')['crashed']"
    assert_output '(200, True)'
    # The second death within a second is followed by a wait, during which it misses everything.
    for i in 2 3; do
        kill_stage m
        wait_for 5 is "s('m')['restarts']" $i
    done
    before=$(of "w('a','m')['lost']")
    ask 30 0
    wait_for 10 is "s('m')['state'], s('a')['report']['outputs'][0]['subscribers']" "('ready', 1)"
    ask 10 100
    assert_balanced
    run of "w('a','m')['sent'], w('a','m')['lost'] == w('a','m')['crashed'] >= $before + 30"
    assert_output '(240, True)'
}

@test "narrowed outputs and inputs; a state that is told again and again" {
    conf '[p]' "run = $SOURCE | $FRAMES -o - -o a | $FRAMES --topic lin -o 'fifo:f?line' -o b" \
        '[q]' "run = $FRAMES -i fifo:f -o c" '[n]' "run = $FRAMES -i 'b?other' -o n" \
        '[s]' 'run = serialcat --device /dev/no-such-tty -o - -o s | framedecode --format lines -o t' \
        '[m]' "run = $FRAMES -i s -o m"
    up
    ask 100 1000
    for i in 1 2 3; do tapline req a put topic=other.x body={}; done
    assert_balanced
    run of "w('a','b')['sent'], w('a','b')['received'], s('b')['report']['outputs'][0]['name'], w('b','q')['sent'], w('b','q')['received']"
    assert_output "(103, 103, 'fifo:f?line', 100, 100)"
    # What a subscriber does not ask for is dropped inside NNG: nobody can count it.
    run of "w('b','n')['sent'], w('b','n')['queued'], w('b','n')['unaccounted']"
    assert_output '(None, None, None)'
    wait_for 10 is "s('s')['report']['outputs'][0]['repeats'] >= 3" True
    for x in t m; do
        run of "w('s','$x')['sent'] == w('s','$x')['received'] == s('s')['report']['outputs'][0]['sent']"
        assert_output True
        kill_stage $x
    done
    # The one that takes the place is told the state again, which is no message more.
    wait_for 5 is "s('t')['restarts'], s('m')['restarts'], s('t')['state'], s('m')['state']" "(1, 1, 'ready', 'ready')"
    wait_for 10 is "s('t')['report']['inputs'][0]['repeats'] > 0" True
    assert_balanced
    run of "[w('s', x)['lost'] + w('s', x)['unaccounted'] for x in 'tm']"
    assert_output '[0, 0]'
}

@test "clients that vanish in the middle of NNG's greeting end neither requests nor taps" {
    conf '[a]' "run = $FRAMES -i supervisor -o a"
    up
    "$PY" - <<EOF
import socket, time
for i in range(300):
    for end in "pub", "rep":
        s = socket.socket(socket.AF_UNIX)
        s.connect(f"$TAPLINE_RUN/a.{end}")
        until = time.perf_counter() + i % 60 * 5e-6
        while time.perf_counter() < until:
            pass
        s.close()
EOF
    run timeout 5 tapline req a ping
    assert_success
    run timeout 5 tapline tap supervisor --topic sys.a -n 1
    assert_success
    start tap tapline tap a --topic x -n 1
    wait_for 5 is "s('a')['report']['outputs'][0]['subscribers']" 1
    tapline req a put topic=x body={}
    wait_gone "$PID" 5
}

# ---- tapline status ----

@test "status: the table, the wires and the last line say what --json says" {
    conf '[p]' "run = $SOURCE | $FRAMES -o - -o a | $FRAMES -o b" '[n]' "run = $FRAMES -i a -o n"
    up
    ask 300 1000
    wait_for 5 is "w('a','n')['received'], s('n')['report']['in']" '(300, 300)'
    run tapline status
    refute_line --regexp '^from '
    run tapline status --wires
    assert_line --regexp '^from +to +via +sent +received +lost +crashed +dropped +queued +unaccounted$'
    printf '%s\n' "${lines[@]}" >table
    status >json
    "$PY" - <<'EOF'
import json
d = json.load(open("json"))
lines = open("table").read().split("\n")
cells = [l.split() for l in lines]
titles = "stage state cause pid up restarts in/s out/s lost dropped queue p50 p99 cpu memory age".split()
assert titles in cells
for s in d["stages"]:
    row = dict(zip(titles, [c for c in cells if c[:1] == [s["name"]] and len(c) == 16][0]))
    r = s["report"]
    assert [row[k] for k in ("state", "cause", "pid", "restarts")] == [s["state"], s["cause"], str(s["pid"]), str(s["restarts"])], row
    if r:
        assert [row[k] for k in ("lost", "dropped", "queue")] == [str(r[k]) for k in ("lost", "dropped", "queue")], row
        assert row["memory"][-1] in "KM" and row["cpu"][-1] == "%" and row["age"][-1] == "s", row
    else:
        assert row["lost"] == "-", row
keys = "from to via sent received lost crashed dropped queued unaccounted".split()
wires = cells[cells.index(keys) + 1:][:len(d["wires"])]
assert wires == [["unknown" if w[k] is None else str(w[k]) for k in keys] for w in d["wires"]], wires
assert [l for l in lines if l][-1] == d["balance"]["text"] == "all 600 messages accounted for; unknown on 1 of 3 wires"
EOF
}

@test "status --watch redraws in place on a terminal" {
    conf '[a]' "run = $FRAMES -i supervisor -o a"
    up
    start watch script -qfc "tapline status --watch" /dev/null
    wait_for 10 bash -c '[ "$(grep -ac "pipeline p: ready" watch.out)" -ge 3 ]'
    kill "$PID"
    assert_equal "$(grep -aoc $'\e\[2J' watch.out)" 1
    assert [ "$(grep -aoF $'\e[H' watch.out | wc -l)" -ge 3 ]
    grep -aqF $'\e[K' watch.out
    grep -aqF $'\e[J' watch.out
}

# ---- tapline graph ----

@test "graph of every pipeline that is shipped, and what is wrong with a file" {
    for f in "$ROOT"/pipelines/*.conf; do
        run tapline graph "$f"
        assert_success
        assert_line --regexp '^digraph ".*" \{$'
        assert_line '}'
        if command -v dot >/dev/null; then tapline graph "$f" | dot -Tsvg >/dev/null; fi
    done
    conf '[a]' 'run = nothing-such'
    run tapline graph p.conf
    assert_failure 2
    assert_output --partial 'p.conf:2: [a] '
    run tapline graph
    assert_failure 2
}

@test "graph: wires by kind, devices, clients, requests; odd names are quoted" {
    conf '[pipeline]' 'description = a "quoted" \one' 'DEVICE = ${DEVICE:-/dev/tty"X}' \
        '[d]' 'run = devsim panel --link $DEVICE -o d' \
        '[p]' "run = serialcat --device \$DEVICE -o - -o s | $FRAMES -o fifo:f -o l" \
        '[q]' "run = $FRAMES -i fifo:f -i l -o q" \
        '[web]' 'run = httpd --listen 127.0.0.1:1 -o web --route "GET /x ask q status" --route "GET /y ask q y"'
    run tapline graph p.conf
    assert_success
    assert_line --partial 'label="a \"quoted\" \\one";'
    assert_line --partial 'subgraph "cluster_p" {'
    assert_line --partial '"s" [label="s\nserialcat"];'
    assert_line --partial '"s" -> "l" [class=pipe, penwidth=2];'
    assert_line --partial '"l" -> "q" [class=fifo, penwidth=2, style=dashed, label="fifo:f"];'
    assert_line --regexp '"l" -> "q" \[class=nng, .*label="l"\];'
    assert_line --partial '"device /dev/tty\"X" -> "s" [class=device, dir=both];'
    assert_line --partial '"d" -> "device /dev/tty\"X" [class=device, dir=both];'
    assert_line --partial '"clients 127.0.0.1:1" -> "web" [class=clients, dir=both];'
    assert_equal "$(grep -c 'class=route' <<<"$output")" 1
    assert_line --partial '"web" -> "q" [class=route, style=dotted, label=asks];'
    if command -v dot >/dev/null; then dot -Tsvg <<<"$output" >/dev/null; fi
    run tapline graph p.conf DEVICE=/dev/other
    assert_line --partial '"device /dev/other" -> "s"'
}
