#!/usr/bin/env bats
# pipelines/panel.conf as a whole: a board on a pseudo-terminal, browsers on WebSockets.
load helper

setup() {
    common_setup
    cp -r "$ROOT/media" media
    mkfifo board.in ws.in
    exec 8<>board.in 7<>ws.in
    PORT=$(free_port)
    URL=http://127.0.0.1:$PORT
}
teardown() {
    exec 8>&- 7>&-
    common_teardown
}

board() { printf '%s\n' "$@" >&8; }
browser() { printf '%s\n' "$@" >&7; }
start_board() {
    "$PY" "$ROOT/test/tool/board.py" "$WORK/tty" <board.in >board.out 2>board.err 3>&- 7>&- 8>&- &
    PIDS+=($!)
    wait_line board.out open
}
start_pipeline() {
    start pipeline tapline up "$ROOT/pipelines/panel.conf" "DEVICE=$WORK/tty" \
        "LISTEN=127.0.0.1:$PORT" "MEDIA=$WORK/media" "$@" 7>&- 8>&-
    PIPELINE=$PID
    wait_for 10 curl -sf "$URL/status"
}
start_browsers() {
    "$PY" "$ROOT/test/tool/wsclient.py" "ws://127.0.0.1:$PORT/ws" "${1:-1}" <ws.in >ws.out 2>ws.err 3>&- 7>&- 8>&- &
    BROWSERS=$!
    PIDS+=($!)
    wait_line ws.out ready
    wait_for 5 status_is ws_clients "${1:-1}"
}
all_up() {
    start_board
    start_pipeline
    wait_for 10 status_is serial_connected True
    start_browsers "${1:-1}"
}
status_is() { [ "$(curl -s "$URL/status" | "$PY" -c "import json,sys; print(json.load(sys.stdin)['$1'])")" = "$2" ]; }
stage_pid() { tapline status --json | "$PY" -c "import json,sys; print([s['pid'] for s in json.load(sys.stdin)['stages'] if s['name']=='$1'][0])"; }

@test "a press plays in every browser, its end clears the LED" {
    all_up 3
    board 'press 5'
    for k in 0 1 2; do wait_line ws.out "^$k .*\"id\": 5"; done
    run grep '^1 ' ws.out
    assert_line --index 0 '1 {"type": "stop"}'
    assert_line --index 1 '1 {"type": "play", "id": 5}'
    status_is current_button 5
    browser '2 {"type":"ended","id":4}' '2 {"type":"ended","id":5}'
    wait_line board.out '^LEDCLR$'
    wait_for 5 status_is current_button None
    assert_equal "$(grep -c LEDCLR board.out)" 1
}

@test "1000 presses in one write: each browser sees 1000 pairs in order" {
    all_up 10
    "$PY" -c "print('raw ' + ''.join('PRESS %03d\\\\n' % (k % 10 + 1) for k in range(1000)))" >&8
    wait_for 20 bash -c '[ "$(grep -c "\"play\"" ws.out)" = 10000 ]'
    run "$PY" - <<'E2'
import collections, json
seen = collections.defaultdict(list)
for line in open("ws.out"):
    k, _, text = line.partition(" ")
    if text.startswith("{"):
        m = json.loads(text)
        seen[k].append("s" if m["type"] == "stop" else m["id"])
want = [x for k in range(1000) for x in ("s", k % 10 + 1)]
assert len(seen) == 10 and all(v == want for v in seen.values())
E2
    assert_success
}

@test "a line in two pieces, garbage and endless lines do no harm" {
    all_up
    board 'raw PRE'
    board 'raw SS 007\r\n'
    wait_line ws.out '"id": 7'
    board 'raw \xff\x00\xfe\n' 'send PRESS 011' 'send PRESS 000' "raw $(head -c 3000 /dev/zero | tr '\0' x)" 'raw \n' 'press 8'
    wait_line ws.out '"id": 8'
    assert_equal "$(grep -c '"play"' ws.out)" 2
    wait_line pipeline.err 'ignored'
}

@test "the first browser's word counts once; a page's garbage is harmless" {
    all_up 2
    board 'press 3'
    wait_line ws.out '^1 .*"id": 3'
    browser '0 not json' '0 [1]' '0 5' '0 {"type":"ended","id":"3"}' '0 {"type":"ended","id":true}' \
        '0 {"type":"ping"}' '0 {"type":"ended","id":3}' '1 {"type":"ended","id":3}'
    wait_line board.out '^LEDCLR$'
    board 'press 4'
    wait_line ws.out '^0 .*"id": 4'
    wait_line ws.out '^1 .*"id": 4'
    assert_equal "$(grep -c LEDCLR board.out)" 1
    refute grep -q closed ws.out
}

@test "a huge frame closes that browser with 1009 and no other" {
    all_up 2
    "$PY" -c "print('0 ' + 'x' * 5000000)" >&7
    wait_line ws.out '^0 closed 1009'
    board 'press 2'
    wait_line ws.out '^1 .*"id": 2'
}

@test "started without a device; it appears, is unplugged, comes back: health follows" {
    start_pipeline
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "$URL/health")" 503
    start_board
    wait_for 5 curl -sf "$URL/health"
    start_browsers
    board unplug
    wait_for 5 bash -c "! curl -sf $URL/health"
    board plug 'press 6'
    wait_line ws.out '"id": 6'
    wait_for 5 curl -sf "$URL/health"
    assert_equal "$(curl -s "$URL/health")" '{"status": "healthy", "serial": true, "media_complete": true}'
}

