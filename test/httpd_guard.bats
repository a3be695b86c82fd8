#!/usr/bin/env bats
# httpd: who gets in (--protect, routes with a token), pages of other sites (--cors), and what a stage
# may say beside its answer.
load httpd

PROXY="$ROOT/test/tool/http_proxy.py"
LOGIN='correct horse'
TOKEN=camera-secret-1

routes() {
    serve --route 'GET / file www/index.html' --route 'GET /media/* dir media' \
        --route 'GET /json ask rules json' --route 'GET /health ask rules json open' \
        --route 'POST /echo ask rules echo' --route 'WS /ws ws fan lobby' \
        --route 'WS /door ws fan open' --route 'GET /cam/{x}/stream mjpeg rules t k' \
        --route 'GET /cam/{x} image rules t k' "$@"
}

# nothing_told SECRET...: no secret stands in a log
nothing_told() {
    local s
    for s; do ! grep -F -e "$s" httpd.err answer.err; done
}

@test "--protect basic: pages, JSON, images, streams, WebSockets; not what is open" {
    export HTTPD_LOGIN="anna:$LOGIN"
    answer
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    routes --protect basic
    local p
    for p in / /media/001.jpg /json /cam/1 /cam/1/stream /nothing /media/../x; do
        fetch "$p"
        assert_status 401
        assert_header WWW-Authenticate 'Basic realm="tapline", charset="UTF-8"'
        assert_body '401: Unauthorized'
    done
    fetch /health
    assert_status 200
    fetch -u "anna:$LOGIN" /
    assert_body '<h1>panel</h1>'
    fetch -u "anna:$LOGIN" /json
    assert_status 200
    fetch -u "anna:$LOGIN" /nothing
    assert_status 404
    run $PY "$RAW" upgrade "$PORT" /ws
    assert_line 'HTTP/1.1 401 Unauthorized'
    run $PY "$RAW" upgrade "$PORT" /door
    assert_line 'HTTP/1.1 101 Switching Protocols'
    run $PY "$RAW" upgrade "$PORT" /ws "Authorization:Basic $(printf 'anna:%s' "$LOGIN" | base64)"
    assert_line 'HTTP/1.1 101 Switching Protocols'
    # On one connection after a refusal.
    printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
        $PY "$RAW" send "$PORT" >raw
    [ "$(grep -ao 'HTTP/1.1 [0-9]*' raw | tr '\n' ' ')" = 'HTTP/1.1 401 HTTP/1.1 200 ' ]
    nothing_told "$LOGIN" "$(printf 'anna:%s' "$LOGIN" | base64)"
}

@test "--protect basic: what is wrong is refused, then not looked at for a while" {
    printf 'anna:%s\n' "$LOGIN" >login
    chmod 600 login
    serve_files --protect basic --login-file login
    fetch -H 'Authorization: Basic' /
    assert_status 401
    fetch -H "Authorization: Bearer $LOGIN" /
    assert_status 401
    fetch -u "anna:$LOGIN " /
    assert_status 401
    fetch -u "Anna:$LOGIN" /
    assert_status 401
    fetch -H 'Authorization: Basic YW5uYTpj!' /
    assert_status 401
    fetch -H "Authorization: Basic $(head -c 3000 /dev/zero | base64 -w0)" /
    assert_status 401
    fetch -u "anna:$LOGIN" / # three were wrong; what is no Basic at all is none
    assert_status 200
    fetch -u anna:wrong /
    assert_status 401
    fetch -u anna:wrong2 /
    assert_status 401
    fetch -u "anna:$LOGIN" /
    assert_status 429
    assert_header Retry-After 2
    fetch /
    assert_status 401
    right() { fetch -u "anna:$LOGIN" / && [ "$status_code" = 200 ]; }
    wait_for 8 right
    wait_line httpd.err 'GET "?/"? from 127.0.0.1:[0-9]+ refused: wrong token or password'
    nothing_told "$LOGIN" wrong2
}

