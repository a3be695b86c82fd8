#!/usr/bin/env bats
# What all programs have in common: options, ends, inputs and outputs.
load helper

msgs() { "$PY" "$ROOT/test/tool/msgs.py" "$@"; }

# some N [TOPIC]: N messages, encoded.
some() { for i in $(seq "$1"); do echo "${2:-event.x} {\"n\": $i}"; done | msgs encode; }

# relay OPTION...: a program that passes every message on.
relay() { framedecode --format lines "$@"; }

# ends_with STATUS: the process started last ends so.
ends_with() {
    local status=0
    wait_end "$PID" || status=$?
    [ "$status" = "$1" ] || cat "$WORK"/*.err >&2
    assert_equal "$status" "$1"
}

# in_pipe FIFO N: at least so many bytes wait in it.
in_pipe() {
    "$PY" -c 'import array, fcntl, os, sys, termios
n = array.array("i", [0])
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK), termios.FIONREAD, n)
sys.exit(n[0] < int(sys.argv[2]))' "$1" "$2"
}

# bytes FILE N: the file has at least so many bytes.
bytes() { [ "$(stat -c %s "$1")" -ge "$2" ]; }

@test "--help and --version of every program" {
    local p n=0
    for p in "$BIN"/*; do
        p=${p##*/}
        run -0 --separate-stderr "$p" --help
        assert_line --partial "usage: $p"
        assert_line --partial '--help'
        [ -z "$stderr" ]
        run -0 --separate-stderr "$p" --version
        assert_output --regexp "^$p (\(tapline\) )?[0-9]+\.[0-9]+\.[0-9]+$"
        n=$((n + 1))
    done
    ((n >= 2))
}

@test "an unknown option: status 2 and one line that names program and option" {
    local p
    for p in "$BIN"/*; do
        p=${p##*/}
        run -2 --separate-stderr timeout 10 "$p" --no-such-option </dev/null
        [ "$stderr" = "$p: unknown option --no-such-option (see $p --help)" ]
        assert_output ''
    done
}

@test "options that cannot be read" {
    run -2 framedecode --format
    assert_output 'framedecode: --format needs a value NAME (see framedecode --help)'
    run -2 relay operand
    assert_output --partial 'unexpected argument "operand"'
    run -2 relay --topic 'panel.*' </dev/null
    assert_output --partial '"panel.*": a topic begins with a-z 0-9 _ - and dots, no *'
}

@test "an endpoint that is none is named, and nothing stays behind" {
    local bad
    for bad in a/b ../x 'tcp://host' 'http://x:1' '' 'fifo:'; do
        run -2 relay -o decode -i "$bad"
        assert_line --partial 'endpoint "'
    done
    run -2 relay -o 'decode?Panel.*'
    assert_output --partial 'endpoint "decode?Panel.*": a topic begins with'
    run ls "$TAPLINE_RUN"
    assert_output ''
}

@test "messages from a file go to a file unchanged" {
    some 1000 >in
    run -0 bash -c 'framedecode --format lines <in >out'
    cmp in out
}

@test "messages go through pipes, and the end of the input is the end" {
    some 1000 >in
    run -0 bash -c 'set -o pipefail; cat in | framedecode --format lines | framedecode --format lines | cat >out'
    cmp in out
}

@test "a slow reader gets everything" {
    some 20000 >in
    run -0 bash -c 'set -o pipefail; cat in in in in in in | framedecode --format lines | (sleep 0.6; cat) >out'
    [ "$(stat -c %s out)" -ge $((6 * $(stat -c %s in) * 9 / 10)) ]
    run bash -c "'$PY' '$ROOT/test/tool/msgs.py' decode <out | wc -l"
    assert_output 120000
}

@test "a reader that goes ends the program quietly" {
    mkfifo in
    exec 8<>in
    start relay bash -c 'framedecode --format lines <in | head -c 1'
    some 1 >in
    wait_for 5 bytes relay.out 1
    some 1 >in
    wait_gone "$PID"
    run cat relay.err
    assert_output ''
    exec 8>&-
}

@test "an output that cannot be written is an error" {
    some 1 >in
    run -1 bash -c 'framedecode --format lines <in >/dev/full'
    assert_output --partial 'output -: No space left on device'
    run -1 bash -c 'framedecode --format lines <in >&-'
    assert_output --partial 'output -: Bad file descriptor'
}

@test "an input that cannot be read is an error, a closed one is empty" {
    run -1 bash -c 'framedecode --format lines </'
    assert_output --partial 'input -: cannot read: Is a directory'
    run -0 bash -c 'framedecode --format lines <&-'
    assert_output ''
}

@test "SIGTERM and SIGINT end with status 0" {
    local s
    for s in TERM INT; do
        start relay bash -c 'trap - INT; exec framedecode --format lines -i none -o relay'
        wait_for 5 test -S "$TAPLINE_RUN/relay.rep"
        "$PY" -c 'import os,signal,sys; os.kill(int(sys.argv[1]), getattr(signal, "SIG"+sys.argv[2]))' "$PID" "$s"
        ends_with 0
        refute [ -e "$TAPLINE_RUN/relay.pub" ]
        refute [ -e "$TAPLINE_RUN/relay.rep" ]
    done
}

@test "a program whose output nobody reads still ends on SIGTERM" {
    some 10000 >some
    cat some some some some some some >in
    mkfifo out
    exec 8<>out
    start relay bash -c 'exec framedecode --format lines <in >out'
    wait_for 5 in_pipe out 1000000
    kill -TERM "$PID"
    ends_with 0
    exec 8>&-
    run cat relay.err
    assert_output --regexp 'output -: the last [0-9]+ bytes are lost'
}

