#!/usr/bin/env bats
# The run directory: made, locked, removed under a running pipeline, taken by another.
load supervisor

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
