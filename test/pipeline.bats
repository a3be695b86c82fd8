#!/usr/bin/env bats
# Pipeline files: what they may say, and how what is wrong is told before anything starts.
load supervisor

@test "pipeline files that are wrong: file, line and what is wrong" {
    bad '^p.conf:3: unknown key "restrat" in \[a\] \(run, only_if, restart, ' '[a]' 'run = cat' 'restrat = never'
    bad '^p.conf:3: restart = maybe \(always, on-failure or never\)' '[a]' 'run = cat' 'restart = maybe'
    bad '^p.conf:3: backoff = "fast" is not a duration' '[a]' 'run = cat' 'backoff = fast'
    bad '^p.conf:3: stop_timeout = 0 is out of range' '[a]' 'run = cat' 'stop_timeout = 0'
    bad '^p.conf:3: watchdog = 500ms is too short' '[a]' 'run = cat' 'watchdog = 500ms'
    bad '^p.conf:3: limit.memory = "lots" is not a size' '[a]' 'run = cat' 'limit.memory = lots'
    bad '^p.conf:3: dir = /no/where: No such file' '[a]' 'run = cat' 'dir = /no/where'
    bad '^p.conf:3: dir = /etc/passwd is no directory' '[a]' 'run = cat' 'dir = /etc/passwd'
    bad '^p.conf:3: user = nobody-there: there is no such user' '[a]' 'run = cat' 'user = nobody-there'
    bad '^p.conf:3: cpu = two: write numbers as in 0 or 0,2-3' '[a]' 'run = cat' 'cpu = two'
    bad '^p.conf:3: cpu = 2-1: write numbers' '[a]' 'run = cat' 'cpu = 2-1'
    bad '^p.conf:3: cpu = 0,: write numbers' '[a]' 'run = cat' 'cpu = 0,'
    bad '^p.conf:3: cpu = 1024: write numbers' '[a]' 'run = cat' 'cpu = 1024'
    bad '^p.conf:3: cpu = 1023: none of these may be used here' '[a]' 'run = cat' 'cpu = 1023'
    bad '^p.conf:3: env.A-B: no name of a variable' '[a]' 'run = cat' 'env.A-B = 1'
    bad '^p.conf:2: unknown key "opne" in \[pipeline\]' '[pipeline]' 'opne = x' '[a]' 'run = cat'
    bad '^p.conf:2: name "a/b": use letters' '[pipeline]' 'name = a/b' '[a]' 'run = cat'
    bad '^p.conf:3: section \[a\] again, first in line 1' '[a]' 'run = cat' '[a]' 'run = cat'
    bad '^p.conf:3: run again, first in line 2' '[a]' 'run = cat' 'run = cat'
    bad '^p.conf:1: \[a\] has no run line' '[a]' 'restart = never'
    bad '^p.conf:2: run: > has a meaning' '[a]' 'run = cat > x'
    bad '^p.conf:2: \$NOWHERE is not set' '[a]' 'run = cat $NOWHERE'
    bad '^p.conf:1: no stage' '[pipeline]'
    bad 'cannot read pipeline file gone.conf: No such file' && rm -f p.conf
}

@test "stages and wires that are wrong" {
    bad '^p.conf:2: \[a\] no program no-such-thing \(neither in .* nor in PATH\)' '[a]' 'run = no-such-thing'
    bad '^p.conf:2: \[a\] /etc/passwd is not an executable file' '[a]' 'run = /etc/passwd'
    bad '^p.conf:2: \[a\] cannot run ./gone: No such file' '[a]' 'run = ./gone'
    bad '^p.conf:2: stage name "Serial": use a-z' '[Serial]' 'run = cat'
    bad '^p.conf:2: stage name "supervisor" is' '[supervisor]' 'run = cat'
    bad '^p.conf:2: \[a\] -i decoed: nothing publishes it \(there are: decode, supervisor\)' \
        '[a]' 'run = framedecode -i decoed -o decode'
    bad '^p.conf:2: \[a\] -i fifo:x: nothing writes it' '[a]' 'run = framedecode -i fifo:x -o decode'
    bad '^p.conf:2: \[a\] -o fifo:x: nothing reads it' '[a]' 'run = framedecode -i supervisor -ofifo:x'
    bad '^p.conf:4: \[b\] -o x: stage a \(line 2\) publishes it already' \
        '[a]' "run = $IDLE -o x" '[b]' "run = $IDLE --output=x"
    bad '^p.conf:4: two stages are called b' '[a]' "run = $IDLE -o - -o b | cat" '[b]' 'run = cat'
    bad '^p.conf:2: \[a\] -o supervisor: that is' '[a]' "run = $IDLE -o supervisor"
    bad '^p.conf:2: \[a\] framedecode \| cat: nothing would go through this pipe \(add -o -\)' \
        '[a]' "run = $IDLE -o x | cat"
    bad '^p.conf:2: \[a\] -o endpoint "tcp://h": needs a port' '[a]' "run = $IDLE -o tcp://h"
}

