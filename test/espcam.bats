#!/usr/bin/env bats
# pipelines/espcam.conf as a whole: simulated cameras behind a gateway on a pseudo-terminal.
load helper

A=24:6f:28:a1:b2:c3

setup() {
    common_setup
    PORT=$(free_port)
    URL=http://127.0.0.1:$PORT
    mkdir out
}

# cameras OPTION...: what each sends is told in sim.out, a line a message
cameras() {
    devsim espcam --images "$ROOT/media" --link "$WORK/tty" --seed 7 "$@" -o - -o sim 2>sim.err 3>&- |
        "$PY" "$ROOT/test/tool/msgs.py" decode >sim.out 3>&- &
    PIDS+=($!)
    wait_for 10 test -L tty
}
pipeline() {
    start pipeline tapline up "$ROOT/pipelines/espcam.conf" "DEVICE=$WORK/tty" \
        "LISTEN=127.0.0.1:$PORT" "DIR=$WORK/out" TIMEOUT=2 "$@"
    PIPELINE=$PID
    wait_for 10 curl -sf -o /dev/null "$URL/cameras.json"
    wait_for 10 has_subscribers decode 2 # the rules and the web server count from when they have joined
    wait_for 10 has_subscribers saved 1
}
teardown() {
    tapline req sim do text=quit >/dev/null 2>&1 || true
    common_teardown
}

