#!/usr/bin/env bats
# tapline record, info, play: what flowed is kept and flows again.
load helper

TAPE=$ROOT/test/tool/tape.py
tape() { "$PY" "$TAPE" "$@"; }
info() { tapline info --json "$1" | "$PY" -c "import json,sys; d=json.load(sys.stdin); print($2)"; }
info_is() { [ "$(info "$1" "$2")" = "$3" ]; }
# A publisher on endpoint src that begins when somebody listens.
publish() { start publish tapline play "$1" -o src --wait 20s "${@:2}"; }
# A stage that publishes nothing by itself.
idle() { start "$1" framedecode --format lines -i "none-$1" -o "$1" && wait_for 5 tapline req "$1" ping; }

@test "recorded from a pipe, played to a pipe: the same messages with the same gaps" {
    tape make a.tap n=40 gap=0.025 lose=10,11
    tapline play a.tap --speed 0 --keep-time | tapline record -w b.tap
    tape same a.tap b.tap
    assert_equal "$(tape gaps a.tap b.tap)" 0.000
    tapline play b.tap >c.tap
    tape same a.tap c.tap
    [ "$(tape gaps a.tap c.tap | cut -d. -f1)" -lt 100 ]
}

@test "recorded from an endpoint; SIGTERM ends it with a summary" {
    tape make a.tap n=30 gap=0.01
    publish a.tap
    start record tapline record src -w b.tap
    wait_for 10 info_is b.tap "sum(t['count'] for t in d['topics'] if t['topic']=='test.n')" 30
    kill -TERM "$PID"
    wait "$PID"
    wait_line record.err 'recorded [0-9]+ messages, [0-9.]+K?B, in b.tap'
    tape same a.tap b.tap
    assert_equal "$(info b.tap "d['sources']")" "['src']"
}

@test "kill -9 of the recorder: what it has is whole, and plays" {
    tape make a.tap n=400 gap=0.005 size=3000
    publish a.tap
    start record tapline record src -w b.tap
    wait_for 10 bash -c '[ "$(stat -c %s b.tap)" -gt 300000 ]'
    kill -9 "$PID"
    wait "$PID" || true
    run tapline info b.tap
    assert_success
    refute_output --partial damaged
    n=$(info b.tap "d['topics'][0]['count']")
    [ "$n" -ge 95 ] && [ "$n" -lt 400 ]
    tapline play b.tap --speed 0 >c.tap
    tape make part.tap n="$n" size=3000
    tape same part.tap c.tap
}

@test "a torn end is told by info and play, and cut off by --append" {
    tape make a.tap n=10 size=1000
    truncate -s -300 a.tap
    run tapline info a.tap
    assert_success
    assert_line --regexp '^torn end: the last message was cut off after 7[0-9]+ bytes$'
    run --separate-stderr tapline play a.tap --speed 0
    assert_success
    [[ $stderr == *"a.tap: the last message was cut off after"* ]]
    tape make b.tap n=3 topic=test.more source=none
    tapline record --append -w a.tap <b.tap
    run tapline info a.tap
    refute_output --partial torn
    refute_output --partial damaged
    assert_equal "$(info a.tap "[(t['topic'], t['count']) for t in d['topics']]")" "[('test.more', 3), ('test.n', 9)]"
}

@test "a recording that is there is not written over unless asked" {
    tape make a.tap n=5
    cp a.tap old.tap
    run tapline record -w a.tap <old.tap
    assert_failure 1
    assert_output --partial 'a.tap is there already (--append or --replace, or another name)'
    cmp a.tap old.tap
    tape make two.tap n=2
    tapline record --replace -w a.tap <two.tap
    assert_equal "$(info a.tap "d['messages']")" 2
    run tapline record --append --replace -w a.tap </dev/null
    assert_failure 2
}

