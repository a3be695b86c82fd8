#!/usr/bin/env bats
# httpd behind a TLS terminator: PROXY headers (--proxy-listen), and stunnel as a stage.
load httpd

PROXY="$ROOT/test/tool/http_proxy.py"

# behind [OPTION...]: httpd that takes PROXY headers at the Unix socket $SOCK and at port $PPORT
behind() {
    answer
    serve --proxy-listen unix:tls --proxy-listen 127.0.0.1:0 --route 'GET /echo ask rules echo' \
        --route 'GET / file www/index.html' --route 'WS /ws ws fan' "$@"
    SOCK=$TAPLINE_RUN/tls.sock
    PPORT=$(sed -n 's/.*http:.*:\([0-9]*\)\/, with PROXY headers$/\1/p' httpd.err)
}
# peer WHERE HEADER...: whom the stage sees
peer() { $PY "$PROXY" ask "$1" "$2" /echo "${@:3}" | sed -n 's/.*"peer": "\([^"]*\)".*/\1/p'; }

@test "the real address, in both versions and over both kinds of socket" {
    behind
    for where in "$SOCK" "$PPORT"; do
        assert_equal "$(peer "$where" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443')" 203.0.113.9:5555
        assert_equal "$(peer "$where" 'PROXY TCP6 2001:db8::7 ::1 65535 443')" '[2001:db8::7]:65535'
        assert_equal "$(peer "$where" 2:198.51.100.2:77)" 198.51.100.2:77
        assert_equal "$(peer "$where" '2:[2001:db8::9]:80')" '[2001:db8::9]:80'
        assert_equal "$(peer "$where" 'PROXY UNKNOWN')" unknown
        assert_equal "$(peer "$where" 'PROXY UNKNOWN ffff::1 ::1 1 2')" unknown
        assert_equal "$(peer "$where" 2local)" unknown
    done
    wait_line httpd.err '203.0.113.9:5555 GET "?/echo"?: 200'
    assert_equal "$($PY "$PROXY" drip "$SOCK" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443' /echo | grep -o '"peer": "[^"]*"')" \
        '"peer": "203.0.113.9:5555"'
    assert_equal "$($PY "$PROXY" drip "$PPORT" 2:198.51.100.2:77 /echo | grep -o '"peer": "[^"]*"')" \
        '"peer": "198.51.100.2:77"'
    fetch /echo
    grep -q '"peer": "127.0.0.1:' body
    assert_equal "$(stat -c %a "$SOCK")" 600
}

@test "what is no header ends the connection, and others go on" {
    behind
    local bytes
    for bytes in 474554202f20485454502f312e310d0a0d0a 50524f585920544350340d0a \
        50524f58592054435034203120322033203420350d0a "$(printf 'PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n' | od -An -v -tx1 | tr -d ' \n')" \
        "$(printf 'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n' | od -An -v -tx1 | tr -d ' \n')" \
        "$(printf 'PROXY %0200d' 0 | od -An -v -tx1 | tr -d ' \n')" \
        0d0a0d0a000d0a515549540a31110000 0d0a0d0a000d0a515549540a2111000400000000 \
        0d0a0d0a000d0a515549540a2111ffff 0d0a0d0a000d0a515549540b 00; do
        run timeout 20 $PY "$PROXY" bytes "$SOCK" "$bytes"
        assert_output 'closed after 0 bytes'
    done
    wait_line httpd.err 'a connection to --proxy-listen is closed: it begins with no PROXY header'
    assert_equal "$(peer "$SOCK" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443')" 203.0.113.9:5555
}

@test "who says nothing is cut, and does not keep others from coming" {
    behind --timeout 1s
    start silent $PY "$PROXY" silent "$SOCK" 300 15
    wait_line httpd.err 'too many wait for their PROXY header'
    assert_equal "$(peer "$PPORT" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443')" 203.0.113.9:5555
    wait_line silent.out '300 ended' 20
}

@test "only this machine may pass connections on, unless --proxy-from says who" {
    local bad
    for bad in 0.0.0.0:0 '[::]:0' :0 192.0.2.1:1; do
        run timeout 5 httpd --route 'GET / file x' --proxy-listen "$bad"
        assert_failure 2
        assert_output --partial "--proxy-listen $bad: whoever reaches it may pretend"
    done
    for bad in unix: unix:a/b; do
        run timeout 5 httpd --route 'GET / file x' --proxy-listen "$bad"
        assert_failure 2
    done
    run timeout 5 httpd --route 'GET / file x' --proxy-listen 0.0.0.0:1 --proxy-from 10.0.0.0/40
    assert_failure 2
    assert_output --partial '--proxy-from: "10.0.0.0/40" is no network'
    serve --route 'GET / file www/index.html' --proxy-listen 0.0.0.0:0 --proxy-from 192.0.2.0/24,::1
    local port
    port=$(sed -n 's/.*http:.*:\([0-9]*\)\/, with PROXY headers$/\1/p' httpd.err)
    run timeout 20 $PY "$PROXY" ask "$port" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443' /
    refute_output --partial 200
    wait_line httpd.err '127.0.0.1:[0-9]+ may not pass connections on \(--proxy-from\)'
}

@test "a proxied peer is not this machine; the cookie is Secure, and tries are counted by its address" {
    export TAPLINE_ADMIN_TOKEN= HTTPD_LOGIN=correct-horse
    behind --protect token --system "$ROOT/www/system"
    run $PY "$PROXY" ask "$SOCK" 'PROXY TCP4 203.0.113.9 10.0.0.1 5555 443' '/?token=correct-horse'
    assert_line 'HTTP/1.1 303 See Other'
    assert_line --regexp '^Set-Cookie: .*; SameSite=Strict; Secure$'
    run $PY "$PROXY" ask "$SOCK" 2plain:203.0.113.9:5555 '/?token=correct-horse'
    assert_line --regexp '^Set-Cookie: .*; SameSite=Strict$'
    for i in 1 2 3 4 5 6; do
        run $PY "$PROXY" ask "$SOCK" "PROXY TCP4 203.0.113.9 10.0.0.1 $i 443" '/?token=wrong'
    done
    assert_line 'HTTP/1.1 429 Too Many Requests'
    run $PY "$PROXY" ask "$SOCK" 'PROXY TCP4 203.0.113.10 10.0.0.1 1 443' '/?token=correct-horse'
    assert_line 'HTTP/1.1 303 See Other'
    fetch '/?token=correct-horse'
    assert_status 303
}

@test "what is for this machine only: not for a proxied peer" {
    unset TAPLINE_ADMIN_TOKEN
    behind --system "$ROOT/www/system"
    fetch -X POST -H 'Content-Type: application/json' -d '{"endpoint":"rules","topic":"a.b","body":{}}' /system/put
    assert_status 200
    $PY - "$SOCK" >posted <<'END'
import socket, sys
body = b'{"endpoint":"rules","topic":"a.b","body":{}}'
for head in (b"PROXY TCP4 203.0.113.9 10.0.0.1 5555 443", b"PROXY UNKNOWN", b"PROXY TCP4 127.0.0.1 127.0.0.1 5 443"):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.sendall(head + b"\r\nPOST /system/put HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
              b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    print(s.recv(65536).split(b"\r\n")[0].decode())
END
    run cat posted
    assert_output 'HTTP/1.1 403 Forbidden
HTTP/1.1 403 Forbidden
HTTP/1.1 200 OK'
}

@test "one address does not take all places of a WebSocket: 429, and 503 when they are all taken" {
    start fan wsfanout --clients 8 -o fan -i fifo:none
    behind
    $PY - "$SOCK" "$PORT" <<'END'
import socket, sys, time
def ask(address):
    if address:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(sys.argv[1])
        s.sendall(b"PROXY TCP%d %s %s 5555 443\r\n" % ((6, address, b"::1") if b":" in address else (4, address, b"10.0.0.1")))
    else:
        s = socket.create_connection(("127.0.0.1", int(sys.argv[2])), 10)
    s.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    return s, s.recv(4096).split(b"\r\n")[0].split(b" ")[1]
def until(address, status):
    """It is in, or out, a moment after its handshake."""
    end = time.monotonic() + 10
    while (got := ask(address))[1] != status:
        got[0].close()
        assert time.monotonic() < end, (address, got[1])
        time.sleep(0.02)
    return got[0]
a = [until(b"203.0.113.9", b"101") for _ in range(2)]
until(b"203.0.113.9", b"429").close()
six = [until(b"2001:db8::1", b"101"), until(b"2001:db8::ffff:2", b"101")]
until(b"2001:db8::3", b"429").close()
b = until(b"203.0.113.10", b"101")
here = [until(None, b"101") for _ in range(3)]
until(None, b"503").close()
until(b"203.0.113.11", b"503").close()
a[0].close()
a[0] = until(b"203.0.113.9", b"101")
END
    wait_line httpd.err 'fan: connection of 203.0.113.9:5555 refused: its address has as many as it may'
}

@test "nor of the viewers of pictures" {
    behind --viewers 8 --route 'GET /stream mjpeg rules t k'
    $PY - "$SOCK" <<'END'
import socket, sys, time
def view(address):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.sendall(b"PROXY TCP4 %s 10.0.0.1 5555 443\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n" % address)
    return s, s.recv(4096).split(b"\r\n")[0].split(b" ")[1]
keep = [view(b"203.0.113.%d" % (i // 2)) for i in range(6)]
assert {k[1] for k in keep} == {b"200"}, [k[1] for k in keep]
assert view(b"203.0.113.0")[1] == b"429"
keep += [view(b"127.0.0.1"), view(b"203.0.113.9")]
assert [k[1] for k in keep[6:]] == [b"200"] * 2, keep
assert view(b"203.0.113.10")[1] == b"503"
keep[0][0].close()
end = time.monotonic() + 10
while (got := view(b"203.0.113.0"))[1] != b"200":
    assert time.monotonic() < end, got
    time.sleep(0.05)
END
}

@test "nor of the system page's streams" {
    behind --system "$ROOT/www/system"
    $PY - "$SOCK" <<'END'
import socket, sys
def stream(address, path=b"/system/events"):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    s.connect(sys.argv[1])
    s.sendall(b"PROXY TCP4 %s 10.0.0.1 5555 443\r\nGET %s HTTP/1.1\r\nHost: x\r\n\r\n" % (address, path))
    return s, s.recv(4096).split(b"\r\n")[0].split(b" ")[1]
keep = [stream(b"203.0.113.1") for _ in range(40)]
keep += [stream(b"203.0.113.1", b"/system/tap?from=rules") for _ in range(8)]
assert {k[1] for k in keep} == {b"200"}, [k[1] for k in keep]
assert stream(b"203.0.113.1")[1] == b"429"
assert stream(b"203.0.113.1", b"/system/tap?from=rules")[1] == b"429"
keep += [stream(b"203.0.113.2")] + [stream(b"127.0.0.1") for _ in range(50)]
assert {k[1] for k in keep} == {b"200"}, [k[1] for k in keep]
END
}

# ---- stunnel ----

certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -keyout key.pem \
        -out cert.pem -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 2>/dev/null
}

@test "https and wss through stunnel, with the real address" {
    certificate
    behind
    TPORT=$(free_port)
    start tls "$ROOT/contrib/tls-stage" --cert cert.pem --key key.pem --listen "127.0.0.1:$TPORT" --to unix:tls
    secure() { curl -sf -m 5 --cacert cert.pem "https://localhost:$TPORT/echo" -o body; }
    wait_for 10 secure
    grep -q '"peer": "127.0.0.1:' body
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    start wss $PY "$PROXY" wss "$TPORT" '/ws?room=2'
    wait_line wss.out 'handed over'
    run cat receiver.out
    assert_output --partial '"query": "room=2"'
    assert_output --regexp '"peer": "127.0.0.1:[0-9]+"'
}

@test "tls-stage: what is wrong with its command line is said in one line" {
    certificate
    local stage="$ROOT/contrib/tls-stage"
    run "$stage" --cert cert.pem
    assert_failure 2
    run "$stage" --cert cert.pem --listen 127.0.0.1:1
    assert_failure 2
    run "$stage" --cert cert.pem --to unix:a
    assert_failure 2
    run "$stage" --cert cert.pem --listen 127.0.0.1:1 --to nowhere
    assert_failure 2
    assert_output --partial '--to nowhere'
    run "$stage" --cert
    assert_failure 2
    run "$stage" --cert none.pem --listen 127.0.0.1:1 --to unix:a
    assert_failure 1
    assert_output 'tls-stage: cannot read none.pem'
}
