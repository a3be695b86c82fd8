#!/usr/bin/env bats
# tapline: the command people type.
load helper

setup() {
    common_setup
    # Pipelines by name live below the runtime directory, so each test has one of its own.
    RUN=$TAPLINE_RUN
    unset TAPLINE_RUN
    export XDG_RUNTIME_DIR=$WORK/x
    mkdir x pipelines
}
teardown() {
    local name pid
    tapline list 2>/dev/null | while read -r name pid _; do tapline down "$name" || kill -9 "$pid"; done
    common_teardown
}

IDLE='framedecode --format lines -i supervisor --topic none.'
pipeline() { printf '%s\n' "${@:2}" >"pipelines/$1.conf"; }
two_stages() { pipeline "${1:-p}" '[a]' "run = $IDLE -o a" '[b]' 'run = sleep 1000'; }
json() { tapline status --json | "$PY" -c "import json,sys; d=json.load(sys.stdin); print($1)"; }
json_is() { [ "$(json "$1")" = "$2" ]; }

@test "help, version, unknown words" {
    run tapline --help
    assert_success
    for c in up down status logs restart list check tap put req sim help; do assert_line --regexp "^  $c +[a-z]"; done
    run tapline help
    assert_success
    run tapline --version
    assert_output --regexp '^tapline [0-9.]+$'
    run tapline
    assert_failure 2
    run tapline fly
    assert_failure 2
    assert_output 'tapline: "fly" is neither a command nor a program nor a pipeline of tapline (see tapline help)'
    run tapline --fly
    assert_failure 2
    run tapline -p
    assert_failure 2
    run tapline ../../bin/sh
    assert_failure 2
    run tapline sh -c 'echo no'
    assert_failure 2
    for c in up down status logs restart list check tap put req; do
        run tapline $c --help
        assert_success
        assert_output --partial "tapline $c"
        run tapline help $c
        assert_output --partial "tapline $c"
        run tapline $c --no-such-option
        assert_failure 2
    done
}

@test "any program of tapline runs by its name, with its exit status" {
    run tapline framedecode --version
    assert_success
    assert_output --regexp '^framedecode \(tapline\)'
    run tapline help framedecode
    assert_output --partial 'usage: framedecode'
    run tapline framedecode --format none
    assert_failure 2
    run tapline sim --help
    assert_output --partial 'devsim'
    ln -s "$(readlink -f "$(command -v tapline)")" here
    run ./here framedecode --version
    assert_success
}

@test "no pipeline is running" {
    for c in down status logs restart; do
        run tapline $c
        assert_failure 1
        assert_output 'tapline: no pipeline is running (start one: tapline up pipelines/demo.conf)'
    done
    run tapline list
    assert_success
    assert_output 'no pipeline is running'
    mkdir -p x/tapline/stale
    printf '1\nstale\nfile\n' >x/tapline/stale/lock
    run tapline status
    assert_output --partial 'no pipeline is running'
}

@test "up -d, status, down" {
    two_stages
    run tapline up -d pipelines/p.conf
    assert_success
    assert_output --partial 'pipeline p is up: 2 stages ready'
    run tapline status
    assert_line --index 0 --regexp "^pipeline p: ready, up [0-9.]+s, process [0-9]+, $WORK/pipelines/p.conf$"
    assert_line --index 1 --regexp '^stage +state +cause +pid +up +restarts +in/s +out/s +lost +dropped +queue +p50 +p99 +cpu +memory +age$'
    assert_line --index 2 --regexp '^a +ready +ok +[0-9]+ +[0-9.]+s +0 +0 +0 +0 +0 +0 +- +- +[0-9.]+% +[0-9.]+M +-$'
    assert_line --index 3 --regexp '^b +ready +ok +[0-9]+ +[0-9.]+s +0( +-){10}$'
    run tapline list
    assert_output --regexp "^p +[0-9]+  $WORK/x/tapline/p  $WORK/pipelines/p.conf$"
    run tapline up -d pipelines/p.conf
    assert_failure 1
    assert_output --regexp 'pipeline p is running already as process [0-9]+ \(stop it: tapline down -p p\)'
    pid=$(json "d['pid']")
    run tapline down
    assert_success
    assert_output 'pipeline p is down'
    assert not_alive "$pid"
    assert_not_exist x/tapline/p
}