@test "several endpoints in one file: which message came from where" {
    tape make a.tap n=5 topic=test.a
    tape make b.tap n=7 topic=test.b
    start one tapline play a.tap -o one --wait 20s
    start two tapline play b.tap -o two --wait 20s
    start record tapline record one two -w ab.tap
    wait_for 10 bash -c 'tapline info ab.tap | grep -qE "^one +test.a +5 " && tapline info ab.tap | grep -qE "^two +test.b +7 "'
    kill -TERM "$PID"
    wait "$PID"
    assert_equal "$(info ab.tap "sorted(d['sources'])")" "['one', 'two']"
    tapline play ab.tap --source two --speed 0 >b2.tap
    tape same b.tap b2.tap
    run tapline info ab.tap
    assert_line --regexp '^one +test.a +5 +0 +0 '
}

@test "info: counts, losses, rates, sizes, for people and as JSON" {
    tape make a.tap n=51 gap=0.1 lose=5,6,20 size=100
    run tapline info a.tap
    assert_line --index 0 --regexp '^a.tap: 5.0s from 2023-11-1[45] [0-9:]{8}.000, 48 messages, 6.[0-9]KB'
    assert_line --index 1 'from src'
    assert_line --index 2 --regexp '^source +topic +count +lost +gaps +min/s +mean/s +max/s +size +bytes +first +last$'
    assert_line --index 3 --regexp '^src +test.n +48 +3 +2 +8 +9.4 +10 +129 +6.0K +0.000 +5.000$'
    assert_equal "$(info a.tap "d['lost'], d['gaps'], d['topics'][0]['min_per_s'], d['topics'][0]['max_per_s']")" '3 2 8 10'
    tapline info - <a.tap | grep -q '^-: 5.0s'
    run tapline info a.tap none.tap
    assert_failure 1
    assert_line 'tapline info: cannot open none.tap: No such file or directory'
    run tapline info
    assert_failure 2
    : >empty.tap
    run tapline info empty.tap
    assert_success
    assert_output 'empty.tap: empty'
    head -c 5000 /dev/urandom >noise.tap
    run tapline info noise.tap
    assert_failure 1
    assert_output --partial 'damaged: '
}

@test "split by size: whole messages, each file complete in itself, no file is written over" {
    tape make a.tap n=60 size=1000
    echo mine >s-0002.tap
    run tapline record --split-size 20k -w s.tap <a.tap
    assert_success
    assert_equal "$(cat s-0002.tap)" mine
    rm s-0002.tap
    for f in s-*.tap; do [ "$(stat -c %s "$f")" -le 20480 ]; done
    for f in s-*.tap; do [ "$(info "$f" "d['torn_bytes'], d['skipped_bytes'], d['sources']")" = "0 0 ['src']" ]; done
    [ "$(ls s-*.tap | wc -l)" = 4 ]
    tapline play s-*.tap --speed 0 >b.tap
    tape same a.tap b.tap
}

@test "split by time" {
    tape make a.tap n=35 gap=0.1
    tapline record --split-time 1s -w s.tap <a.tap
    run bash -c 'for f in s-*.tap; do tapline info --json $f; done | "$0" -c "import json,sys; print([json.loads(l)[\"messages\"] for l in sys.stdin])"' "$PY"
    assert_output '[10, 10, 10, 5]'
}

@test "--before: nothing is written until a signal or a request asks for the last while" {
    tape make a.tap n=10000 gap=0.002
    publish a.tap
    start record tapline record src --before 200ms -w odd.tap -o rec
    wait_for 10 bash -c 'tapline req rec stats | grep -q "\"in\":[1-9][0-9][0-9][0-9]"' # two seconds
    run bash -c 'ls odd*.tap'
    assert_failure
    run tapline req rec dump
    assert_success
    assert_output --regexp '"file":"odd-0001.tap","messages":[0-9]+,"bytes":[0-9]+'
    n=$(info odd-0001.tap "d['topics'][0]['count']")
    [ "$n" -ge 1 ] && [ "$n" -le 600 ] # about 100, unless the publisher was held up
    assert_equal "$(info odd-0001.tap "d['lost']")" 0
    wait_for 5 bash -c '[ "$(tapline req rec stats | grep -oE "\"in\":[0-9]+" | cut -d: -f2)" -ge 1200 ]'
    kill -USR1 "$PID"
    wait_for 5 test -s odd-0002.tap
    wait_line record.err 'odd-0002.tap: [0-9]+ messages'
    assert_equal "$(info odd-0002.tap "d['lost']")" 0
    run tapline req rec none
    assert_failure 1
    kill -TERM "$PID"
    wait "$PID"
    [ "$(ls odd-*.tap | wc -l)" = 2 ]
}

