#!/usr/bin/env bats
# supervisor: pipeline files, the life of a stage, pipes, stopping, logs, and its own death.
load helper

setup() {
    common_setup
    NAP=1000.$BASHPID # no other test sleeps so long
}
naps() { pgrep -f "^sleep $NAP\$"; }
no_nap() { ! naps; }

# conf LINE...: the pipeline file p.conf.
conf() { printf '%s\n' "$@" >p.conf; }
# Without the log of an earlier one, which would be read as this one's.
up() { rm -f sup.err && start sup supervisor p.conf "$@" && SUP=$PID; }
up_ready() {
    up "$@"
    wait_line sup.err 'pipeline p is up'
}
log() { wait_line sup.err "$@"; }
# field STAGE KEY: of the status reply.
field() {
    tapline status --json | "$PY" -c "import json,sys
print([s for s in json.load(sys.stdin)['stages'] if s['name']=='$1'][0]['$2'])"
}
field_is() { [ "$(field "$1" "$2")" = "$3" ]; }
pid_of() { field "$1" pid; }
# A program of tapline's that only reports.
IDLE='framedecode --format lines -i supervisor --topic none.'
# bad PATTERN LINE...: the file is refused with that text, and nothing is started or made.
bad() {
    local want=$1
    shift
    conf "$@"
    run timeout 30 supervisor p.conf
    assert_failure 2
    assert_output --regexp "$want"
    assert_not_exist "$TAPLINE_RUN/lock"
}

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

@test "a stage's surroundings: environment, directory, files, signals" {
    mkdir there
    conf '[probe]' 'env.COLOUR = light green' 'env.TAPLINE_X = $HERE' 'dir = there' \
        'run = sh -c "pwd >../out; env >../env; ls -l /proc/self/fd >../fd; cat /proc/self/status >../sig; exec sleep 1000"'
    exec 9<p.conf
    NOTIFY_SOCKET=/nowhere up_ready
    exec 9<&-
    wait_for 5 test -s sig
    assert_equal "$(cat out)" "$WORK/there"
    grep -qx 'COLOUR=light green' env
    grep -qx "TAPLINE_X=$WORK" env
    grep -qx 'TAPLINE_STAGE=probe' env
    grep -qx "TAPLINE_RUN=$TAPLINE_RUN" env
    grep -q "^PATH=$(dirname "$(readlink -f "$(command -v supervisor)")"):" env
    run ! grep NOTIFY_SOCKET env
    assert_equal "$(grep -c -- '->' fd)" 4 # 0, 1, 2 and the directory that ls reads
    grep -q ' 0 -> /dev/null' fd
    run grep -E '^Sig(Blk|Ign):' sig
    assert_output --regexp '^SigBlk:[[:space:]]0+
SigIgn:[[:space:]]0+$'
}

@test "user: a stage runs as somebody else, who reaches the sockets" {
    chmod 711 "$WORK"
    if [ "$(id -u)" != 0 ]; then
        bad '^p.conf:3: user = root: only root can run' '[a]' 'run = cat' 'user = root'
        return
    fi
    conf '[a]' "run = $IDLE -o a" 'user = nobody' '[b]' "run = $IDLE -o b -i a"
    cp "$BIN/supervisor" "$BIN/framedecode" . # where nobody may run them
    start sup ./supervisor p.conf
    log 'pipeline p is up: 2 stages'
    assert_equal "$(ps -o user= -p "$(pid_of a)")" nobody
    run grep -E '^(Uid|Gid|Groups):' "/proc/$(pid_of a)/status"
    refute_line --regexp $'^(Uid|Gid):.*\t0'
    assert_equal "$(stat -c %a "$TAPLINE_RUN")" 2770
    wait_for 5 tapline req a ping
    tapline down
    run ! test -e "$TAPLINE_RUN/a.pub"
}

@test "stages that report, and stages that do not, become ready; status tells all" {
    conf '[one]' "run = $IDLE -o one" '[two]' 'run = sleep 1000'
    up_ready
    assert_equal "$(field one state) $(field one cause) $(field two state)" 'ready ok ready'
    assert_equal "$(field two command)" "['sleep', '1000']"
    assert_equal "$(field two report)" None
    assert_equal "$(field one section) $(field one restarts)" 'one 0'
    field one report | grep -q "'program': 'framedecode'"
    [ "$(field one uptime_ms)" -gt 0 ]
    run tapline req supervisor status
    assert_output --partial "\"pipeline\":\"p\""
    assert_output --partial "\"file\":\"$WORK/p.conf\""
    assert_output --partial "\"state\":\"ready\""
    run tapline tap supervisor --topic sys.one -n 1 --for 5s -f json
    assert_output --partial '"topic":"sys.one"'
}

