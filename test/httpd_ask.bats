#!/usr/bin/env bats
# httpd: questions to stages, WebSocket hand-over, pages of others.
load httpd

# ---- questions to stages ----

@test "ask: text, JSON, bytes, status, refusal" {
    answer
    serve --route 'GET /play/{id} ask rules play' --route 'GET /json ask rules json' \
        --route 'GET /data ask rules data' --route 'GET /health ask rules degraded' \
        --route 'GET /refuse ask rules refuse' --route 'GET /error ask rules error' \
        --route 'GET /empty ask rules empty' --route 'GET /none ask rules none' \
        --route 'GET /big ask rules big'
    fetch /play/5
    assert_status 200
    assert_header Content-Type 'text/plain; charset=utf-8'
    assert_body 'OK: play 5'
    fetch /json
    assert_header Content-Type 'application/json; charset=utf-8'
    assert_body '{"version": "2.4.2", "current": null, "up": true, "list": [-1, 5.0]}'
    fetch /data
    assert_header Content-Type image/png
    [ "$(md5sum <body)" = "$($PY -c 'import sys; sys.stdout.buffer.write(bytes(range(256)))' | md5sum)" ]
    fetch /health
    assert_status 503
    assert_body '{"status": "degraded"}'
    fetch /refuse
    assert_status 418
    assert_body 'I am a teapot'
    fetch /error
    assert_status 500
    assert_body 'button 999 is not there'
    fetch /empty
    assert_status 200
    assert_body ''
    fetch /none
    assert_status 502
    grep -q 'rules: ' body
    fetch /big
    [ "$(wc -c <body)" = 200000 ]
}

@test "ask: the stage sees method, path, query and decoded parameters" {
    answer
    serve --route 'GET /a/{one}/b/{two} ask rules echo' --route 'GET /deep/* ask rules echo'
    fetch '/a/x%20y/b/%C3%A4%2B?q=1&r=%20'
    run $PY -c '
import json, sys
d = json.load(open("body"))
assert d["op"] == "echo" and d["method"] == "GET", d
assert d["path"] == "/a/x%20y/b/%C3%A4%2B" and d["query"] == "q=1&r=%20", d
assert d["params"] == {"one": "x y", "two": "\u00e4+"}, d
assert d["peer"].startswith("127.0.0.1:"), d
assert "text" not in d, d'
    assert_success
    fetch /deep/x/y%20z
    grep -q '"params": {"\*": "x/y z"}' body
    local p
    for p in /a/x/b /a/x/b/ /a/x/b/y/ /a/x/b/y/z /a//b/y /a/x%2fy/b/z /deep/x/ /a/x/b/..; do
        fetch "$p"
        assert_status 404
    done
}

@test "HEAD asks with its own method, so that nothing is done" {
    answer
    serve --route 'GET /play/{id} ask rules play' --route 'GET /count ask rules count'
    fetch -I /play/7
    assert_status 200
    assert_header Content-Length 10
    [ ! -s body ] || ! grep -q 'OK: play' body
    fetch /count
    assert_body 0
    fetch /play/7
    fetch /count
    assert_body 1
}

@test "POST: text and bytes arrive, too much is 413" {
    answer
    serve --max-body 10k --route 'POST /x ask rules echo' --route 'GET /count ask rules count'
    fetch --data-binary 'schön' -H 'Content-Type: text/plain' /x
    assert_status 200
    grep -q '"type": "text/plain", "text": "schön"' body
    fetch --data-binary $'\xff\xfe' -H 'Content-Type: text/plain' /x
    grep -q '"data": "//4="' body
    fetch --data-binary 'abc' -H 'Content-Type: application/octet-stream' /x
    grep -q '"data": "YWJj"' body
    fetch -X POST /x
    grep -q '"text": ""' body
    fetch --data-binary @<(head -c 10240 /dev/zero | tr '\0' x) /x
    assert_status 200
    run $PY "$RAW" post "$PORT" /x 10241
    assert_output --partial ' 413 '
    run $PY "$RAW" post "$PORT" /x 10240 chunked
    assert_output --partial ' 200 '
    run $PY "$RAW" post "$PORT" /x 20000 chunked
    assert_output --partial ' 413 '
    run $PY "$RAW" post "$PORT" /x 3000000 chunked
    assert_output --partial ' 413 '
    run $PY "$RAW" post "$PORT" /x 99999999999999999999
    refute_output --partial ' 200 '
    fetch /count
    assert_status 200
}

