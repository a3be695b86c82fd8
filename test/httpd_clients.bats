#!/usr/bin/env bats
# httpd: clients that misbehave, starting and stopping, routes.
load httpd

# ---- clients that misbehave ----

@test "garbage is answered or cut, and the server goes on" {
    serve_files
    local i
    head -c 100000 /dev/urandom | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf '\r\n\r\n\0\0\0\r\n\r\n' | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf 'GET\r\n\r\n' | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf 'GET / HTTP/9.9\r\nHost: x\r\n\r\n' | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf 'GET / HTTP/1.1\r\nContent-Length: -5\r\nHost: x\r\n\r\n' | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n' | $PY "$RAW" send "$PORT" 1 >/dev/null
    printf 'GET /%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$(head -c 20000 /dev/zero | tr '\0' a)" | $PY "$RAW" send "$PORT" 1 >raw
    head -1 raw | grep -qE ' (404|414) '
    printf 'GET / HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n' "$(head -c 200000 /dev/zero | tr '\0' a)" | $PY "$RAW" send "$PORT" 1 >raw
    ! grep -q panel raw
    for i in '' Host Range If-None-Match Accept-Encoding; do
        printf 'GET /media/001.mp3 HTTP/1.1\r\nHost: x\r\n%s: %b\r\nConnection: close\r\n\r\n' "${i:-X}" '\x01\xff,;,"",W/"",W/,-,,' | $PY "$RAW" send "$PORT" 1 >/dev/null
    done
    fetch /
    assert_status 200
    kill -0 "$HTTPD"
}

@test "5000 bytes of header are fine" {
    serve_files
    fetch -H "Cookie: $(head -c 5000 /dev/zero | tr '\0' c)" /
    assert_status 200
}

@test "one who never finishes a request is cut, one byte at a time or not" {
    serve_files --timeout 1s
    run $PY "$RAW" drip "$PORT" 10
    assert_output --regexp '^cut after [0-5]\.'
}

@test "when all connections are taken the longest idle one makes room" {
    serve_files --connections 20
    run $PY "$RAW" many "$PORT" 150
    assert_output 'HTTP/1.1 200 OK'
    assert_file_contains httpd.err 'all 20 connections are in use'
}

@test "one who reads nothing disturbs nobody" {
    head -c 20000000 /dev/zero >media/large.bin
    serve_files
    start stall $PY "$RAW" stall "$PORT" /media/large.bin 20
    start stall2 $PY "$RAW" stall "$PORT" /media/large.bin 20
    for i in 1 2 3; do
        fetch /media/large.bin
        [ "$(wc -c <body)" = 20000000 ]
    done
}

# ---- starting and stopping ----

@test "an occupied port: one line with address and cure, exit 1; free again at once" {
    serve_files
    run httpd --listen "127.0.0.1:$PORT" --route 'GET / file www/index.html'
    assert_failure 1
    assert_output --partial "cannot listen on 127.0.0.1:$PORT: Address already in use ("
    [ "${#lines[@]}" = 1 ]
    fetch /
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    start again httpd --listen "127.0.0.1:$PORT" --route 'GET / file www/index.html'
    wait_line again.err "listening on http://127.0.0.1:$PORT/"
    fetch /
    assert_status 200
}

@test "addresses: every interface, localhost, IPv6" {
    start all httpd --listen 0.0.0.0:0 --route 'GET / file www/index.html'
    wait_line all.err 'listening on http://0\.0\.0\.0:[0-9]+/'
    start local httpd --listen localhost:0 --route 'GET / file www/index.html'
    wait_line local.err 'listening on http://127\.0\.0\.1:[0-9]+/'
    for bad in nonsense 1.2.3.4:http ::1:80 127.0.0.1: 127.0.0.1:99999 '[::1:80'; do
        run timeout 5 httpd --listen "$bad" --route 'GET / file www/index.html'
        assert_failure 2
        assert_output --partial "$bad"
    done
    [ -e /proc/net/if_inet6 ] || return 0
    start six httpd --listen '[::1]:0' --route 'GET / file www/index.html'
    wait_line six.err 'listening on http://\[::1\]:[0-9]+/|Cannot assign'
}

@test "SIGTERM ends it with 0, whatever is under way" {
    answer
    head -c 20000000 /dev/zero >media/large.bin
    serve_files --route 'GET /slow ask rules slow' --ask-timeout 20s
    start idle $PY "$RAW" many "$PORT" 1
    start stall $PY "$RAW" stall "$PORT" /media/large.bin 20
    start waiting curl -s -m 20 -o waiting.body -w '%{http_code}' "$URL/slow"
    asked() { ss -tnH state established "( sport = :$PORT )" | [ "$(wc -l)" -ge 2 ]; }
    wait_for 5 asked
    reached() { timeout 20 "$PY" "$ROOT/test/tool/spbus.py" ask rules '{"op":"stats"}' | grep -q '"kept": 1'; }
    wait_for 5 reached
    kill -TERM "$HTTPD"
    wait_end "$HTTPD" # by itself: what hangs is ended by SIGALRM
    wait_for 5 test -s waiting.out
    assert_file_contains waiting.out 503
}

@test "routes: the most specific wins, in any order" {
    printf star >media/star
    printf exact >media/exact
    answer
    serve --route 'GET /a/* file media/star' --route 'GET /a/{x} ask rules play' \
        --route 'GET /a/b file media/exact' --route 'GET /a/{id}/c ask rules play'
    fetch /a/b
    assert_body exact
    fetch /a/9
    assert_body 'OK: play ?'
    fetch /a/9/d
    assert_body star
    fetch /a/9/c
    assert_body 'OK: play 9'
    fetch /a
    assert_body star
}

@test "wrong routes are usage errors that name the route" {
    local r
    for r in 'GET' 'GET /' 'GET / file' 'FETCH / file x' 'GET x file y' 'GET / nothing x' \
        'GET /a//b file x' 'GET /a/ file x' 'GET /*/b file x' 'GET /{a file x' 'GET /{} file x' \
        'GET /a%20b file x' 'GET /a/../b file x' 'GET /d dir x' 'GET /a ask one' \
        'GET /a ask one two three' 'WS /ws file x' 'GET /ws ws fan' 'WS /ws ws' 'WS /ws ws a/b' \
        'WS /ws ws a b c' 'POST / file x' 'HEAD / file x'; do
        run timeout 5 httpd --listen 127.0.0.1:0 --route "$r"
        assert_failure 2
        assert_output --partial "route \"$r\""
    done
    run httpd --route 'GET /a/{x} file y' --route 'GET /a/{z} file q'
    assert_failure 2
    assert_output --partial 'the same path and method as "GET /a/{x} file y"'
    run httpd --route 'GET /ws file y' --route 'WS /ws ws fan'
    assert_failure 2
    run httpd
    assert_failure 2
    assert_output --partial 'at least one --route'
    run httpd --route 'GET / ask fifo:x y'
    assert_failure 2
    assert_output --partial 'fifo:x'
}

@test "the stage reports its counters" {
    TAPLINE_STAGE=web serve --route 'GET / file www/index.html'
    fetch /
    fetch /nothing
    run $PY "$RAW" report "$TAPLINE_RUN/report.sock" requests responses_2xx responses_4xx sent_bytes
    assert_output 'sys.web requests=2 responses_2xx=1 responses_4xx=1 sent_bytes=28'
}
