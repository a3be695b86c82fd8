#!/usr/bin/env bats
# supervisor: the life of a stage, pipes, stopping, logs, and its own death.
load supervisor

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

@test "cpu: the processors a section's stages may use" {
    list() { "$PY" -c "import os; print(*sorted(os.sched_getaffinity($1)), sep=',')"; }
    all=$(list 0)
    conf '[one]' 'run = sleep 1000 | sleep 1000' "cpu = ${all##*,}" '[any]' 'run = sleep 1000' 'cpu = ${NOTHING:-}' \
        '[some]' 'run = sleep 1000' "cpu = ${all%%,*}, 1000-1023"
    up_ready
    assert_equal "$(list "$(pid_of one.sleep)") $(list "$(pid_of one.sleep-2)")" "${all##*,} ${all##*,}"
    assert_equal "$(list "$(pid_of any)")" "$all"
    assert_equal "$(list "$(pid_of some)")" "${all%%,*}"
    assert_equal "$(list "$SUP")" "$all"
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

@test "SIGHUP: nothing where there is no terminal, or with nohup; the end of a terminal is ours" {
    conf '[a]' "run = sleep $NAP"
    start sup setsid supervisor p.conf
    log 'pipeline p is up'
    kill -HUP "$PID"
    run tapline req supervisor ping
    assert_success
    tapline down
    wait_end "$PID"
    "$PY" "$ROOT/test/tool/close_terminal.py" nohup tapline up ./p.conf
    run tapline req supervisor ping
    assert_success
    tapline down
    "$PY" "$ROOT/test/tool/close_terminal.py" tapline up ./p.conf
    wait_for 5 no_nap
    wait_for 5 eval '! tapline req supervisor ping'
}

@test "ends by itself, with 0, when every stage has ended well" {
    conf '[a]' 'run = true' 'restart = never' '[b]' 'run = sh -c "sleep 0.2"' 'restart = on-failure'
    run timeout 30 supervisor p.conf
    assert_success
    assert_output --partial 'every stage has ended'
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