@test "an endpoint in use by another process is named" {
    start first framedecode --format lines -i none -o twice
    wait_for 5 test -S "$TAPLINE_RUN/twice.rep"
    run -1 timeout 10 framedecode --format lines -i none -o twice
    assert_output --partial "cannot publish on twice: in use by another process"
    kill -0 "$PID"
    wait_for 5 test -S "$TAPLINE_RUN/twice.pub"
}


@test "NNG: publisher and subscriber start in either order" {
    start early bash -c 'exec framedecode --format lines -i feed -o - >early.bin'
    start feed bash -c "exec framedecode --format lines -i fifo:source -o feed"
    wait_for 5 test -S "$TAPLINE_RUN/feed.pub"
    wait_for 5 test -p "$TAPLINE_RUN/source.fifo"
    start late bash -c 'exec framedecode --format lines -i feed -o - >late.bin'
    some 200 >in
    # Both are subscribed when something has come through; then nothing may be missing.
    wait_for 10 bash -c 'cat in 1<>"$TAPLINE_RUN/source.fifo"; sleep 0.1; test -s early.bin && test -s late.bin'
    run msgs decode <early.bin
    assert_line 'event.x {"n": 200}'
    run msgs decode <late.bin
    assert_line 'event.x {"n": 200}'
    run cat early.err late.err
    refute_output --partial 'bytes that are no message'
}

@test "the publisher is killed and comes back: the subscriber goes on" {
    local source=$TAPLINE_RUN/source.fifo
    start sub bash -c 'exec framedecode --format lines -i feed -o - >sub.bin'
    start pub framedecode --format lines -i fifo:source -o feed
    wait_for 5 test -p "$source"
    wait_for 10 bash -c "'$PY' '$ROOT/test/tool/msgs.py' encode <<<'event.first {}' 1<>'$source'; sleep 0.1; grep -aq event.first sub.bin"
    kill -KILL "$PID"
    wait_gone "$PID"
    start again framedecode --format lines -i fifo:source -o feed
    wait_for 10 bash -c "'$PY' '$ROOT/test/tool/msgs.py' encode <<<'event.second {}' 1<>'$source'; sleep 0.1; grep -aq event.second sub.bin"
}

@test "a named pipe keeps what comes while its reader is away" {
    start pub framedecode --format lines -i fifo:source -o fifo:kept
    start sub bash -c 'exec framedecode --format lines -i fifo:kept -o - >sub.bin'
    local sub=$PID
    wait_for 5 test -p "$TAPLINE_RUN/source.fifo"
    wait_for 5 test -p "$TAPLINE_RUN/kept.fifo"
    some 1 event.before 1<>"$TAPLINE_RUN/source.fifo"
    wait_for 5 grep -aq event.before sub.bin
    kill -KILL "$sub"
    wait_gone "$sub"
    some 100 event.away 1<>"$TAPLINE_RUN/source.fifo"
    start sub bash -c 'exec framedecode --format lines -i fifo:kept -o - >again.bin'
    wait_for 5 bash -c "'$PY' '$ROOT/test/tool/msgs.py' decode <again.bin | grep -c event.away | grep -qx 100"
}

@test "an output is narrowed by ?PREFIX, an input by --topic and by ?PREFIX" {
    { some 2 panel.press; some 2 line.x; some 2 serial.tx; } >in
    mkfifo "$TAPLINE_RUN/tx.fifo"
    exec 8<>"$TAPLINE_RUN/tx.fifo"
    framedecode --format lines -o - -o 'fifo:tx?serial.' <in >all
    run bash -c "timeout 0.5 cat <&8 | '$PY' '$ROOT/test/tool/msgs.py' decode | cut -d' ' -f1 | uniq -c | tr -s ' '"
    exec 8>&-
    assert_output ' 2 serial.tx'
    run bash -c "framedecode --format lines --topic panel. --topic line <in | '$PY' '$ROOT/test/tool/msgs.py' decode | cut -d' ' -f1 | uniq -c | tr -s ' '"
    assert_line --index 0 ' 2 panel.press'
    assert_line --index 1 ' 2 line.x'
    refute_line --partial serial
    run bash -c "framedecode --format lines -i '-?serial.' <in | '$PY' '$ROOT/test/tool/msgs.py' decode | cut -d' ' -f1 | uniq -c | tr -s ' '"
    assert_output ' 2 serial.tx'
}

@test "damage between messages is skipped, said once and survived" {
    { some 1; printf 'some garbage'; some 1; } >in
    run -0 --separate-stderr bash -c 'framedecode --format lines <in >out'
    [[ $stderr == *'input -: '*'bytes that are no message skipped' ]]
    run msgs decode <out
    assert_equal "${#lines[@]}" 2
}

@test "on a terminal: messages are for programs, and how to read them" {
    echo x >in
    run script -qec 'framedecode --format lines <in' /dev/null
    assert_output --partial 'framedecode: messages are for programs; to read them, add: | tapline tap'
    run script -qec 'framedecode --format lines <in | tapline tap' /dev/null
    refute_output --partial 'for programs'
}

@test "a port that is taken: who says so in a pipeline, says what sets it there" {
    local where
    where=127.0.0.1:$(free_port)
    start first httpd --listen "$where" --route 'GET / file x'
    wait_for 5 curl -s "http://$where/"
    run timeout 5 env TAPLINE_STAGE=web httpd --listen "$where" --route 'GET / file x'
    assert_failure 1
    assert_output --partial 'or choose another with --listen, by a variable of the pipeline)'
}