@test "--protect token: header, ?token= once and then the cookie" {
    export HTTPD_LOGIN=$LOGIN
    answer
    start receiver $PY "$RAW" receive "$TAPLINE_RUN/fan.sock"
    wait_line receiver.out ready
    routes --protect token
    fetch /
    assert_status 401
    assert_header WWW-Authenticate 'Bearer realm="tapline"'
    assert_body '401: Unauthorized'
    fetch -H 'Accept: text/html,*/*' /json
    assert_status 401
    grep -q '<input type=password name=token' body
    fetch -H "Authorization: Bearer $LOGIN" /json
    assert_status 200
    fetch '/json?a=1&token=correct+horse&b=2'
    assert_status 303
    assert_header Location '/json\?a=1&b=2'
    assert_header Set-Cookie 'tapline-[0-9a-f]{8}=[0-9a-f]{64}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict'
    local cookie
    cookie=$(sed -n 's/^Set-Cookie: \([^;]*\);.*/\1/p' head.txt)
    fetch -H "Cookie: other=1; $cookie" /json
    assert_status 200
    fetch -H "Cookie: ${cookie}x" /json
    assert_status 401
    fetch -H "Cookie: ${cookie%?}" /json
    assert_status 401
    fetch -H "Cookie: ${cookie%%=*}=" /json
    assert_status 401
    run $PY "$RAW" upgrade "$PORT" /ws "Cookie:$cookie"
    assert_line 'HTTP/1.1 101 Switching Protocols'
    run $PY "$RAW" upgrade "$PORT" '/ws?room=1&token=correct%20horse'
    assert_line 'HTTP/1.1 101 Switching Protocols'
    wait_line receiver.out '"query": "room=1"'
    fetch -X POST -H "Authorization: Bearer $LOGIN" '/echo?token=correct%20horse&a=1'
    assert_status 200
    grep -q '"query": "a=1"' body
    fetch '//evil.example/?token=correct+horse'
    assert_status 303
    assert_header Location /
    fetch '/?token=wrong-in-url'
    assert_status 401
    nothing_told "$LOGIN" correct+horse correct%20horse wrong-in-url "${cookie#*=}"
}

@test "--protect: a restart keeps cookies, another login ends them" {
    local cookie
    HTTPD_LOGIN=$LOGIN serve_files --protect token
    fetch '/?token=correct+horse'
    cookie=$(sed -n 's/^Set-Cookie: \([^;]*\);.*/\1/p' head.txt)
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    HTTPD_LOGIN=$LOGIN serve_files --protect token
    fetch -H "Cookie: $cookie" /
    assert_status 200
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    HTTPD_LOGIN='another login' serve_files --protect token
    fetch -H "Cookie: $cookie" /
    assert_status 401
}

@test "a protected site's own pages act on it, those of others only when --origin names them" {
    export HTTPD_LOGIN=$LOGIN
    answer
    routes --protect token
    local own=(-H "Authorization: Bearer $LOGIN")
    fetch "${own[@]}" -H "Origin: http://127.0.0.1:$PORT" /json
    assert_status 200
    fetch "${own[@]}" -H 'Origin: http://evil.example' /json
    assert_status 403
    fetch "${own[@]}" -H 'Sec-Fetch-Site: cross-site' /json
    assert_status 403
    fetch -H 'Origin: http://evil.example' /health
    assert_status 200
    fetch "${own[@]}" -X POST -H 'Origin: http://evil.example' -d x /echo
    assert_status 403
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    routes --protect token --origin '*' --cors
    fetch "${own[@]}" -H 'Origin: http://evil.example' /json
    assert_status 403
    refute_header Access-Control-Allow-Origin
    fetch -H 'Origin: http://evil.example' /health
    assert_status 200
    assert_header Access-Control-Allow-Origin http://evil.example
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD"
    routes --protect token --origin 'https://game.example'
    fetch "${own[@]}" -H 'Origin: https://game.example' /json
    assert_status 200
    fetch "${own[@]}" -H "Origin: http://127.0.0.1:$PORT" /json
    assert_status 200
    fetch "${own[@]}" -H 'Origin: http://evil.example' /json
    assert_status 403
}

