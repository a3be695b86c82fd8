#!/usr/bin/env bats
# pipelines/demo.conf: every simulated device reaches its page.
load helper

up() {
    local name
    WEB=127.0.0.1:$(free_port)
    HUB=127.0.0.1:$(free_port)
    vars=(LISTEN="$WEB" HUB_LISTEN="$HUB" PRESS_EVERY=500ms PICTURE_EVERY=1s)
    for name in WEBUI_PORT QUERY_PORT NATIVE_PORT DATA_PORT SETTINGS_PORT AUTH_PORT; do
        printf -v "$name" %s "$(free_port)"
        vars+=("$name=${!name}")
    done
    vars+=(HUB_WS="127.0.0.1:$(free_port)" HUB_UDP="127.0.0.1:$(free_port)")
    start demo tapline up "$ROOT/pipelines/demo.conf" "${vars[@]}" \
        RTSP_URL="rtsp://127.0.0.1:$(free_port)/test"
    wait_line demo.err 'pipeline demo is up' 30
}

# says URL PATTERN: what it answers has it.
says() { curl -sf -m 5 "http://$1" | grep -qE -- "$2"; }
taps() { timeout 20 tapline tap "$@" --count 1 -f json >/dev/null; }

@test "every device of the demo moves, and its page is there" {
    local page
    up
    for page in "$WEB/" "$WEB/cameras" "$WEB/ventilator" "$WEB/camera" "$WEB/system" "$HUB/" "$HUB/video"; do
        says "$page" '<html' || fail "no page at $page"
    done
    taps decode --topic panel.press
    wait_for 20 says "$WEB/cameras.json" '24:6f:28:a1:b2:c6'
    wait_for 20 says "$WEB/hev/state.json" '"fsm_state"|"state"'
    tapline hev --webui-port "$WEBUI_PORT" values | grep -q '"pressure_patient"'
    wait_for 20 says "$HUB/status" '"esp32_connected": ?true'
    wait_for 20 says "$HUB/status" '"gdevelop_clients": ?3'
    wait_for 20 says "$WEB/camera/state.json" '"running"'
    wait_for 20 curl -sf -m 5 -o live.jpg "http://$WEB/camera/picture.jpg"
    [ "$(head -c 2 live.jpg | od -An -tx1 | tr -d ' ')" = ffd8 ]
    tapline status --json | "$PY" -c '
import json, sys
stages = json.load(sys.stdin)["stages"]
bad = [s["name"] for s in stages if s["state"] != "ready" or s["restarts"]]
assert not bad, bad
assert len(stages) >= 28, len(stages)'
    kill -TERM "$PID"
    wait_gone "$PID" 10
}