@test "--before with --once and --after; the ring is bounded" {
    tape make a.tap n=3000 gap=0.001 size=1000
    publish a.tap
    start record tapline record src --before 1h --ring 100k --after 300ms --once -w odd.tap -o rec
    wait_for 10 bash -c 'tapline req rec stats | grep -qE "\"in\":[1-9][0-9]{3}"'
    kill -USR1 "$PID"
    wait_gone "$PID" 10
    wait "$PID"
    n=$(info odd-0001.tap "d['topics'][0]['count']")
    [ "$n" -ge 250 ] && [ "$n" -le 900 ] # 98 before, about 300 after
    assert_equal "$(info odd-0001.tap "d['lost']")" 0
    run tapline record src --once -w x.tap
    assert_failure 2
}

@test "a full disk is reported, tried again, and what was dropped is counted" {
    tape make a.tap n=3000 gap=0.001 size=2000
    publish a.tap
    start record bash -c 'ulimit -S -f 500; exec tapline record src --memory 1M -w b.tap'
    wait_line record.err 'cannot write b.tap: File too large'
    wait_line record.err 'dropped'
    prlimit --pid "$PID" --fsize=unlimited
    wait_line record.err 'b.tap can be written again \([0-9]+ messages had to be dropped\)'
    wait_line publish.err 'played 3000'
    kill -TERM "$PID"
    run wait "$PID"
    wait_line record.err '[0-9]+ messages, .*B, were dropped'
    dropped=$(sed -nE 's/.* ([0-9]+) messages, .*B, were dropped/\1/p' record.err)
    run info b.tap "d['torn_bytes'], d['skipped_bytes'], sum(t['count'] + t['lost'] for t in d['topics'] if t['topic']=='test.n')"
    assert_output '0 0 3000'
    assert_equal "$(info b.tap "sum(t['lost'] for t in d['topics'])")" "$dropped"
}

@test "a disk that stays full: exit 1, everything counted" {
    tape make a.tap n=10
    run tapline record -w /dev/full <a.tap
    assert_failure 1
    assert_output --partial 'cannot write /dev/full: No space left on device'
    assert_output --partial '10 messages,'
    assert_output --partial 'were dropped'
    run tapline record -w none/x.tap <a.tap
    assert_failure 1
    assert_output --partial 'cannot write none/x.tap: No such file or directory'
}

@test "-w -: a recording through a pipe; its reader may go away" {
    tape make a.tap n=20 size=100
    tapline record -w - <a.tap | tapline info - | grep -qE '^src +test.n +20 '
    tape make big.tap n=2000 size=10000
    run bash -c 'tapline record -w - <big.tap | head -c 1000 | wc -c; exit ${PIPESTATUS[0]}'
    assert_success
    assert_line 1000
}

@test "--topic, --count, --for" {
    tape make a.tap n=10 topic=test.a
    tape make b.tap n=10 topic=test.b source=none
    cat a.tap b.tap | tapline record --topic test.b -w c.tap
    assert_equal "$(info c.tap "[t['topic'] for t in d['topics']]")" "['test.b']"
    cat a.tap b.tap | tapline record -n 13 -w d.tap
    assert_equal "$(info d.tap "d['messages']")" 13
    run tapline record nobody --for 100ms -w e.tap
    assert_success
    assert_equal "$(info e.tap "d['messages']")" 0
    run tapline record nobody
    assert_failure 2
    assert_output --partial '-w FILE'
}