@test "every problem of a file is told, not only the first" {
    bad unknown '[a]' 'run = no-such-thing' 'colour = red' '[b]' "run = $IDLE -i nope -o B!"
    assert_line --partial 'p.conf:2: [a] no program'
    assert_line --partial 'p.conf:3: unknown key "colour"'
    assert_line --partial '-i nope: nothing publishes'
    assert_line --partial 'endpoint "B!"'
}

@test "wrong command lines" {
    run timeout 30 supervisor
    assert_failure 2
    assert_output 'supervisor: which pipeline file? (see supervisor --help)'
    conf '[a]' 'run = cat'
    run timeout 30 supervisor p.conf DEVICE
    assert_failure 2
    assert_output '"DEVICE" is no variable (write NAME=VALUE, as in DEVICE=/dev/ttyUSB0)'
    run timeout 30 supervisor gone.conf
    assert_failure 2
    assert_output --partial 'cannot read pipeline file gone.conf'
    TAPLINE_RUN=here run timeout 30 supervisor p.conf
    assert_failure
    assert_output --partial 'TAPLINE_RUN=here: a path from / is needed'
}

@test "what does not concern tapline's own programs is not taken for a wire" {
    conf '[a]' 'run = sh -c "exec sleep 1000" -i nothing -o a' '[b]' 'run = sh -c "exec sleep 1000" -o a'
    run timeout 30 supervisor --check p.conf
    assert_success
    assert_output 'p.conf: pipeline p, 2 stages, no problem found'
}

@test "variables: command line, environment, [pipeline], HERE, SHARE" {
    mkdir -p tree/pipelines tree/www
    cat >tree/pipelines/v.conf <<'EOF'
[pipeline]
A = ${A:-file}
B = ${B:-file}
C = ${C:-file}
open = see $A
[a]
run = sh -c "echo $A $B $C $HERE $SHARE >$PWD/out; exec sleep 1000"
EOF
    B=environment start sup supervisor tree/pipelines/v.conf A=line D=unused
    wait_for 5 test -s out
    assert_equal "$(cat out)" "line environment file $WORK/tree/pipelines $WORK/tree"
    log 'pipeline v is up: 1 stages ready'
    log 'supervisor: open see line in a browser; Ctrl-C or tapline down stops it$'
    log 'v.conf does not use the variable D$'
}

@test "sections and inputs that are there only if a variable says so" {
    conf '[pipeline]' 'SIM = ${SIM:-no}' 'FILE = ${FILE:-}' '[a]' \
        "run = $IDLE -o a \${FILE:+-i sim -i late}" \
        '[sim]' 'only_if = $SIM' "run = $IDLE -o sim \$NOWHERE" \
        '[late]' 'only_if = $FILE' "run = $IDLE -o late"
    run timeout 30 supervisor --check p.conf
    assert_success
    assert_output 'p.conf: pipeline p, 1 stages, no problem found'
    run timeout 30 supervisor --check p.conf FILE=x
    assert_failure 2
    assert_output 'p.conf:5: [a] -i sim: nothing publishes it (there are: a, late, supervisor; not there, by their only_if: [sim])'
    run timeout 30 supervisor --check p.conf SIM=yes
    assert_output --regexp '^p.conf:8: \$NOWHERE is not set'
    run timeout 30 supervisor --graph p.conf SIM=no FILE=
    refute_output --regexp 'sim|late'
    # A variable that only an absent section mentions is used all the same.
    up_ready FILE=x SIM=1 NOWHERE=-v
    assert_equal "$(field a state) $(field sim state) $(field late state)" 'ready ready ready'
    tapline down
    run ! grep 'does not use' sup.err
    up_ready FILE= SIM=0 NOWHERE=-v
    run tapline status
    assert_line --regexp '^a +ready'
    refute_output --regexp 'sim|late'
    run ! grep 'does not use' sup.err
    tapline down
    wait_gone "$SUP"
    bad '^p.conf:1: no stage: the only_if of every section says no' '[a]' 'only_if = no' 'run = cat'
}