@test "up in the foreground becomes the supervisor; its exit status" {
    two_stages
    start up tapline up pipelines/p.conf
    wait_line up.err 'pipeline p is up'
    assert_equal "$(json "d['pid']")" "$PID"
    run tapline down p
    wait_end "$PID"
    run tapline up gone.conf
    assert_failure 2
    pipeline bad '[a]' 'run = cat' 'runn = x'
    run tapline up -d pipelines/bad.conf
    assert_failure 2
    assert_output --regexp '^pipelines/bad.conf:3: unknown key "runn"'
}

@test "up with variables, a log file, -q" {
    pipeline p '[pipeline]' 'NAP = ${NAP:-none}' '[a]' 'run = sh -c "echo $NAP $X >out; exec sleep 1000"'
    X=two run tapline up -d -q --log all.log pipelines/p.conf NAP=one
    assert_success
    assert_output ''
    assert_equal "$(cat out)" 'one two'
    assert_exist all.log
}

@test "a bare name is found in ./pipelines, and among those that came with tapline" {
    two_stages
    run tapline up -d p
    assert_success
    assert_equal "$(json "d['file']")" "$WORK/pipelines/p.conf"
    tapline down
    mkdir -p tree/bin tree/www tree/pipelines elsewhere
    cp "$BIN/tapline" "$BIN/supervisor" "$BIN/framedecode" tree/bin
    pipeline q '[q]' 'run = sh -c "echo $HERE $SHARE; exec sleep 1000"'
    mv pipelines/q.conf tree/pipelines
    cd elsewhere
    run ../tree/bin/tapline up -d q
    assert_success
    assert_output --partial "q: $WORK/tree/pipelines $WORK/tree"
    cd ..
}

@test "installed: stages in libexec, data in share" {
    mkdir -p pre/bin pre/libexec/tapline pre/share/tapline/pipelines
    cp "$BIN/tapline" "$BIN/supervisor" "$BIN/framedecode" pre/libexec/tapline
    cp "$BIN/tapline" pre/bin
    ln -s ../libexec/tapline/tapline pre/bin/link
    pipeline q '[q]' "run = sh -c \"echo \$SHARE; exec $IDLE -o q\""
    mv pipelines/q.conf pre/share/tapline/pipelines
    for t in tapline link; do
        PATH=/usr/bin:/bin run pre/bin/$t up -d q
        assert_success
        assert_output --partial "q: $WORK/pre/share/tapline"
        PATH=/usr/bin:/bin run pre/bin/$t framedecode --version
        assert_success
        run pre/bin/$t down
        assert_success
    done
}

@test "up tells addresses that a browser takes" {
    pipeline p '[pipeline]' 'open = http://$A/x, http://$B/ and http://$C/' '[a]' "run = $IDLE -o a"
    run tapline up -d p A=0.0.0.0:81 B=82 C=127.0.0.1:83
    assert_success
    assert_output --partial 'open http://localhost:81/x, http://localhost:82/ and http://127.0.0.1:83/ in a browser'
}

@test "several are running: -p names one" {
    two_stages p
    two_stages q
    tapline up -d -q p
    tapline up -d -q q
    run tapline status
    assert_failure 2
    assert_output 'tapline: several pipelines are running: p, q (choose one: -p NAME)'
    run tapline status -p q
    assert_line --partial 'pipeline q: ready'
    run tapline -p p status
    assert_line --partial 'pipeline p: ready'
    run tapline status q
    assert_line --partial 'pipeline q: ready'
    TAPLINE_RUN=$WORK/x/tapline/p run tapline status
    assert_line --partial 'pipeline p: ready'
    run tapline -pq req a ping
    assert_success
    run tapline status r
    assert_failure 1
    assert_output 'tapline: no pipeline r is running (there are: p, q)'
    tapline down q
    run tapline status
    assert_line --partial 'pipeline p: ready'
    run tapline req a ping # the only one, found without being named
    assert_success
}

@test "TAPLINE_RUN: a run directory of one's own" {
    two_stages
    export TAPLINE_RUN=$RUN
    tapline up -d -q p
    assert_exist "$RUN/supervisor.rep"
    run tapline status p
    assert_line --partial 'pipeline p: ready'
    TAPLINE_RUN=$WORK/none run tapline status
    assert_output --partial 'no pipeline is running'
    tapline down p
    assert_not_exist "$RUN/lock"
}

