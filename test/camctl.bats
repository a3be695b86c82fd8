#!/usr/bin/env bats
# camctl with real sockets and processes. Cameras are scripts, but for the last tests: there ffmpeg
# makes the picture, another publishes it, and a third is the RTSP server.
load helper

READY=00ff00000005726561647991
DENIED=00ff00020000fd
READ=00ff02010000fc
STANDARD=00ff0200000964010a0a0a7f000000e4
REFUSED=00ff02020000ff
NO_DATA=00ff01020000fc
# A key picture and one that is none, as a camera with --inline writes them.
KEY='\000\000\000\001\147\102\011\000\000\000\001\150\316\011\000\000\001\145\210\011'
OTHER='\000\000\001\101\232\011'

talk() { timeout 60 "$PY" "$ROOT/test/tool/cam_talk.py" "$@"; }
req() { tapline req cam "$@"; }
# json EXPRESSION: of the JSON text j on standard input.
json() { "$PY" -c "import json,sys; j=json.load(sys.stdin); print($1)"; }
state() { req state | json "next(p for p in j['processes'] if p['name']=='$1')['$2']"; }
state_is() { [[ $(state "$1" "$2") == $3 ]]; }
setting() { req settings | json "j['settings']['$1']"; }
setting_is() { [ "$(setting "$1")" = "$2" ]; }
count() { req stats | json "j['stats']['counters']['$1']"; }
counted() { [ "$(count "$1")" -ge "$2" ]; }
answers() { [ "$(talk "${@:2}")" = "$1" ]; }
lines_are() { [ "$(wc -l <"$1")" = "$2" ]; }
alive() { ! not_alive "$1"; }

