#!/usr/bin/env bats
# pipelines/hub.conf from outside. The checks themselves are in tool/hub_talk.py.
load helper

setup() {
    common_setup
    export AUTH_TOKEN=right-token
}

# hub VARIABLE=VALUE...: the pipeline on free ports.
hub() {
    WEB=$(free_port) DOOR=$(free_port) UDP=$(free_port) TLS=$(free_port) WSS=$(free_port)
    start up tapline up "$ROOT/pipelines/hub.conf" LISTEN="127.0.0.1:$WEB" WS_LISTEN="127.0.0.1:$DOOR" \
        UDP_LISTEN="127.0.0.1:$UDP" TLS_LISTEN="127.0.0.1:$TLS" \
        WSS_LISTEN="127.0.0.1:$WSS" "$@"
    wait_line up.err 'is up: ' 20
    wait_line up.err "listening on http://127.0.0.1:$WEB" 20
    wait_line up.err "listening on http://127.0.0.1:$DOOR" 20
}

check() {
    run timeout 100 "$PY" "$ROOT/test/tool/hub_talk.py" "$1" "$WEB" "$DOOR" "$UDP" "$TLS" "$WSS"
    if [ "$status" -ne 0 ]; then
        echo "$output" | tail -n 40
        tail -n 40 up.err
        return 1
    fi
}

@test "a detection by any way in reaches every game once, in order" {
    hub
    check every_way_in
}

@test "nobody without the token is heard" {
    hub
    start tap tapline tap
    check the_token_guards
    check every_way_in
    wait_line tap.out 'hub\.tag'
    run grep -F right-token up.err tap.out
    assert_failure
}

@test "pictures, figures, uptime and history over HTTP" {
    hub
    check pictures_and_figures
}

@test "quirks of real cameras, rude peers, half-open ones and one that never reads" {
    hub
    check rude_peers
}

@test "killed stages come back and know who is there" {
    hub HISTORY="$WORK/history.json"
    check killed_stages
    tapline down
    run cat history.json
    assert_output --partial '"camera":"cam"'
}

certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj "/CN=$1" \
        -addext subjectAltName=DNS:localhost 2>openssl.log
}
tls_pid() { tapline status --json | "$PY" -c 'import json, sys
print(*(s["pid"] for s in json.load(sys.stdin)["stages"] if s["name"] == "tls"))'; }
shows() { echo | timeout 5 openssl s_client -connect "127.0.0.1:$TLS" 2>/dev/null | grep -qx "subject=CN = $1"; }

@test "wss and https with a certificate" {
    certificate localhost
    hub CERT="$WORK/cert.pem" KEY="$WORK/key.pem"
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$TLS 4<>/dev/tcp/127.0.0.1/$WSS"
    check behind_tls
    # A renewed one: from a restart of that stage on, or from SIGHUP on, which cuts nobody off.
    certificate renewed
    tapline restart tls
    wait_for 10 shows renewed
    certificate again
    kill -HUP "$(tls_pid)"
    wait_for 10 shows again
    echo nonsense >key.pem
    kill -HUP "$(tls_pid)"
    wait_for 10 bash -c 'tapline logs tls | grep -q "reload"'
    shows again
}

@test "no token: nothing starts, and the cure is said; a file will do; UDP can be off" {
    unset AUTH_TOKEN
    run tapline up "$ROOT/pipelines/hub.conf"
    assert_failure
    assert_output --partial "no camera token: set AUTH_TOKEN"
    (umask 077 && echo file-token >token)
    hub TOKEN_FILE="$WORK/token" UDP_LISTEN=no
    run curl -s -m 10 -H 'Authorization: file-token' -H 'Content-Type: application/json' -d '{"tag_id":1}' "http://127.0.0.1:$DOOR/apriltag"
    assert_output '{"event":"apriltag_ack","status":"received"}'
    run ss -Hlun "sport = :$UDP"
    assert_output ""
}