@test "a loss before the recorder is told" {
    tape make a.tap n=10 lose=4,5
    run tapline record -w b.tap <a.tap
    assert_success
    assert_line --partial '2 messages were lost before they came here'
    assert_equal "$(info b.tap "d['lost']")" 2
}

@test "play -o: what was recorded as lost is missing again" {
    tape make a.tap n=20 gap=0.005 lose=8,9,15
    start tap tapline tap replay -f msgpack --topic test. -n 17
    tapline play a.tap -o replay --wait 20s
    wait_gone "$PID"
    tape same a.tap tap.out
    wait_line tap.err '3 messages in all were lost before they came here'
}

@test "play: speed, from, to, topic, rename, loop, longest silence" {
    tape make a.tap n=40 gap=0.1
    seqs() { "$@" >out.tap 2>play.err && tape seqs out.tap; }
    assert_equal "$(seqs tapline play a.tap --speed 0 --from 1s --to 1.5s)" '11 12 13 14 15'
    assert_equal "$(seqs tapline play a.tap --speed 100 --from 3.55s)" '37 38 39 40'
    assert_equal "$(TZ=UTC seqs tapline play a.tap --speed 0 --from 22:13:23.8)" '39 40'
    assert_equal "$(TZ=UTC seqs tapline play a.tap --speed 0 --to 2023-11-14T22:13:20.1)" '1'
    assert_equal "$(seqs tapline play a.tap --speed 0 --topic other)" ''
    assert_equal "$(seqs tapline play a.tap --speed 0 --to 300ms --loop 3)" '1 2 3 4 5 6 7 8 9'
    tapline play a.tap --speed 0 --rename test.=old. --to 100ms >out.tap
    tapline tap -f json <out.tap | grep -q '"topic":"old.n"'
    tape make slow.tap n=3 gap=60
    began=$SECONDS
    assert_equal "$(seqs tapline play slow.tap --max-gap 100ms)" '1 2 3'
    [ $((SECONDS - began)) -lt 10 ]
    seqs tapline play a.tap --speed 0 --keep-time >/dev/null
    assert_equal "$(tape gaps a.tap out.tap)" 0.000
    seqs tapline play a.tap --speed 8 --to 2s >/dev/null
    tape make fast.tap n=20 gap=0.0125
    [ "$(tape gaps fast.tap out.tap | cut -d. -f1)" -lt 100 ]
}

@test "play: wrong words" {
    tape make a.tap
    for o in '--speed fast' '--speed -1' '--from soon' '--rename x' '--map x' '-i x' '--into a -o b'; do
        run tapline play a.tap $o
        assert_failure 2
    done
    run tapline play
    assert_failure 2
    run tapline play none.tap -o -
    assert_failure 1
    assert_output --partial 'cannot open none.tap: No such file or directory'
    run tapline play --live a.tap
    assert_failure 1
    assert_output --partial 'no pipeline is running'
    run bash -c "cat a.tap | tapline play - --loop 2"
    assert_failure 2
}

@test "play into a stage: its own numbers, the time of now, in order; --map, --keep-time" {
    tape make a.tap n=300 gap=0.001 lose=5 source=elsewhere
    idle here
    start tap tapline tap here -f msgpack --topic test. -n 299
    wait_for 5 bash -c 'tapline put test.ready --to here <<<"{}"; grep -q ready tap.out'
    run tapline play a.tap --into here
    assert_success
    assert_output --partial 'played 299 messages'
    run tapline play a.tap --into here --keep-time --speed 0 --to 1ms
    assert_success
    wait_gone "$PID"
    run "$PY" - <<'E2'
import msgpack, time
got = [m for m in msgpack.Unpacker(open("tap.out", "rb")) if m[0] == "test.n"]
assert [m[3]["k"] for m in got[:298]] == [k for k in range(1, 300) if k != 5], got
assert [m[2] for m in got] == list(range(1, len(got) + 1))
assert abs(time.time_ns() - got[0][1]) < 60e9
E2
    assert_success
    run tapline play a.tap --into nowhere
    assert_failure 1
    assert_output --partial 'nowhere: '
}

