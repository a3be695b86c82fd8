#!/usr/bin/env bats
# imgwrite: what becomes of messages with pictures, as files.

load helper

MAC=24:6f:28:a1:b2:c3
bus() { "$PY" "$ROOT/test/tool/spbus.py" "$@"; }
# img TEXT [COUNT [MAC]]: messages with a picture; %d in TEXT is its number.
img() { bus put espcam.image "{\"mac\":\"${3-$MAC}\",\"data\":\"b:$1\"}" "${2:-1}"; }
# pictures COUNT BYTES: larger ones, which say at byte 4 who they are.
pictures() { "$PY" "$ROOT/test/tool/pictures.py" 1e9 "$1" "$2" "$MAC"; }
saved() { find "${1:-out}" -name '*.jpg' 2>/dev/null | wc -l; }
has() { (($(saved "${2:-out}") == $1)); }
# serve [OPTION]...: an imgwrite that reads the named pipe `in`, held open as descriptor 7.
serve() {
    mkfifo in
    exec 7<>in
    start img bash -c 'exec "$@" <in' _ "${WRAP[@]}" imgwrite --dir "$WORK/out" -o img "$@"
    IMG=$PID
    wait_for 5 test -S "$TAPLINE_RUN/img.rep"
}
ask() { bus ask img "$1"; }
stat_of() { ask '{"op":"stats"}' | grep -oE "\"$1\": [0-9]+" | head -n 1 | grep -oE '[0-9]+$'; }
cause() { ask '{"op":"stats"}' | grep -oE '"cause": "[a-z]+"' | cut -d'"' -f4; }
is_cause() { [[ $(cause) == "$1" ]]; }
teardown() {
    exec 7>&-
    chmod -R u+w "$WORK" 2>/dev/null || true
    common_teardown
}

@test "a picture becomes a file of that name, and standard output stays empty" {
    before=$(date +%Y%m%d)
    run --separate-stderr -0 bash -c "'$PY' '$ROOT/test/tool/spbus.py' put espcam.image '{\"mac\":\"$MAC\",\"data\":\"b:hello\"}' | imgwrite"
    [[ -z $output ]]
    name=$(ls images_usb_async)
    [[ $name =~ ^246f28a1b2c3_[0-9]{8}_[0-9]{6}_[0-9]{6}\.jpg$ ]]
    [[ $name == *_"$before"_* || $name == *_"$(date +%Y%m%d)"_* ]]
    [[ $(<"images_usb_async/$name") == hello ]]
    grep -q "saved $MAC: 5 bytes, $name" <<<"$stderr"
    [[ $(ls -A images_usb_async) == "$name" ]]
}

@test "the time in the name is the local one" {
    for zone in UTC+3 UTC-9; do
        from=$(TZ=$zone date +%s)
        img x | TZ=$zone imgwrite --dir "$zone" 2>/dev/null
        [[ $(ls "$zone") =~ _([0-9]{8})_([0-9]{2})([0-9]{2})([0-9]{2})_ ]]
        at=$(TZ=$zone date -d "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}:${BASH_REMATCH[3]}:${BASH_REMATCH[4]}" +%s)
        ((at >= from - 1 && at <= from + 5))
    done
}

@test "statistics after every tenth, as log lines and in the report" {
    serve
    img ab 25 >in
    wait_for 5 has 25
    wait_line img.err '10 pictures saved, 2\.0 bytes on average, [0-9]+\.[0-9] s since the start'
    wait_line img.err '20 pictures saved, 2\.0 bytes on average'
    (($(grep -c 'on average' img.err) == 2))
    (($(grep -c "saved $MAC: " img.err) == 25))
    [[ $(stat_of saved) == 25 && $(stat_of saved_bytes) == 50 && $(stat_of average_bytes) == 2 && $(stat_of pictures) == 25 ]]
}

@test "patterns: folders for each camera, message numbers, topics" {
    { img a 2; img b 1 24:6f:28:a1:b2:c4; } |
        imgwrite --dir out --name '{mac}/{time:%Y-%m-%d}/{topic}-{seq}.jpeg' 2>/dev/null
    day=$(date +%F)
    [[ $(cat out/246f28a1b2c3/"$day"/espcam.image-1.jpeg) == a ]]
    [[ -f out/246f28a1b2c3/$day/espcam.image-2.jpeg ]]
    [[ $(cat out/246f28a1b2c4/"$day"/espcam.image-1.jpeg) == b ]]
}