@test "a route with a token: the whole header, before the body, 401 in JSON" {
    export AUTH_TOKEN=$TOKEN
    answer
    routes --route 'POST /tag ask rules echo token type=application/json max=1k' \
        --route 'GET /count ask rules count'
    local json=(-H 'Content-Type: application/json')
    for given in X: 'Authorization: wrong' "Authorization: Bearer $TOKEN" "Authorization: ${TOKEN}x" \
        "Authorization: ${TOKEN%?}" Authorization:; do
        fetch "${json[@]}" -H "$given" -d '{"tag_id":5}' /tag
        assert_status 401
        assert_header Content-Type application/json
        printf '{"error":"Invalid auth_token"}\n' | cmp - body
    done
    fetch "${json[@]}" -H "Authorization: $TOKEN" -d '{"tag_id":5}' /tag
    assert_status 200
    grep -q '"text": "{\\"tag_id\\":5}"' body
    fetch -H 'Content-Type: Application/JSON; charset=utf-8' -H "Authorization: $TOKEN" -d '{}' /tag
    assert_status 200
    for type in text/plain application/jsonx ''; do
        fetch -H "Content-Type: $type" -H "Authorization: $TOKEN" -d '{}' /tag
        assert_status 415
        assert_body '{"error":"the body must be application/json (header Content-Type)"}'
    done
    fetch "${json[@]}" -H "Authorization: $TOKEN" -d "$(head -c 1025 /dev/zero | tr '\0' x)" /tag
    assert_status 413
    assert_body '{"error":"the body may have at most 1024 bytes"}'
    fetch "${json[@]}" -H "Authorization: $TOKEN" -H 'Transfer-Encoding: chunked' \
        -d "$(head -c 1025 /dev/zero | tr '\0' x)" /tag
    assert_status 413
    nothing_told "$TOKEN"
}

@test "a refusal is read even by a client that sends its body all the same" {
    export AUTH_TOKEN=$TOKEN
    answer
    routes --route 'POST /tag ask rules echo token max=2M'
    run $PY "$PROXY" early "$PORT" /tag 200000 Authorization:nope
    assert_line 'HTTP/1.1 401 Unauthorized'
    assert_line '{"error":"Invalid auth_token"}'
    assert_line 'not reset'
    only_listens() { ! ss -tnpH "( sport = :$PORT )" | grep -q "pid=$HTTPD,"; }
    wait_for 5 only_listens
    fetch /health
    assert_status 200
}

@test "a token comes from a file, too; none at all is a usage error with the cure" {
    unset AUTH_TOKEN HTTPD_LOGIN
    printf ' %s \nsecond line\n' "$TOKEN" >token
    answer
    routes --route 'POST /tag ask rules echo token' --token-file token
    assert_file_contains httpd.err 'token: others may read the token (chmod 600)'
    fetch -H "Authorization: $TOKEN" -d x /tag
    assert_status 200
    run timeout 5 httpd --route 'POST /tag ask rules echo token'
    assert_failure 2
    assert_output --partial 'set AUTH_TOKEN in the environment, give --token-file FILE, or --open'
    CAM=$TOKEN run timeout 5 httpd --check --token-env CAM --route 'POST /tag ask rules echo token'
    assert_success
    run timeout 5 httpd --check --open --route 'POST /tag ask rules echo token'
    assert_success
    run timeout 5 httpd --listen 127.0.0.1:0 --token-file none --route 'POST /tag ask rules echo token'
    assert_failure 1
    assert_output --partial 'cannot read the token in none: No such file'
    run timeout 5 httpd --protect token --route 'GET / file x'
    assert_failure 2
    assert_output --partial 'HTTPD_LOGIN'
    run timeout 5 httpd --protect maybe --route 'GET / file x'
    assert_failure 2
    HTTPD_LOGIN=short run timeout 5 httpd --listen 127.0.0.1:0 --protect token --route 'GET / file x'
    assert_failure 2
    assert_output --partial 'the login has 5 bytes, at least 8 are needed'
    for r in 'GET / file x max=5' 'POST / ask a b type=a/b max=9M' 'POST / ask a b open token' \
        'WS / ws fan type=a/b'; do
        AUTH_TOKEN=$TOKEN run timeout 5 httpd --route "$r"
        assert_failure 2
        assert_output --partial "route \"$r\""
    done
}