json() { "$PY" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
# of camera MAC in /cameras.json
camera() { curl -s "$URL/cameras.json" | json "[c for c in d['cameras'] if c['mac'] == '$1'][0]$2"; }
camera_is() { [ "$(camera "$1" "['$2']")" = "$3" ]; }
whole_is() { [ "$(curl -s "$URL/cameras.json" | json "d['$1']")" = "$2" ]; }
saved() { find out -name '*.jpg' | wc -l; }
saved_are() { [ "$(saved)" = "$1" ]; }
saved_at_least() { [ "$(saved)" -ge "$1" ]; }
saved_sums() { find out -name '*.jpg' -exec sha256sum {} + | cut -c1-64 | sort; }
# SHA-256 of every picture sent; intact: only of those whose frames all arrived
sent_sums() {
    sed -n 's/^sim.picture //p' sim.out |
        "$PY" -c "import json,sys; [print(m['sha256']) for m in map(json.loads, sys.stdin) if m['intact'] or '$1' == '']" | sort
}
sent() { grep -c '^sim.picture' sim.out; }
sent_are() { [ "$(sent)" = "$1" ]; }
# Pictures that the rules call broken, messages that the rules or the writer missed, and pictures
# that a killed writer had not saved yet.
told_as_lost() {
    local broken missed killed
    broken=$(curl -s "$URL/cameras.json" | json "sum(c['broken'] for c in d['cameras'])")
    missed=$(tapline status --json | json "sum(w['lost'] for w in d['wires'] if w['from'] == 'decode')")
    killed=$(tapline req saved stats | json "d['stats']['counters']['lost_in_crash']")
    echo $((broken + missed + killed))
}
# Every picture of which anything arrived has been saved or called broken: the time-outs are over.
no_picture_is_open() {
    local told
    told=$(curl -s "$URL/cameras.json" | json "sum(c['good'] + c['unverified'] + c['broken'] for c in d['cameras'])")
    [ "$told" -ge "$(sent)" ] && [ "$(curl -s "$URL/cameras.json" | json "sum(c['saved'] for c in d['cameras'])")" = "$(saved)" ]
}
all_accounted_for() {
    tapline status --json | json "[w for w in d['wires'] if w.get('unaccounted')]" | tee wires >&2
    [ "$(cat wires)" = '[]' ]
}
stage_pid() { tapline status --json | json "[s['pid'] for s in d['stages'] if s['name'] == '$1'][0]"; }
stage_is_new() { p=$(stage_pid "$1") && [ "$p" != "$2" ] && [ "$p" != 0 ] && [ "$p" != None ]; }
post() { curl -s -m 10 -o body -w '%{http_code}' -X POST -H 'Content-Type: application/json' "$@"; }
# SHA-256 of every whole picture in what a stream has sent
streamed() {
    "$PY" - "$1" <<'EOF'
import hashlib, re, sys
d = open(sys.argv[1], "rb").read()
for m in re.finditer(rb"Content-Length: (\d+)\r\n(?:[^\r\n]+\r\n)*\r\n", d):
    picture = d[m.end():m.end() + int(m[1])]
    if len(picture) == int(m[1]):
        print(hashlib.sha256(picture).hexdigest())
EOF
}
sum_of() { sha256sum | cut -c1-64; }

@test "four cameras interleaved: every picture is saved, byte for byte" {
    pipeline
    cameras --cameras 4 --count 60 --every 100ms --pace 0
    wait_for 30 sent_are 60
    wait_for 20 saved_are 60
    assert_equal "$(saved_sums)" "$(sent_sums)"
    assert_equal "$(find out -type f ! -name '24*.jpg')" ""
    assert_equal "$(find out -name '246f28a1b2c?_*.jpg' | sed 's/.*out.\(.............\).*/\1/' | sort -u | wc -l)" 4
    wait_for 5 camera_is $A saved "$(find out -name '246f28a1b2c3_*' | wc -l)"
    assert_equal "$(camera $A "['broken']")" 0
}

@test "damaged streams: whatever arrived intact is saved, nothing else is" {
    pipeline
    cameras --cameras 4 --count 80 --every 50ms --pace 0 --corrupt 0.2% --loss 0.1% --cut 0.1% \
        --double 0.2% --swap 0.2% --noise 1%
    wait_for 30 sent_are 80
    intact=$(sent_sums intact | wc -l)
    [ "$intact" -ge 10 ]
    wait_for 20 saved_at_least "$intact"
    wait_for 10 no_picture_is_open
    assert_equal "$(comm -23 <(sent_sums intact) <(saved_sums))" ""
    assert_equal "$(comm -13 <(sent_sums) <(saved_sums))" ""
    [ "$(curl -s "$URL/cameras.json" | json "sum(c['broken'] for c in d['cameras'])")" -gt 0 ]
    assert_equal "$(curl -s "$URL/cameras.json" | json "sum(c['good'] + c['unverified'] for c in d['cameras'])")" "$(saved)"
}

@test "kill -9 of what does not carry pictures to the disk costs none" {
    pipeline
    cameras --cameras 4 --count 60 --every 150ms --pace 1ms
    for stage in rules ws web; do
        pid=$(stage_pid $stage)
        wait_for 10 saved_at_least "$(($(saved) + 4))"
        kill -KILL "$pid"
        wait_for 10 stage_is_new $stage "$pid"
    done
    wait_for 30 sent_are 60
    wait_for 20 saved_are 60
    assert_equal "$(saved_sums)" "$(sent_sums)"
}

@test "kill -9 of what does costs at most the pictures in flight, and is counted" {
    pipeline
    cameras --cameras 4 --count 120 --every 200ms --pace 1ms
    for stage in serial decode saved; do
        pid=$(stage_pid $stage)
        wait_for 10 saved_at_least "$(($(saved) + 8))"
        kill -KILL "$pid"
        wait_for 10 stage_is_new $stage "$pid"
        n=$(saved)
        wait_for 10 saved_at_least "$((n + 4))"
    done
    wait_for 40 sent_are 120
    wait_for 20 saved_at_least 100
    wait_for 10 curl -sf -o /dev/null "$URL/cameras.json"
    assert_equal "$(comm -13 <(sent_sums) <(saved_sums))" ""
    # What a device sends while nobody reads is not intact, and may have left no trace.
    missing=$(comm -23 <(sent_sums intact) <(saved_sums) | wc -l)
    all=$(comm -23 <(sent_sums) <(saved_sums) | wc -l)
    told=$(told_as_lost)
    echo "missing $all, of these sent whole $missing; told $told"
    [ "$missing" -le 12 ] && [ "$all" -le 20 ] # four cameras, three kills
    [ "$told" -ge "$missing" ]
    assert_equal "$(find out -type f ! -name '24*.jpg')" ""
    wait_for 10 all_accounted_for
}

@test "the gateway unplugged: said so, back by itself, and pictures go on" {
    pipeline
    cameras --cameras 2 --every 100ms --pace 1ms
    wait_for 15 saved_at_least 4
    wait_for 5 whole_is serial True
    tapline req sim do text='unplug 1s'
    wait_for 5 whole_is serial False
    assert_equal "$(curl -s "$URL/cameras.json" | json "d['cause']")" unplugged
    wait_for 10 whole_is serial True
    n=$(saved)
    wait_for 10 saved_at_least "$((n + 4))"
    assert_equal "$(comm -13 <(sent_sums) <(saved_sums))" ""
}

@test "the newest picture and the stream are the camera's; a silent one keeps its last" {
    pipeline SILENT=2s
    cameras --cameras 2 --every 200ms --pace 1ms
    wait_for 15 camera_is $A state live
    wait_for 5 curl -sf -o /dev/null "$URL/cameras/246F28A1B2C3.jpg"
    start stream curl -sN "$URL/cameras/$A/stream"
    wait_for 10 eval '[ "$(streamed stream.out | wc -l)" -ge 5 ]'
    kill "$PID"
    wait_for 5 eval '[ -z "$(comm -23 <(streamed stream.out | sort -u) <(sent_sums | sort -u))" ]'
    tapline req sim do text='sleep 1 1h'
    wait_for 10 camera_is $A state silent
    wait_for 10 camera_is 24:6f:28:a1:b2:c4 state live
    last=$(curl -s "$URL/cameras/$A.jpg" | sum_of)
    sent_sums | grep -q "$last"
    assert_equal "$last" "$(sum_of <"out/$(camera $A "['saved_name']")")"
    wait_line pipeline.err "camera $A .*silent"
}

@test "a sleep command reaches the camera, one by one, and is checked" {
    pipeline
    cameras --cameras 4 --every 300ms --pace 1ms
    wait_for 15 camera_is 24:6f:28:a1:b2:c6 state live
    for i in 3 4 5 6; do
        assert_equal "$(post "$URL/cameras/246f28a1b2c$i/sleep" -d "{\"seconds\": 60$i}")" 202
    done
    wait_line sim.out '^sim.sleep .*:b2:c6", "seconds": 606'
    assert_equal "$(grep -c '^sim.sleep' sim.out)" 4
    assert_equal "$(grep '^sim.command' sim.out | head -n 1)" \
        "sim.command {\"text\": \"CMD_SEND_ESP_NOW:$A:603\", \"taken\": true}"
    refute grep -q '"taken": false' sim.out
    wait_for 5 camera_is $A state asleep
    for bad in 0 86401 -1 1.5 '"60"' null; do
        assert_equal "$(post "$URL/cameras/$A/sleep" -d "{\"seconds\": $bad}")" 400
    done
    assert_equal "$(post "$URL/cameras/$A/sleep" -d 'no json')" 400
    assert_equal "$(post "$URL/cameras/nonsense/sleep" -d '{"seconds": 60}')" 400
    assert_equal "$(post "$URL/cameras/00:00:00:00:00:01/sleep" -d '{"seconds": 60}')" 404
    assert_equal "$(curl -s -o body -w '%{http_code}' -X POST -d '{"seconds": 60}' "$URL/cameras/$A/sleep")" 400
    run cat body
    assert_output --partial 'Content-Type: application/json'
    tapline req sim do text='unplug'
    wait_for 5 whole_is serial False
    assert_equal "$(post "$URL/cameras/$A/sleep" -d '{"seconds": 60}')" 503
    assert_equal "$(grep -c '^sim.sleep' sim.out)" 4
}

@test "ORIGIN and HOSTS keep pages of others away; policies reach the stages" {
    pipeline 'ORIGIN=http://cams.example:*' 'HOSTS=127.0.0.1,cams.example' CHECKSUM=off SYNC=full
    cameras --cameras 1 --every 200ms --pace 0
    wait_for 15 camera_is $A state live
    for other in 'Origin: http://evil.example' 'Sec-Fetch-Site: cross-site'; do
        assert_equal "$(post "$URL/cameras/$A/sleep" -H "$other" -d '{"seconds": 60}')" 403
    done
    assert_equal "$(curl -s -o body -w '%{http_code}' -H 'Host: evil.example' "$URL/cameras.json")" 421
    refute grep -q '^sim.sleep' sim.out
    assert_equal "$(post "$URL/cameras/$A/sleep" -H "Host: cams.example:$PORT" -H "Origin: http://cams.example:$PORT" -d '{"seconds": 60}')" 202
    wait_line sim.out '^sim.sleep'
    tr '\0' ' ' <"/proc/$(stage_pid decode)/cmdline" | grep -q -- '--checksum off'
    tr '\0' ' ' <"/proc/$(stage_pid saved)/cmdline" | grep -q -- '--sync full'
}

@test "AUTO_SLEEP: cameras that tell their charge sleep 10 minutes after a picture" {
    pipeline AUTO_SLEEP=yes
    cameras --cameras 2 --every 1s --pace 1ms
    wait_line sim.out "^sim.sleep .*$A\", \"seconds\": 600" 15
    wait_line sim.out '^sim.sleep .*b2:c4", "seconds": 600' 15
    wait_for 5 camera_is $A state asleep
    n=$(sent)
    assert [ "$(grep -c '^sim.sleep' sim.out)" = 2 ]
    wait_for 3 camera_is 24:6f:28:a1:b2:c4 state asleep
    [ "$(sent)" -le $((n + 2)) ]
}

@test "what is known of cameras survives kill -9, and their saved pictures a restart of all" {
    pipeline
    cameras --cameras 2 --count 10 --every 100ms --pace 1ms
    wait_for 15 saved_are 10
    wait_for 5 camera_is $A saved "$(find out -name '246f28a1b2c3_*' | wc -l)"
    before=$(camera $A "['good']")
    pid=$(stage_pid rules)
    kill -KILL "$pid"
    wait_for 10 stage_is_new rules "$pid"
    wait_for 10 camera_is $A good "$before"
    kill -TERM "$PIPELINE"
    wait_gone "$PIPELINE"
    rm -rf "$TAPLINE_RUN"/rules.state
    pipeline SILENT=100ms
    wait_for 10 camera_is $A state silent
    assert_file_exists "out/$(camera $A "['saved_name']")"
    assert_equal "$(camera $A "['saved_name']")" "$(ls out | grep ^246f28a1b2c3 | tail -n 1)"
}

@test "cameras of earlier days are known as soon as imgwrite tells of their pictures" {
    touch out/246f28a1b2c3_20250528_231711_12345{6,7}.jpg out/246f28a1b2c4_20250101_000000_000000.jpg
    # Somebody else answers under its name first.
    start saved framedecode --format lines -i fifo:none -o saved
    other=$PID
    start rules dispatch espcam --saved saved -i decode -o rules
    wait_line rules.err 'which pictures are saved is not known yet: framedecode does not know'
    assert_equal "$(known_macs)" ""
    kill -TERM "$other"
    wait_gone "$other"
    start imgwrite imgwrite --dir out -i decode -o saved
    wait_for 15 eval '[ "$(known_macs)" = "24:6f:28:a1:b2:c3 24:6f:28:a1:b2:c4" ]'
    tapline req rules cameras >all
    assert grep -q '"saved_name":"246f28a1b2c3_20250528_231711_123457.jpg"' all
    assert_equal "$(grep -o '"state":"silent"' all | wc -l)" 2
}
known_macs() { tapline req rules cameras | grep -oE '"mac":"[0-9a-f:]+"' | cut -d'"' -f4 | sort | paste -sd' '; }

@test "saved pictures: newest first, page by page, of one camera, of a time" {
    pipeline
    cameras --cameras 3 --count 30 --every 50ms --pace 0
    wait_for 15 saved_are 30
    names() { json "'\n'.join(i['name'] for i in d['images'])"; }
    all=$(curl -s "$URL/saved.json" | names)
    assert_equal "$(sort <<<"$all")" "$(ls out)"
    curl -s "$URL/saved.json" | json "1 / (d['total'] == 30 and not d['more'] and [i['time_us'] for i in d['images']] == sorted((i['time_us'] for i in d['images']), reverse=True))"
    page=$(curl -s "$URL/saved.json?limit=12")
    assert_equal "$(json "d['more'], len(d['images'])" <<<"$page")" 'True 12'
    last=$(json "d['images'][-1]['time_us']" <<<"$page")
    assert_equal "$(names <<<"$page"; curl -s "$URL/saved.json?limit=100&before=$last" | names)" "$all"
    assert_equal "$(curl -s "$URL/saved.json?after=$last" | json "len(d['images'])")" 11
    assert_equal "$(curl -s "$URL/saved.json?mac=24%3a6F%3A28%3aa1%3ab2%3ac4" | names | sort)" "$(ls out | grep ^246f28a1b2c4)"
    assert_equal "$(curl -s -o body -w '%{http_code}' "$URL/saved.json?mac=zz")" 500
    name=$(head -n 1 <<<"$all")
    assert_equal "$(curl -s "$URL/saved/$name" | sum_of)" "$(sum_of <"out/$name")"
    assert_equal "$(curl -s -o body -w '%{http_code}' "$URL/saved/..%2f..%2fetc/passwd")" 404
}

@test "a picture can be fetched as soon as it is told of, although its directory is new" {
    pipeline
    rmdir out
    wait_line pipeline.err 'there is no directory .*/out now'
    cameras --cameras 1 --count 1 --every 50ms --pace 0
    wait_for 10 camera_is $A saved 1
    assert_equal "$(curl -s "$URL/saved/$(camera $A "['saved_name']")" | sum_of)" "$(sent_sums)"
}

@test "pages are told of cameras, at most five times a second, and hear a heartbeat" {
    pipeline
    cameras --cameras 4 --every 50ms --pace 0
    mkfifo ws.in
    exec 7<>ws.in
    "$PY" "$ROOT/test/tool/wsclient.py" "ws://127.0.0.1:$PORT/ws" 1 <ws.in >ws.out 2>ws.err 3>&- 7>&- &
    PIDS+=($!)
    wait_line ws.out ready
    echo '0 {"type":"hello"}' >&7
    wait_line ws.out '"type":"cameras"'
    began=$(date +%s%N)
    wait_for 10 bash -c '[ "$(grep -c cameras ws.out)" -ge 16 ]'
    [ $((($(date +%s%N) - began) / 1000000)) -ge 2700 ]
    echo '0 {"type":"nonsense"' >&7
    tapline req sim do text=stop-reading >/dev/null || true
    exec 7>&-
}

@test "names of cameras: options, file, reload; wrong ones are refused" {
    printf '# mine\n24:6f:28:a1:b2:c4  Garden door \n\n' >names
    start rules dispatch espcam --name $A=Balkon --names names -i decode -o rules
    R=$PID
    put() { tapline put --to rules "$1" <<<"$2"; }
    start decode bash -c 'exec framedecode --format lines -i fifo:none -o decode'
    known() { tapline put --to decode espcam.sensor <<<"{\"mac\": \"$1\"}" && tapline req rules cameras | grep -q "$2"; }
    wait_for 10 known $A '"name":"Balkon"'
    wait_for 10 known 24:6f:28:a1:b2:c4 '"name":"Garden door"'
    echo '246f28a1b2c4 Shed' >names
    kill -HUP "$R"
    wait_for 5 known 24:6f:28:a1:b2:c4 '"name":"Shed"'
    echo 'nothing' >names
    kill -HUP "$R"
    wait_line rules.err 'names, line 1: is not "MAC NAME"'
    # One frame of an address that nobody has is a wrong bit; more of them are a camera.
    broken() { tapline put --to decode espcam.broken <<<"{\"mac\": \"$1\", \"frames\": $2, \"bytes\": 250, \"reason\": \"gap\"}"; }
    broken 24:6f:28:a1:b2:ff 1
    broken $A 1
    broken 24:6f:28:a1:b2:c9 7
    wait_for 5 eval "tapline req rules cameras | grep -q b2:c9"
    tapline req rules cameras >all
    refute grep -q b2:ff all
    assert_equal "$(grep -o '"broken":1' all | wc -l)" 2
    tapline req rules stats | grep -qE '"strangers": ?1'
    tapline put --to decode espcam.image <<<'{"mac": "nonsense"}'
    wait_line rules.err 'that is no hardware address'
    run dispatch espcam --name 24:6f=x
    assert_output --partial 'is not MAC=NAME'
    run dispatch espcam --names none
    assert_output --partial 'cannot read the names of cameras in none'
}