@test "nothing is ever overwritten" {
    for i in 1 2 3; do img "run $i" | imgwrite --dir out --name '{seq}.jpg' 2>/dev/null; done
    [[ $(cat out/1.jpg out/1_2.jpg out/1_3.jpg) == "run 1run 2run 3" ]]
    img '%d' 200 | imgwrite --dir many 2>/dev/null
    (($(cat many/*.jpg | wc -c) == 9 + 90 * 2 + 101 * 3 && $(saved many) == 200))
}

@test "addresses and topics from outside lead nowhere else" {
    mkdir a
    for mac in ../../x /etc/passwd ..%2f "$(printf 'x%.0s' {1..300})" '24:6f:28:a1:b2:c3/../y' ''; do
        img x 1 "$mac"
    done >in.mp
    bus put ../../etc.image "{\"mac\":\"$MAC\",\"data\":\"b:y\"}" >>in.mp
    bus put ..image "{\"mac\":\"$MAC\",\"data\":\"b:y\"}" >>in.mp
    bus put espcam.image "{\"mac\":7,\"data\":\"b:z\"}" >>in.mp
    run imgwrite --dir a/out --name '{topic}/{mac}_{time}_{us}.jpg' <in.mp
    (($(find a -type f | wc -l) == 7))
    (($(find a/out/espcam.image -name '000000000000_*.jpg' | wc -l) == 7))
    [[ $(find . -name '*.jpg' -not -path './a/out/espcam.image/*') == "" ]]
    assert_output --partial 'a picture of espcam.image without a hardware address'
}

@test "what is no picture is left alone" {
    {
        bus put espcam.sensor '{"mac":"24:6f:28:a1:b2:c3","voltage_percent":75}'
        bus put espcam.broken '{"data":"b:half"}'
        bus put image '{"data":"b:x"}'
        bus put espcam.images '{"data":"b:x"}'
        bus put espcam.image '{"data":"text"}'
        bus put espcam.image '{"data":"b:"}'
        bus put espcam.image '{}'
        bus put cam.left.image "{\"mac\":\"$MAC\",\"data\":\"b:good\"}"
        head -c 100000 /dev/urandom
        img last
    } >in.mp
    run -0 imgwrite --dir out <in.mp
    [[ $(cat out/*.jpg | tr -d '\n' | fold -w 4 | sort | tr '\n' ' ') == "good last " ]]
}

@test "image.saved tells all about it" {
    img hello | imgwrite --dir out --sha256 -o - 2>/dev/null >saved.mp
    run bus decode saved.mp
    name=$(ls out)
    assert_output --partial "\"name\": \"$name\""
    assert_output --partial "\"path\": \"$WORK/out/$name\""
    assert_output --partial "\"mac\": \"$MAC\""
    assert_output --partial '"bytes": 5'
    assert_output --partial '"topic": "espcam.image"'
    assert_output --partial "\"sha256\": \"$(printf hello | sha256sum | cut -c1-64)\""
    assert_output --regexp '"took_us": [0-9]+'
    assert_output --partial '"verified": null'
}

@test "a picture that nothing proves whole is saved, and said to be one" {
    serve
    for word in none sha256 none sum 'much too long a word for this'; do
        bus put espcam.image "{\"mac\":\"$MAC\",\"data\":\"b:x\",\"verified\":\"$word\"}"
    done >in
    wait_for 5 has 5
    wait_for 5 eval '[[ $(stat_of saved) == 5 ]]'
    [[ $(stat_of saved_unverified) == 2 ]]
    (($(grep -c "saved $MAC: .*\.jpg (unverified)$" img.err) == 2))
    (($(grep -c "saved $MAC: .*\.jpg$" img.err) == 3))
    bus put espcam.image "{\"mac\":\"$MAC\",\"data\":\"b:x\",\"verified\":\"none\"}" |
        imgwrite --dir out -q -o - >saved.mp
    run bus decode saved.mp
    assert_output --partial '"verified": "none"'
}

@test "list: newest first, by camera, by time, page by page" {
    serve
    img '%d' 7 >in
    wait_for 5 has 7
    img x 3 24:6f:28:a1:b2:c4 >in
    wait_for 5 has 10
    wait_for 5 eval '[[ $(stat_of pictures) == 10 ]]'
    count() { ask "$1" | grep -o '"name"' | wc -l; }
    (($(count '{"op":"list"}') == 10))
    (($(count '{"op":"list","mac":"24:6F:28:A1:B2:C4"}') == 3))
    (($(count '{"op":"list","mac":"246f28a1b2c3","limit":5}') == 5))
    run ask '{"op":"list","limit":4}'
    assert_output --partial '"more": true'
    assert_output --partial '"total": 10'
    mapfile -t times < <(grep -oE '"time": [0-9]+' <<<"$output" | grep -oE '[0-9]+$')
    ((times[0] > times[1] && times[1] > times[2] && times[2] > times[3]))
    (($(count "{\"op\":\"list\",\"before\":${times[3]}}") == 6))
    (($(count "{\"op\":\"list\",\"after\":${times[3]}}") == 3))
    name=$(ask '{"op":"list","limit":1}' | grep -oE '"path": "[^"]+"' | cut -d'"' -f4)
    [[ -f $name && $name == "$WORK"/out/246f28a1b2c4_* ]]
    run -1 ask '{"op":"list","mac":"nonsense"}'
    assert_output --partial 'no hardware address'
}

@test "kill -9: what was taken in is saved, or told as lost by the next one" {
    export TAPLINE_STAGE=img
    serve --writers 1 --queue 400 --sync full
    pictures 300 100000 >in &
    PIDS+=($!)
    wait_for 10 eval '(($(saved) >= 5))'
    taken=$(stat_of in)
    kill -KILL "$IMG"
    wait_gone "$IMG"
    had=$(saved)
    start img imgwrite --dir "$WORK/out" -o img -i fifo:none
    wait_for 5 stat_of lost_in_crash
    lost=$(stat_of lost_in_crash)
    echo "taken $taken, saved $had, lost $lost"
    ((had + lost >= taken && had + lost <= 302 && $(stat_of dropped) == lost))
    ((lost == 0)) || grep -q "up to $lost pictures that waited for the disk are lost" img.err
    unset TAPLINE_STAGE
}

@test "list waits until the directory has been looked at" {
    "$PY" - out 40000 <<'EOF'
import os, sys
os.mkdir(sys.argv[1])
d = os.open(sys.argv[1], os.O_RDONLY)
for i in range(int(sys.argv[2])):
    os.mknod(f"246f28a1b2c3_20250528_231711_{i:06}.jpg", 0o600, dir_fd=d)
EOF
    serve
    run ask '{"op":"list","limit":2}'
    assert_output --partial '"total": 40000'
    assert_output --partial 246f28a1b2c3_20250528_231711_039999.jpg
    kill -TERM "$IMG"
    wait_gone "$IMG"
}

@test "list knows what was there before, and what others removed, after SIGHUP" {
    img '%d' 5 | imgwrite --dir out 2>/dev/null
    touch out/holiday.jpg
    serve
    wait_line img.err '5 pictures, 5 bytes in'
    rm "$(find out -name '246*' | head -n 1)"
    kill -HUP "$IMG"
    wait_for 5 eval '[[ $(stat_of pictures) == 4 ]]'
}

@test "--keep: number, size and age; the oldest go, and never what is not ours" {
    mkdir out
    touch -d 2001-01-01 out/holiday.jpg out/246f28a1b2c3.jpg out/246f28a1b2c3_2001.jpg
    echo precious >out/246f28a1b2c3_20010101_000000_000000.jpg.bak
    img '%d' 30 | imgwrite --dir out --keep-count 10 2>/dev/null
    run bash -c "cat out/246f28a1b2c3_*_*_*.jpg"
    assert_output 21222324252627282930
    img 'abcdefghij' 30 | imgwrite --dir out --keep 105 --keep-bytes 55 2>/dev/null
    (($(find out -name '246f28a1b2c3_*_*_*.jpg' | wc -l) == 5))
    touch out/246f28a1b2c3_20200101_000000_000000.jpg
    img new | imgwrite --dir out --keep 5d 2>/dev/null
    [[ ! -e out/246f28a1b2c3_20200101_000000_000000.jpg ]]
    (($(find out -name '246f28a1b2c3_*_*_*.jpg' | wc -l) == 6))
    [[ -e out/holiday.jpg && -e out/246f28a1b2c3.jpg && -e out/246f28a1b2c3_2001.jpg ]]
    [[ $(<out/246f28a1b2c3_20010101_000000_000000.jpg.bak) == precious ]]
}

@test "--keep while it runs: age by the clock, empty folders go too" {
    serve --name '{mac}/{time:%Y%m%d}/{time:%H%M%S}_{us}.jpg' --keep-age 500ms
    img '%d' 70 >in
    wait_for 5 eval '(($(stat_of saved) == 70))'
    wait_for 5 eval '(($(stat_of removed) == 70))'
    wait_for 5 eval '[[ -z $(ls -A out) ]]'
    [[ $(stat_of pictures) == 0 && $(stat_of removed_bytes) == 131 ]]
    img again >in
    wait_for 5 has 1
}

@test "--keep wants names that nobody else uses by chance" {
    for name in '{mac}.jpg' '{time}.jpg' '{mac}_{time:%Y%m%d}.jpg' '{seq}.jpg'; do
        run -2 imgwrite --dir out --name "$name" --keep 10 </dev/null
        assert_output --partial 'needs {mac} and {time}'
    done
    [[ ! -e out ]]
}

@test "the directory vanishes and comes back, and what was there is forgotten" {
    serve
    img a 3 >in
    wait_for 5 has 3
    rm -r out
    img b >in
    wait_for 5 has 1
    wait_line img.err 'was missing and has been made again'
    wait_for 5 eval '[[ $(stat_of pictures) == 1 ]]'
    [[ $(stat_of failed) == 0 ]]
}

@test "a file stands where the directory should be" {
    echo precious >out
    run -1 bash -c "'$PY' '$ROOT/test/tool/spbus.py' put espcam.image '{\"data\":\"b:x\"}' | imgwrite --dir out/pictures"
    assert_output --partial 'a file stands where a directory must be'
    [[ $(<out) == precious ]]
}

@test "no permission: said once with the cure, heals by itself, counted" {
    # A superuser who may not look past modes either.
    [[ $(id -u) != 0 ]] || WRAP=(setpriv --bounding-set=-dac_override,-dac_read_search)
    mkdir out
    chmod 555 out
    serve
    img a 5 >in
    wait_for 5 eval '[[ $(stat_of failed) == 5 ]]'
    [[ $(cause) == permission && $(stat_of dropped) == 5 ]]
    (($(grep -c 'cannot save' img.err) == 1))
    wait_line img.err "cannot save in $WORK/out: Permission denied \(let user $(id -u) write there\)"
    chmod 755 out
    img b >in
    wait_for 5 has 1
    wait_for 5 is_cause ok
    wait_line img.err 'saving again in .*; 5 pictures were lost'
    [[ $(stat_of saved) == 1 ]]
}

@test "pictures larger than the limit on files: said, counted, heals" {
    serve
    img a >in
    wait_for 5 has 1
    prlimit --pid "$IMG" --fsize=1000:unlimited
    pictures 3 20000 >in
    wait_for 5 eval '[[ $(stat_of failed) == 3 ]]'
    is_cause limit
    wait_line img.err 'File too large \(raise the limit'
    img small >in # fits
    wait_for 5 has 2
    wait_for 5 is_cause ok
    prlimit --pid "$IMG" --fsize=unlimited:unlimited
    pictures 1 20000 >in
    wait_for 5 has 3
    (($(ls -A out | wc -l) == 3)) # no halves
}

@test "a full disk: said once, counted, heals when there is room" {
    mkdir out
    WRAP=(unshare -m)
    [[ $(id -u) == 0 ]] || WRAP=(unshare -rm)
    "${WRAP[@]}" mount -t tmpfs none out 2>/dev/null || skip "no file system may be mounted here"
    WRAP+=(sh -c 'mount -t tmpfs -o size=256k none out && exec "$@"' _)
    serve
    disk=/proc/$IMG/root$WORK/out
    pictures 40 20000 >in
    wait_for 5 eval '(($(stat_of saved) + $(stat_of failed) == 40))'
    (($(stat_of failed) >= 25 && $(stat_of saved) >= 8))
    is_cause full
    (($(grep -c 'cannot save' img.err) == 1))
    wait_line img.err 'No space left on device \(free some, or set a limit with --keep\)'
    (($(ls -A "$disk" | wc -l) == $(stat_of saved)))
    [[ -z $(find "$disk" -type f -not -size 20000c) ]]
    find "$disk" -name '*.jpg' | head -n 3 | xargs rm
    pictures 1 20000 >in
    wait_for 5 is_cause ok
    wait_line img.err 'saving again'
}

@test "a filter says at its end that something could not be saved" {
    run -1 bash -c "ulimit -f 1; '$PY' '$ROOT/test/tool/pictures.py' 1e9 3 20000 $MAC | imgwrite --dir out"
    assert_output --partial 'File too large'
    (($(saved) == 0))
}

@test "killed: no half picture under a final name, what is left is cleared away" {
    mkfifo in
    for i in 1 2 3 4; do
        before=$(saved)
        start feed bash -c "exec '$PY' '$ROOT/test/tool/pictures.py' 1e9 0 4000000 $MAC >in"
        imgwrite --dir out -q <in 3>&- &
        pid=$!
        wait_for 5 eval '(($(saved) > before + 1))'
        kill -KILL "$pid"
        wait "$pid" || true
    done
    (($(saved) >= 8))
    [[ -z $(find out -name '*.jpg' -not -size 4000000c) ]]
    echo half >out/.imgwrite-1-1.part
    run -0 imgwrite --dir out </dev/null
    assert_output --partial '1 unfinished files of an earlier run removed'
    [[ -z $(find out -name '.*' -type f) ]]
}

@test "SIGTERM: what has come in is saved first" {
    serve --sync full
    pictures 100 20000 >in
    wait_for 5 eval '(($(saved) >= 1))'
    before=$(date +%s%N)
    kill "$IMG"
    wait "$IMG"
    took=$((($(date +%s%N) - before) / 1000000))
    lost=$(grep -oE '[0-9]+ pictures that waited' img.err | grep -oE '^[0-9]+' || echo 0)
    echo "took $took ms, saved $(saved), lost $lost"
    ((took < 1500))
    [[ -z $(find out -name '*.jpg' -not -size 20000c) ]]
    # Nothing unaccounted for of what it had read; the rest is still in the pipe.
    ((lost == 0 || took >= 700))
}

@test "a small queue makes the pipe wait and loses nothing" {
    pictures 300 20000 | imgwrite --dir out -q --queue 1 --writers 1
    (($(saved) == 300))
    img '%d' 300 | imgwrite --dir out2 -q --queue 2 -o - >saved.mp
    (($(bus decode saved.mp | wc -l) == 300))
    # A reader of image.saved that is slow holds it up, no more.
    img '%d' 20000 | imgwrite --dir out3 -q --sync none --queue 4 -o - | (sleep 0.5; cat) >saved.mp
    (($(bus decode saved.mp | wc -l) == 20000 && $(saved out3) == 20000))
}

@test "over NNG the oldest gives way, and the sum is right" {
    start img imgwrite --dir out -i dec -o img --queue 3 --writers 1 --sync full
    mkfifo feed
    exec 7<>feed
    start dec bash -c 'exec framedecode --format lines -o dec <feed'
    img warm 1 >feed
    until has 1; do img warm 1 >feed; sleep 0.05; done
    base=$(stat_of saved)
    pictures 400 20000 >feed
    wait_for 10 eval '(($(stat_of saved) + $(stat_of too_slow) + $(stat_of failed) >= 400 + base))'
    echo "saved $(stat_of saved) dropped $(stat_of too_slow)"
    (($(stat_of dropped) == $(stat_of too_slow) && $(stat_of failed) == 0))
    wait_for 5 eval '(($(saved) == $(stat_of saved)))'
    # The newest has not been dropped.
    last=$(grep -l "$MAC 400 " out/*.jpg || grep -l "$MAC 399 " out/*.jpg)
    [[ -n $last ]]
}

@test "large pictures" {
    pictures 3 30000000 | imgwrite --dir out -q --queue-bytes 1M
    (($(saved) == 3))
    [[ -z $(find out -name '*.jpg' -not -size 30000000c) ]]
}

@test "costs nothing while nothing comes" {
    serve --keep 10,7d
    img a 30 >in
    wait_for 5 eval '[[ $(stat_of pictures) == 10 ]]'
    ticks() { awk '{print $14 + $15}' "/proc/$IMG/stat"; }
    before=$(ticks)
    sleep 1.5 # measures
    (($(ticks) - before <= 3))
}

@test "usage" {
    run -0 imgwrite --help
    assert_line --partial '[images_usb_async]'
    assert_line --partial '[{mac}_{time:%Y%m%d_%H%M%S}_{us}.jpg]'
    for args in "--sync often" "--name {x}.jpg" "--name ../{us}.jpg" "--keep lots" "--keep 1,2" \
        "--keep-count -1" "--queue 0" "--writers 0" "--dir=" "operand"; do
        run -2 --separate-stderr imgwrite $args </dev/null
        [[ -z $output && ${#stderr_lines[@]} == 1 ]]
    done
}