@test "--open: anybody may use routes with the word token" {
    unset AUTH_TOKEN
    answer
    routes --open --route 'POST /tag ask rules echo token'
    fetch -d x /tag
    assert_status 200
}

@test "--cors: other pages may read what GET answers, and use what asks for a token" {
    export AUTH_TOKEN=$TOKEN
    answer
    routes --cors --route 'POST /tag ask rules echo token' --route 'GET /own ask rules headers'
    fetch /json
    refute_header Access-Control-Allow-Origin
    assert_header Vary Origin
    for p in /json / /nothing; do
        fetch -H 'Origin: http://game.example' "$p"
        assert_header Access-Control-Allow-Origin http://game.example
        assert_header Access-Control-Allow-Credentials true
        assert_header Vary Origin
    done
    fetch -X POST -H 'Origin: http://game.example' -d x /echo
    assert_status 200
    refute_header Access-Control-Allow-Origin
    local ask=(-X OPTIONS -H 'Origin: http://game.example' -H 'Access-Control-Request-Method:')
    fetch -X OPTIONS -H 'Origin: http://g.example' -H 'Access-Control-Request-Method: GET' \
        -H 'Access-Control-Request-Headers: x-one, x-two' /json
    assert_status 200
    assert_body ''
    assert_header Access-Control-Allow-Origin http://g.example
    assert_header Access-Control-Allow-Methods GET,HEAD,OPTIONS
    assert_header Access-Control-Allow-Headers 'x-one, x-two'
    fetch -X OPTIONS -H 'Origin: http://g.example' -H 'Access-Control-Request-Method: POST' /tag
    assert_status 200
    assert_header Access-Control-Allow-Methods POST,OPTIONS
    fetch -X OPTIONS -H 'Origin: http://g.example' -H 'Access-Control-Request-Method: POST' /echo
    assert_status 405
    refute_header Access-Control-Allow-Origin
    fetch "${ask[@]}" /json
    assert_status 405
    fetch -H 'Origin: http://game.example' /own
    assert_header Access-Control-Allow-Origin '\*'
    refute_header Access-Control-Allow-Credentials
}

@test "--cors and --open: a route that asks for no token is for our own pages" {
    answer
    serve --cors --open --route 'POST /tag ask rules echo token'
    fetch -X OPTIONS -H 'Origin: http://g.example' -H 'Access-Control-Request-Method: POST' /tag
    refute_header Access-Control-Allow-Origin
    kill "$HTTPD"
    wait_end "$HTTPD"
    serve --cors --open --origin 'http://g.example' --route 'POST /tag ask rules echo token'
    fetch -X OPTIONS -H 'Origin: http://g.example' -H 'Access-Control-Request-Method: POST' /tag
    assert_header Access-Control-Allow-Origin http://g.example
}

# as NAME CURL-ARGS... PATH: asked for by that name, as a browser does that was led to us by it
as() { fetch -H "Host: $1" -H "Origin: http://$1" "${@:2}"; }

