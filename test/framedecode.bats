#!/usr/bin/env bats
# framedecode: bytes of a device to messages.
load helper

decode() { "$PY" "$ROOT/test/tool/msgs.py" decode; }
encode() { "$PY" "$ROOT/test/tool/msgs.py" encode; }
hex() { printf '%b' "$1" | od -An -v -tx1 | tr -d ' \n'; }

@test "panel: plain bytes become messages in their order" {
    run bash -c 'printf "READY\r\nPRESS 005\r\nRELEASE 005\r\nFW 2.4.1 (x)\n" |
        framedecode --format panel -q | '"$PY $ROOT"'/test/tool/msgs.py decode'
    assert_success
    assert_output 'panel.ready {}
panel.press {"id": 5}
panel.release {"id": 5}
panel.firmware {"text": "FW 2.4.1 (x)"}'
}

@test "panel: serial.rx messages are decoded, everything else passes through" {
    {
        echo 'serial.state {"connected": true, "device": "/dev/x"}'
        echo "serial.rx {\"data\": {\"\$hex\": \"$(hex 'PRE')\"}}"
        echo 'other.thing {"n": 1}'
        echo "serial.rx {\"data\": {\"\$hex\": \"$(hex 'SS 007\n')\"}}"
    } | encode >in
    framedecode --format panel <in | decode >out
    run cat out
    assert_line --index 0 --partial 'serial.state {"connected": true'
    assert_line --index 1 'other.thing {"n": 1}'
    assert_line --index 2 'panel.press {"id": 7}'
}

@test "panel: a message keeps the time of the bytes it is made of" {
    echo "serial.rx {\"data\": {\"\$hex\": \"$(hex 'PRESS 001\n')\"}}" | encode >in
    want=$("$PY" "$ROOT/test/tool/msgs.py" raw <in | cut -d ' ' -f 2)
    got=$(framedecode --format panel <in | "$PY" "$ROOT/test/tool/msgs.py" raw | cut -d ' ' -f 2)
    assert_equal "$got" "$want"
}

@test "panel: half a line is forgotten when the device goes away" {
    {
        echo "serial.rx {\"data\": {\"\$hex\": \"$(hex 'PRESS 0')\"}}"
        echo 'serial.state {"connected": false}'
        echo "serial.rx {\"data\": {\"\$hex\": \"$(hex '05\nPRESS 002\n')\"}}"
    } | encode | framedecode --format panel | decode >out
    run grep -c '"id": 2' out
    assert_output 1
    run grep '"id": 5' out
    assert_output 'panel.press {"id": 5}' # the bare number 05, not a joined PRESS 005
}

@test "panel: a press without its line end is believed after a silence" {
    mkfifo in
    exec 9<>in
    framedecode --format panel <in 2>err 3>&- 9>&- | decode >out 3>&- 9>&- &
    printf 'PRESS 003' >&9
    wait_line out '"id": 3'
    printf '\r\nPRESS 004\n' >&9 # the late line end presses nothing
    wait_line out '"id": 4'
    assert_equal "$(grep -c press out)" 2
    exec 9>&-
    pkill -P $$ framedecode || true
}

@test "panel: --buttons limits the ids, and what is out of range is told with its reason" {
    run bash -c 'printf "PRESS 011\nPRESS 010\n" | framedecode --format panel |
        '"$PY $ROOT"'/test/tool/msgs.py decode'
    assert_line --partial 'panel.ignored {"text": "PRESS 011", "reason": "out_of_range"}'
    assert_line 'panel.press {"id": 10}'
    run bash -c 'printf "PRESS 100\n" | framedecode --format panel --buttons 100 -q |
        '"$PY $ROOT"'/test/tool/msgs.py decode'
    assert_output 'panel.press {"id": 100}'
}

@test "panel: garbage and an endless line harm nothing after them and are logged once" {
    {
        head -c 300000 /dev/urandom | tr -d '\n'
        printf '\nPRESS 004\n'
        head -c 100000 /dev/zero
        printf '\nPRESS 006\n'
    } | framedecode --format panel 2>err | decode >out
    run grep -c '^panel.press' out
    assert_output 2
    assert [ "$(wc -l <err)" -le 3 ]
}

@test "lines: text, data that is no UTF-8, overlong lines" {
    run bash -c '{ printf "hello\r\n\377\376\n"; head -c 5000 /dev/zero | tr "\0" x; printf "\nlast\n"; } |
        framedecode --format lines -q | '"$PY $ROOT"'/test/tool/msgs.py decode'
    assert_line 'line {"text": "hello"}'
    assert_line 'line {"data": "fffe"}'
    assert_line 'line {"text": "last"}'
    refute_output --partial xxxx
}

@test "usage: a format is needed and an unknown one is named" {
    run -2 framedecode
    assert_output --partial 'there are: panel, '
    run -2 framedecode --format morse
    assert_output --partial '--format morse: unknown'
    run -2 framedecode --format panel --buttons 0
    assert_output --partial 'out of range'
}
