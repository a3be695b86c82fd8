#!/usr/bin/env bats
# httpd: files, questions to stages, WebSocket hand-over, and clients that misbehave.
# The stage behind `ask` is test/tool/answer.c.

load helper

RAW="$ROOT/test/tool/http_raw.py"

setup() {
    common_setup
    TOOL=${TAPLINE_BIN:-$ROOT/build/bin}/../tool
    mkdir -p www/sub media
    printf '<h1>panel</h1>' >www/index.html
    printf 'let a = 1\n' >www/app.js
    printf '0123456789' >media/001.mp3
    printf 'picture' >media/001.jpg
    : >media/empty.txt
}

# serve [OPTION...]: httpd on a free port, its address in $URL and $PORT.
serve() {
    start httpd httpd -v --listen 127.0.0.1:0 "$@"
    HTTPD=$PID
    wait_line httpd.err 'listening on http'
    URL=$(sed -n 's/.*listening on \(http:[^ ]*\)\/$/\1/p' httpd.err)
    PORT=${URL##*:}
}

serve_files() {
    serve --route 'GET / file www/index.html' --route 'GET /static/* dir www' \
        --route 'GET /media/* dir media' "$@"
}

answer() {
    start answer "$TOOL/answer" -o rules
    wait_for 10 test -S "$TAPLINE_RUN/rules.rep"
}

# fetch CURL-ARGS... PATH: status in $status_code, body in file body, headers in file head.
fetch() {
    local path=${*: -1}
    rm -f body head
    status_code=$(curl -s -m 10 --path-as-is -o body -D head -w '%{http_code}' "${@:1:$#-1}" "$URL$path") || true
    touch body head
    tr -d '\r' <head >head.txt
}

assert_status() { [ "$status_code" = "$1" ] || { echo "status $status_code, want $1" >&2; cat head.txt body >&2; return 1; }; }
assert_header() { grep -qixE -- "$1: *$2" head.txt || { echo "no header $1: $2" >&2; cat head.txt >&2; return 1; }; }
refute_header() { ! grep -qi "^$1:" head.txt || { echo "unwanted $1" >&2; cat head.txt >&2; return 1; }; }
assert_body() { [ "$(cat body)" = "$1" ] || { echo "body: $(cat body)" >&2; echo "want: $1" >&2; return 1; }; }
etag() { sed -n 's/^ETag: //ip' head.txt; }

# ---- files ----

@test "the page and files come with type, length, dates and tag" {
    serve_files
    fetch /
    assert_status 200
    assert_header Content-Type 'text/html'
    assert_header Content-Length 14
    assert_header Accept-Ranges bytes
    assert_header X-Content-Type-Options nosniff
    assert_header Last-Modified '.* GMT'
    assert_header ETag "\"$(printf '%x-%x' "$(date -r www/index.html +%s%N)" 14)\""
    refute_header Access-Control-Allow-Origin
    assert_body '<h1>panel</h1>'
    fetch /static/app.js
    assert_status 200
    assert_header Content-Type 'text/javascript'
    fetch '/media/001.jpg?v=2.2.5&x=..%2f'
    assert_status 200
    assert_header Content-Type 'image/jpeg'
    fetch /media/001.mp3
    assert_header Content-Type 'audio/mpeg'
    fetch /media/empty.txt
    assert_status 200
    assert_header Content-Length 0
}

@test "every extension has its type, the unknown one octet-stream" {
    serve_files
    local pair
    for pair in jpeg=image/jpeg png=image/png gif=image/gif svg='image/svg\+xml' webp=image/webp \
        ico=image/vnd.microsoft.icon wav=audio/wav ogg=audio/ogg m4a=audio/mp4 mp4=video/mp4 \
        css=text/css mjs=text/javascript json=application/json woff2=font/woff2 \
        wasm=application/wasm map=application/json JPG=image/jpeg xyz=application/octet-stream; do
        echo x >"media/f.${pair%%=*}"
        fetch "/media/f.${pair%%=*}"
        assert_header Content-Type "${pair#*=}"
    done
    echo x >media/noext
    fetch /media/noext
    assert_header Content-Type application/octet-stream
}

@test "HEAD sends the head that GET would" {
    serve_files
    fetch /media/001.mp3
    grep -viE '^date' head.txt >get.txt
    fetch -I /media/001.mp3
    grep -viE '^date' head.txt >head2.txt
    diff get.txt head2.txt
    assert_header Content-Length 10
    fetch -I /nothing
    assert_status 404
}

@test "ranges: a-b, a-, -n; 416 when unsatisfiable, malformed or several" {
    serve_files
    local r
    for r in '0-3=0123=0-3' '4-=456789=4-9' '-3=789=7-9' '8-100=89=8-9' '-100=0123456789=0-9' '9-9=9=9-9'; do
        IFS== read -r range body span <<<"$r"
        fetch -H "Range: bytes=$range" /media/001.mp3
        assert_status 206
        assert_body "$body"
        assert_header Content-Range "bytes $span/10"
        assert_header Content-Length "${#body}"
        assert_header Content-Type audio/mpeg
    done
    for r in 10- 99-100 5-2 -0 0-1,3-4 a-b 1-2x - ''; do
        fetch -H "Range: bytes=$r" /media/001.mp3
        assert_status 416
        assert_header Content-Range 'bytes \*/10'
    done
    fetch -H 'Range: bytes=0-' /media/empty.txt
    assert_status 416
    fetch -H 'Range: lines=1-2' /media/001.mp3
    assert_status 200
    fetch -I -H 'Range: bytes=0-3' /media/001.mp3
    assert_status 200
    assert_header Content-Length 10
}

@test "If-None-Match and If-Modified-Since give 304, If-Range decides about a part" {
    serve_files
    touch -d '2024-01-02 03:04:05.5 UTC' media/001.mp3
    fetch /media/001.mp3
    local tag
    tag=$(etag)
    for given in "$tag" "W/$tag" "\"x\", $tag" '*'; do
        fetch -H "If-None-Match: $given" /media/001.mp3
        assert_status 304
        assert_header ETag "$tag"
        assert_body ''
    done
    fetch -H 'If-None-Match: "x"' -H 'If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT' /media/001.mp3
    assert_status 200
    fetch -H 'If-Modified-Since: Tue, 02 Jan 2024 03:04:05 GMT' /media/001.mp3
    assert_status 304
    fetch -H 'If-Modified-Since: Tue, 02 Jan 2024 03:04:04 GMT' /media/001.mp3
    assert_status 200
    fetch -H 'If-Modified-Since: yesterday' /media/001.mp3
    assert_status 200
    fetch -H "If-Range: $tag" -H 'Range: bytes=1-2' /media/001.mp3
    assert_status 206
    fetch -H 'If-Range: "old"' -H 'Range: bytes=1-2' /media/001.mp3
    assert_status 200
    assert_body 0123456789
    fetch -H 'If-Range: Tue, 02 Jan 2024 03:04:05 GMT' -H 'Range: bytes=1-2' /media/001.mp3
    assert_status 206
    printf 'changed' >media/001.mp3
    fetch -H "If-None-Match: $tag" /media/001.mp3
    assert_status 200
    assert_body changed
}

@test "a .gz beside a script goes to those who accept it" {
    serve_files
    gzip -k www/app.js
    fetch /static/app.js
    assert_status 200
    assert_header Vary Accept-Encoding
    refute_header Content-Encoding
    assert_body 'let a = 1'
    fetch -H 'Accept-Encoding: br, gzip' /static/app.js
    assert_header Content-Encoding gzip
    assert_header Content-Type text/javascript
    assert_header Vary Accept-Encoding
    [ "$(gzip -dc <body)" = 'let a = 1' ]
    fetch -H 'Accept-Encoding: gzip' -H 'Range: bytes=0-2' /static/app.js
    assert_status 206
    assert_body let
    fetch -H 'Accept-Encoding: gzip;q=0' /static/app.js
    refute_header Content-Encoding
}

@test "directories are 403, unknown paths 404, in text" {
    serve_files
    local p
    for p in /media /media/ /static /static/sub /static/sub/; do
        fetch "$p"
        assert_status 403
        assert_body '403: Forbidden'
        assert_header Content-Type 'text/plain; charset=utf-8'
    done
    for p in /nothing /index.html /media/none.jpg /media/001.jpg/x /Media/001.jpg /medi; do
        fetch "$p"
        assert_status 404
        assert_body '404: Not Found'
    done
    fetch /media/001.jpg/
    assert_status 200
    assert_body picture
}

@test "no spelling of .. leads out of a directory" {
    echo secret >secret
    serve_files
    local p
    for p in /media/../secret /media/..%2fsecret /media/%2e%2e/secret /media/%2E%2E%2Fsecret \
        /media/.%2e/secret /media/./001.jpg /media/%2e/001.jpg //media/001.jpg /media//001.jpg \
        /media/001.jpg// /media/%2f001.jpg /media/001.jpg%00 /media/%00 /media/%zz /media/% /.. \
        '/media/..\secret' /media/%252e%252e/secret /media//etc/passwd "/media/$WORK/secret" \
        /../../../../etc/passwd; do
        fetch "$p"
        assert_status 404
    done
    printf 'GET /media/../secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | $PY "$RAW" send "$PORT" >raw
    grep -q '404 Not Found' raw
    ! grep -q secret raw
}

@test "links inside a directory work, links that lead out only with follow" {
    mkdir outside
    echo secret >outside/s.txt
    ln -s ../outside/s.txt media/out.txt
    ln -s "$WORK/outside" media/outdir
    ln -s 001.jpg media/in.jpg
    ln -s media medialink
    mkfifo media/fifo
    serve_files --route 'GET /all/* dir medialink follow'
    fetch /media/in.jpg
    assert_status 200
    fetch /media/out.txt
    assert_status 404
    fetch /media/outdir/s.txt
    assert_status 404
    fetch /media/fifo
    assert_status 404
    fetch /all/out.txt
    assert_status 200
    assert_body secret
    fetch /all/outdir/s.txt
    assert_status 200
}

@test "a directory that comes later or is replaced is found, and names with blanks" {
    serve_files --route 'GET /late/* dir late dir' --route 'GET /one file late dir/a b.txt'
    assert_file_contains httpd.err 'there is no directory late dir now'
    fetch /late/x.txt
    assert_status 404
    mkdir 'late dir'
    echo one >'late dir/x.txt'
    echo blank >'late dir/a b.txt'
    fetched() { fetch "$1"; [ "$(cat body)" = "$2" ]; }
    wait_for 5 fetched /late/x.txt one
    fetch '/late/a%20b.txt'
    assert_body blank
    fetch /one
    assert_body blank
    mkdir new
    echo two >new/x.txt
    mv 'late dir' old
    mv new 'late dir'
    wait_for 5 fetched /late/x.txt two
}

@test "other methods are 405 with Allow" {
    answer
    serve_files --route 'POST /both ask rules echo' --route 'GET /both ask rules echo'
    local m
    for m in POST PUT DELETE OPTIONS PATCH FOO; do
        fetch -X "$m" /media/001.jpg
        assert_status 405
        assert_header Allow 'GET,HEAD'
        assert_body '405: Method Not Allowed'
    done
    fetch -X PUT /both
    assert_status 405
    assert_header Allow 'GET,HEAD,POST'
    fetch -X POST /nothing
    assert_status 404
}

@test "HTTP/1.0, keep-alive and requests sent in one go" {
    serve_files
    printf 'GET /media/001.mp3 HTTP/1.0\r\n\r\n' | $PY "$RAW" send "$PORT" >raw
    grep -q '200 OK' raw
    grep -q 0123456789 raw
    printf 'GET /media/001.mp3 HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET http://x/media/001.jpg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
        $PY "$RAW" send "$PORT" >raw
    [ "$(grep -ao 'HTTP/1.1 [0-9]*' raw | tr '\n' ' ')" = 'HTTP/1.1 200 HTTP/1.1 404 HTTP/1.1 200 ' ]
    grep -q picture raw
}

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
    refute_output --partial ' 200 '
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
