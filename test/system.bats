#!/usr/bin/env bats
# httpd --system: the system page, what it asks for, what flows, what may be changed; /metrics.
# Small pipelines really run: a source of messages, a stage that passes them on as endpoint `feed`,
# and httpd as stage `web`.
load helper

FEED="$PY $ROOT/test/tool/feed.py"

setup() {
    common_setup
    unset TAPLINE_ADMIN_TOKEN
    PORT=$(free_port)
    URL=http://127.0.0.1:$PORT
    mkdir -p pages/system pages/shared
    echo '<h1>system</h1>' >pages/system/index.html
    echo 'let a' >pages/system/a.js
    echo 'let b' >pages/shared/b.js
}

# pipeline "FEED-ARGS" [HTTPD-OPTION...]: up, with httpd answering.
pipeline() {
    local feed=$1
    shift
    cat >p.conf <<E2
[src]
restart = never
run = $FEED $feed
  | framedecode --format lines -i - -o feed
[web]
run = httpd --listen 127.0.0.1:$PORT -o web --system $WORK/pages/system $*
E2
    start up tapline up p.conf
    wait_for 10 curl -sf "$URL/system/time.json"
    wait_line up.err 'is up: 3 stages ready'
}
# alone [HTTPD-OPTION...]: httpd without a supervisor
alone() {
    start httpd httpd --listen "127.0.0.1:$PORT" --system "$WORK/pages/system" --ask-timeout 300ms "$@"
    HTTPD=$PID
    wait_for 10 curl -sf "$URL/system/time.json"
}

