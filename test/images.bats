#!/usr/bin/env bats
# httpd's actions image and mjpeg: the newest picture of every camera, and pictures as they come.
load helper

A=24:6f:28:a1:b2:c3
B=24:6f:28:00:00:02

setup() {
    common_setup
    PORT=$(free_port)
    URL=http://127.0.0.1:$PORT
}

# source RATE COUNT BYTES MAC...: pictures at endpoint decode; -1 for none but those of `put`
source_of() {
    start decode bash -c '"$0" "$@" | exec framedecode --format lines -i - -i fifo:none -o decode' \
        "$PY" "$ROOT/test/tool/pictures.py" "$@"
}
server() {
    start httpd httpd --listen "127.0.0.1:$PORT" -o web \
        --route 'GET /cameras/{mac}.jpg image decode espcam.image mac' \
        --route 'GET /cameras/{mac}/stream mjpeg decode espcam.image mac' "$@"
    HTTPD=$PID
    wait_for 10 curl -s -o /dev/null "$URL/"
}
# put MAC TEXT: one picture
put() {
    local data
    data=$(printf '\xff\xd8\xff\xe0%s\xff\xd9' "$2" | base64 -w0)
    tapline put --to decode espcam.image <<<"{\"mac\": \"$1\", \"data\": {\"\$bin\": \"$data\"}}"
}
# put_until TEXT MAC PATH: a subscription takes its time to be made
put_until() { put "$2" "$1" && curl -s "$URL$3" | grep -qa "$1"; }
code() { curl -s -m 10 -o body -w '%{http_code}' "$@"; }
stats() { tapline req web stats | json "d['stats']$1"; }
counter() { stats "['counters']['$1']"; }
counter_is() { [ "$(counter "$1")" = "$2" ]; }
json() { "$PY" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
viewers() { "$PY" "$ROOT/test/tool/mjpeg.py" "$@"; }

@test "the newest image of each key, however the key is written" {
    source_of 1 1 100 "$A"
    server
    assert_equal "$(code "$URL/cameras/ffffffffffff.jpg")" 404
    run cat body
    assert_output '404: Not Found (no image of this name has come yet)'
    wait_for 10 put_until first "$A" /cameras/246f28a1b2c3.jpg
    put "$B" other
    for name in $A 24:6F:28:A1:B2:C3 24-6f-28-a1-b2-c3 246F28A1B2C3; do
        assert_equal "$(curl -s "$URL/cameras/$name.jpg" | strings)" first
    done
    wait_for 5 put_until other "$B" /cameras/$B.jpg
    wait_for 5 put_until second "$A" /cameras/$A.jpg
    assert_equal "$(curl -s "$URL/cameras/$B.jpg" | strings)" other
    assert_equal "$(code -X POST "$URL/cameras/$A.jpg")" 405
}

@test "ETag, Last-Modified, 304, HEAD, no-cache" {
    source_of 1 1 100 "$B"
    server
    wait_for 10 put_until one "$A" /cameras/$A.jpg
    run curl -si "$URL/cameras/$A.jpg"
    assert_output --partial 'Content-Type: image/jpeg'
    assert_output --partial 'Cache-Control: no-cache'
    assert_output --partial 'Content-Length: 9'
    etag=$(grep -ai '^etag' <<<"$output" | tr -d '\r' | cut -d' ' -f2)
    date=$(grep -ai '^last-modified' <<<"$output" | tr -d '\r' | cut -d' ' -f2-)
    assert_equal "$(code -H "If-None-Match: $etag" "$URL/cameras/$A.jpg")" 304
    assert_equal "$(code -H "If-Modified-Since: $date" "$URL/cameras/$A.jpg")" 304
    assert_equal "$(code -H 'If-None-Match: "x"' "$URL/cameras/$A.jpg")" 200
    assert_equal "$(code -I "$URL/cameras/$A.jpg")" 200
    wait_for 5 put_until two "$A" /cameras/$A.jpg
    assert_equal "$(code -H "If-None-Match: $etag" "$URL/cameras/$A.jpg")" 200
}

@test "images are bounded in number and bytes; what is left out is counted" {
    source_of 1 1 100 "$B"
    server --images 3 --image-bytes 100
    for i in 1 2 3 4; do
        wait_for 10 put_until "pic$i" "0$i" "/cameras/0$i.jpg"
    done
    assert_equal "$(code "$URL/cameras/01.jpg")" 404
    assert_equal "$(code "$URL/cameras/04.jpg")" 200
    wait_for 5 counter_is images_kept 3
    put 04 "$(printf '%200s' x)"
    wait_for 5 grep -q 'is not kept' httpd.err
    assert_equal "$(code "$URL/cameras/04.jpg")" 200
    wait_for 5 put_until "$(printf '%80s' big)" 04 /cameras/04.jpg
    assert_equal "$(code "$URL/cameras/02.jpg")" 404
    assert_equal "$(counter images_bytes)" 96
}

@test "messages that are no image are counted as bad and change nothing" {
    source_of 1 1 100 "$B"
    server
    wait_for 10 put_until good "$A" /cameras/$A.jpg
    echo '{"mac": "'$A'"}' | tapline put --to decode espcam.image
    echo '{"mac": 5.5, "data": {"$bin": "AAAA"}}' | tapline put --to decode espcam.image
    echo '{"mac": "::", "data": {"$bin": "AAAA"}}' | tapline put --to decode espcam.image
    echo '{"mac": "'"$(printf 'a%.0s' {1..99})"'", "data": {"$bin": "AAAA"}}' | tapline put --to decode espcam.image
    echo '{"mac": "'$A'", "data": {"$bin": "AAAA"}}' | tapline put --to decode espcam.images
    echo '{"mac": 77, "data": {"$bin": ""}}' | tapline put --to decode espcam.image
    wait_for 5 curl -sf -o /dev/null "$URL/cameras/77.jpg"
    assert_equal "$(curl -s "$URL/cameras/$A.jpg" | strings)" good
    assert_equal "$(stats "['bad']")" 4
}

@test "wrong words are refused with a text" {
    for r in 'GET /x/{m}.jpg image decode espcam.image' 'GET /x.jpg image decode espcam.image mac and' \
        'GET /{a}/{b} mjpeg decode t k' 'GET /{a} image - t k' 'GET /{a} image fifo:x t k' \
        'GET /{a} image decode T k' 'POST /{a} image decode t k'; do
        run timeout 5 httpd --route "$r"
        assert_failure 2
        assert_output --partial "$r"
    done
}

@test "a stream: whole images, in order, not chunked, also for HTTP/1.0" {
    source_of 50 0 20000 "$A" "$B"
    server
    run viewers "$URL/cameras/246F28A1B2C3/stream" --viewers 3 --images 20 --seconds 10
    assert_success
    head=$(json "d['head']" <<<"$output")
    [[ $head == *"multipart/x-mixed-replace; boundary="* ]]
    [[ $head == *"no-store"* ]]
    json "1 / all(v['images'] >= 20 for v in d['viewers'])" <<<"$output"
    json "1 / all(b - a <= 3 for v in d['viewers'] for a, b in zip(v['numbers'], v['numbers'][1:]))" <<<"$output"
    assert_equal "$(code -I "$URL/cameras/$A/stream")" 200
    wait_for 5 counter_is mjpeg_viewers 0
}

@test "a viewer gets the newest image at once, and waits for a camera that is not there yet" {
    source_of 1 1 100 "$B"
    server
    wait_for 10 put_until "$(printf 'x 7 %50s')" "$A" /cameras/$A.jpg
    run viewers "$URL/cameras/$A/stream" --images 1 --seconds 5
    assert_equal "$(json "d['viewers'][0]['numbers']" <<<"$output")" '[7]'
    start late "$PY" "$ROOT/test/tool/mjpeg.py" "$URL/cameras/0a/stream" --images 1 --seconds 10
    wait_for 5 counter_is mjpeg_viewers 1
    put 0A "$(printf 'x 8 %50s')"
    wait_for 5 grep -q '"numbers": \[8\]' late.out
}

@test "a slow viewer skips, gets a fresh image, and disturbs nobody; stalled ones are cut" {
    source_of 25 0 40000 "$A"
    server --timeout 2s
    run viewers "$URL/cameras/$A/stream" --viewers 3 --seconds 6 --slow 200000 --stalled 2
    assert_success
    json "1 / all(v['images'] >= 100 for v in d['viewers'][:3])" <<<"$output"
    json "1 / (5 <= d['viewers'][3]['images'] < 60)" <<<"$output"
    json "1 / (d['viewers'][3]['age'] < 2.5)" <<<"$output"
    [ "$(counter mjpeg_skipped)" -gt 30 ]
    wait_for 6 counter_is mjpeg_viewers 0
}

@test "a slow camera's viewer is not taken for a dead one" {
    source_of 0.4 0 500 "$A"
    server --timeout 1s
    run viewers "$URL/cameras/$A/stream" --images 4 --seconds 12
    assert_success
    json "1 / (d['viewers'][0]['images'] == 4)" <<<"$output"
}

@test "more viewers than --viewers are refused; those who leave make room" {
    source_of 10 0 500 "$A"
    server --viewers 2
    start one curl -sN -o /dev/null "$URL/cameras/$A/stream"
    one=$PID
    start two curl -sN -o /dev/null "$URL/cameras/none/stream"
    wait_for 5 counter_is mjpeg_viewers 2
    assert_equal "$(code "$URL/cameras/$A/stream")" 503
    kill "$one"
    wait_for 5 counter_is mjpeg_viewers 1
    run viewers "$URL/cameras/$A/stream" --images 1 --seconds 5
    assert_success
}

@test "streams end when httpd stops, with and without an image under way" {
    source_of 20 0 30000 "$A"
    server
    start busy "$PY" "$ROOT/test/tool/mjpeg.py" "$URL/cameras/$A/stream" --seconds 20
    start idle curl -sN -o idle.data "$URL/cameras/none/stream"
    start stalled "$PY" "$ROOT/test/tool/mjpeg.py" "$URL/cameras/$A/stream" --stalled 1 --seconds 20
    wait_for 5 counter_is mjpeg_viewers 4
    kill -TERM "$HTTPD"
    wait_gone "$HTTPD" 3
    wait_for 5 grep -q '"ended": true' busy.out
    refute grep -q 'mjpeg.py:' busy.err
    run wait "$HTTPD"
    assert_success
}

@test "one subscription serves every route, also one made with -i" {
    source_of 20 0 500 "$A"
    server -i 'decode?espcam.image' --route 'GET /newest/{mac} image decode espcam.image mac'
    wait_for 10 curl -sf -o /dev/null "$URL/newest/$A"
    assert_equal "$(tapline req web stats | json "len(d['stats']['inputs'])")" 1
    assert_equal "$(stats "['inputs'][0]['name']")" "decode?espcam.image"
}

@test "without a name in the path: the newest of any key, with its age and a 404 of its own" {
    source_of 1 1 100 ff:ff
    server --route 'GET /photo image decode espcam.image mac age else No frame yet. Waiting...' \
        --route 'GET /stream mjpeg decode espcam.image mac' \
        --route 'GET /none image decode espcam.none mac else Nothing'
    run curl -si "$URL/none"
    assert_line --partial 'HTTP/1.1 404 '
    assert_output --partial 'Content-Type: text/html'
    assert_line Nothing
    wait_for 10 put_until "$(printf 'a 1 %50s')" "$A" /cameras/$A.jpg
    put "$B" "$(printf 'b 2 %50s')"
    wait_for 5 curl -sf -o /dev/null "$URL/cameras/$B.jpg"
    curl -s -D head -o body "$URL/photo?t=1"
    curl -s "$URL/cameras/$B.jpg" | cmp - body
    tr -d '\r' <head >head.txt
    grep -qE '^X-Frame-Age: [0-9]+\.[0-9]s$' head.txt
    grep -qx 'Cache-Control: no-cache, no-store, must-revalidate' head.txt
    grep -qx 'Pragma: no-cache' head.txt
    grep -qx 'Expires: 0' head.txt
    ! grep -qi '^etag' head.txt
    start all "$PY" "$ROOT/test/tool/mjpeg.py" "$URL/stream" --images 3 --seconds 20
    wait_for 5 counter_is mjpeg_viewers 1
    put "$A" "$(printf 'a 3 %50s')"
    wait_for 5 counter_is mjpeg_images 2
    put "$B" "$(printf 'b 4 %50s')"
    wait_for 5 grep -q '"numbers": \[2, 3, 4\]' all.out
    assert_equal "$(counter mjpeg_skipped)" 0
}