@test "play into a stage: messages as large as there are; --map SOURCE=STAGE" {
    tape make a.tap n=2 size=33554350 source=elsewhere # of 33554432
    idle here
    start tap tapline tap here -f msgpack --topic test.
    wait_for 5 has_subscribers here 1
    run tapline play a.tap --into none --map elsewhere=here --speed 0
    assert_success
    assert_output --partial 'played 2 messages'
    wait_for 20 bash -c '[ "$(stat -c %s tap.out)" -gt 67108700 ]'
    kill -TERM "$PID"
    wait_end "$PID"
    tape same a.tap tap.out
}

@test "put: one message, many at once, nonsense" {
    idle here
    start tap tapline tap here -f json --topic test. -n 5
    wait_for 5 bash -c 'tapline put test.ready --to here <<<"{}"; grep -q ready tap.out'
    run tapline req here put topic=test.one 'body={"a":1}' keep_time=true time=77
    assert_output '{"ok":true,"count":1}'
    wait_line tap.out '"topic":"test.one","time":77,"seq":1,"body":\{"a":1\}'
    data=$(tape make a.tap n=3 source=none && base64 -w0 a.tap)
    run tapline req here put "data={\"\$bin\":\"$data\"}"
    assert_output '{"ok":true,"count":3}'
    wait_line tap.out '"topic":"test.n",.*"seq":3'
    half=$(head -c -2 a.tap | base64 -w0)
    for bad in topic=Test topic=a 'topic=a body=5' 'data={"$bin":"AAAA"}' "data={\"\$bin\":\"$half\"}" 'topic=a body={} keep_time=true'; do
        run tapline req here put $bad
        assert_failure 1
        assert_output --partial '"ok":false,"error":"put: '
    done
    run tapline req here ping
    assert_success
}

@test "play into a pipe that stands still waits, and loses nothing" {
    tape make a.tap n=3000 size=3000 source=slow
    mkfifo way
    exec 9<>way
    start slow bash -c 'exec framedecode --format lines -i none -o - -o slow >way' 9>&-
    wait_for 5 tapline req slow ping
    start play tapline play a.tap --into slow --speed 0 9>&-
    sleep 6 # longer than a stage has for saying whether it is there
    refute not_alive "$PID"
    tapline tap -f msgpack --topic test. -n 3000 <way >got.tap 9>&-
    exec 9>&-
    wait_line play.err 'played 3000 messages'
    wait_end "$PID"
    tape same a.tap got.tap
}

@test "play into a stage that is started again: what the first was asked is not waited for" {
    tape make a.tap n=60 gap=0.1 size=100000 source=slow
    mkfifo way
    exec 9<>way # takes a megabyte, and then no more
    start slow bash -c 'exec framedecode --format lines -i none -o - -o slow >way' 9>&-
    SLOW=$PID
    wait_for 5 tapline req slow ping
    start play tapline play a.tap --into slow 9>&-
    PLAY=$PID
    wait_for 10 bash -c 'tapline req slow stats | grep -qE "\"queue\":[1-9][0-9]{6}"'
    kill -9 "$SLOW"
    start slow framedecode --format lines -i none -o slow
    wait_line play.err '[0-9]+ messages were not played: (the stage was started again meanwhile|slow: no answer in time)' 15
    wait_line play.err 'played [1-9][0-9]* messages' 15
    run wait_end "$PLAY"
    assert_failure 1
    exec 9>&-
}

# ---- into a running pipeline ----