get() { curl -s -m 10 "$@"; }
code() { curl -s -m 10 -o body -w '%{http_code}' "$@"; }
# json EXPRESSION: of the JSON on standard input, as d
json() { "$PY" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
# viewer NAME PATH: curl on a stream of events, into NAME.out
viewer() { start "$1" curl -sN "$URL$2"; }
# the data of all events of a kind in a file
data_of() { sed -n "/^event: $2\$/{n;s/^data: //p}" "$1"; }
has_events() { [ "$(grep -cx "event: $2" "$1")" -ge "${3:-1}" ]; }
web() { tapline status --json | json "[s for s in d['stages'] if s['name'] == 'web'][0]$1"; }
stage_is() { [ "$(tapline status --json | json "[(s$2) for s in d['stages'] if s['name'] == '$1'][0]")" = "$3" ]; }
web_counter() { web "['report']['counters']['$1']"; }
fds() { find "/proc/$1/fd" -mindepth 1 2>/dev/null | wc -l; }
viewers_are() { [ "$(tapline req web stats | json "d['stats']['counters']['sse_viewers']")" = "$1" ]; }
# settle PID: everything has been used once that stays open from then on; nobody is connected
settle() {
    get "$URL/system/status.json" >first.json
    get -m 0.3 "$URL/system/tap?from=feed" >first.tap || true
    wait_for 5 viewers_are 0
}
fds_are() { [ "$(fds "$1")" = "$2" ]; }
post() { code -X POST -H 'Content-Type: application/json' "$@"; }
error_of() { json "d['error']" <body; }

# ---- the page ----

@test "the page, its parts, dygraphs; nothing else below /system" {
    pipeline 10
    run get -i "$URL/system"
    assert_output --partial '<h1>system</h1>'
    assert_output --partial "frame-ancestors 'self'"
    assert_equal "$(get "$URL/static/system/a.js")" 'let a'
    assert_equal "$(get "$URL/static/shared/b.js")" 'let b'
    assert_equal "$(code "$URL/vendor/dygraphs/dygraph.min.js")" 200
    assert_equal "$(code "$URL/vendor/dygraphs/none.js")" 404
    assert_equal "$(code "$URL/system/")" 301
    assert_equal "$(code -L "$URL/system/")" 200
    assert_equal "$(code "$URL/system/none")" 404
    assert_equal "$(code "$URL/")" 404
    assert_equal "$(code "$URL/system/restart")" 404
    assert_equal "$(code -X OPTIONS "$URL/system/restart")" 405
    assert_equal "$(code -X POST "$URL/system/status.json")" 405
    for path in status.json time.json logs.json events tap; do
        assert_equal "$(code -I "$URL/system/$path")" 200
    done
}

@test "a page that is not there is a 404, and the pipeline's own routes count" {
    rm -r pages
    mkdir own
    echo 'own' >own/a.js
    alone --route "GET /static/system/* dir $WORK/own"
    assert_equal "$(code "$URL/system")" 404
    assert_equal "$(get "$URL/static/system/a.js")" own
    run httpd --system x --route 'GET /metrics file x'
    assert_failure 2
    assert_output --partial 'the same path and method'
}

@test "status, time and log lines as JSON" {
    pipeline 10
    run get "$URL/system/status.json"
    assert_equal "$(json "d['pipeline'], d['state'], [s['name'] for s in d['stages']]" <<<"$output")" \
        "p ready ['src.python3', 'feed', 'web']"
    run get -i "$URL/system/time.json"
    assert_output --partial 'no-store'
    get "$URL/system/time.json" | json "1 / (abs(int(d['now']) - __import__('time').time_ns()) < 5e9)"
    get "$URL/system/logs.json" | json "1 / any('is up' in l['text'] and l['stage'] == 'supervisor' and int(l['time']) > 1e18 and l['level'] == 6 for l in d['lines'])"
    get "$URL/system/logs.json?stage=web" | json "1 / (d['lines'] != [] and all(l['stage'] == 'web' for l in d['lines']))"
    assert_equal "$(get "$URL/system/logs.json?lines=1" | json "len(d['lines'])")" 1
    assert_equal "$(get "$URL/system/logs.json?level=error" | json "d['lines']")" '[]'
    assert_equal "$(get "$URL/system/logs.json?level=3" | json "d['lines']")" '[]'
    assert_equal "$(code "$URL/system/logs.json?stage=none")" 404
    assert_equal "$(code "$URL/system/logs.json?level=loud")" 400
    assert_equal "$(code "$URL/system/logs.json?lines=-1")" 400
    assert_equal "$(code "$URL/system/logs.json?lines=99999999")" 400
}

@test "without a supervisor: 503 with a text, and events that say so" {
    alone
    for path in system/status.json system/logs.json metrics; do
        assert_equal "$(code "$URL/$path")" 503
        run cat body
        assert_output --partial 'supervisor: nobody answers there'
    done
    assert_equal "$(post "$URL/system/restart" -d '{"stage": "x"}')" 503
    viewer events /system/events
    wait_for 10 has_events events.out absent 2
    run cat events.out
    assert_output --partial 'data: {"error":"supervisor: nobody answers there"}'
}

# ---- events ----

@test "events: a status at once and every second, log lines as they come" {
    pipeline 10
    viewer events /system/events
    wait_for 2 has_events events.out status
    wait_for 5 has_events events.out status 3
    run json "d['pipeline']" < <(data_of events.out status | tail -n 1)
    assert_output p
    tapline restart feed
    wait_for 5 grep -q 'on request' events.out
    data_of events.out log | head -n 1 | json "1 / (d['stage'] == 'supervisor' and int(d['time']) > 1e18 and d['level'] <= 7 and 'on request' in d['text'])"
}

@test "events: one question a second for all viewers, none without them" {
    pipeline 10
    local before after i
    before=$(web_counter asks)
    for i in 1 2 3 4 5 6 7 8; do viewer "e$i" /system/events; done
    for i in 1 2 3 4 5 6 7 8; do wait_for 8 has_events "e$i.out" status 4; done
    after=$(web_counter asks)
    [ $((after - before)) -ge 3 ]
    [ $((after - before)) -le 8 ]
    for i in "${PIDS[@]:1}"; do kill "$i"; done
    wait_for 5 viewers_are 0
    before=$(web_counter asks)
    sleep 1.5
    assert_equal "$(web_counter asks)" "$before"
}

# ---- tap ----

@test "tap: messages with everything that is known of them" {
    pipeline '20 0 3'
    viewer tap '/system/tap?from=feed'
    wait_for 10 has_events tap.out message 3
    data_of tap.out message | head -n 1 | json "1 / (d['from'] == 'feed' and d['topic'] == 'test.tick' and abs(int(d['time']) - __import__('time').time_ns()) < 30e9 and isinstance(d['time'], str) and d['seq'] == d['body']['n'] and d['body']['data'] == {'\$bin': 'AAEC'} and 30 < d['bytes'] < 60)"
}

@test "tap: several endpoints, one of them absent; only a topic" {
    pipeline 20
    viewer both '/system/tap?from=feed,supervisor,nobody'
    viewer topic '/system/tap?from=feed,supervisor&topic=sys.'
    wait_for 10 grep -q '"from":"supervisor","topic":"sys.web"' both.out
    wait_for 10 grep -q '"from":"feed","topic":"test.tick"' both.out
    assert_equal "$(data_of both.out absent | json "d['error']")" 'nobody: nobody publishes there now'
    wait_for 10 has_events topic.out message 2
    run data_of topic.out message
    refute_output --partial test.tick
}

@test "tap: without bodies" {
    pipeline '20 0 100000'
    viewer tap '/system/tap?from=feed&body=0'
    viewer with '/system/tap?from=feed&body=1'
    wait_for 10 has_events tap.out message 3
    data_of tap.out message | head -n 1 | json "1 / (sorted(d) == ['bytes', 'from', 'seq', 'time', 'topic'] and d['bytes'] > 100000)"
    wait_for 10 has_events with.out message
    data_of with.out message | head -n 1 | json "1 / ('data' in d['body'])"
}

@test "tap: at most the rate, the rest is told" {
    pipeline 300
    viewer slow '/system/tap?from=feed&rate=5'
    wait_for 10 has_events slow.out skipped 3
    "$PY" - <<'E2'
import json, re
text = open("slow.out").read()
n = [json.loads(d) for d in re.findall(r"event: message\ndata: (.*)\n", text)]
times = [int(m["time"]) for m in n]
assert all(b - a >= 0.9e9 for a, b in zip(times, times[5:])), times
# what was told up to the last skipped is all that is missing up to then, but for what came since
told = sum(json.loads(d)["count"] for d in re.findall(r"event: skipped\ndata: (.*)\n", text))
missing = n[-1]["body"]["n"] - n[0]["body"]["n"] + 1 - len(n)
assert told > 500 and abs(told - missing) < 300, (told, missing)
E2
}

@test "tap: what is wrong in the query is said" {
    pipeline 10
    for query in '' 'from=' 'from=tcp://127.0.0.1:99' 'from=-' 'from=fifo:tx' 'from=../x' \
        'from=feed&rate=0' 'from=feed&rate=1001' 'from=feed&rate=x' 'from=feed&topic=A*' 'from=feed&body=2' \
        "from=a$(printf ',a%s' {1..16})"; do
        assert_equal "$query $(code "$URL/system/tap?$query")" "$query 400"
    done
    assert_equal "$(code "$URL/system/tap?from=$(printf 'a%.0s' {1..1200})")" 400
}

@test "tap: binary up to 512 kB, its size above that" {
    pipeline '20 0 524288'
    viewer fits '/system/tap?from=feed&rate=1'
    wait_for 10 has_events fits.out message 2
    data_of fits.out message | head -n 1 | json "1 / (len(__import__('base64').b64decode(d['body']['data']['\$bin'])) == 524288)"
    tapline down p
    pipeline '20 0 524289'
    viewer over '/system/tap?from=feed&rate=1'
    wait_for 10 has_events over.out message
    data_of over.out message | head -n 1 | json "1 / (d['body']['data'] == {'\$size': 524289} and d['bytes'] > 524289)"
}

@test "tap: a slow viewer loses the oldest, is told how many, and no other notices" {
    pipeline "500 3000 2000 $WORK/go"
    start slow "$PY" "$ROOT/test/tool/sse_slow.py" "$PORT" '/system/tap?from=feed&rate=1000' "$WORK/read"
    viewer quick '/system/tap?from=feed&rate=1000'
    wait_line slow.out connected
    wait_line quick.out retry
    touch go
    wait_for 20 grep -q '"n":3000,' quick.out
    # Nothing is queued for it beyond the bound: 3000 messages are 8 MB of text.
    local most=40000000
    [[ ${TAPLINE_BIN:-} != */san/* ]] || most=240000000
    [ "$(web "['report']['memory_bytes']")" -lt $most ]
    touch read
    wait_line slow.out messages 20
    tail -n 1 slow.out | json "1 / (d['ordered'] and d['skipped'] > 1000 and d['last'] == 3000 and d['messages'] + d['skipped'] == d['last'] - d['first'] + 1 and d['bytes'] < 3e6)"
    assert_equal "$(grep -c '^event: message' quick.out)" 3000
    refute grep -q skipped quick.out
}

@test "tap: a viewer who goes is noticed and takes its subscription along" {
    pipeline 0.2
    local pid before i
    pid=$(web "['pid']")
    settle "$pid"
    before=$(fds "$pid")
    for i in 1 2 3 4 5; do viewer "t$i" '/system/tap?from=feed,supervisor,absent'; done
    for i in 1 2 3 4 5; do wait_line "t$i.out" retry; done
    viewer e1 /system/events
    wait_line e1.out status
    # five connections with two subscriptions each, one with one
    wait_for 5 fds_are "$pid" $((before + 5 * 3 + 2))
    for i in "${PIDS[@]:1}"; do kill -KILL "$i"; done
    wait_for 5 fds_are "$pid" "$before"
    wait_for 5 viewers_are 0
}

@test "tap: goes on when the stage is started again, or comes at last" {
    pipeline 50
    viewer tap '/system/tap?from=feed,late&rate=1000'
    wait_for 10 has_events tap.out message 5
    tapline restart feed
    wait_line up.err 'feed .* ready again'
    local n
    n=$(grep -c '^event: message' tap.out)
    wait_for 10 has_events tap.out message $((n + 20))
    echo '{"a": 1}' | tapline put some.topic -o late --linger 2s
    wait_for 5 grep -q '"from":"late","topic":"some.topic"' tap.out
}

@test "tap: what is no publisher, or sends no messages, harms nobody" {
    alone
    cat >fake.py <<'E2'
import msgpack, os, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
HELLO = b"\0SP\0\0\x20\0\0"
def frame(b, kind=1): return struct.pack(">BQ", kind, len(b)) + b
def message(n): return b"a.b\0" + msgpack.packb(["a.b", 1, n, {"n": n}])
says = [os.urandom(100), b"", b"\0SP\0\0\x30\0\0", HELLO + struct.pack(">BQ", 1, 1 << 60) + b"x",
        HELLO + struct.pack(">BQ", 1, (1 << 64) - 5) + b"x", HELLO + frame(message(1), 2),
        HELLO + frame(b"") + frame(b"x" * 1000) + frame(b"a.b\0x") + frame(message(1)) + frame(message(4)),
        HELLO + frame(message(5))[:20]]
for text in says:
    c, _ = s.accept()
    c.sendall(text)
    c.recv(100)
    c.close()
c, _ = s.accept()
for byte in HELLO + frame(message(5)):
    c.sendall(bytes([byte]))
c.recv(100), c.recv(100)
E2
    start fake "$PY" fake.py "$TAPLINE_RUN/fake.pub"
    wait_for 5 test -S "$TAPLINE_RUN/fake.pub"
    viewer tap '/system/tap?from=fake'
    wait_for 20 grep -q '"n":5}' tap.out
    assert_equal "$(grep -o '"n":[0-9]*' tap.out | tr '\n' ' ')" '"n":1 "n":4 "n":5 '
    wait_for 5 has_events tap.out skipped
    assert_equal "$(data_of tap.out skipped)" '{"count":2}'
    run cat httpd.err
    assert_output --partial 'viewer of fake: what listens there is no publisher'
    assert_output --partial 'that are no message skipped'
    kill -0 "$HTTPD"
}

@test "tap: viewers who come and go by the hundred leave nothing behind" {
    pipeline 300
    local pid before i
    pid=$(web "['pid']")
    settle "$pid"
    before=$(fds "$pid")
    threads=$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)
    "$PY" - "$PORT" <<'E2'
import socket, sys, time
def ask():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
    s.sendall(b"GET /system/tap?from=feed,supervisor HTTP/1.1\r\nHost: x\r\n\r\n")
    return s, s.recv(65536)
for i in range(300):
    s, got = ask()
    while b" 503 " in got[:20]:  # 32 at a time, and each is missed within a second
        s.close()
        time.sleep(0.1)
        s, got = ask()
    while i % 10 == 0 and b"event: message" not in got:
        got += s.recv(65536)
    s.close()
E2
    wait_for 5 fds_are "$pid" "$before"
    assert_equal "$(find "/proc/$pid/task" -mindepth 1 -maxdepth 1 | wc -l)" "$threads"
}

@test "tap: one viewer too many is refused, and there is room again when one has gone" {
    alone
    "$PY" - "$PORT" <<'E2'
import socket, sys, time
def ask():
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5)
    s.sendall(b"GET /system/tap?from=x HTTP/1.1\r\nHost: x\r\n\r\n")
    return s, s.recv(4096).split(b"\r\n")[0]
kept = [ask() for _ in range(32)]
assert all(b"200" in head for _, head in kept), kept
assert b"503" in ask()[1]
kept.pop()[0].close()
end = time.monotonic() + 5
while b"503" in ask()[1]:
    assert time.monotonic() < end
    time.sleep(0.05)
E2
}

# ---- what changes something ----

@test "restart from this machine" {
    pipeline 10
    local pid
    pid=$(tapline status --json | json "[s['pid'] for s in d['stages'] if s['name'] == 'feed'][0]")
    assert_equal "$(post "$URL/system/restart" -d '{"stage": "feed"}')" 200
    assert_equal "$(json "d['ok']" <body)" True
    wait_gone "$pid"
    wait_line up.err 'restart of feed, asked for by 127.0.0.1'
    assert_equal "$(post "$URL/system/restart" -d '{"stage": "none"}')" 400
    assert_equal "$(json "d['ok']" <body)" False
    assert_equal "$(error_of)" 'there is no stage "none" in pipeline p'
    for body in '' '{' '[]' '{}' '{"stage": ""}' '{"stage": 5}' '{"stage": null}' '"feed"'; do
        assert_equal "$body $(post "$URL/system/restart" -d "$body")" "$body 400"
        [ -n "$(error_of)" ]
    done
    # Also itself: the answer still comes.
    pid=$(web "['pid']")
    assert_equal "$(post "$URL/system/restart" -d '{"stage": "web"}')" 200
    wait_gone "$pid"
}

@test "put from this machine" {
    pipeline 0.1
    viewer tap '/system/tap?from=feed&topic=my.'
    wait_line tap.out retry
    wait_for 5 put_arrives
    data_of tap.out message | head -n 1 | json "1 / (d['topic'] == 'my.topic' and d['body'] == {'a': [1, 2.5, 'x', None], 'b': {'\$bin': 'AAE='}})"
    for body in '{}' '{"endpoint": "feed", "topic": "my.topic"}' '{"endpoint": "feed", "topic": "My", "body": {}}' \
        '{"endpoint": "feed", "topic": "my.topic", "body": 5}' '{"endpoint": "tcp://127.0.0.1:9", "topic": "a", "body": {}}' \
        '{"endpoint": "../feed", "topic": "a", "body": {}}'; do
        assert_equal "$body $(post "$URL/system/put" -d "$body")" "$body 400"
    done
    assert_equal "$(post "$URL/system/put" -d '{"endpoint": "nobody", "topic": "a", "body": {}}')" 503
    assert_equal "$(error_of)" 'nobody: nobody answers there'
}
put_arrives() {
    post "$URL/system/put" -d '{"endpoint": "feed", "topic": "my.topic", "body": {"a": [1, 2.5, "x", null], "b": {"$bin": "AAE="}}}'
    grep -q '"count":1' body && has_events tap.out message
}

# try WANT-STATUS CURL-ARG...: a restart, refused unless 200 (421: by the server, for any path)
try() {
    local want=$1 got
    shift
    got=$(code -X POST -d '{"stage": "feed"}' "$@" "$URL/system/restart")
    [ "$got" = "$want" ] || { echo "$*: $got, want $want: $(cat body)" >&2; return 1; }
    [ "$want" = 200 ] || [ "$want" = 421 ] || [ -n "$(error_of)" ]
}
JSON='Content-Type: application/json'

@test "refused: other content types, pages of other sites, names that are not this machine's" {
    pipeline 10
    try 200 -H "$JSON"
    try 200 -H 'content-type: Application/JSON; charset=utf-8'
    try 403
    try 403 -H 'Content-Type: text/plain'
    try 403 -H 'Content-Type: application/jsonp'
    try 403 -H 'Content-Type;'
    try 200 -H "$JSON" -H "Origin: http://127.0.0.1:$PORT"
    try 403 -H "$JSON" -H 'Origin: http://evil.example'
    try 403 -H "$JSON" -H "Origin: http://127.0.0.1:$((PORT + 1))"
    try 403 -H "$JSON" -H 'Origin: null'
    try 421 -H "$JSON" -H "Host: evil.example:$PORT" -H "Origin: http://evil.example:$PORT"
    try 403 -H "$JSON" -H "Host: evil.example:$PORT"
    try 200 -H "$JSON" -H "Host: localhost:$PORT" -H "Origin: http://localhost:$PORT"
    try 403 -H "$JSON" -H 'X-Forwarded-For: 192.168.1.5'
    try 403 -H "$JSON" -H 'Forwarded: for=192.168.1.5'
    assert_equal "$(error_of | grep -o 'admin token' | head -n 1)" 'admin token'
    # A put is guarded by the same door.
    assert_equal "$(code -X POST -d '{"endpoint":"feed","topic":"a","body":{}}' "$URL/system/put")" 403
}

@test "from elsewhere: only with the admin token" {
    export TAPLINE_ADMIN_TOKEN='long enough'
    pipeline 10 --no-admin-here
    try 403 -H "$JSON"
    run error_of
    assert_output --partial 'Authorization: Bearer TOKEN'
    try 200 -H "$JSON" -H 'Authorization: Bearer long enough'
    try 200 -H "$JSON" -H 'authorization: bearer long enough'
    try 403 -H "$JSON" -H 'Authorization: Basic bG9uZyBlbm91Z2g='
    try 403 -H "$JSON" -H 'Authorization: Bearer long enougH'
    assert_equal "$(error_of)" 'the admin token is wrong'
    try 403 -H "$JSON" -H 'Authorization: Bearer long enough and more'
    try 403 -H "$JSON" -H 'Authorization: Bearer '
    try 403 -H 'Authorization: Bearer long enough'
    try 403 -H "$JSON" -H 'Authorization: Bearer long enough' -H 'Origin: http://evil.example'
    run cat up.err
    refute_output --partial 'long enough'
}

@test "wrong tokens are slowed down" {
    export TAPLINE_ADMIN_TOKEN='long enough'
    pipeline 10 --no-admin-here
    for i in 1 2 3 4 5 6 7; do code -X POST -H "$JSON" -H 'Authorization: Bearer wrong' -d '{}' "$URL/system/restart" || true; echo; done >codes
    assert_equal "$(grep -c 403 codes)" 5
    try 429 -H "$JSON" -H 'Authorization: Bearer long enough'
    wait_for 5 try 200 -H "$JSON" -H 'Authorization: Bearer long enough'
}

@test "the token from a file; no token at all" {
    echo 'secret from a file' | tr ' ' '-' >token
    chmod 600 token
    pipeline 10 --no-admin-here --admin-token-file "$WORK/token"
    try 200 -H "$JSON" -H 'Authorization: Bearer secret-from-a-file'
    tapline down p
    pipeline 10 --no-admin-here
    try 403 -H "$JSON" -H 'Authorization: Bearer secret-from-a-file'
    run error_of
    assert_output --partial 'TAPLINE_ADMIN_TOKEN or --admin-token-file'
    run httpd --listen 127.0.0.1:0 --system x --admin-token-file "$WORK/none"
    assert_failure 1
    assert_output --partial "cannot read the admin token in $WORK/none"
    echo short >token
    run httpd --listen 127.0.0.1:0 --system x --admin-token-file "$WORK/token"
    assert_failure 2
    assert_output --partial 'at least 8'
}

# ---- /metrics ----

@test "metrics: promtool is content, the numbers are those of tapline status" {
    pipeline "500 200 10 $WORK/go"
    touch go
    wait_for 10 stage_is feed "['report']['in']" 200
    tapline restart web
    wait_for 10 stage_is web "['restarts'], s['report']['state']" '(1, '"'ready'"')'
    wait_for 10 curl -sf "$URL/metrics"
    get -D head "$URL/metrics" >metrics
    grep -qi '^Content-Type: text/plain; version=0.0.4' head
    run promtool check metrics <metrics
    assert_success
    assert_output ''
    tapline status --json >status.json
    "$PY" - <<'E2'
import json, re
d = json.load(open("status.json"))
m = {}
for line in open("metrics"):
    if line[0] == "#":
        continue
    key, value = re.fullmatch(r"(.+) (\S+)\n", line).groups()
    assert key not in m, key
    m[key] = float(value)
feed = [s for s in d["stages"] if s["name"] == "feed"][0]
r = feed["report"]
same = {"messages_in_total": r["in"], "messages_out_total": r["out"], "in_bytes_total": r["in_bytes"],
        "out_bytes_total": r["out_bytes"], "lost_total": r["lost"], "dropped_total": r["dropped"],
        "bad_total": r["bad"], "queue": r["queue"], "restarts_total": feed["restarts"],
        "last_message_timestamp_seconds": r["last_message"] / 1e9, "up": 1,
        "latency_seconds_count": r["latency_count"], "latency_seconds_sum": r["latency_sum_us"] / 1e6}
for name, value in same.items():
    got = m[f'tapline_stage_{name}{{stage="feed"}}']
    assert abs(got - value) < 1e-3, (name, got, value)
assert r["in"] == 200 and r["latency_count"] == 200
near = {"uptime_seconds": feed["uptime_ms"] / 1e3, "cpu_seconds_total": r["cpu_us"] / 1e6}
for name, value in near.items():
    assert abs(m[f'tapline_stage_{name}{{stage="feed"}}'] - value) < 3, name
assert m['tapline_stage_restarts_total{stage="web"}'] == 1
assert m['tapline_stage_resident_memory_bytes{stage="feed"}'] > 1e6
bucket = [(float(k.split('le="')[1][:-2]), v) for k, v in m.items()
          if k.startswith('tapline_stage_latency_seconds_bucket{stage="feed"')]
assert bucket == sorted(bucket) and [v for _, v in bucket] == sorted(v for _, v in bucket)
assert bucket[-1] == (float("inf"), 200)
for le, v in bucket[:-1]:  # exact: every le is an edge of the stage's own buckets
    own = [n for edge, n in r["latency_buckets_us"] if edge < le * 1e6]
    assert v == (own[-1] if own else 0), (le, v)
states = {k: v for k, v in m.items() if k.startswith('tapline_stage_state{stage="feed"')}
assert sum(states.values()) == 1 and states['tapline_stage_state{stage="feed",state="ready"}'] == 1
for c, v in r["counters"].items():
    assert m[f'tapline_stage_own_total{{stage="feed",counter="{c}"}}'] == v
for w in d.get("wires", []):
    key = f'{{from="{w["from"]}",to="{w["to"]}",via="{w["via"]}"}}'
    for name in ("sent", "received", "lost", "dropped"):  # null: nobody counts there
        assert w[name] is None or "web" in key or m[f"tapline_wire_{name}_total{key}"] == w[name], key
E2
}

# ---- the end ----

@test "SIGTERM with viewers of every kind: gone within a second, streams end properly" {
    pipeline "500 0 1000 $WORK/go"
    start stalled "$PY" "$ROOT/test/tool/sse_slow.py" "$PORT" '/system/tap?from=feed&rate=1000' "$WORK/read"
    viewer idle '/system/tap?from=feed&topic=none.'
    IDLE=$PID
    viewer busy '/system/tap?from=feed&rate=1000'
    viewer events /system/events
    EVENTS=$PID
    wait_line idle.out retry
    wait_line events.out status
    touch go
    wait_for 10 has_events busy.out message 1000
    local pid began
    pid=$(web "['pid']")
    began=$(date +%s%N)
    kill -TERM "$pid"
    wait_gone "$pid"
    [ $(($(date +%s%N) - began)) -lt 1000000000 ]
    # curl's exit status 0: the last chunk came.
    wait "$IDLE"
    wait "$EVENTS"
    wait_line up.err 'web.*(started again|restart|ready again|ended)'
    refute grep -qE 'signal|crash|Sanitizer' up.err
}
