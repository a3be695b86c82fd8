#!/usr/bin/env bats
# pipelines/camera.conf as a whole, with ffmpeg's test picture, and tapline camera, its client.
load helper

setup() {
    common_setup
    unset AUTH_PASSWORD
    read -r LISTEN_PORT DATA CONTROL AUTH RTSP < <(free_ports 5)
    URL=http://127.0.0.1:$LISTEN_PORT
    echo rot-gelb-blau >password
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
    start pipeline tapline up "$ROOT/pipelines/camera.conf" SOURCE=test WIDTH=160 HEIGHT=120 "LISTEN=127.0.0.1:$LISTEN_PORT" \
        SERVER_HOST=127.0.0.1 "DATA_PORT=$DATA" "SETTINGS_PORT=$CONTROL" "AUTH_PORT=$AUTH" \
        "RTSP_URL=rtsp://127.0.0.1:$RTSP/ES_MTX" "SETTINGS=$WORK/settings.json" "PASSWORD_FILE=$WORK/password" "$@"
    PIPELINE=$PID
    wait_line pipeline.err 'camera is up' 20
    wait_for 20 page_says 'j["control"]' True
    wait_for 20 page_says 'process("camera")["state"]' running
}
end_pipeline() {
    kill -TERM "$PIPELINE"
    wait_end "$PIPELINE" 15
}
# client WORD...: tapline camera, without a terminal.
client() { timeout 30 setsid -w tapline camera --data-port "$DATA" --settings-port "$CONTROL" --auth-port "$AUTH" "$@" </dev/null; }
json() { "$PY" -c "
import json, sys
j = json.load(sys.stdin)
def process(name): return next((p for p in j['processes'] if p['name'] == name), {'state': '', 'pid': 0, 'restarts': 0})
print($1)"; }
page() { curl -s -m 5 "$URL/camera/state.json" | json "$1"; }
page_says() { [ "$(page "$1")" = "$2" ]; }
# post PATH JSON [OPTION]...: the status; the answer in `body`
post() { curl -s -m 10 -o body -w '%{http_code}' -H 'Content-Type: application/json' -d "$2" "${@:3}" "$URL$1"; }
stage_pid() { tapline status --json | json "[s['pid'] for s in j['stages'] if s['name'] == '$1'][0]"; }
stage_is_new() { p=$(stage_pid "$1") && [ "$p" != "$2" ] && [ "$p" != 0 ] && [ "$p" != None ]; }

@test "camera.conf: not to the network without a password" {
    run timeout 20 tapline up "$ROOT/pipelines/camera.conf" SOURCE=test "LISTEN=127.0.0.1:$LISTEN_PORT"
    assert_failure 2
    assert_output --partial 'no password'
    AUTH_PASSWORD=x run tapline check "$ROOT/pipelines/camera.conf" MODE=none
    assert_failure
}

@test "camera.conf: clients, page and file have the same settings" {
    pipeline 'ORIGIN=http://cam.example,http://127.0.0.1:*' 'HOSTS=127.0.0.1,cam.example'
    for what in get 'set gain=2' 'watch -n 1'; do
        run client $what
        assert_failure 1
        assert_output --partial 'has not authenticated'
    done
    AUTH_PASSWORD=1111 run client auth
    assert_failure 1
    wait_for 5 page_says 'j["auth"][-1]["reason"]' 'wrong password'
    run --separate-stderr client auth --password-file password
    assert_success
    assert_output '{"ok": true}'
    wait_for 5 page_says '[j["auth"][-1]["ok"], j["servers"]["authenticated"]]' '[True, 1]'
    run --separate-stderr client watch -n 3
    assert_success
    assert_equal "$(wc -l <<<"$output")" 3
    run --separate-stderr client set shutter=5000 gain=2 brightness=1
    assert_success
    assert_output '{"shutter": 5000, "gain": 2, "awb_red": 1.0, "awb_blue": 1.0, "contrast": 1.0, "brightness": 1.0}'
    wait_for 10 page_says '[j["settings"]["shutter"], j["settings"]["source"]]' "[5000, 'client']"
    # The page sets, a client that follows sees it, the camera gets it.
    start follow timeout 60 tapline camera get -f --settings-port "$CONTROL"
    wait_line follow.out '"gain": 2'
    assert_equal "$(post /camera/settings '{"gain": 7}' -H 'Origin: http://evil.example')" 403
    assert_equal "$(post /camera/settings '{"gain": 7}' -H 'Host: evil.example')" 421
    assert_equal "$(curl -s -o body -w '%{http_code}' -d '{"gain": 7}' "$URL/camera/settings")" 415
    for bad in '{"gain": 7, "zoom": 1}' '{"gain": "7"}' '{}' '[]' 7 '{"gain"' ''; do
        assert_equal "$(post /camera/settings "$bad")" 400
    done
    assert_equal "$(post /camera/settings '{"gain": 7, "contrast": 900}')" 409
    grep -q contrast body
    page_says 'j["settings"]["gain"]' 2
    assert_equal "$(post /camera/settings '{"gain": 7, "contrast": 1.5}' -H 'Origin: http://cam.example')" 200
    wait_line follow.out '"gain": 7'
    wait_for 20 page_says 'j["limits"]["applied"] and j["limits"]["applied"]["contrast"]' 1.5
    wait_for 10 grep -q '"gain": 7' settings.json
    assert_equal "$(post /camera/restart '{"name": "nobody"}')" 409
    assert_equal "$(post /camera/restart '{}')" 400
    # And it is still so after a restart.
    end_pipeline
    pipeline
    page_says '[j["settings"]["gain"], j["settings"]["source"]]' "[7, 'file']"
    grep -rq rot-gelb-blau pipeline.err && false
    refute grep -q rot-gelb-blau <(curl -s -m 5 "$URL/camera/state.json")
}

@test "camera.conf: preview pictures, and video by RTSP, frame by frame" {
    start rtsp timeout 60 ffmpeg -nostdin -hide_banner -loglevel error -rtsp_flags listen \
        -i "rtsp://127.0.0.1:$RTSP/ES_MTX" -frames:v 30 -f framecrc -
    RTSP_PID=$PID
    pipeline
    wait_for 20 curl -sf -m 5 -o picture "$URL/camera/picture.jpg"
    assert_equal "$(ffprobe -v error -show_entries stream=codec_name,width,height -of csv=p=0 -f image2 picture)" mjpeg,160,120
    curl -s -m 3 -o stream -D head "$URL/camera/stream" || true
    grep -qi 'multipart/x-mixed-replace' head
    assert [ "$(grep -ac 'image/jpeg' stream)" -ge 3 ]
    wait_end "$RTSP_PID" 40
    assert_equal "$(grep -vc '^#' rtsp.out)" 30
    run curl -s -o body -w '%{http_code} %{content_type}' "$URL/camera"
    assert_output '200 text/html'
}

@test "camera.conf: kill -9 of any stage: the page, the clients and the camera go on" {
    pipeline MODE=open
    AUTH_PASSWORD=1111 run client auth
    assert_failure 1
    wait_for 5 page_says 'len(j["auth"])' 1
    for stage in rules ws web camera; do
        pid=$(stage_pid $stage)
        kill -KILL "$pid"
        wait_for 10 stage_is_new $stage "$pid"
        wait_for 20 page_says '[j["control"], process("camera")["state"]]' "[True, 'running']"
        page_says '[a["reason"] for a in j["auth"]]' "['wrong password']"
        wait_for 10 client watch -n 1
    done
    # A program is ended by the page, and is another one then.
    pid=$(page 'process("preview")["pid"]')
    wait_for 20 eval '[ "$(post /camera/restart "{\"name\": \"preview\"}")" = 200 ]'
    wait_for 20 eval "page_says 'process(\"preview\")[\"pid\"] not in (0, $pid)' True"
    end_pipeline
    run pgrep -f "rtsp://127.0.0.1:$RTSP/"
    assert_failure
}

@test "tapline camera: a server that answers no command, byte by byte with noise" {
    start old "$PY" "$ROOT/test/tool/camera_old.py"
    wait_line old.out '^[0-9]+ [0-9]+ [0-9]+$'
    read -r DATA CONTROL AUTH <old.out
    run --separate-stderr client watch -n 5
    assert_success
    assert_line --index 4 '{"value": 4, "time_ms": 1700000000004}'
    run --separate-stderr client watch
    assert_failure 1
    assert_equal "$(wc -l <<<"$output")" 5
    run --separate-stderr client get
    assert_output '{"shutter": 10000, "gain": 1, "awb_red": 1.0, "awb_blue": 1.0, "contrast": 1.0, "brightness": -0.004}'
    run --separate-stderr client set awb_red=2.3 contrast=0.7
    assert_success
    assert_output '{"shutter": 10000, "gain": 1, "awb_red": 2.3, "awb_blue": 1.0, "contrast": 0.7, "brightness": -0.004}'
    wait_line old.out '^set 6401170a077f$'
    # Blanks around it are none of it, as for the server.
    AUTH_PASSWORD=' 1111	' run --separate-stderr client auth
    assert_output '{"ok": true}'
    # The file comes first; with a password every command shows it.
    AUTH_PASSWORD=1111 run client --password-file password get
    assert_failure 1
    assert_output --partial 'refuses'
    assert_equal "$(grep -c '^auth' old.out)" 2
    # At the terminal, and not to be read there.
    run timeout 30 "$PY" - "$AUTH" <<'E2'
import os, pty, sys
pid, tty = pty.fork()
if pid == 0:
    os.execvp("tapline", ["tapline", "camera", "auth", "--auth-port", sys.argv[1]])
said, asked = b"", False
while True:
    try:
        b = os.read(tty, 1000)
    except OSError:
        break
    said += b
    if b"Password: " in said and not asked:
        asked = True
        os.write(tty, b"1111\n")
    if not b:
        break
assert asked and b"1111" not in said and b'{"ok": true}' in said, said
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
E2
    assert_success
    # Who changes his mind finds the terminal as it was.
    run timeout 30 "$PY" - "$AUTH" <<'E2'
import fcntl, os, pty, subprocess, sys, termios
tty, theirs = pty.openpty()
def own(): fcntl.ioctl(0, termios.TIOCSCTTY, 0)
p = subprocess.Popen(["tapline", "camera", "auth", "--auth-port", sys.argv[1]], stdin=theirs, stdout=theirs,
                     stderr=theirs, start_new_session=True, preexec_fn=own)
said = b""
while b"Password: " not in said:
    said += os.read(tty, 1000)
shows = lambda: bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
assert not shows()
os.write(tty, b"11\x03")
status = p.wait(20)
assert status == 1 and shows(), (status, shows())
E2
    assert_success
}

@test "tapline camera: nobody there, closed at once, wrong usage" {
    for what in get auth watch 'set gain=1'; do
        AUTH_PASSWORD=x run client $what
        assert_failure 1
        assert_output --partial 'is camctl running there?'
    done
    start old "$PY" "$ROOT/test/tool/camera_old.py" stale
    wait_line old.out '^[0-9]+ [0-9]+ [0-9]+$'
    read -r DATA CONTROL AUTH <old.out
    for what in get watch 'set gain=1'; do
        run client $what
        assert_failure 1
        assert_output --regexp 'closed the connection|reset by peer|Broken pipe'
    done
    for what in '' set 'set gain' 'set gain=' 'set gain=x' 'set gain=256' 'set gain=1.5' 'set shutter=50' 'set zoom=1' \
        'set =1' 'set brightness=nan' 'set awb_red=1.23' 'get more' look 'watch -n x'; do
        run client $what
        assert_failure 2
    done
    run client auth
    assert_failure 2
    assert_output --partial 'AUTH_PASSWORD'
    run client auth --password-file nothing-such
    assert_failure 1
    : >empty
    run client auth --password-file empty
    assert_failure 2
}

@test "dispatch camera: messages that make no sense" {
    start rules timeout 60 dispatch camera --requests nobody -i fifo:in -o rules
    RULES=$PID
    wait_for 10 tapline req rules ping
    {
        for topic in cam.data cam.settings cam.clients cam.auth cam.process.x ws.text ws.clients cam.process. cam; do
            for body in '{}' '{"value": "x", "peer": 7, "ok": "y", "name": 7, "count": "z", "client": "c", "text": 7}' \
                '{"value": 1e400, "name": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "text": "{\"type\": 7}", "client": 1}' \
                '{"value": 3, "time_ms": 18446744073709551615, "peer": ":::", "reason": "", "text": "[", "client": 1}'; do
                echo "$topic $body"
            done
        done
        for i in $(seq 20); do echo "cam.process.p$i {\"name\": \"p$i\", \"lines\": [\"\\u0000\"]}"; done
        for i in $(seq 3000); do echo "cam.data {\"value\": $i, \"time_ms\": $i}"; done
        for i in $(seq 100); do echo "cam.auth {\"peer\": \"[::1]:$i\", \"ok\": false, \"reason\": \"r$(((i - 1) / 50))\"}"; done
    } | "$PY" "$ROOT/test/tool/msgs.py" encode >"$TAPLINE_RUN/in.fifo"
    rules() { tapline req rules state | json "j['body']['$1']"; }
    wait_for 20 eval '[ "$(tapline req rules stats | json "j[\"stats\"][\"counters\"][\"attempts\"]")" = 104 ]'
    assert_equal "$(tapline req rules state | json '[(a["peer"], a["count"]) for a in j["body"]["auth"]][-2:]')" "[('[::1]', 50), ('[::1]', 50)]"
    assert_equal "$(tapline req rules state | json 'len(j["body"]["processes"])')" 6
    wait_for 10 eval '[ "$(rules control)" = False ]'
    run tapline req rules set gain=2
    assert_failure
    kill -TERM "$RULES"
    wait_end "$RULES"
}