@test "restart: one stage, a section, all, an unknown one" {
    pipeline p '[a]' "run = $IDLE -o - -o one | framedecode --format lines -o two" '[b]' 'run = sleep 1000'
    tapline up -d -q p
    pids() { json "[s['pid'] for s in d['stages']]"; }
    before=$(pids)
    run tapline restart one
    assert_output 'pipeline p: 1 stage starts again'
    wait_for 5 json_is "[s['restarts'] for s in d['stages']]" '[1, 0, 0]'
    run tapline restart a
    assert_output 'pipeline p: 2 stages start again'
    run tapline restart
    assert_output 'pipeline p: 3 stages start again'
    wait_for 5 json_is "[s['state'] for s in d['stages']]" "['ready', 'ready', 'ready']"
    [ "$before" != "$(pids)" ]
    run tapline restart nope
    assert_failure 1
    assert_output --partial 'there is no stage "nope" in pipeline p'
    run tapline restart a b
    assert_failure 2
}

@test "logs: last lines, of one stage, by level" {
    pipeline p '[a]' 'run = sh -c "printf \"one\n<3>two\n<4>three\n\" >&2; exec sleep 1000"' '[b]' 'run = sleep 1000'
    tapline up -d -q p
    run tapline logs a
    assert_equal "${#lines[@]}" 3
    assert_line --index 0 --regexp '^[0-9:]{8}\.[0-9]{3} a: one$'
    run tapline logs -n 1 a
    assert_equal "$output" "$(grep three <<<"$output")"
    run tapline logs --level error a
    assert_equal "${#lines[@]}" 1
    assert_output --partial 'two'
    run tapline logs --level warning
    assert_equal "${#lines[@]}" 2
    run tapline logs --level loud
    assert_failure 2
    run tapline logs nope
    assert_failure 1
    run tapline logs -n 5000
    assert_failure 2
}

@test "logs -f follows without a hole, and ends with the pipeline" {
    cat >count.sh <<'EOF'
i=0; while :; do i=$((i + 1)); echo n$i >&2; sleep 0.01; done
EOF
    pipeline p '[a]' 'run = sh count.sh'
    tapline up -d -q p
    start logs tapline logs -f -n 4000 a
    wait_line logs.out ' n150$'
    tapline down
    wait_end "$PID"
    sed 's/.* n//' logs.out >got
    seq 1 "$(tail -n 1 got)" | cmp - got
}

@test "status says what ails a stage; --watch goes on" {
    pipeline p '[serial]' 'run = serialcat --device /dev/no-such-tty -o serial' \
        '[bad]' 'run = sh -c "test -e was && exit 2; touch was; exec sleep 1000"'
    start up tapline up p
    wait_for 5 json_is "d['state']" ready
    tapline restart bad
    wait_for 5 json_is "d['state']" degraded
    wait_for 5 bash -c 'tapline status | grep -qE "^serial +ready +absent"'
    run tapline status
    assert_line --regexp '^serial: .*/dev/no-such-tty'
    assert_line --regexp '^bad +failed +usage +- +- '
    assert_line 'bad: ended with status 2 (bad usage, see its log)'
    start watch tapline status --watch
    wait_for 5 bash -c '[ "$(grep -c "^pipeline p:" watch.out)" -ge 2 ]'
    tapline down
    wait_gone "$PID" 5
}

@test "status --watch is never higher than the terminal, nor wider" {
    printf '[s%s]\nrun = sleep 1000\n' 1 2 3 4 5 6 7 8 9 >pipelines/p.conf
    tapline up -d -q p
    run script -qec 'stty rows 8 cols 60; timeout -s INT 0.8 tapline status --watch' /dev/null
    assert_output --partial $'\033[H\033[?7lpipeline p: ready'
    assert_output --partial $'and 8 lines more\033[K'
    assert_output --partial $'\033[J\033[?7h'
    refute_output --partial s9
    run script -qec 'stty rows 40 cols 60; timeout -s INT 0.8 tapline status --watch' /dev/null
    assert_output --partial s9
    refute_output --partial 'lines more'
}