@test "names of piped stages" {
    conf '[a]' "run = $IDLE -o fifo:f -o 'x?line' -o - -o mid | cat | cat | framedecode --format lines -o -" \
        '[b]' "run = framedecode --format lines -i fifo:f -o b"
    up_ready
    run tapline status
    for name in mid a.cat a.cat-2 a.framedecode b; do assert_line --regexp "^$name +ready"; done
}

@test "a configuration that was mended starts on request" {
    conf '[a]' 'run = sh -c "test -e good || exit 2; exec sleep 1000"'
    touch good
    up_ready
    rm good
    kill -9 "$(pid_of a)"
    log 'stage a \(sh\) ended with status 2 \(bad usage, see its log\); not started again'
    field_is a state failed
    field_is a cause usage
    touch good
    tapline restart a
    wait_for 5 field_is a state ready
}

@test "bad usage before it was ever up: no half of a pipeline stays" {
    conf '[a]' "run = $IDLE -o a" '[b]' 'run = sh -c "echo no luck >&2; exit 2"'
    run timeout 30 supervisor p.conf
    assert_failure 1
    assert_output --partial 'b: no luck'
    assert_line --partial 'pipeline p does not come up: stage b is failed: ended with status 2 (bad usage, see its log)'
    assert_not_exist "$TAPLINE_RUN/lock"
}

@test "options of tapline's own programs are checked before anything starts" {
    bad '^p.conf:2: \[a\] serialcat: --baud: "abc" is not a whole number' \
        '[a]' 'run = sh -c "touch started; exec sleep 1000" | serialcat --device /dev/null --baud abc -o s'
    assert_not_exist started
    bad '^p.conf:2: \[a\] dispatch panel: --buttons: 0 is out of range' '[a]' 'run = dispatch panel --buttons 0 -i supervisor -o r'
    bad '^p.conf:2: \[a\] framedecode: --format nope: unknown' '[a]' 'run = framedecode --format nope -i supervisor -o r'
    bad '^p.conf:2: \[a\] httpd: --listen foo:99999: is not HOST:PORT' '[a]' 'run = httpd --listen foo:99999 -r "GET / dir ." -o r'
    bad '^p.conf:2: \[a\] dispatch: no rules named "flowers"' '[a]' 'run = dispatch flowers -i supervisor -o r'
    bad '^p.conf:2: \[a\] serialcat: --device needs a value' '[a]' 'run = serialcat -o r --device'
    bad '^p.conf:2: \[a\] .*where to\? \(-w FILE' '[a]' 'run = tapline record decode'
    bad '^p.conf:2: \[a\] framedecode: --topic "A,B": a topic' '[a]' 'run = framedecode --format lines -i supervisor --topic A,B -o r'
    # Every one of them, and a directory and an environment as when it is run.
    mkdir sub
    echo x >sub/index.html
    conf '[a]' 'dir = sub' 'run = httpd --listen 127.0.0.1:0 -r "GET / file index.html" -o web' \
        '[b]' 'run = tapline record web -w all.tap' '[c]' 'run = devsim panel --link tty -o sim'
    run timeout 30 supervisor --check p.conf
    assert_success
    assert_output 'p.conf: pipeline p, 3 stages, no problem found'
    run ls
    assert_output $'p.conf\nrun\nsub'
    run framedecode --help
    refute_output --regexp -- '--check( |$)'
    run framedecode --check --format lines -o x
    assert_success
    assert_output ''
}

@test "a program that cannot be run: why, and failed" {
    cp /bin/sleep ./nap
    conf '[a]' 'run = ./nap 1000' '[b]' 'run = ./script' '[c]' 'run = sleep 1000' 'dir = d'
    printf '#!/no/such/interpreter\n' >script
    chmod +x script
    mkdir d
    up
    log "stage b \(script\) cannot run $WORK/script: No such file or directory; not started again"
    wait_for 5 field_is a state ready
    rm nap
    rmdir d
    kill -9 "$(pid_of a)"
    kill -9 "$(pid_of c)"
    log "stage a \(nap\) cannot run $WORK/nap: No such file"
    log 'stage c \(sleep\) cannot change to directory d: No such file'
    field_is a state failed
    field_is a cause absent
}