@test "names of piped stages" {
    conf '[a]' "run = $IDLE -o fifo:f -o 'x?line' -o - -o mid | cat | cat | framedecode --format lines -o -" \
        '[b]' "run = framedecode --format lines -i fifo:f -o b"
    up_ready
    run tapline status
    for name in mid a.cat a.cat-2 a.framedecode b; do assert_line --regexp "^$name +ready"; done
}

@test "a stage that is killed comes back; status counts it" {
    conf '[a]' "run = $IDLE -o a"
    up_ready
    kill -9 "$(pid_of a)"
    log 'supervisor: stage a \(framedecode\) ended by signal 9 \(killed\); starting again in 250 ms$'
    log 'stage a \(framedecode\) is ready again'
    field_is a restarts 1
    field_is a last_exit 'ended by signal 9 (killed)'
    wait_for 5 tapline req a ping
}

@test "back-off doubles; restart policies" {
    conf '[crash]' 'run = sh -c "exit 3"' 'backoff = 50ms' '[done]' 'run = true' 'restart = on-failure' \
        '[once]' 'run = sh -c "exit 4"' 'restart = never' '[fine]' 'run = true' 'restart = never' \
        '[again]' 'run = true' 'backoff = 30s'
    up
    for ms in 50 100 200 400; do
        log "stage crash \(sh\) ended with status 3; starting again in $ms ms"
    done
    log 'stage done \(true\) ended with status 0$'
    log 'stage fine \(true\) ended with status 0$'
    log 'stage once \(sh\) ended with status 4; not started again \(tapline restart once\)'
    log 'stage again \(true\) ended with status 0; starting again in 30000 ms'
    field_is done state down
    field_is once state failed
    field_is once cause crashed
    field_is again state 'backing off'
    tapline restart again
    log 'stage again .*' && wait_for 5 field_is again restarts 2
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

@test "watchdog: a stage that hangs is ended and started again" {
    conf '[a]' "run = $IDLE -o a" 'watchdog = 2s' '[b]' "run = $IDLE -o b" 'watchdog = 0' '[c]' 'run = sleep 1000'
    up_ready
    kill -STOP "$(pid_of b)"
    kill -STOP "$(pid_of a)"
    log 'stage a \(framedecode\) did not report for 2 s; ending it'
    log 'stage a \(framedecode\) ended by signal 6 .*; starting again'
    log 'stage a \(framedecode\) is ready again'
    field_is a restarts 1
    field_is b restarts 0
    field_is c restarts 0
}

@test "limit.memory: a stage that grows too big is started again" {
    conf '[big]' "run = $PY -c 'import time; x = bytearray(200 << 20); time.sleep(1000)'" 'limit.memory = 100M' \
        '[small]' 'run = sleep 1000' 'limit.memory = 100M'
    up
    log 'stage big .* uses 2[0-9][0-9] MB, more than limit.memory 100 MB; ending it'
    log 'stage big .* ended by signal 15 .*; starting again'
    field_is small restarts 0
}

@test "a pipe keeps what is in it while both sides die" {
    conf '[a]' 'run = sh -c "test -e filled || seq 1 20000; touch filled; exec sleep 1000" | sh -c "test -e go || exec sleep 1000; exec cat >>got"'
    up
    wait_for 5 test -e filled
    wait_for 5 field_is a.sh-2 state ready
    touch go
    kill -9 "$(pid_of a.sh)" "$(pid_of a.sh-2)"
    wait_for 10 bash -c '[ "$(wc -l <got)" = 20000 ]'
    seq 1 20000 | cmp - got
}

@test "either side of a pipe dies alone and nothing is lost" {
    cat >count.sh <<'EOF'
i=$(tail -n 1 sent 2>/dev/null)
while :; do i=$((i + 1)); echo $i >>sent; echo $i; sleep 0.002; done
EOF
    conf '[a]' 'backoff = 1ms' 'run = sh count.sh | cat | sh -c "exec cat >>got"'
    up
    wait_for 5 test -s got
    wait_for 5 field_is a.sh-2 state ready
    reader=$(pid_of a.sh-2)
    for i in 1 2 3 4 5; do
        kill -9 "$(pid_of a.sh)"
        wait_for 5 field_is a.sh restarts $i
    done
    field_is a.cat restarts 0
    assert_equal "$(pid_of a.sh-2)" "$reader"
    n=$(wc -l <got)
    wait_for 5 bash -c "[ \$(wc -l <got) -gt $((n + 20)) ]"
    # The one line under way when it was killed may be missing or written twice by count.sh itself.
    "$PY" - <<'EOF'
got = [int(x) for x in open("got").read().split("\n")[:-1]]
missing = sorted(set(range(1, got[-1] + 1)) - set(got))
assert len(missing) <= 5 and got == sorted(got), missing
EOF
}

@test "SIGTERM: all end by themselves, exit 0, nothing is left" {
    conf '[a]' "run = $IDLE -o - -o a | framedecode --format lines -o fifo:f" 'stop_timeout = 1h' \
        '[b]' 'run = framedecode --format lines -i fifo:f -o b' 'stop_timeout = 1h' \
        '[c]' "run = sh -c 'sleep $NAP & sleep $NAP & wait'" 'stop_timeout = 1h'
    up_ready
    pids="$(pgrep -P "$SUP") $(naps)"
    kill -TERM "$SUP"
    wait_end "$SUP"
    for p in $pids; do run ! kill -0 "$p"; done
    run ls -A "$TAPLINE_RUN"
    assert_output ''
}

@test "a stage that ignores SIGTERM is killed after its stop_timeout" {
    conf '[deaf]' "run = sh -c 'trap \"\" TERM; while :; do sleep $NAP; done'" '[asleep]' "run = sleep $NAP" 'stop_timeout = 1h' \
        '[quick]' "run = sh -c 'trap \"\" TERM; while :; do sleep $NAP; done'" 'stop_timeout = 100ms'
    up_ready
    kill -STOP "$(pid_of asleep)"
    kill -INT "$SUP"
    wait_end "$SUP"
    run grep -o 'stage .*killing it' sup.err # one that is stopped goes on, so that it can end
    assert_output 'stage quick (sh) did not end within 100 ms; killing it
stage deaf (sh) did not end within 900 ms; killing it'
    no_nap
}

@test "a second SIGTERM kills at once" {
    conf '[deaf]' "run = sh -c 'trap \"\" TERM; while :; do sleep $NAP; done'" 'stop_timeout = 1h'
    up_ready
    kill -TERM "$SUP"
    log 'pipeline p is stopping'
    kill -TERM "$SUP"
    wait_end "$SUP"
    no_nap
}

@test "what a stage starts is ended with it, even in a session of its own" {
    conf '[a]' "run = sh -c 'setsid sleep $NAP & sleep $NAP & exec sleep $NAP'"
    up_ready
    group=$(pid_of a)
    kill -9 "$group"
    log 'starting again'
    run ! pgrep -g "$group"
    wait_for 5 naps
    kill -TERM "$SUP"
    wait_gone "$SUP" 3
    no_nap
}

@test "no zombies, whoever dies" {
    conf '[a]' 'run = sh -c "true & (true &) && exit 1"' 'backoff = 5ms' '[b]' 'run = sh -c "(sleep 0.05 &) && exec sleep 1000"'
    up
    wait_for 10 bash -c '[ "$(grep -c "stage a .*starting again" sup.err)" -ge 8 ]'
    zombies() { [[ -z $(ps -o stat= --ppid "$SUP" | grep Z) ]]; }
    wait_for 2 zombies
}

@test "kill -9 of the supervisor: no orphan within 2 s, and the next comes up at once" {
    conf '[a]' "run = $IDLE -o - -o a | framedecode --format lines -o b" '[deaf]' "run = sh -c 'trap \"\" TERM; while :; do sleep $NAP; done'" \
        '[stopped]' "run = $IDLE -o c" '[kids]' "run = sh -c 'sleep $NAP & sleep $NAP'"
    up_ready
    kill -STOP "$(pid_of stopped)"
    pids="$(pgrep -P "$SUP") $(naps)"
    kill -9 "$SUP"
    wait_gone "$SUP" 2
    start sup2 supervisor p.conf
    none_left() { for p in $pids; do not_alive "$p" || return 1; done; }
    wait_for 2 none_left
    wait_line sup2.err 'pipeline p is up'
    run ! grep -E 'in use|ended' sup2.err
}

@test "the guard is started again when it is killed" {
    conf '[a]' "run = sleep $NAP"
    up_ready
    guard=$(pgrep -P "$SUP" -x tapline-guard)
    kill -9 "$guard"
    log 'the guard has been ended; starting another'
    wait_for 2 pgrep -P "$SUP" -x tapline-guard
    kill -9 "$SUP"
    wait_for 2 no_nap
}

@test "a second supervisor names the first; stale files are no hindrance" {
    conf '[a]' 'run = sleep 1000'
    printf '1\nother\nx\n' >"$TAPLINE_RUN/lock"
    : >"$TAPLINE_RUN/report.sock"
    up_ready
    run timeout 30 supervisor p.conf
    assert_failure 1
    assert_output --regexp "supervisor: pipeline p is running already as process $SUP \(stop it: tapline down -p p\)$"
    assert_equal "$(wc -l <<<"$output")" 1
    kill -0 "$SUP"
    tapline status
}

@test "SIGHUP is ignored" {
    conf '[a]' 'run = sleep 1000'
    up_ready
    kill -HUP "$SUP"
    run tapline req supervisor ping
    assert_success
}

@test "ends by itself, with 0, when every stage has ended well" {
    conf '[a]' 'run = true' 'restart = never' '[b]' 'run = sh -c "sleep 0.2"' 'restart = on-failure'
    run timeout 30 supervisor p.conf
    assert_success
    assert_output --partial 'every stage has ended'
}

@test "the run directory: made with mode 0700 and removed" {
    conf '[a]' "run = sh -c 'echo \$TAPLINE_RUN >out; exec sleep 1000'"
    unset TAPLINE_RUN
    export XDG_RUNTIME_DIR=$WORK/xdg
    mkdir xdg
    up_ready
    assert_equal "$(cat out)" "$WORK/xdg/tapline/p"
    assert_equal "$(stat -c %a xdg/tapline/p)" 700
    tapline down
    assert_not_exist xdg/tapline/p
    conf '[pipeline]' 'name = other' 'open = $TAPLINE_RUN' '[a]' 'run = sleep 1000'
    start sup supervisor p.conf
    log "supervisor: open $WORK/xdg/tapline/other in a browser; "
    assert_exist xdg/tapline/other/lock
}

@test "log lines: time, stage, level, cut, cleaned; standard output of the last is a log, too" {
    cat >talk.sh <<'EOF'
printf '<3>an error\n<7>a detail\nplain \033[31mred\033[0m \377\n' >&2
head -c 9000 /dev/zero | tr '\0' x >&2
printf '\nafter\nno end of line' >&2
echo from stdout
exit 0
EOF
    conf '[a]' 'run = sh talk.sh' 'restart = never' '[b]' 'run = sleep 1000'
    up --log all.log
    log '^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3} a: an error$'
    log 'a: a detail$'
    log 'a: plain \\x1b\[31mred\\x1b\[0m \\xff$'
    log 'a: x{4096} \.\.\. \(cut\)$'
    log 'a: after$'
    log 'a: no end of line$'
    log 'a: from stdout$'
    log 'stage a \(sh\) ended with status 0'
    wait_line all.log '^20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:.]+ a: after$'
    run tapline logs --level error a
    assert_output --regexp 'a: an error$'
    refute_output --partial plain
}

@test "a flood of lines is limited, counted, and disturbs nobody" {
    conf '[flood]' 'run = sh -c "yes flooding >&2"' '[calm]' \
        'run = sh -c "while :; do echo tick >&2; sleep 0.1; done"'
    up
    log 'flood: [0-9]{3,} lines left out here \(more than 500 in a second\)'
    n=$(grep -c 'calm: tick' sup.err)
    wait_for 3 bash -c "[ \$(grep -c 'calm: tick' sup.err) -gt $((n + 5)) ]"
    assert [ "$(grep -c 'flood: flooding' sup.err)" -lt 5000 ]
    assert [ "$(awk '/VmRSS/ {print $2}' "/proc/$SUP/status")" -lt 200000 ]
    run tapline logs -n 4000
    assert [ "${#lines[@]}" -le 4000 ]
}

@test "nobody reads the log: stages and supervisor go on" {
    conf '[a]' 'run = sh -c "while :; do seq 1 400 >&2; echo . >>alive; sleep 1; done"' 'stop_timeout = 100ms'
    mkfifo pipe
    exec 9<>pipe
    supervisor p.conf 2>pipe 3>&- 9>&- &
    SUP=$!
    PIDS+=("$SUP")
    wait_for 5 tapline status
    # Fill the pipe, then see that requests are answered and the stage writes on.
    "$PY" -c "import os; os.set_blocking(9, False)
try:
    while True: os.write(9, b'x' * 4096)
except BlockingIOError: pass" 9<>pipe
    n=$(stat -c %s alive)
    wait_for 5 bash -c "[ \$(stat -c %s alive) -gt $((n + 2)) ]"
    tapline status
    kill -TERM "$SUP"
    wait_gone "$SUP" 3
    exec 9>&-
}

@test "log.line is published" {
    conf '[a]' 'run = sh -c "while :; do echo \<4\>hello >&2; sleep 0.1; done"'
    up_ready
    run tapline tap supervisor --topic log. -n 1 --for 5s -f json
    assert_output --partial '"body":{"stage":"a","level":4,"text":"hello"}'
}

@test "under systemd: levels without time; READY, WATCHDOG, STOPPING" {
    conf '[a]' 'run = sh -c "echo \<4\>hello >&2; exec sleep 1000"'
    "$PY" -c "
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('notify')
print('bound', flush=True)
while True: print(s.recv(999).decode(), flush=True)" >notify.out 3>&- &
    PIDS+=($!)
    wait_line notify.out bound
    : >sup.err
    NOTIFY_SOCKET=$WORK/notify WATCHDOG_USEC=400000 JOURNAL_STREAM=$(stat -c %d:%i sup.err) \
        supervisor p.conf 2>>sup.err 3>&- &
    SUP=$!
    PIDS+=($SUP)
    wait_line notify.out READY=1
    wait_line notify.out WATCHDOG=1
    log '^<4>a: hello$'
    log '^<6>supervisor: pipeline p is up'
    kill -TERM "$SUP"
    wait_line notify.out STOPPING=1
}

@test "requests that make no sense are refused" {
    conf '[a]' 'run = sleep 1000'
    up_ready
    run tapline req supervisor fly
    assert_failure
    assert_output --partial 'does not know the request \"fly\"'
    run tapline req supervisor restart stage=b
    assert_output --partial 'there is no stage \"b\" in pipeline p'
    run tapline req supervisor restart stage=7
    assert_output --partial 'is no name of a stage'
    run tapline req supervisor logs stage=nope lines=99999999999 level=99999
    assert_output --partial 'there is no stage'
    run tapline req supervisor logs lines=99999999999 level=99999
    assert_success
    # Garbage for report.sock.
    "$PY" -c "
import os, socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for n in (0, 1, 50, 5000): s.sendto(os.urandom(n), '$TAPLINE_RUN/report.sock')
s.sendto(bytes.fromhex('94a5') + b'sys.a' + bytes.fromhex('0101') + bytes.fromhex('81a3') + b'pid' + bytes.fromhex('01'), '$TAPLINE_RUN/report.sock')"
    run tapline status
    assert_line --regexp '^a +ready +ok'
}

@test "detached: returns when ready, and says why when it does not come up" {
    conf '[a]' "run = $IDLE -o a"
    run timeout 30 supervisor -d p.conf
    assert_success
    assert_output --partial 'pipeline p is up: 1 stages ready'
    run tapline down
    assert_output 'pipeline p is down'
    conf '[a]' 'run = sleep 1000' '[b]' 'run = sh -c "echo no luck >&2; exit 2"'
    run timeout 30 supervisor -d p.conf
    assert_failure 1
    assert_output --partial 'b: no luck'
    assert_output --partial 'pipeline p does not come up: stage b is failed: ended with status 2'
    run tapline status
    assert_failure
    assert_output --partial 'no pipeline is running'
}

@test "a program that is not tapline's may pipe plain bytes into a decoder" {
    cat >x.conf <<'E2'
[gen]
run = sh -c "printf 'hello\nworld\n'; sleep 60"
  | framedecode --format lines -o lines
E2
    start up supervisor x.conf
    wait_for 5 bash -c 'tapline req lines stats | grep -q "\"lines\":2"'
}

@test "two quick restarts of a stage do not stop the pipeline" {
    conf '[a]' 'run = sleep 1000' '[b]' 'run = sleep 1000'
    up_ready
    # So close together that a SIGTERM falls between fork and exec.
    "$PY" "$ROOT/test/tool/spbus.py" burst supervisor '{"op":"restart","stage":"a"}' 600
    wait_for 10 field_is a state ready
    assert [ "$(field a restarts)" -gt 5 ]
    field_is b restarts 0
    run ! grep -q 'is stopping' sup.err
}

@test "the run directory is removed: said once, made anew, stages again, nothing is lost from sight" {
    conf '[a]' "run = $IDLE -o - -o a | framedecode --format lines -o b" '[c]' "run = sleep $NAP" \
        '[once]' 'run = sh -c "echo . >>once"' 'restart = never'
    up_ready
    guard=$(pgrep -P "$SUP" -x tapline-guard)
    for gone in "$TAPLINE_RUN" "$TAPLINE_RUN/lock"; do
        rm -rf "$gone"
        wait_for 5 test -e "$TAPLINE_RUN/lock"
        wait_for 5 tapline req b ping
        wait_for 5 field_is c state ready
    done
    assert_equal "$(grep -c "the run directory $TAPLINE_RUN was removed" sup.err)" 2
    assert_equal "$(field a restarts) $(field b restarts) $(field once restarts)" '2 2 0'
    assert_equal "$(cat once)" .
    run timeout 30 supervisor p.conf # the lock is held again
    assert_failure 1
    assert_output --partial "is running already as process $SUP"
    # And so is the guard's.
    assert [ "$(pgrep -P "$SUP" -x tapline-guard)" != "$guard" ]
    kill -9 "$SUP"
    wait_gone "$SUP" 2
    start sup2 supervisor p.conf
    wait_line sup2.err 'pipeline p is up'
    wait_for 2 bash -c "[ \$(pgrep -fc '^sleep $NAP\$') = 1 ]"
    tapline down
    wait_for 2 test ! -e "$TAPLINE_RUN/lock"
}

@test "another has the run directory by now: ends with 1 and touches nothing of it" {
    conf '[a]' "run = $IDLE -o a" '[b]' "run = $IDLE -o b -i a"
    up_ready
    for how in by-itself told; do
        kill -STOP "$SUP"
        rm -rf "$TAPLINE_RUN"
        start next supervisor p.conf
        NEXT=$PID
        wait_line next.err 'pipeline p is up'
        # In the second round the signal comes first.
        [ $how = by-itself ] || kill -TERM "$SUP"
        kill -CONT "$SUP"
        status=0
        wait_end "$SUP" || status=$?
        [ $how = told ] || assert_equal $status 1
        [ $how = told ] || grep -q "the run directory $TAPLINE_RUN was removed, and another supervisor has it now" sup.err
        for s in a b supervisor; do tapline req $s ping; done
        assert_equal "$(tapline status --json | "$PY" -c 'import json,sys; print(json.load(sys.stdin)["pid"])')" "$NEXT"
        SUP=$NEXT
        mv next.err sup.err
    done
    tapline down
    assert_not_exist "$TAPLINE_RUN"
}

@test "the run directory is locked against those who clean up" {
    conf '[a]' 'run = sleep 1000'
    up_ready
    run flock -n -x "$TAPLINE_RUN" true
    assert_failure 1
    flock -n -s "$TAPLINE_RUN" true
    tapline down
    flock -n -x "$TAPLINE_RUN" true
}

@test "what a stage remembers outlives the stage, not the pipeline" {
    conf '[a]' 'run = sh -c "echo . >>$TAPLINE_RUN/x.state; wc -l <$TAPLINE_RUN/x.state >n; exec sleep 1000"'
    lives() { [ "$(cat n)" = "$1" ]; }
    up_ready
    lives 1
    kill -9 "$(pid_of a)"
    wait_for 5 lives 2
    tapline down
    assert_not_exist "$TAPLINE_RUN/x.state"
    echo left by kill -9 >"$TAPLINE_RUN/x.state"
    rm n
    up_ready
    wait_for 5 lives 1
    rm -f n
}
