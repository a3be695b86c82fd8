#!/usr/bin/env bats
# devsim hub against test/tool/hub_fake.py, which shows every byte, and against the hub itself.

load helper

setup() {
    common_setup
    export AUTH_TOKEN=right-token
    PORT=$(free_port)
}

bus() { timeout 60 "$PY" "$ROOT/test/tool/spbus.py" "$@"; }
told() { bus decode "$1" | grep -qE "$2"; }
fake() {
    start fake "$PY" "$ROOT/test/tool/hub_fake.py" "$PORT" --token right-token "$@"
    FAKE=$PID
    wait_line fake.out '^ready$'
}
count() { grep -cE "$1" fake.out || true; }
came() { (($(count "$1") >= $2)); }
# The newest value of a number in what a simulation tells.
value() { bus decode "$1" | grep -oE "\"$2\": [0-9]+" | tail -n 1 | grep -oE '[0-9]+$'; }
value_is() { [[ $(value "$1" "$2") == "$3" ]]; }
camera() { timeout 60 devsim hub camera --seed 7 "$@"; }
quiet() { assert_equal "$(count '^FAULT')" 0; }

@test "camera by WebSocket: as the firmware's library, its fields, pictures, acknowledgements" {
    fake --interval 400
    start cam devsim hub camera -u "ws://127.0.0.1:$PORT/some/path?x=1" --name eye --cameras 2 --rate 50 \
        --tags 5 --size 240x160 --pictures 1h -o -
    wait_for 20 came '^binary 00000000 eye-[12] [0-9]+ 240x160 ' 8
    kill "$PID"
    wait_end "$PID"
    quiet
    # The second picture of a camera would come after an hour; told so, it comes every 400 ms.
    told cam.out 'sim.interval .*"interval_ms": 400'
    run grep '^head ' fake.out
    assert_output --partial 'GET /some/path?x=1 HTTP/1.1 | Host: 127.0.0.1:'
    assert_output --partial 'User-Agent: TinyWebsockets Client'
    refute_output --partial Sec-WebSocket-Extensions
    # Identified once, before anything else; masked with zeros all along.
    assert_equal "$(count '^text 00000000 .*"identify".*"type":"esp32".*"auth_token":"right-token"')" 2
    assert_equal "$(count '^(text|binary) ')" "$(count '^(text|binary) 00000000 ')"
    assert_equal "$(grep -m 1 -n '^text' fake.out | grep -c identify)" 1
    run grep -m 1 apriltag_data fake.out
    local n='-?[0-9]+\.[0-9]'
    assert_output --regexp "\"tag_id\":[0-4],\"decision_margin\":$n,\"yaw\":$n,\"pitch\":$n,\"roll\":$n,\"x_cm\":$n,\"y_cm\":$n,\"z_cm\":$n,\"range_cm\":$n,\"timestamp\":[0-9]+,\"camera_name\":\"eye-[12]\",\"smartcam_ip\":\"127.0.0.1\",\"sim_run\":[0-9]+,\"sim_seq\":1,"
    # What it says it has sent, of detections and of a picture, is what came. (The last ones may be
    # under way when a busy machine ends it.)
    (($(value cam.out acked) > 0 && $(value cam.out acked) <= $(count apriltag_data)))
    (($(count apriltag_data) <= $(value cam.out sent)))
    run grep -m 1 -oE '[0-9a-f]{64}' fake.out
    told cam.out "sim.frame .*$output"
}

@test "camera: the end when all is acknowledged; other tokens; no token; plain" {
    fake
    echo right-token >token
    AUTH_TOKEN=wrong run -0 camera -u "ws://127.0.0.1:$PORT" --token-file token --plain --rate 500 --count 40 \
        --pictures 0
    assert_output --partial '40 detections sent, 40 acknowledged, 0 refused, 0 not answered'
    refute_output --partial right-token
    assert_equal "$(count sim_seq)" 0
    assert_equal "$(count binary)" 0
    start bad env AUTH_TOKEN=wrong devsim hub camera -u "ws://127.0.0.1:$PORT" --rate 500 -o -
    wait_for 10 told bad.out 'sim.camera .*"reason": "Invalid auth_token", "state": "refused"'
    OTHER= start none devsim hub camera -u "ws://127.0.0.1:$PORT" --token-env OTHER --rate 500 -o -
    wait_for 10 told none.out 'refused'
    assert_equal "$(count apriltag_data)" 40
    assert_equal "$(count '"type":"esp32"[^}]*}}$')" 3
    assert_equal "$(count auth_token)" 2
    quiet
}