panel() {
    cp -r "$ROOT/media" media
    mkfifo ws.in
    exec 7<>ws.in
    PORT=$(free_port)
    start pipeline tapline up "$ROOT/pipelines/panel.conf" DEVICE="$WORK/none" "LISTEN=127.0.0.1:$PORT" \
        MEDIA="$WORK/media" 7>&-
    wait_for 10 curl -sf "http://127.0.0.1:$PORT/status"
    start browser "$PY" "$ROOT/test/tool/wsclient.py" "ws://127.0.0.1:$PORT/ws" 1 7>&-
    wait_line browser.out ready
    wait_for 5 bash -c "curl -s http://127.0.0.1:$PORT/status | grep -q '\"ws_clients\": 1'"
}
stop_panel() {
    tapline down
    exec 7>&-
}

@test "played into the panel's pipeline its page plays again, at its pace" {
    panel
    "$PY" - <<'E2'
import msgpack
t0 = 1_700_000_000_000_000_000
with open("day.tap", "wb") as f:
    put = lambda *m: f.write(msgpack.packb(m))
    put("record.start", t0, 1, {"version": 1, "time": t0, "endpoints": ["decode"]})
    for k, (ms, id) in enumerate([(100, 5), (400, 3), (1100, 9)], 1):
        put("panel.press", t0 + ms * 1000000, k, {"id": id})
E2
    began=$(date +%s%N)
    run tapline play --live day.tap
    assert_success
    assert_output --partial 'played 3 messages'
    [ $((($(date +%s%N) - began) / 1000000)) -ge 1000 ]
    wait_line browser.out '"id": 9'
    assert_equal "$(grep -oE '"play", "id": [0-9]+|"stop"' browser.out | tr '\n' ' ')" \
        '"stop" "play", "id": 5 "stop" "play", "id": 3 "stop" "play", "id": 9 '
    stop_panel
}

@test "recorder and tap beside a pipeline that goes down and comes back: they go on, and can be asked" {
    printf '[a]\nrun = framedecode --format lines -i supervisor --topic none. -o a\n' >p.conf
    tapline up -d -q p.conf
    start tap tapline tap a --topic test.
    start record tapline record a --topic test. --before 1h -w odd.tap -o rec
    RECORD=$PID
    said() { wait_for 5 bash -c "echo '{}' | tapline put test.$1 --to a; grep -q test.$1 tap.out && [ \$(tapline req rec stats | grep -oE '\"queue\":[0-9]+' | cut -d: -f2) -gt $2 ]"; }
    said one 0
    tapline down
    tapline up -d -q p.conf
    said two "$(tapline req rec stats | grep -oE '"queue":[0-9]+' | cut -d: -f2)"
    run tapline req rec dump
    assert_output --partial '"file":"odd-0001.tap"'
    assert_equal "$(info odd-0001.tap "sorted({t['topic'] for t in d['topics']})")" "['test.one', 'test.two']"
    kill -TERM "$RECORD"
    wait_end "$RECORD"
    tapline down
}

@test "a recording of the whole pipeline: what follows from something recorded is not played twice" {
    panel
    start record tapline record --all -w day.tap
    wait_for 5 bash -c "tapline put serial.rx --to serial <<<'{\"data\":{\"\$bin\":\"UFJFU1MgMDA3DQo=\"}}'; tapline info day.tap | grep -qE '^rules +panel.play'"
    kill -TERM "$PID"
    wait "$PID"
    n=$(tapline info --json day.tap | "$PY" -c 'import json,sys; print(*[t["count"] for t in json.load(sys.stdin)["topics"] if (t["source"], t["topic"]) == ("serial", "serial.rx")])')
    before=$(grep -c '"play"' browser.out)
    run tapline play --live --max-gap 100ms day.tap
    assert_success
    assert_output --partial 'decode is not played: it follows from serial (--source decode to play it)'
    assert_output --partial 'rules is not played: it follows from serial'
    wait_for 5 bash -c "[ \$(grep -c '\"play\"' browser.out) = $((before + n)) ]"
    stop_panel
}
