#!/usr/bin/env bats
# dispatch panel: the rules between the panel and the browsers.
load helper

setup() {
    common_setup
    mkdir media
    for i in $(seq -w 1 10); do echo x >"media/0$i.jpg"; echo x >"media/0$i.mp3"; done
    mv media/0010.jpg media/010.jpg 2>/dev/null || true
    mv media/0010.mp3 media/010.mp3 2>/dev/null || true
}

# rules OPTION...: dispatch on named pipe `in`, its messages as lines in `out`.
rules() {
    mkfifo in
    exec 9<>in
    "$PY" "$ROOT/test/tool/msgs.py" encode <in 3>&- |
        dispatch panel --media "$WORK/media" "$@" -o - -o rules 2>log 3>&- 9>&- |
        "$PY" "$ROOT/test/tool/msgs.py" decode >out 3>&- 9>&- &
    PIDS+=($!)
    say 'serial.state {"connected": true, "device": "/dev/ttyX", "cause": "ok"}'
    wait_line log 'media: '
}
teardown() {
    exec 9>&- || true
    pkill -f "dispatch panel --media $WORK/" || true
    common_teardown
}
say() { printf '%s\n' "$@" >&9; }
hex() { printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n'; }
CLR=$(printf 'LEDCLR\n' | od -An -v -tx1 | tr -d ' \n')
ended() { say "ws.text {\"client\": $1, \"text\": \"{\\\"type\\\":\\\"ended\\\",\\\"id\\\":$2}\", \"sent\": $3, \"seen\": $4}"; }
text() { say "$("$PY" -c 'import json,sys; print("ws.text", json.dumps({"client": 1, "text": sys.argv[1], "sent": 1, "seen": 0}))' "$1")"; }
status_key() { tapline req rules status | "$PY" -c "import json,sys; print(json.loads(json.load(sys.stdin)['text'])['$1'])"; }

@test "a press is stop, then play, byte for byte" {
    rules
    say 'panel.press {"id": 5}'
    wait_line out panel.play
    run grep -E '^panel\.(stop|play)' out
    assert_line --index 0 'panel.stop {"text": "{\"type\": \"stop\"}"}'
    assert_line --index 1 --partial '"text": "{\"type\": \"play\", \"id\": 5}"'
    assert_line --index 1 --partial '"run": 1'
}

@test "every press of a burst keeps its own stop and play, in order" {
    rules
    for i in 1 2 3 4 5 6 7 8 9 10; do say "panel.press {\"id\": $i}"; done
    wait_line out '"id": 10, "run": 10'
    run bash -c "grep -oE '^panel\.(stop|play \{\"id\": [0-9]+)' out | tr -d '{}\" ' | tr '\n' ' '"
    assert_output 'panel.stop panel.playid:1 panel.stop panel.playid:2 panel.stop panel.playid:3 panel.stop panel.playid:4 panel.stop panel.playid:5 panel.stop panel.playid:6 panel.stop panel.playid:7 panel.stop panel.playid:8 panel.stop panel.playid:9 panel.stop panel.playid:10 '
}

@test "the end of what plays clears the LED; another id, an earlier run or a stranger does not" {
    rules
    say 'panel.press {"id": 5}'
    wait_line out '"id": 5, "run": 1'
    ended 7 6 1 0 # another id
    ended 7 5 0 0 # was never sent this play
    say 'panel.press {"id": 5}'
    wait_line out '"run": 2.*"confirm": true'
    ended 7 5 1 1 # the first run's end, late
    ended 7 5 2 1 # sent the second play, but has not confirmed it: the first run's end as well
    say 'panel.press {"id": 6}'
    wait_line out '"id": 6, "run": 3'
    run grep -c "$CLR" out
    assert_output 0
    ended 7 6 3 2
    wait_line out "serial.tx.*$CLR"
    ended 7 6 3 2 # twice
    say 'panel.press {"id": 1}'
    wait_line out '"run": 4'
    run grep -c "$CLR" out
    assert_output 1
}

@test "only an id pressed again asks the browsers to confirm" {
    rules
    for i in 1 2 3 4 3 5; do say "panel.press {\"id\": $i}"; done
    wait_line out '"run": 6'
    run bash -c "grep -oE '\"run\": [0-9]+.*\"confirm\": true' out | grep -oE '\"run\": [0-9]+'"
    assert_output '"run": 5'
}

@test "a browser that comes back may end what was playing when it left" {
    rules
    say 'ws.open {"client": 7, "peer": "10.0.0.9:5000"}' 'panel.press {"id": 5}' \
        'ws.closed {"client": 7}' 'ws.open {"client": 8, "peer": "10.0.0.9:5001"}' \
        'ws.open {"client": 9, "peer": "10.0.0.10:5001"}'
    ended 9 5 0 0
    say 'panel.press {"id": 5}' 'ws.closed {"client": 8}'
    wait_line out '"run": 2'
    run grep -c "$CLR" out
    assert_output 0
    say 'ws.open {"client": 11, "peer": "10.0.0.9:5002"}' # had run 2 as client 8
    ended 11 5 0 0
    wait_line out "$CLR"
}

@test "ids that are no whole numbers, and texts that are no JSON, are counted and harmless" {
    rules
    say 'panel.press {"id": 1}'
    for id in '"1"' 1.0 true null '[1]'; do text "{\"type\":\"ended\",\"id\":$id}"; done
    text "[$(head -c 3000 /dev/zero | sed 's/\x0/1,/g')1]"
    for text in '[1]' 5 null '"x"' '{' '{}' '{"type":5}' 'ended'; do text "$text"; done
    say 'panel.press {"id": 2}'
    wait_line out '"id": 2'
    run grep -c "$CLR" out
    assert_output 0
    wait_for 5 bash -c '[ "$(tapline req rules stats | grep -oE "\"bad_texts\":[0-9]+")" = "\"bad_texts\":8" ]'
}

@test "--no-local-led: LEDSET goes out before stop" {
    rules --local-led=no
    say 'panel.press {"id": 5}'
    wait_line out panel.play
    run bash -c "grep -nE 'serial.tx|panel.stop' out | cut -d: -f2 | cut -d' ' -f1 | tr '\n' ' '"
    assert_output 'serial.tx panel.stop '
    run grep -c "$(hex 'LEDSET 005\n')" out
    assert_output 1
}

@test "an LEDCLR that could not be sent is sent when the panel is back" {
    rules
    say 'panel.press {"id": 5}' 'serial.state {"connected": false, "device": "/dev/ttyX", "cause": "unplugged"}'
    wait_line out '"connected": false|panel.play'
    ended 7 5 1 0
    wait_line log 'not connected: LEDCLR is not sent'
    run grep -c "$CLR" out
    assert_output 0
    say 'serial.state {"connected": true, "device": "/dev/ttyX", "cause": "ok"}'
    wait_line out "$CLR"
}

@test "status and health speak the protocol" {
    rules
    rm media/007.jpg && : >media/005.mp3
    wait_for 5 bash -c 'tapline req rules status | grep -q 007.jpg'
    run "$PY" - <<E2
import json, subprocess
r = json.loads(subprocess.check_output(["$BIN/tapline", "req", "rules", "status"]))
t = json.loads(r["text"])
assert r["status"] == 200 and r["type"] == "application/json; charset=utf-8", r
assert list(t)[:10] == ["version", "mode", "num_media", "current_button", "ws_clients", "serial_connected",
                        "serial_port", "media_missing", "missing_files", "esp32_local_led"], t
assert t["missing_files"] == ["005.mp3 (leer)", "007.jpg"] and t["media_missing"] == 2, t
assert t["mode"] == "prototype" and t["current_button"] is None and t["serial_port"] == "/dev/ttyX", t
assert '": "' in r["text"] and '", "' in r["text"]
r = json.loads(subprocess.check_output(["$BIN/tapline", "req", "rules", "health"]))
assert r["status"] == 503 and r["text"] == '{"status": "degraded", "serial": true, "media_complete": false}', r
E2
    assert_success
    echo x >media/007.jpg && echo x >media/005.mp3
    wait_for 5 bash -c 'tapline req rules health | grep -q healthy'
}

@test "play and stop by request; HEAD answers and does nothing; ids as the protocol takes them" {
    rules
    for c in '5|200|OK: play 5' '005|200|OK: play 5' '+5|200|OK: play 5' '0|400|ERROR: ID muss 1-10 sein' \
        '11|400|ERROR: ID muss 1-10 sein' '-1|400|ERROR: ID muss 1-10 sein' \
        '99999999999999999999999|400|ERROR: ID muss 1-10 sein' \
        '1111111111111111111111111111111111111111|400|ERROR: ID muss 1-10 sein' \
        '0000000000000000000000000000000000000000005|200|OK: play 5' 'abc|400|ERROR: Ungueltige ID' \
        '5.0|400|ERROR: Ungueltige ID' '0x5|400|ERROR: Ungueltige ID' '|400|ERROR: Ungueltige ID'; do
        IFS='|' read -r id code text <<<"$c"
        run tapline req rules play method=HEAD "params={\"id\":\"$id\"}"
        assert_output --partial "\"status\":$code"
        assert_output --partial "\"text\":\"$text\""
    done
    run tapline req rules stop method=HEAD
    run grep -cE 'panel.(stop|play)' out
    assert_output 0
    tapline req rules play method=GET 'params={"id":"3"}'
    wait_line out '"id": 3'
    assert_equal "$(status_key current_button)" 3
    tapline req rules stop
    wait_line out "$CLR"
    assert_equal "$(status_key current_button)" None
}

@test "what plays survives kill -9 of dispatch" {
    rules
    say 'panel.press {"id": 5}'
    wait_line out '"run": 1'
    pkill -9 -f "dispatch panel --media $WORK/"
    wait_for 5 bash -c "! pgrep -f 'dispatch panel --media $WORK/[m]edia'"
    echo 'panel.press {"id": 6}' | "$PY" "$ROOT/test/tool/msgs.py" encode >msgs
    start second dispatch panel --media "$WORK/media" -i fifo:none -o - -o rules
    wait_for 5 tapline req rules ping
    assert_equal "$(status_key current_button)" 5
    assert_equal "$(status_key plays)" 1
}

@test "a page that says hello is told the state, joins the group and hears of changes" {
    rules
    say 'panel.press {"id": 5}' 'ws.text {"client": 77, "text": "{\"type\":\"hello\"}", "sent": 0, "seen": 0}'
    wait_line out '"to": 77'
    run grep '"to": 77' out
    assert_output --partial '"mark": 1'
    assert_output --partial '\"current\": 5, \"lit\": 5, \"elapsed_ms\": '
    assert_output --partial '\"missing\": [], \"clients\": 0, \"mode\": \"prototype\"'
    run grep -c 'ws.join {"client": 77, "group": "panel"}' out
    assert_output 1
    ended 77 5 1 0
    wait_line out '"to": "panel".*current.": null'
}

@test "--state-at-join sends what plays to a browser that joins" {
    rules --state-at-join
    say 'panel.press {"id": 5}' 'ws.open {"client": 12, "peer": "1.2.3.4:5"}'
    wait_line out 'panel.play .*"to": 12'
}

@test "press of a button whose media is missing is still played, with a warning" {
    rules
    rm media/003.mp3
    wait_line log 'media missing: .*003.mp3'
    say 'panel.press {"id": 3}'
    wait_line out '"id": 3'
    wait_line log 'media of button 3 incomplete'
}

@test "100 buttons, or any other number" {
    rules --buttons 100
    say 'panel.press {"id": 100}' 'panel.press {"id": 101}'
    wait_line out '"id": 100'
    wait_line log 'press of button 101 ignored'
    assert_equal "$(status_key mode)" production
    assert_equal "$(status_key num_media)" 100
}

@test "usage: the rules are named" {
    run -2 dispatch
    assert_output --partial 'which rules?'
    run -2 dispatch chess
    assert_output --partial 'no rules named "chess"'
    run -0 dispatch --help
    run -0 dispatch panel --help
    assert_output --partial '--buttons N'
}