# A camera that writes its arguments to `camera.args`, its process number to `camera.pid`, a word to
# standard error and pictures to standard output.
fake_camera() {
    cat >camera <<END
#!/bin/sh
echo "\$@" >>$WORK/camera.args
env | grep -E 'AUTH_PASSWORD|HTTPD_LOGIN' >>$WORK/leaked
echo \$\$ >>$WORK/camera.pid
echo "camera began" >&2
while :; do
    printf '$KEY' || exit
    printf '$OTHER' || exit
    sleep 0.05
done
END
    # Takes the stream until its end.
    printf '#!/bin/sh\necho $$ >>%s/$1.pid\nexec cat >>%s/$1.fed\n' "$WORK" "$WORK" >taker
    chmod +x camera taker
    FAKE=(--camera-command "$WORK/camera --shutter %shutter --gain %gain --awb %awb_red,%awb_blue
 %contrast %brightness")
    FAKE[1]=${FAKE[1]//$'\n'/}
    FAKE+=(--publisher-command "$WORK/taker publisher" --preview-command "$WORK/taker preview")
}

ports() {
    DATA=$(free_port)
    CONTROL=$(free_port)
    AUTH=$(free_port)
    PORTS=(--data-port "$DATA" --settings-port "$CONTROL" --auth-port "$AUTH")
}

# server OPTION...: camctl with the fake camera.
server() {
    fake_camera
    ports
    start server camctl "${PORTS[@]}" "${FAKE[@]}" -o cam "$@"
    SERVER=$PID
    wait_for 15 req ping
}
with_password() {
    export AUTH_PASSWORD=1111 HTTPD_LOGIN=a:b
    server "$@"
    unset AUTH_PASSWORD HTTPD_LOGIN
}
authenticate() { answers "$READY" auth "$AUTH" 1111; }

@test "camctl: every packet is that of the protocol page" {
    with_password --settings settings.json
    # Nobody is served before.
    answers "$REFUSED" send "$CONTROL" "$READ"
    answers "$NO_DATA" send "$DATA" ""
    answers "$DENIED" auth "$AUTH" 1112
    answers "" auth "$AUTH" ""
    answers "" send "$AUTH" 00ff000100043131313100
    answers "" send "$AUTH" "$(talk packet 2 1 31313131)"
    answers "$REFUSED" send "$CONTROL" "$READ"
    authenticate
    answers "$STANDARD" send "$CONTROL" "$READ" 16
    # A write is answered like a read, stored, and read back.
    local set want
    set=$(talk packet 2 1 c8020f140cff)
    want=$(talk packet 2 0 c8020f140cff000000)
    answers "$want" send "$CONTROL" "$set" 16
    answers "$want" send "$CONTROL" "$READ" 16
    run cat settings.json
    assert_output '{"shutter": 20000, "gain": 2, "awb_red": 1.5, "awb_blue": 2.0, "contrast": 1.2, "brightness": 1.0}'
    # Wrong length, checksum, value, id and type: an error, and nothing has changed.
    answers "$REFUSED" send "$CONTROL" "$(talk packet 2 1 c8020f140c)" 7
    answers "$REFUSED" send "$CONTROL" 00ff02010006010203040506aa 7
    answers "$REFUSED" send "$CONTROL" "$(talk packet 2 1 c8ff0f140cff)" 7
    answers "$REFUSED" send "$CONTROL" "$(talk packet 1 1)" 7
    answers "$REFUSED" send "$CONTROL" "$(talk packet 2 0)" 7
    # Joined with garbage around: each gets its answer, in order.
    answers "$want$REFUSED$want" send "$CONTROL" "1122$READ$(talk packet 2 7)00$READ" 39
    setting_is source client
    setting_is gain 2
}

@test "camctl: packets may be split anywhere" {
    with_password
    authenticate
    local set want
    set=$(talk packet 2 1 32010a0a0a40)
    want=$(talk packet 2 0 32010a0a0a40000000)
    answers "$want$want" split "$CONTROL" "$set$READ" 32
    # A length that says too much takes nothing with it.
    answers "$REFUSED$want" split "$CONTROL" "00ff0201ffff$READ" 23
    # The camera was started again once, for it was one change.
    wait_line camera.args '^--shutter 5000 --gain 1 --awb 1.00,1.00 1.0 -0.498'
    [ "$(grep -c 'shutter 5000' camera.args)" = 1 ]
}

@test "camctl: wrong passwords by the thousand change nothing for those who are served" {
    with_password
    authenticate
    talk data "$DATA" 120 >stream &
    local viewer=$!
    run talk wrong "$AUTH" 2000
    assert_output "2000 $DENIED"
    # Even the right one must wait now.
    answers "$DENIED" auth "$AUTH" 1111
    [ $(($(count passwords_wrong) + $(count passwords_limited))) = 2001 ]
    [ "$(count passwords_wrong)" -lt 100 ]
    wait "$viewer"
    [ "$(wc -l <stream)" = 120 ]
    answers "$STANDARD" send "$CONTROL" "$READ" 16
    wait_for 20 authenticate
    run cat server.err
    refute_output --partial 1111
    # Nor do the programs that it runs hear of it.
    assert_exist leaked
    assert_file_empty leaked
}

@test "camctl: a session ends, and begins again" {
    with_password --session 2s
    authenticate
    # As long as it has a connection it lasts.
    talk data "$DATA" 72 >/dev/null
    talk data "$DATA" 1
    # Not by knocking, which would be being seen.
    wait_for 15 bash -c "tapline req cam state | grep -q '\"authenticated\":0'"
    answers "$NO_DATA" send "$DATA" ""
    answers "$REFUSED" send "$CONTROL" "$READ"
    authenticate
    answers "$STANDARD" send "$CONTROL" "$READ" 16
}

@test "camctl: open mode serves everybody, but says ready to nobody without a password" {
    server --mode open --host 0.0.0.0
    answers "$STANDARD" send "$CONTROL" "$READ" 16
    talk data "$DATA" 2
    answers "$DENIED" auth "$AUTH" 1111
    answers "$DENIED" auth "$AUTH" x
}

@test "camctl: what is given wrong is told at once" {
    run -2 camctl --host 0.0.0.0
    assert_output --partial 'no password, and 0.0.0.0 is not this machine alone'
    run -2 camctl --mode opne
    assert_output --partial '--mode opne: must be strict or open'
    run -2 camctl --data-port 70000
    run -2 camctl --data-port 5001
    assert_output --partial '--data-port and --settings-port are both 5001'
    run -2 camctl --camera-command 'a %shuter'
    assert_output --partial 'unknown value %shuter'
    run -2 camctl --value temperature
    echo '{"auth_password": "1111"}' >c.json
    run -2 camctl --config c.json
    assert_output --partial 'does not belong here'
    refute_output --partial 1111
    echo '{"data_prot": 1}' >c.json
    run -2 camctl --config c.json
    assert_output --partial 'unknown key "data_prot"'
    run -1 camctl --password-file none
    assert_output --partial 'none: No such file'
}

@test "camctl: command line, then environment, then file, then default" {
    local a b c
    a=$(free_port) b=$(free_port) c=$(free_port)
    fake_camera
    printf '{"data_port": %d, "settings_port": %d, "auth_port": "%d", "mode": "open", "log_level": "debug",
        "password_file": "nowhere"}' "$c" "$c" "$a" >c.json
    AUTH_PASSWORD=right SETTINGS_PORT=$b DATA_PORT=1 LOG_LEVEL=WARNING start server camctl --config c.json --data-port "$c" \
        "${FAKE[@]}" -o cam --log-file log
    wait_for 15 req ping
    run bash -c "tapline req cam state | grep -oE '\"(data|settings|auth)_port\":[0-9]+|mode\":\"[a-z]+'"
    assert_output "mode\":\"open
\"data_port\":$c
\"settings_port\":$b
\"auth_port\":$a"
    # So does the password.
    answers "$READY" auth "$a" right
    AUTH_PASSWORD=right run camctl --config c.json --data-port "$b" --password-file there -o cam2
    assert_failure
    assert_output --partial 'there: No such file'
    # Warnings only, with date, name and level.
    talk auth "$a" wrong
    wait_line log '^20[0-9-]{8} [0-9:]{8},[0-9]{3} - camctl - WARNING - authentication of 127\.0\.0\.1:[0-9]+ failed: '
    run grep -E 'INFO|DEBUG' log
    assert_output ""
}

@test "camctl: the data stream carries a number of the bus" {
    mkfifo bus
    fake_camera
    ports
    exec 9<>bus
    "$PY" "$ROOT/test/tool/msgs.py" encode <bus 3>&- 9>&- |
        camctl "${PORTS[@]}" "${FAKE[@]}" --mode open --value weather.now.degrees -i - -o cam >server.err 2>&1 3>&- 9>&- &
    PIDS+=($!)
    wait_for 15 req ping
    value_is() { talk data "$DATA" 1 | grep -q "^$1 "; }
    value_is 0
    echo 'weather.now {"degrees": 21.6}' >&9
    wait_for 10 value_is 22
    echo 'weather.now {"degrees": 1000, "other": 3}' >&9
    wait_for 10 value_is 255
    echo 'weather.now {"degrees": -4}' >&9
    wait_for 10 value_is 0
    echo 'weather.now {"degrees": 7}' >&9
    wait_for 10 value_is 7
    echo 'weather.now {"degrees": "nine"}' >&9
    # The time is now, in milliseconds, and goes on.
    run talk data "$DATA" 10
    assert_success
    local now
    now=$(date +%s%3N)
    "$PY" -c "
import sys
t = [int(l.split()[1]) for l in sys.argv[2].split('\n')]
assert t == sorted(t) and abs(t[-1] - int(sys.argv[1])) < 60000, t" "$now" "$output"
    exec 9>&-
}

@test "camctl: one that never reads delays nobody, and is left behind" {
    server --mode open
    run talk crowd "$DATA" 200 60
    assert_output "served 200"
    counted viewers_opened 201
    # Without a source the value is one of 0 to 10.
    run bash -c "'$PY' '$ROOT/test/tool/cam_talk.py' data $DATA 40 | cut -d' ' -f1 | sort -n | uniq | tail -n 1"
    [ "$output" -le 10 ] && [ "$output" -ge 1 ]
    wait_for 10 bash -c "tapline req cam state | grep -q '\"data\":0,'"
}

@test "camctl: one address takes neither all places of the data port nor anybody's connection" {
    server --mode open --per-address 2
    "$PY" - "$DATA" "$AUTH" "$CONTROL" "$NO_DATA" <<'END'
import socket, sys
data, auth, control = map(int, sys.argv[1:4])
def knock(port, source):
    return socket.create_connection(("127.0.0.1", port), timeout=15, source_address=(source, 0))
two = [knock(data, "127.0.0.1") for _ in range(2)]
for s in two:
    assert len(s.recv(16)) == 16  # it is in
third = knock(data, "127.0.0.1")
assert third.recv(16).hex() == sys.argv[4] and third.recv(16) == b""
other = knock(data, "127.0.0.2")
assert len(other.recv(16)) == 16
two[0].close()
def again():
    s = knock(data, "127.0.0.1")
    return len(s.recv(16)) == 16
for _ in range(1000):
    if again():
        break
else:
    raise SystemExit("its place was not given back")
# Connections that say nothing: when all places are taken, the oldest of the address that has most
# goes; until then one address may have them all.
for port in auth, control:
    calm = knock(port, "127.0.0.2")
    flood = [knock(port, "127.0.0.1") for _ in range(150)]
    assert flood[0].recv(1) == b"" and flood[22].recv(1) == b""
    calm.sendall(bytes.fromhex("00ff02010000fc" if port == control else "00ff0001000141be"))
    assert len(calm.recv(64)) >= 7, port
    flood[23].settimeout(0.05)
    try:
        assert flood[23].recv(1), "one too many has gone"
    except TimeoutError:
        pass
END
    counted refused_of_address 1
    counted connections_displaced 46
}

@test "camctl: noise at every port" {
    with_password
    authenticate
    talk noise "$CONTROL" 1 1
    talk noise "$AUTH" 1 2
    talk noise "$DATA" 1 3
    wait_for 20 authenticate
    answers "$READY" auth "$AUTH" 1111
    run talk send "$CONTROL" "$READ" 16
    [ ${#output} = 32 ]
    alive "$SERVER"
}

@test "camctl: settings on the bus: all or nothing, stored, applied" {
    server --mode open --settings "$WORK/dir/settings.json"
    run req set gain=4
    assert_output --partial 'No such file'
    setting_is gain 1
    mkdir dir
    run req set gain=4 shutter=99999
    assert_output --partial 'shutter 99999: must be 0 to 41600'
    run req set gain=4 gian=5
    assert_output --partial 'unknown setting \"gian\"'
    setting_is gain 1
    req set gain=4 shutter=12345 brightness=-0.5
    setting_is shutter 12345
    wait_line camera.args '^--shutter 12345 --gain 4 --awb 1.00,1.00 1.0 -0.5$'
    # What the camera really has.
    wait_for 10 bash -c "tapline req cam settings | grep -q '\"applied\":{\"shutter\":12345,'"
    # The first camera and what hung on it have ended.
    not_alive "$(head -n 1 camera.pid)"
    wait_for 10 lines_are camera.pid 2
    # Kept over a restart; a file that is none is kept aside and told.
    kill "$SERVER"
    wait_end "$SERVER"
    echo '{"shutter": 1, "gain": 99}' >dir/settings.json
    start server camctl "${PORTS[@]}" "${FAKE[@]}" --mode open --settings "$WORK/dir/settings.json" -o cam
    wait_for 15 setting_is source default
    setting_is shutter 10000
    grep -q 'gain 99: must be 0 to 16' server.err
    req settings | grep -q '"error":"[^"]*settings.json: gain 99'
    run cat dir/settings.json.bad
    assert_output '{"shutter": 1, "gain": 99}'
    req set gain=3
    kill "$PID"
    wait_end "$PID"
    start server camctl "${PORTS[@]}" "${FAKE[@]}" --mode open --settings "$WORK/dir/settings.json" -o cam
    wait_for 15 setting_is source file
    setting_is gain 3
}

@test "camctl: the programs are fed from a key picture on, watched, and started again" {
    server --mode open
    wait_for 15 state_is publisher state running
    wait_for 10 test -s preview.fed
    # Both begin with a parameter set.
    for f in publisher.fed preview.fed; do
        run bash -c "head -c 4 $f | od -An -tx1"
        assert_output --regexp '^ 00 00 (00 01|01 67)$'
    done
    # Killed, it comes back, alone.
    kill -KILL "$(head -n 1 publisher.pid)"
    wait_for 15 state_is publisher restarts 1
    wait_for 15 state_is publisher state running
    [ "$(wc -l <publisher.pid)" = 2 ]
    [ "$(wc -l <camera.pid)" = 1 ]
    # The camera killed: what hangs on it begins anew with it.
    kill -KILL "$(head -n 1 camera.pid)"
    wait_for 15 state_is camera restarts 1
    wait_for 15 state_is camera state running
    wait_for 15 lines_are camera.pid 2
    wait_for 15 lines_are publisher.pid 3
    wait_for 15 lines_are preview.pid 2
    state camera lines | grep -q 'camera began'
    run req restart name=nobody
    assert_output --partial 'there is no \"nobody\"'
    req restart name=preview
    wait_for 15 lines_are preview.pid 3
    # The end: the camera first, then the others; nobody is left.
    kill "$SERVER"
    wait_end "$SERVER"
    for p in $(cat ./*.pid); do not_alive "$p"; done
}

@test "camctl: nothing outlives kill -9, not even what a camera script has started" {
    with_password
    authenticate
    printf '#!/bin/sh\ntrap "" TERM\necho $$ >>%s/child.pid\nwhile :; do sleep 1; done\n' "$WORK" >child
    sed -i '2i'"$WORK/child &" camera
    chmod +x child
    req restart
    wait_for 15 test -s child.pid
    wait_for 15 state_is publisher state running
    kill -KILL "$SERVER"
    wait_gone "$SERVER"
    for p in $(cat ./*.pid); do wait_gone "$p" 10; done
    # Who had authenticated is known to the next; with another password nobody is.
    AUTH_PASSWORD=1111 start server camctl "${PORTS[@]}" "${FAKE[@]}" -o cam
    wait_for 15 req ping
    answers "$STANDARD" send "$CONTROL" "$READ" 16
    kill "$PID"
    wait_end "$PID"
    AUTH_PASSWORD=2222 start server camctl "${PORTS[@]}" "${FAKE[@]}" -o cam
    wait_for 15 req ping
    answers "$REFUSED" send "$CONTROL" "$READ"
}

@test "camctl: started without standard output and error it writes to nothing else instead" {
    ports
    fake_camera
    start cam sh -c 'exec camctl "$@" >&- 2>&-' sh "${PORTS[@]}" --mode open --preview 0 "${FAKE[@]}" -o cam
    wait_for 10 req ping
    for fd in 1 2; do assert_equal "$(readlink "/proc/$PID/fd/$fd")" /dev/null; done
}

@test "camctl: a chatty program does not block, one that fails is told and waited for" {
    server --mode open
    cat >new <<END
#!/bin/sh
echo \$\$ >>$WORK/camera.pid
yes 'a line of much talk, which nobody may leave in the pipe until it is full' | head -c 3000000 >&2
printf '\nno end of line: \033[1m' >&2
exit 3
END
    chmod +x new
    mv new camera # the old one is being run
    req restart
    # One answer that has all of it: soon after, it is starting again.
    backs_off() { req state >told && [ "$(json "j['processes'][0]['state']" <told)" = backoff ]; }
    wait_for 20 backs_off
    run json "[j['processes'][0][k] for k in ('cause', 'status')]" <told
    assert_output "['crashed', 'ended with status 3: no end of line: \\\\x1b[1m']"
    [ "$(json "len(j['processes'][0]['lines'])" <told)" = 20 ]
    wait_for 20 state_is camera restarts '[2-9]'
    stage_is() { req stats | grep -q "\"cause\":\"$1\""; }
    wait_for 10 stage_is crashed
    # A program that is not there, and one that says nothing.
    mv camera away
    wait_for 20 state_is camera state missing
    state_is camera cause absent
    grep -q "camera: .*$WORK/camera" server.err
    printf '#!/bin/sh\necho $$ >>%s/silent.pid\nexec sleep 1000\n' "$WORK" >camera
    chmod +x camera
    kill "$SERVER"
    wait_end "$SERVER"
    start server camctl "${PORTS[@]}" "${FAKE[@]}" --mode open --silence 1s -o cam
    wait_for 20 state_is camera cause timeout
    wait_for 20 state_is camera restarts '[1-9]*'
}

@test "camctl: a publisher that closes its input and stays is started anew" {
    printf '#!/bin/sh\necho $$ >>%s/closer.pid\nexec sleep 1000 </dev/null\n' "$WORK" >closer
    chmod +x closer
    server --mode open --publisher-command "$WORK/closer"
    wait_for 15 lines_are closer.pid 2
    wait_line server.err 'publisher: takes nothing any more'
    wait_for 10 not_alive "$(head -n 1 closer.pid)"
}

@test "camctl: a login in the RTSP address is told to the publisher only" {
    printf '#!/bin/sh\necho "$1" >%s/given\necho "to $1: refused" >&2\nexec cat >/dev/null\n' "$WORK" >teller
    chmod +x teller
    server --mode open --rtsp-url rtsp://me:geheim@127.0.0.1:1/x --publisher-command "$WORK/teller %url"
    wait_for 15 state_is publisher lines "*'to rtsp://127.0.0.1:1/x: refused'*"
    assert_equal "$(cat given)" rtsp://me:geheim@127.0.0.1:1/x
    run req state
    assert_output --partial '"rtsp_url":"rtsp://127.0.0.1:1/x"'
    assert_output --partial 'teller rtsp://127.0.0.1:1/x'
    refute_output --partial geheim
}

@test "camctl: without a camera the three ports are served all the same" {
    ports
    start server env PATH="$BIN:/nowhere" "$BIN/camctl" "${PORTS[@]}" --mode open -o cam
    wait_for 15 state_is camera state missing
    state camera status | grep -q rpicam-vid
    state_is publisher state stopped
    answers "$STANDARD" send "$CONTROL" "$READ" 16
    talk data "$DATA" 3
    req stats | grep -q '"cause":"absent"'
}

# ---- real video ----

# receive NAME: an RTSP server that takes one publisher, to its end, into NAME.mp4. A publisher that is
# just being ended may knock first; then it waits for the next.
receive() {
    start "$1" timeout 90 bash -c 'until ffmpeg -hide_banner -nostdin -loglevel error \
        -progress "$1.progress" -rtsp_flags listen -i "rtsp://127.0.0.1:$2/ES_MTX" -c copy -y "$1.mp4" &&
        [ -s "$1.mp4" ]; do sleep 0.1; done' - "$1" "$RTSP"
}
received() { [ "$(sed -n 's/^frame=//p' "$1.progress" | tail -n 1)" -ge "$2" ]; }
video() { ffprobe -v error -count_packets -select_streams v -show_entries stream=codec_name,width,height -of csv=p=0 "$1.mp4"; }
pictures() { ffprobe -v error -count_packets -select_streams v -show_entries stream=nb_read_packets -of csv=p=0 "$1.mp4"; }

@test "camctl: ffmpeg publishes to an RTSP server; a change while it streams ends it and begins anew" {
    ports
    RTSP=$(free_port)
    receive first
    local first=$PID
    start server camctl "${PORTS[@]}" --mode open --source test --width 160 --height 120 \
        --rtsp-url "rtsp://127.0.0.1:$RTSP/ES_MTX" -o cam
    wait_for 40 received first 30
    req set contrast=0.5
    # The publisher has said goodbye, so the file is whole.
    wait_end "$first" 30
    run video first
    assert_output "h264,160,120"
    [ "$(pictures first)" -ge 30 ]
    # Nobody takes it: the publisher is tried again and again, the preview goes on.
    wait_for 30 state_is publisher restarts '[1-9]*'
    local seen
    seen=$(count preview_pictures)
    wait_for 20 counted preview_pictures $((seen + 3))
    # Not more of them because the stream has ended meanwhile.
    [ "$(count preview_pictures)" -lt 1000 ]
    state camera command | grep -q 'eq=contrast=0.5:'
    receive second
    wait_for 40 received second 30
    kill "${PIDS[1]}"
    wait_end "$PID" 30
    [ "$(pictures second)" -ge 30 ]
}

@test "camctl: preview pictures without an RTSP server" {
    ports
    start server camctl "${PORTS[@]}" --mode open --source test --width 160 --height 120 \
        --rtsp-url "" -o cam
    wait_for 15 req ping
    timeout 40 tapline tap cam --topic cam.image -f msgpack -n 3 >pictures.msg
    "$PY" "$ROOT/test/tool/spbus.py" data cam.image pictures.msg >pictures.jpg
    run ffprobe -v error -f jpeg_pipe -count_packets -show_entries stream=codec_name,width,height,nb_read_packets -of csv=p=0 pictures.jpg
    assert_output "mjpeg,160,120,3"
    state_is publisher status 'switched off'
}