@test "rates and latencies appear while messages flow" {
    cat >gen.py <<'EOF'
import itertools, msgpack, os, time
for n in itertools.count(1):
    os.write(1, msgpack.packb(["line", time.time_ns(), n, {"text": "x"}]))
    time.sleep(0.01)
EOF
    pipeline p '[a]' "run = $PY gen.py | framedecode --format lines -o lines"
    tapline up -d -q p
    flows() { tapline status | grep -qE '^lines +ready +ok +[0-9]+ +[0-9.]+s +0 +[1-9][0-9.]+ +[1-9][0-9.]+ +0 +0 +0 +[0-9.]+(us|ms) +[0-9.]+(us|ms) +[0-9.]+% +[0-9.]+M +[0-9.]+s'; }
    wait_for 10 flows
}

@test "check: right, wrong, every problem" {
    two_stages
    run tapline check p
    assert_success
    assert_output 'pipelines/p.conf: pipeline p, 2 stages, no problem found'
    pipeline p '[a]' 'run = nothing-such -x $Y' 'x = 1'
    run tapline check p
    assert_failure 2
    run tapline check p Y=1
    assert_failure 2
    assert_line --regexp '^pipelines/p.conf:2: \[a\] no program nothing-such'
    assert_line --regexp '^pipelines/p.conf:3: unknown key "x"'
    assert_not_exist x/tapline
    run tapline check
    assert_failure 2
    for f in "$ROOT"/pipelines/*.conf; do
        [ -e "$f" ] || continue
        AUTH_TOKEN=x AUTH_PASSWORD=x run tapline check "$f"
        assert_success
    done
}

@test "options that a pipeline declares" {
    pipeline opts '[pipeline]' 'description = a pipeline of its own' \
        'option.port = -p DEVICE serial port' 'option.debug = -d LOG=debug say what it does' \
        'option.use-demo = FILE=demo.bin play the demo' 'option.inputFile = -i FILE play FILE' \
        '# where the board is' 'DEVICE = ${DEVICE:-/dev/board}' 'LOG = ${LOG:-info}' 'FILE = ${FILE:-}' 'BOTH = $DEVICE-$LOG' \
        "# $(printf 'word %.0s' {1..14})" '# last' 'LONG = ${LONG:-}' \
        '[a]' "run = sh -c 'echo \"\$@\" >out; exec sleep 1000' sh \$BOTH \$LOG \${FILE:+-f \$FILE}"
    run tapline up opts --help
    assert_success
    assert_line 'tapline up opts: a pipeline of its own'
    assert_line --regexp '^  -p, --port DEVICE +serial port$'
    assert_line --regexp '^  -d, --debug +say what it does$'
    assert_line --regexp '^      --use-demo +play the demo$'
    assert_line --regexp '^      --detach +return once' # its letter is the pipeline's here
    assert_line --regexp '^  DEVICE=/dev/board +where the board is$'
    assert_line --regexp '^  FILE=$'
    assert_line --regexp '^  LONG= +[a-z ]+$'
    assert_line --regexp '^ {27}word word last$'
    refute_output --partial BOTH # made of others
    refute_output --partial 'description='
    run tapline opts -h
    assert_line 'tapline up opts: a pipeline of its own'
    run tapline help opts
    assert_line 'tapline up opts: a pipeline of its own'
    run tapline up opts --help=words
    assert_output --regexp '^-p --port -d --debug --use-demo -i --inputFile --detach '
    # In front of the name -d is up's.
    DEVICE=environment run tapline up -d opts -p 'a b' -d
    assert_success
    assert_output --partial 'pipeline opts is up'
    assert_equal "$(cat out)" 'a b-debug debug'
    tapline down
    tapline opts --port=x --inputFile 'two words' --detach -q LOG=warn
    assert_equal "$(cat out)" 'x-warn warn -f two words'
    tapline down
    run tapline check opts --use-demo -i demo.bin
    assert_success
    run tapline check opts --use-demo -i other.bin
    assert_failure 2
    assert_output 'tapline check opts: --use-demo and --inputFile cannot both be (each sets FILE) (see tapline check opts --help)'
    run tapline opts -p
    assert_failure 2
    assert_output 'tapline up opts: -p needs a value DEVICE (see tapline up opts --help)'
    run tapline up -p x opts
    assert_failure 2
    assert_output --partial 'tapline up: unknown option -p'
    run tapline graph opts -x
    assert_output --partial 'tapline graph opts: unknown option -x'
}

@test "options that are declared wrongly" {
    pipeline p '[pipeline]' 'option.help = A x' 'option.a = -h A x' 'A = 1' '[a]' 'run = cat $A'
    run tapline check p
    assert_failure 2
    assert_output --regexp '^pipelines/p.conf:2: option.help: not to be had as an option'
    run supervisor --check pipelines/p.conf
    assert_failure 2
    assert_line --regexp '^pipelines/p.conf:2: option.help: not to be had'
    assert_line --regexp '^pipelines/p.conf:3: option.a = -h A x: write a letter'
    pipeline p '[pipeline]' 'option.a = -x A x' 'option.b = -x DEVCE y' 'A = 1' 'DEVICE = 2' '[a]' 'run = cat $A $DEVICE'
    run tapline check p
    assert_failure 2
    assert_line 'pipelines/p.conf:3: option.b sets $DEVCE, which nothing in the file uses'
    assert_line 'pipelines/p.conf:3: option.b: -x is option.a already, line 2'
}

@test "a supervisor that hangs: said within seconds; killed and started anew" {
    two_stages
    tapline up -d -q p
    pid=$(json "d['pid']")
    kill -STOP "$pid"
    run tapline status
    assert_failure 1
    assert_output --regexp '^tapline: supervisor: (no answer in time|nobody answers)'
    run tapline down
    assert_failure 1
    kill -9 "$pid"
    wait_for 5 bash -c '[ "$(tapline list 2>&1)" = "no pipeline is running" ]'
    run tapline up -d -q p
    assert_success
}

@test "a service is found, also where XDG_RUNTIME_DIR is set" {
    two_stages svc
    mkdir -p "$TAPLINE_SYSTEM_RUN"
    TAPLINE_RUN=$TAPLINE_SYSTEM_RUN/svc tapline up -d -q svc
    run tapline list
    assert_output --regexp "^svc +[0-9]+  $TAPLINE_SYSTEM_RUN/svc  "
    run tapline status
    assert_line --partial 'pipeline svc: ready'
    run tapline req a ping
    assert_success
    two_stages own
    tapline up -d -q own
    run tapline status
    assert_output --partial 'several pipelines are running: own, svc'
    tapline down own
    tapline down svc
    assert_not_exist "$TAPLINE_SYSTEM_RUN/svc"
}

@test "a service that may not be looked at: how to" {
    mkdir -p "$TAPLINE_SYSTEM_RUN/panel" bin
    echo >"$TAPLINE_SYSTEM_RUN/panel/lock"
    chmod 0 "$TAPLINE_SYSTEM_RUN/panel"
    cp "$BIN/tapline" bin
    chmod 755 "$WORK" bin x
    as_user() { if [ "$(id -u)" = 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi; }
    said='pipeline panel runs as a service (sudo tapline -p panel status)'
    run as_user bin/tapline status
    assert_failure 1
    assert_output "tapline: $said"
    run as_user bin/tapline -p panel down
    assert_output "tapline: $said"
    run as_user bin/tapline list
    assert_success
    assert_output "$said"
    run as_user bin/tapline status other
    assert_output --partial 'no pipeline is running'
    chmod 700 "$TAPLINE_SYSTEM_RUN/panel"
}

@test "a manual page of every command, program, device and set of rules" {
    "$ROOT/contrib/man.sh" "$BIN" man
    for p in "$BIN"/*; do
        assert_file_contains "man/tapline-$(basename "$p" | sed 's/^tapline$/up/').1" '^.SH OPTIONS$'
    done
    for c in down status logs tap record put req; do assert_exist "man/tapline-$c.1"; done
    for c in panel espcam; do
        assert_exist "man/tapline-devsim-$c.1"
        assert_exist "man/tapline-dispatch-$c.1"
    done
    assert_file_contains man/tapline.1 '^record    keep messages in a file$'
    assert_file_contains man/tapline-devsim-panel.1 '^.B tapline devsim panel$'
    # Each begins as a page does, and none is a help text or a complaint.
    for page in man/*.1; do
        assert_equal "$(head -n 1 "$page")" ".TH \"$(basename "$page" .1)\" 1 \"\" \"tapline $(tapline --version | cut -d ' ' -f 2)\""
        run ! grep '^usage: ' "$page"
    done
}

@test "bash completes commands, pipelines and their options" {
    pipeline own '[pipeline]' 'option.port = -p DEVICE serial port' 'DEVICE = x' '[a]' 'run = cat $DEVICE'
    # shellcheck source=../contrib/completion/tapline.bash
    source "$ROOT/contrib/completion/tapline.bash"
    completes() { # WORD... , and then what comes of the last
        COMP_WORDS=("${@:1:$#-1}")
        COMP_CWORD=$(($# - 2))
        _tapline
        assert_equal "${COMPREPLY[*]}" "${*: -1}"
    }
    completes tapline stat status
    completes tapline ow own
    completes tapline serialc serialcat
    completes tapline -p x stat status
    completes tapline check ow own
    completes tapline up own --po --port
    completes tapline own --de --detach
    completes tapline up -d own --port --port
    completes tapline dispatch pan panel
    completes tapline dispatch panel --butt --buttons
    completes tapline record a --split-s --split-size
    completes tapline help sta status
    completes tapline nonsense s ''
    completes tapline tap a ''
}

@test "help and version into a full disk fail" {
    for c in 'tapline --help' 'tapline --version' 'tapline help' 'tapline status --help' 'framedecode --help' \
        'framedecode --version' 'framedecode --help=man' 'supervisor -h'; do
        run bash -c "$c >/dev/full"
        assert_failure 1
        assert_output --partial 'standard output: No space left on device'
    done
}

@test "what cannot be printed is an error, whatever was asked" {
    local c ends
    pipeline p '[a]' "run = $IDLE -o a" '[b]' 'run = sh -c "echo said >&2; exec sleep 1000"'
    tapline up -d -q p
    "$PY" "$ROOT/test/tool/tape.py" make a.tap n=30
    echo '{}' >body
    for c in 'status' 'status --json' 'status --watch' 'logs' 'list' 'check p' 'graph p' 'restart a' \
        'info a.tap' 'info --json a.tap' 'req a ping' 'req a nonsense' 'req a stats' 'tap <a.tap' 'tap --rate <a.tap' \
        'tap -f pretty supervisor -n 1' 'put test.x <body' 'play a.tap -o - --speed 0' 'record -w - <a.tap'; do
        for ends in '>/dev/full' '>&-'; do
            run timeout 10 bash -c "tapline $c $ends"
            assert [ "$c$status" = "$c"1 ]
            assert_output --regexp 'No space left on device|Bad file descriptor|could be written'
        done
    done
    run -1 bash -c 'tapline down >/dev/full'
}

@test "up with a name that nobody knows: where it was looked for, what there is" {
    two_stages one
    two_stages two
    run tapline up nope
    assert_failure 2
    assert_output --regexp '^tapline: no pipeline nope \(neither ./nope nor pipelines/nope.conf nor /etc/tapline/nope.conf( nor /.*/pipelines/nope.conf)?; there are: one, two(, [a-z]+)*\)$'
    run tapline check nope
    assert_failure 2
    assert_output --partial 'there are: one, two'
    run tapline up gone.conf
    assert_failure 2
    assert_output --partial 'cannot read pipeline file gone.conf'
}

@test "texts that name the value: put, check" {
    run tapline put 'Bad Topic'
    assert_failure 2
    assert_output --partial '"Bad Topic" is no topic: words of a-z 0-9 _ - with a dot between them'
    run tapline put "$(printf 'x%.0s' {1..97})"
    assert_failure 2
    assert_output --partial 'at most 96 bytes'
    pipeline p '[a]' "run = framedecode --format lines -i nowhere -o c -o 'c?line' -o d"
    run tapline check p
    assert_line --partial 'nothing publishes it (there are: c, d, supervisor)'
    run dispatch panel --local-led=maybe
    assert_failure 2
    assert_output --partial -- '--local-led=maybe: must be yes or no'
    run dispatch panel --help
    assert_output --partial '[yes; --local-led=no or --no-local-led turns it off]'
    run tapline record --help
    assert_output --partial 'framedecode --format panel < capture.bin | tapline record'
}

@test "standard descriptors that are closed are nobody's socket" {
    start src sh -c 'exec framedecode --format lines -i none -o src <&-'
    wait_for 5 tapline req src ping
    run sh -c 'tapline req src ping <&-'
    assert_success
    run sh -c 'exec tapline req src ping <&- >&- 2>&-'
    assert [ "$status" -le 1 ]
}
