#!/usr/bin/env bats
# Tokens and passwords in the environment: who inherits them, and who can read them later.
load helper

SECRETS=(AUTH_PASSWORD=geheim-password AUTH_TOKEN=geheim-token HTTPD_LOGIN=geheim:login12
    TAPLINE_ADMIN_TOKEN=geheim-admin)

# shown PID: whether /proc shows a secret of that process
shown() { tr '\0' '\n' <"/proc/$1/environ" | grep -q geheim; }
# every process that a test has started, but for the shells between
ours() { grep -lzxsF "TAPLINE_RUN=$TAPLINE_RUN" /proc/[0-9]*/environ | cut -d / -f 3; }

# A camera that tells what it has inherited.
child() {
    printf '#!/bin/sh\nenv >%s/child.env\nexec sleep 1000\n' "$WORK" >child
    chmod +x child
}

@test "only stages that read a secret inherit it, and /proc shows none of them" {
    child
    cat >p.conf <<END
[mine]
run = sh -c "env >mine.env; exec sleep 1000"
[given]
env.AUTH_TOKEN = \$AUTH_TOKEN
run = sh -c "env >given.env; exec sleep 1000"
[wrapped]
run = sh -c "env >wrapped.env; exec camctl --data-port 0 --settings-port 0 --auth-port 0 --camera-command $WORK/child --publisher-command cat --preview 0 -o cam"
[hub]
run = dispatch hub -o rules
[web]
run = httpd --listen 127.0.0.1:$(free_port) --protect basic --route "POST /tag ask rules echo token"
  --route "GET / file p.conf" -o web
END
    start up env "${SECRETS[@]}" tapline up p.conf
    UP=$PID
    wait_line up.err 'p is up'
    for f in mine given wrapped child; do wait_for 10 test -s "$f.env"; done
    run ! grep geheim mine.env
    run -0 grep geheim given.env
    assert_output AUTH_TOKEN=geheim-token
    run -0 grep geheim wrapped.env
    assert_output AUTH_PASSWORD=geheim-password
    run ! grep geheim child.env
    # The supervisor, its guard, and all stages but the one that was given one.
    mapfile -t pids < <(ours)
    ((${#pids[@]} > 8))
    for p in "${pids[@]}"; do
        tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null | grep -qx TAPLINE_STAGE=given || wait_for 10 eval "! shown $p"
    done
    # They are still known where they count, also after a new start.
    tapline restart web
    port=$(grep -o '127.0.0.1:[0-9]*' p.conf)
    wait_for 10 eval "[ \$(curl -s -o /dev/null -w '%{http_code}' -u geheim:login12 http://$port/) = 200 ]"
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' "http://$port/")" 401
    assert_equal "$(curl -s -o /dev/null -w '%{http_code}' -d x "http://$port/tag")" 401
    refute grep -q 'geheim-\|login12' up.err
}

@test "programs by themselves overwrite what they have read" {
    child
    data=$(free_port) auth=$(free_port)
    start cam env "${SECRETS[@]}" camctl --data-port "$data" --settings-port 0 --auth-port "$auth" --mode open --preview 0 \
        --camera-command "$WORK/child" --publisher-command cat -o cam
    start hub env "${SECRETS[@]}" dispatch hub -i - -o rules
    hub=$PID
    start web env "${SECRETS[@]}" MY_LOGIN=geheim:mine-123 httpd --listen 127.0.0.1:0 --protect basic \
        --login-env MY_LOGIN --route 'GET / file x' -o web
    wait_for 10 tapline req cam ping
    wait_for 10 tapline req web ping
    wait_for 10 test -s child.env
    start watch env "${SECRETS[@]}" tapline camera --data-port "$data" --auth-port "$auth" watch
    start eye env "${SECRETS[@]}" devsim hub camera -u "ws://127.0.0.1:$(free_port)" -o eye
    wait_for 10 test -s watch.out
    wait_for 10 tapline req eye ping
    for p in $(ours); do wait_for 10 eval "! shown $p"; done
    run ! grep geheim child.env
    # One that has ended (its input has) shows nothing either.
    not_alive "$hub" || wait_for 10 eval "! shown $hub"
}