@test "a name that a stranger may have pointed at us: for looking, not for changing anything" {
    export AUTH_TOKEN=$TOKEN HTTPD_LOGIN=$LOGIN
    answer
    routes --host '*' --route 'POST /tag ask rules echo token'
    for name in evil.example:8080 evil.example. 1.2.3.4.evil.example local.evil.example 2130706433.example \
        127.0.0.1.evil.example; do
        as "$name" -d x /echo
        assert_status 421
        as "$name" /json
        assert_status 200
    done
    for sign in 'Sec-Fetch-Site: same-origin' 'Referer: http://evil.example/' 'User-Agent: Mozilla/5.0 (X)' \
        'Origin: null'; do
        fetch -H 'Host: evil.example' -H "$sign" -d x /echo
        assert_status 421
    done
    for name in 127.0.0.1:1 '[::1]:80' '[fe80::1]' 192.168.1.5 localhost localhost.:80 PANEL panel.local raspi.lan \
        x.home.arpa hub.internal raspi.fritz.box "$(hostname)"; do
        as "$name" -d x /echo
        assert_status 200
    done
    # What is no browser is no page's tool, and a token is proof enough.
    fetch -H 'Host: evil.example' -d x /echo
    assert_status 200
    as hub.example -H "Authorization: $TOKEN" -d x /tag
    assert_status 200
    wait_line httpd.err "POST .*/echo.* from 127.0.0.1:[0-9]* refused: a page of .*evil.example"
    kill "$HTTPD"
    wait_end "$HTTPD"
    routes --host 'hub.example'
    as hub.example -d x /echo
    assert_status 200
    as evil.example /json
    assert_status 421
    kill "$HTTPD"
    wait_end "$HTTPD"
    routes --protect token
    as hub.example -H "Authorization: Bearer $LOGIN" -d x /echo
    assert_status 200
}

@test "--cors and --origin: others get no header; a protected site asks for the login all the same" {
    export HTTPD_LOGIN=$LOGIN
    answer
    routes --cors --origin https://game.example --protect token
    fetch -H "Authorization: Bearer $LOGIN" -H 'Origin: https://game.example' /json
    assert_status 200
    assert_header Access-Control-Allow-Origin https://game.example
    refute_header Access-Control-Allow-Credentials
    fetch -H 'Origin: https://evil.example' /health
    assert_status 403
    refute_header Access-Control-Allow-Origin
    fetch -X OPTIONS -H 'Origin: https://game.example' -H 'Access-Control-Request-Method: GET' /json
    assert_status 200
    fetch -X OPTIONS -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: GET' /json
    assert_status 401
    refute_header Access-Control-Allow-Origin
}

@test "headers of a stage: what is fit is sent, what HTTP is made of is not" {
    answer
    serve --route 'GET /h ask rules headers'
    fetch /h
    assert_status 404
    assert_body 'not now'
    assert_header X-Frame-Age 0.3s
    assert_header Content-Length 7
    refute_header Set-Cookie
    refute_header X-Split
    refute_header X-Evil
    refute_header X-Number
    [ "$(grep -ci '^content-length' head.txt)" = 1 ]
    wait_line httpd.err 'rules: a header of its reply is left out: Content-Length'
}

@test "the admin token opens a protected site; on several addresses" {
    export HTTPD_LOGIN="anna:$LOGIN" TAPLINE_ADMIN_TOKEN=admin-token-1
    start two httpd -v --listen 127.0.0.1:0 --listen 127.0.0.1:0 --protect basic \
        --system "$ROOT/www/system"
    both() { [ "$(grep -c 'listening on http' two.err)" = 2 ]; }
    wait_for 10 both
    for URL in $(sed -n 's/.*listening on \(http:[^ ]*\)\/$/\1/p' two.err); do
        fetch /system
        assert_status 401
        fetch -H 'Authorization: Bearer admin-token-1' /system
        assert_status 200
        fetch -u "anna:$LOGIN" /system/time.json
        assert_status 200
        for p in /system/events '/system/tap?endpoint=x' /metrics /system/status.json; do
            fetch "$p"
            assert_status 401
        done
        fetch -X POST -H 'Content-Type: application/json' -d '{"stage":"x"}' /system/restart
        assert_status 401
    done
}
