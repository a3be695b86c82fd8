#!/usr/bin/env bats
# udpcat: one UDP socket, its datagrams as messages and messages as datagrams.
load helper

# cat_on OPTION...: udpcat on a free port, messages to `out`, udp.tx taken from named pipe `in`.
cat_on() {
    PORT=$(free_port)
    mkfifo in
    exec 9<>in
    "$PY" "$ROOT/test/tool/msgs.py" encode <in 3>&- |
        udpcat --listen "127.0.0.1:$PORT" -i - -o - -o udp "$@" 2>log 3>&- 9>&- |
        "$PY" "$ROOT/test/tool/msgs.py" decode >out 3>&- 9>&- &
    PIDS+=($!)
    wait_line log 'datagrams at '
}
teardown() {
    exec 9>&- || true
    common_teardown
}

# socket SCRIPT: Python with a socket `s` connected to udpcat.
socket() {
    "$PY" -c "import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(10)
s.connect(('127.0.0.1', $PORT)); port_of_udpcat = $PORT; port = s.getsockname()[1]
$1"
}
count() { tapline req udp stats | "$PY" -c "import json,sys; print(json.load(sys.stdin)['stats']['counters']['$1'])"; }
counted() { [ "$(count "$1")" = "$2" ]; }

@test "a datagram is a message, bytes unchanged, and the way back goes to its sender" {
    cat_on
    socket "s.send(b'\x00\xffone'); print(port)
for line in iter(open('out').readline, None):
    if 'udp.rx' in line: break
open('in', 'w').write('udp.tx {\"data\": {\"\$hex\": \"ff00aa\"}, \"peer\": \"127.0.0.1\", \"port\": %d}\n' % port)
assert s.recv(100) == b'\xff\x00\xaa'" >port
    run cat out
    assert_output "udp.rx {\"peer\": \"127.0.0.1\", \"port\": $(cat port), \"data\": \"00ff6f6e65\"}"
    counted datagrams_received 1
    counted datagrams_sent 1
}

@test "datagrams keep their order, empty ones too; one that is too long is ignored and counted" {
    cat_on --max 100
    socket "
for i in range(200): s.send(b'%03d' % i)
s.send(b''); s.send(b'x' * 100); s.send(b'x' * 101); s.send(b'x' * 9000); s.send(b'end')"
    wait_line out '"656e64"'
    run bash -c "grep -c udp.rx out; head -200 out | grep -oE '\"data\": \"[0-9a-f]+' | cut -c 10- | sort -c && echo ordered"
    assert_output $'203\nordered'
    counted datagrams_too_long 2
}

@test "whom --from does not name is not heard" {
    cat_on --from 10.0.0.0/8,fd00::/8
    socket "s.send(b'hello')"
    wait_for 5 counted datagrams_foreign 1
    run cat out
    assert_output ""
    run udpcat --listen 127.0.0.1:1 --from 10.0.0.0/99
    assert_failure 2
    assert_output --partial -- --from
}

@test "who floods is not heard beyond the rate, others are; nor are all together" {
    cat_on --rate 100 --rate-all 300
    socket "
for i in range(1000): s.send(b'flood')
o = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); o.bind(('127.0.0.2', 0)); o.sendto(b'calm', ('127.0.0.1', port_of_udpcat))
for k in range(3, 30):
    o = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); o.bind(('127.0.0.%d' % k, 0))
    for i in range(50): o.sendto(b'many', ('127.0.0.1', port_of_udpcat))"
    wait_line out "$(printf calm | od -An -tx1 | tr -d ' ')"
    wait_line log 'ignored: more than 100 a second'
    sum() { (($(count datagrams_received) + $(count datagrams_flooded) + $(count datagrams_overrun) == 2351)); }
    wait_for 10 sum
    # A second's worth at once, and what was allowed while it took.
    (($(grep -c 666c6f6f64 out) >= 100 && $(grep -c 666c6f6f64 out) < 500))
    (($(count datagrams_received) >= 300 && $(count datagrams_received) < 1500))
    (($(count datagrams_flooded) > 500))
}

@test "what cannot be sent is dropped and said, and nothing else suffers" {
    cat_on
    printf '%s\n' 'udp.tx {"data": "x"}' 'udp.tx {"data": "x", "peer": "nobody.example", "port": 5}' \
        'udp.tx {"data": "x", "peer": "127.0.0.1", "port": 70000}' 'udp.tx {"peer": "127.0.0.1", "port": 5}' \
        'udp.tx {"data": "x", "peer": "::1", "port": 5}' 'udp.other {}' >&9
    wait_line log 'udp.tx dropped: '
    socket "s.send(b'still here')"
    wait_line out udp.rx
}

@test "IPv6, and IPv4 on the same socket" {
    PORT=$(free_port)
    udpcat --listen "[::]:$PORT" -o - 2>log 3>&- | "$PY" "$ROOT/test/tool/msgs.py" decode >out 3>&- &
    PIDS+=($!)
    wait_line log 'datagrams at' || skip "no IPv6 here"
    socket "s.send(b'four')"
    wait_line out '"peer": "127.0.0.1".*666f7572'
    if ip -6 addr show lo 2>/dev/null | grep -q ::1; then
        "$PY" -c "import socket; socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'six', ('::1', $PORT))"
        wait_line out '"peer": "::1".*736978'
    fi
}

@test "nowhere to listen, a port in use, and wrong usage are said" {
    start idle udpcat --listen no -o udp
    wait_for 5 counted datagrams_received 0
    kill "$PID"
    wait_gone "$PID"
    cat_on
    run udpcat --listen "127.0.0.1:$PORT" -o other
    assert_failure 1
    assert_output --partial "another program has this port"
    run udpcat
    assert_failure 2
    assert_output --partial -- --listen
    run udpcat --listen 127.0.0.1:x
    assert_failure 2
}
