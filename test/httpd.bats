#!/usr/bin/env bats
# httpd: files.
load httpd

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