@test "no answer in time, and a stage that is not there: 503 that names it" {
    answer
    serve --ask-timeout 300ms --route 'GET /slow ask rules slow' --route 'GET /gone ask nobody x' \
        --route 'GET /play/{id} ask rules play'
    fetch /slow
    assert_status 503
    grep -q 'rules: no answer' body
    fetch /gone
    assert_status 503
    grep -q 'nobody: nobody answers' body
    fetch /play/1
    assert_status 200
}

@test "a stage that comes back is asked again; a hundred at once are all answered" {
    serve --ask-timeout 5s --route 'GET /play/{id} ask rules play'
    answer
    fetch /play/1
    assert_status 200
    kill -KILL "$PID"
    wait_gone "$PID"
    rm -f "$TAPLINE_RUN"/rules.*
    answer
    fetch /play/2
    assert_body 'OK: play 2'
    for i in $(seq 100); do echo "url=$URL/play/$i"; echo "output=play.$i"; done >list
    curl -s -Z --parallel-max 100 -m 20 -K list
    [ "$(cat play.* | sort -u | sed 's/OK/\nOK/g' | grep -c OK)" = 100 ]
}

# ---- WebSocket hand-over ----

@test "an upgraded connection is handed over with what the stage must know" {
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    serve --route 'WS /ws ws fan lobby'
    run $PY "$RAW" upgrade "$PORT" '/ws?room=1&x=%20' 'Origin:http://a.example'
    assert_line 'HTTP/1.1 101 Switching Protocols'
    assert_line --regexp '^Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$'
    assert_line --regexp '^Upgrade: websocket$'
    assert_line --regexp '^Connection: Upgrade'
    refute_output --partial Sec-WebSocket-Extensions
    assert_output --partial 'handed over'
    run cat receiver.out
    assert_output --partial '"path": "/ws", "query": "room=1&x=%20", "group": "lobby"'
    assert_output --partial '"origin": "http://a.example"'
    assert_output --partial '"extra": "extra"'
    assert_output --regexp '"peer": "127.0.0.1:[0-9]+"'
}