@test "an LEDCLR due while the panel was away is sent when it is back" {
    all_up
    board 'press 1'
    wait_line ws.out '"id": 1'
    board unplug
    wait_for 5 status_is serial_connected False
    browser '0 {"type":"ended","id":1}'
    wait_for 5 status_is current_button None
    refute grep -q LEDCLR board.out
    board plug
    wait_line board.out '^LEDCLR$'
}

@test "a board that stops reading blocks nobody" {
    all_up
    board stall
    for i in $(seq 1 300); do curl -s "$URL/test/stop" >/dev/null; done
    board 'press 9'
    wait_line ws.out '"id": 9'
    run curl -s "$URL/test/play/2"
    assert_output 'OK: play 2'
}

@test "a browser that never reads does not disturb the others" {
    all_up 2
    browser '0 stall'
    "$PY" -c "print('raw ' + ''.join('PRESS %03d\\\\n' % (k % 10 + 1) for k in range(3000)))" >&8
    wait_for 20 bash -c '[ "$(grep -c "^1 .*\"play\"" ws.out)" = 3000 ]'
}

@test "kill -9 of any stage while presses flow: everything goes on" {
    all_up
    for stage in serial decode rules; do
        board 'press 1'
        kill -9 "$(stage_pid $stage)"
        n=$(grep -c '"play"' ws.out)
        wait_for 10 bash -c "echo 'press 2' >&8; sleep 0.05; [ \$(grep -c '\"id\": 2' ws.out) -gt $n ] || { [ \$(grep -c '\"play\"' ws.out) -gt \$(($n + 1)) ]; }"
    done
    kill -9 "$(stage_pid web)"
    wait_for 10 curl -sf "$URL/status"
    board 'press 7'
    wait_line ws.out '"id": 7'
    refute grep -q closed ws.out # neither the rules nor the pages' server cost a browser its connection
    kill -9 "$(stage_pid ws)"
    wait_line ws.out closed
    wait_for 10 status_is ws_clients 0
}

@test "SIGTERM with browsers: code 1001, exit 0, nothing left" {
    all_up 10
    board 'press 4'
    wait_line ws.out '^9 .*"id": 4'
    kill -TERM "$PIPELINE"
    wait_gone "$PIPELINE" 3
    wait "$PIPELINE"
    for k in 0 5 9; do wait_line ws.out "^$k closed 1001"; done
    run pgrep -f "$WORK"
    refute_output --partial framedecode
    assert_not_exist "$TAPLINE_RUN/ws.sock"
}

@test "the HTTP table of the protocol" {
    start_board
    start_pipeline
    code() { curl -s -o /dev/null -w '%{http_code} %{content_type}' "$@"; }
    assert_equal "$(code "$URL/")" '200 text/html'
    assert_equal "$(code "$URL/status")" '200 application/json; charset=utf-8'
    assert_equal "$(curl -s "$URL/test/play/5")" 'OK: play 5'
    assert_equal "$(code "$URL/test/play/5")" '200 text/plain; charset=utf-8'
    assert_equal "$(curl -s "$URL/test/play/11")" 'ERROR: ID muss 1-10 sein'
    assert_equal "$(code "$URL/test/play/0")" '400 text/plain; charset=utf-8'
    assert_equal "$(curl -s "$URL/test/play/abc")" 'ERROR: Ungueltige ID'
    assert_equal "$(curl -s "$URL/test/stop")" 'OK: stopped'
    for p in /nothing /status/ /test/play/ /test/play/5/ //status /STATUS /media/../status /media/%2e%2e/x; do
        assert_equal "$p $(curl -s --path-as-is -o /dev/null -w '%{http_code}' "$URL$p")" "$p 404"
    done
    assert_equal "$(code "$URL/media/")" '403 text/plain; charset=utf-8'
    assert_equal "$(code "$URL/media/001.jpg")" '200 image/jpeg'
    assert_equal "$(code "$URL/media/001.mp3")" '200 audio/mpeg'
    assert_equal "$(code -H 'Range: bytes=0-9' "$URL/media/001.mp3")" '206 audio/mpeg'
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' -X POST "$URL/status")" 405
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "$URL/ws")" 400
    assert_equal "$(code --path-as-is "$URL/media/001.jpg/")" '200 image/jpeg' # only files do not mind
    for p in /favicon.ico/ /media//001.jpg /media/001.jpg// /ws/; do
        assert_equal "$p $(curl -s --path-as-is -o /dev/null -w '%{http_code}' "$URL$p")" "$p 404"
    done
    curl -s "$URL/media/003.jpg" | cmp - "$WORK/media/003.jpg"
    curl -sI "$URL/test/play/8" >/dev/null
    status_is current_button None
}

@test "ORIGIN and HOSTS keep pages of others away" {
    start_board
    start_pipeline 'ORIGIN=http://panel.example:*,http://b.example' 'HOSTS=127.0.0.1,panel.example'
    code() { curl -s -o /dev/null -w '%{http_code}' "$@" "$URL/test/play/5"; }
    assert_equal "$(code -H 'Origin: http://evil.example')" 403
    assert_equal "$(code -H 'Sec-Fetch-Site: cross-site')" 403
    assert_equal "$(code -H 'Host: evil.example')" 421
    status_is current_button None
    assert_equal "$(code -H "Host: panel.example:$PORT" -H 'Origin: http://b.example')" 200
    status_is current_button 5
}

@test "media that is missing is named, and healthy again when it is copied in" {
    rm media/007.jpg
    : >media/005.mp3
    start_board
    start_pipeline
    wait_for 5 status_is serial_connected True
    status_is missing_files "['005.mp3 (leer)', '007.jpg']"
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "$URL/health")" 503
    cp "$ROOT/media/007.jpg" "$ROOT/media/005.mp3" media/
    wait_for 5 curl -sf "$URL/health"
}