@test "camera: what is not acknowledged is told, and the status says so" {
    fake --deaf
    start ws devsim hub camera -u "ws://127.0.0.1:$PORT" --rate 100 --count 3
    local ws=$PID ended=0 pid
    start udp devsim hub camera -u "udp:127.0.0.1:$PORT" --rate 100 --count 3
    for pid in "$ws" "$PID"; do
        wait_end "$pid" 30 || ended=$((ended + $?))
    done
    ((ended == 2)) # 1 and 1
    for f in ws.err udp.err; do
        assert_file_contains "$f" '3 detections sent, 0 acknowledged, 0 refused, 3 not answered'
    done
}

@test "camera by HTTP and by UDP" {
    fake
    run -0 camera -u "http://127.0.0.1:$PORT" --rate 100 --count 10 --pictures 50ms --size 240x160 --name h
    assert_output --partial '10 detections sent, 10 acknowledged'
    assert_equal "$(count '^post /apriltag right-token ')" 10
    wait_for 10 came '^post /client_e32__http_post_to_serverhub__smartcam_video_stream.camera=h-1 right-token ' 1
    run -0 camera -u "udp:127.0.0.1:$PORT" --picture-url "http://127.0.0.1:$PORT" --rate 100 --count 10
    assert_output --partial '10 detections sent, 10 acknowledged'
    assert_equal "$(count '^udp [{]"tag_id":.*"sim_seq"')" 10
    wait_for 10 came 'camera=camera-1 right-token ' 1
    AUTH_TOKEN=wrong run -1 camera -u "http://127.0.0.1:$PORT" --rate 100 --count 2
    assert_output --partial '0 acknowledged, 2 refused'
    assert_output --partial 'detection refused with status 401'
    run -1 camera -u "http://127.0.0.1:$(free_port)" --rate 100 --count 1
    assert_output --partial 'connection refused'
    quiet
}

@test "both come back after the connection is lost, and go on counting" {
    fake --cut 4
    start cam devsim hub camera -u "ws://127.0.0.1:$PORT" --rate 200 --retry 50ms --pictures 0 -o -
    wait_for 20 came '"sim_seq":([7-9]|1[0-9]),' 1
    # No number is ever sent twice.
    assert_equal "$(grep -oE '"sim_seq":[0-9]+' fake.out | sort | uniq -d)" ''
    kill "$PID"
    wait_end "$PID"
    kill "$FAKE"
    start eng devsim hub engine -u "ws://127.0.0.1:$PORT" --retry 50ms -o -
    local eng=$PID
    wait_line eng.err 'connection refused'
    fake --cut 1
    wait_for 20 came '"type":"gdevelop"' 3
    kill "$eng"
    wait_end "$eng"
    quiet
}

@test "engines tell what is lost, doubled, overtaken and unnumbered" {
    local us run n
    us=$(date +%s%N)
    us=${us:0:-3}
    for run in 11 22; do
        for n in 5 6 6 9 8 10; do
            echo "{\"event\":\"apriltag_data\",\"sim_run\":$run,\"sim_seq\":$n,\"sim_us\":$us}"
        done
    done >lines
    echo '{"event":"apriltag_data","tag_id":5,"server_timestamp":1.5}' >>lines
    echo 'no JSON' >>lines
    fake --say lines
    start eng devsim hub engine -u "ws://127.0.0.1:$PORT/websocket" -n 3 --origin http://game.local -o -
    wait_for 20 value_is eng.out received 39
    wait_for 5 value_is eng.out bad 3
    value_is eng.out lost 6
    value_is eng.out doubled 6
    value_is eng.out overtaken 6
    value_is eng.out unnumbered 3
    value_is eng.out identified 3
    (($(value eng.out latency_p50_us) > 0))
    assert_equal "$(count 'Origin: http://game.local')" 3
    # A browser's masks are not zero.
    assert_equal "$(count '^text 00000000')" 0
    kill "$PID"
    wait_end "$PID"
    wait_for 5 came '^close 1001' 3
    run cat eng.err
    assert_output --partial '39 detections, 6 lost, 6 doubled, 6 overtaken'
    run -0 timeout 20 devsim hub engine -u "ws://127.0.0.1:$PORT" -n 2 --until 13
    quiet
}