@test "a handed-over connection outlives httpd, and httpd keeps no copy" {
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    serve --route 'WS /ws ws fan'
    start client $PY "$RAW" stall "$PORT" /nothing 30
    $PY - "$PORT" >life.out <<'END' &
import socket, sys, time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
s.sendall(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
got = b""
while b"handed over" not in got:
    piece = s.recv(4096)
    assert piece, got
    got += piece
print("joined", flush=True)
s.settimeout(1.5)
try:
    print("ended", s.recv(10))
except socket.timeout:
    print("alive")
END
    local life=$!
    wait_line life.out joined
    one_less() { [ "$(ss -tnpH state established "( sport = :$PORT )" | grep -c "pid=$HTTPD,")" = 1 ]; }
    wait_for 5 one_less
    kill -KILL "$HTTPD"
    wait_end $life
    assert_file_contains life.out alive
}

@test "handshakes that are none, and nobody to take them" {
    serve --route 'WS /ws ws fan' --origin 'http://*.good.example' --origin 'http://ok:8080'
    fetch /ws
    assert_status 400
    fetch -I /ws
    assert_status 400
    fetch -X POST /ws
    assert_status 405
    assert_header Allow GET,HEAD
    run $PY "$RAW" upgrade "$PORT" /ws Upgrade:h2c
    assert_line 'HTTP/1.1 400 Bad Request'
    run $PY "$RAW" upgrade "$PORT" /ws Connection:close
    assert_line 'HTTP/1.1 400 Bad Request'
    run $PY "$RAW" upgrade "$PORT" /ws Sec-WebSocket-Version:8
    assert_line 'HTTP/1.1 426 Upgrade Required'
    assert_line 'Sec-WebSocket-Version: 13'
    local key
    for key in '' short 'dGhlIHNhbXBsZSBub25jZQ=!' 'dGhlIHNhbXBsZSBub25jZXh4' \
        'dGhlIHNhbXBsZSBub25jZQ==dGhlIHNhbXBsZSBub25jZQ=='; do
        run $PY "$RAW" upgrade "$PORT" /ws "Sec-WebSocket-Key:$key"
        assert_line 'HTTP/1.1 400 Bad Request'
    done
    run $PY "$RAW" upgrade "$PORT" "/ws?$(printf 'x%.0s' $(seq 600))"
    assert_line --partial 'HTTP/1.1 414 '
    run $PY "$RAW" upgrade "$PORT" /ws Origin:http://evil.example
    assert_line 'HTTP/1.1 403 Forbidden'
    run $PY "$RAW" upgrade "$PORT" /ws Origin:http://good.example.evil.com
    assert_line 'HTTP/1.1 403 Forbidden'
    run $PY "$RAW" upgrade "$PORT" /ws Origin:http://A.good.example
    assert_line 'HTTP/1.1 503 Service Unavailable'
    assert_output --partial 'fan: nobody takes connections there'
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    run $PY "$RAW" upgrade "$PORT" /ws Origin:http://ok:8080
    assert_line 'HTTP/1.1 101 Switching Protocols'
}

@test "a handshake with HTTP/1.0 is answered" {
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    serve --route 'WS /ws ws fan'
    local version
    for version in 0 1; do
        printf 'GET /ws HTTP/1.%s\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n' $version |
            $PY "$RAW" send "$PORT" 1 >"raw.$version"
    done
    grep -q '^HTTP/1.[01] 400 Bad Request' raw.0
    grep -q 'a WebSocket needs HTTP/1.1' raw.0
    grep -aq '^HTTP/1.1 101 Switching Protocols' raw.1
}

# ---- pages of others ----

@test "--origin: a page of another site asks no stage" {
    answer
    serve --origin 'http://panel.example:*, http://b.example' --origin 'http://c.example' \
        --route 'GET /play/{id} ask rules play' --route 'GET /count ask rules count' \
        --route 'GET / file www/index.html'
    local from
    for from in 'Origin: http://evil.example' 'Origin: null' 'Origin: http://b.example.evil.com' \
        'Sec-Fetch-Site: cross-site'; do
        fetch -H "$from" /play/1
        assert_status 403
        assert_body '403: Forbidden (pages of other sites may not do this)'
        fetch -H "$from" /
        assert_status 200
    done
    wait_line httpd.err 'GET "?/play/1"? from 127.0.0.1:[0-9]+ refused: a page of'
    for from in 'X: y' 'Origin: http://panel.example:8080' 'Origin: HTTP://B.example' \
        'Origin: http://c.example' 'Sec-Fetch-Site: same-origin' 'Sec-Fetch-Site: none'; do
        fetch -H "$from" /play/1
        assert_status 200
    done
    fetch -H 'Sec-Fetch-Site: cross-site' -H 'Origin: http://c.example' /play/1
    assert_status 200
    fetch /count
    assert_body 7
}

@test "without --origin, or with *, any page may ask" {
    answer
    serve --origin '*' --route 'GET /play/{id} ask rules play'
    fetch -H 'Origin: http://evil.example' /play/1
    assert_status 200
    fetch -H 'Sec-Fetch-Site: cross-site' /play/1
    assert_status 200
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    serve --route 'GET /play/{id} ask rules play'
    fetch -H 'Origin: http://evil.example' /play/1
    assert_status 200
    fetch -H 'Sec-Fetch-Site: cross-site' /play/1
    assert_status 200
}

@test "--host: nothing for whoever calls this server otherwise" {
    answer
    serve --host 'Panel.local,*.lan' --host ::1 --route 'GET / file www/index.html' \
        --route 'GET /play/{id} ask rules play' --route 'GET /count ask rules count' \
        --route 'WS /ws ws fan'
    local name
    for name in evil.example "127.0.0.1:$PORT" panel.local.evil.com:80 lan '[::2]' ''; do
        fetch -H "Host: $name" /play/1
        assert_status 421
        assert_body '421: Misdirected Request (this server has another name)'
        fetch -H "Host: $name" /nothing
        assert_status 421
    done
    run $PY "$RAW" upgrade "$PORT" /ws Host:evil.example
    assert_line 'HTTP/1.1 421 Misdirected Request'
    printf 'GET / HTTP/1.0\r\n\r\n' | $PY "$RAW" send "$PORT" >raw
    grep -q ' 421 ' raw
    for name in panel.local PANEL.LOCAL:8080 a.lan:1 '[::1]' '[::1]:8080'; do
        fetch -H "Host: $name" /play/1
        assert_status 200
    done
    fetch -H 'Host: panel.local' /count
    assert_body 5
    wait_line httpd.err 'it calls this server "?evil.example"? '
}