@test "a hub that answers nonsense is told and tried again" {
    local i=0 want said
    while IFS='~' read -r said want; do
        printf '%b' "$said" >answer
        PORT=$(free_port)
        fake --answer answer
        start "eng$i" devsim hub engine -u "ws://127.0.0.1:$PORT" --retry 20ms
        wait_line "eng$i.err" "$want"
        wait_for 10 came '^head' 3
        kill -0 "$PID"
        kill "$PID" "$FAKE"
        wait_end "$PID"
        ((++i))
    done <<'TABLE'
HTTP/1.1 404 Not Found\r\n\r\n~refused: HTTP/1.1 404 Not Found
\x00\xff\r\n\r\n~refused:
HTTP/1.1 101 Ok\r\nConnection:  Upgrade\r\n\r\n~Connection is not Upgrade
HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n~Upgrade is not websocket
HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: AAAA\r\n\r\n~wrong Sec-WebSocket-Accept
HTTP/1.1 101~connection closed
TABLE
    ((i == 6))
    head -c 20000 /dev/zero | tr '\0' a >answer
    PORT=$(free_port)
    fake --answer answer
    start long devsim hub engine -u "ws://127.0.0.1:$PORT" --retry 20ms
    wait_line long.err 'an answer without end|connection'
}

@test "frames that break the protocol end the connection" {
    cat >rude.py <<'PY'
import base64, hashlib, os, socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
bad = [b"\x83\x00", b"\xc1\x00", b"\x81\x81\x00\x00\x00\x00x", b"\x81\x02\xff\xfe", b"\x89\x7e\x00\x7e" + b"x" * 126,
       b"\x82\x7f" + b"\x7f" + b"\xff" * 7 + b"x", b"\x80\x01x", b"\x88\x01x"] + [os.urandom(3000) for _ in range(8)]
print("ready", flush=True)
for frame in bad:
    c, _ = s.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += c.recv(4096)
    key = head.split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0]
    accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
    c.sendall(b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept +
              b"\r\n\r\n" + frame)
    c.settimeout(5)
    try:
        while c.recv(4096):
            pass
    except ConnectionError:
        pass
    except socket.timeout:  # random bytes may be the head of a long frame
        if len(frame) < 3000:
            raise
    c.close()
print("done", flush=True)
PY
    start rude "$PY" rude.py "$PORT"
    wait_line rude.out ready
    start eng devsim hub engine -u "ws://127.0.0.1:$PORT" --retry 10ms
    wait_line rude.out '^done$' 60
    kill -0 "$PID"
    run cat eng.err
    assert_output --partial 'broke the WebSocket protocol'
}

@test "usage" {
    run -0 devsim --help
    assert_output --partial 'hub '
    run -0 devsim hub --help
    assert_output --partial 'camera|engine'
    run -0 devsim hub camera --help
    assert_output --partial '--picture-url'
    run -0 devsim hub engine --help
    assert_output --partial '--until'
    local args
    while read -r args; do
        # shellcheck disable=SC2086
        run -2 devsim hub $args
    done <<'TABLE'

toaster
camera
engine
camera -u wss://127.0.0.1:1
camera -u ftp://127.0.0.1:1
camera -u ws://127.0.0.1:70000
camera -u ws://127.0.0.1:1 --rate -1
camera -u ws://127.0.0.1:1 --rate fast
camera -u ws://127.0.0.1:1 --size 8x8
camera -u ws://127.0.0.1:1 --name o'neil
camera -u ws://127.0.0.1:1 --picture-url ws://127.0.0.1:1
engine -u http://127.0.0.1:1
engine -u ws://127.0.0.1:1 -n 0
TABLE
    # As a supervisor asks, which puts this behind the first word.
    run -0 devsim hub --check camera -u ws://127.0.0.1:1
    run -2 devsim hub --check engine --no-such-option
    run -2 devsim hub camera -u wss://hub
    assert_output --partial 'stunnel'
    printf 'a\001b' >token
    run -2 devsim hub camera -u ws://127.0.0.1:1 --token-file token
    assert_output --partial 'control character'
    run -1 devsim hub camera -u ws://127.0.0.1:1 --token-file nowhere
    assert_output --partial 'nowhere: No such file'
}

@test "with the hub: every delivery accounted for, one game that never reads" {
    # The sanitizer keeps freed memory for a while; not so much of it.
    export ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=2
    run -0 timeout 120 "$PY" "$ROOT/test/bench/hub_soak.py" --seconds 6 --cameras 2 --rate 50 --engines 20 \
        --slack 8192
    assert_output --partial '0 lost, 0 doubled, 0 overtaken'
}
