#!/usr/bin/env bats
# Endpoints on other machines with certificates: tls+tcp:// URLs.
load helper

# authority NAME; signed NAME AUTHORITY: NAME.pem and NAME.key.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$1.key" \
        -out "$1.pem" -subj "/CN=$1" 2>/dev/null
}
signed() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.csr" \
        -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -set_serial 1 -days 2 -out "$1.pem" \
        -extfile <(echo "subjectAltName=DNS:$1") 2>/dev/null
}
# A port whose neighbour, for the replies, is free too.
port_pair() {
    "$PY" -c '
import socket
while True:
    a, b = socket.socket(), socket.socket()
    a.bind(("127.0.0.1", 0))
    p = a.getsockname()[1]
    try:
        b.bind(("127.0.0.1", p + 1))
    except (OSError, OverflowError):
        continue
    print(p)
    break'
}
with() { env TAPLINE_TLS_CA="$1.pem" TAPLINE_TLS_NAME=server "${@:2}"; }

setup() {
    common_setup
    authority ca
    signed server ca
    URL=tls+tcp://127.0.0.1:$(port_pair)
}
serve() {
    start server env TAPLINE_TLS_CERT=server.pem TAPLINE_TLS_KEY=server.key "$@" \
        framedecode --format lines -i none -o "$URL" -o here
    wait_for 5 tapline req here ping
}

@test "requests, messages and a whole message of 20 MB over TLS; a publisher that comes back" {
    serve
    run with ca tapline req "$URL" ping
    assert_output '{"ok":true}'
    start tap env TAPLINE_TLS_CA=ca.pem TAPLINE_TLS_NAME=server tapline tap "$URL" --topic test.
    TAP=$PID
    wait_for 5 bash -c "echo '{\"n\":1}' | tapline put test.a --to here; grep -q '\"test.a\"' tap.out"
    "$PY" "$ROOT/test/tool/tape.py" make big.tap n=1 size=20000000
    run with ca tapline play big.tap --into "$URL"
    assert_success
    assert_output --partial 'played 1 messages'
    wait_for 10 bash -c '[ "$(stat -c %s tap.out)" -gt 26000000 ]'
    kill -TERM "${PIDS[0]}"
    wait_gone "${PIDS[0]}"
    serve
    wait_for 10 bash -c "echo '{\"n\":2}' | tapline put test.b --to here; grep -q '\"test.b\"' tap.out"
    kill -TERM "$TAP"
    wait_end "$TAP"
}

@test "who shows another certificate than asked for is not believed, and the reason is named" {
    serve
    authority other
    local doubt="nobody answers there, or one of us does not trust the other's certificate"
    run with other tapline req -t 500ms "$URL" ping
    assert_failure 1
    assert_output --partial "$doubt"
    run with ca env TAPLINE_TLS_NAME=elsewhere tapline req -t 500ms "$URL" ping
    assert_failure 1
    assert_output --partial "$doubt"
    run with other tapline tap "$URL" --for 1200ms
    assert_failure 1
    assert_output --partial "waiting for $URL: $doubt"
    run tapline req "$URL" ping
    assert_failure 1
    assert_output --partial 'TAPLINE_TLS_CA must name a file (PEM) of the certificates we trust'
    # Without TLS nothing is heard either.
    run tapline req -t 500ms "${URL/tls+/}" ping
    assert_failure 1
}

@test "with authorities a publisher lets in only who has a certificate of theirs" {
    serve TAPLINE_TLS_CA=ca.pem
    signed client ca
    run with ca tapline req -t 500ms "$URL" ping
    assert_failure 1
    run with ca env TAPLINE_TLS_CERT=client.pem TAPLINE_TLS_KEY=client.key tapline req "$URL" ping
    assert_output '{"ok":true}'
    authority stranger
    run with ca env TAPLINE_TLS_CERT=stranger.pem TAPLINE_TLS_KEY=stranger.key tapline req -t 500ms "$URL" ping
    assert_failure 1
    cat client.pem client.key >both.pem
    run with ca env TAPLINE_TLS_CERT=both.pem tapline req "$URL" ping
    assert_output '{"ok":true}'
}

@test "certificates that are of no use: the file and the cure are named" {
    local publish=(framedecode --format lines -i none -o "$URL")
    run -2 "${publish[@]}"
    assert_output --partial "$URL: TAPLINE_TLS_CERT must name a file (PEM) of our certificate and its key"
    run -1 env TAPLINE_TLS_CERT=none.pem "${publish[@]}"
    assert_output --partial 'cannot open TAPLINE_TLS_CERT=none.pem: No such file or directory'
    run -2 env TAPLINE_TLS_CERT=server.pem "${publish[@]}"
    assert_output --partial 'TAPLINE_TLS_CERT=server.pem with the private key of TAPLINE_TLS_CERT=server.pem: '
    echo nonsense >bad.pem
    run -1 env TAPLINE_TLS_CA=bad.pem tapline req "$URL" ping
    assert_output --partial 'TAPLINE_TLS_CA=bad.pem: '
    head -c 2000000 /dev/zero >long.pem
    run -1 env TAPLINE_TLS_CA=long.pem tapline req "$URL" ping
    assert_output --partial 'longer than 1 MB'
}

@test "a pipeline that spans machines: each side's certificates stand in its file" {
    cat >far.conf <<E2
[decode]
env.TAPLINE_TLS_CERT = $WORK/server.pem
env.TAPLINE_TLS_KEY = $WORK/server.key
run = framedecode --format lines -i fifo:in -o $URL -o decode
[feed]
run = framedecode --format lines -i supervisor --topic none. -o fifo:in -o feed
E2
    cat >near.conf <<E2
[relay]
env.TAPLINE_TLS_CA = $WORK/ca.pem
env.TAPLINE_TLS_NAME = server
run = framedecode --format lines -i $URL -o relay
E2
    mkdir -m 700 far near
    start far env TAPLINE_RUN="$WORK/far" tapline up far.conf
    start near env TAPLINE_RUN="$WORK/near" tapline up near.conf
    wait_for 10 env TAPLINE_RUN="$WORK/far" tapline req decode ping
    # The whole pipeline: what a stage says to others it says under its name as well.
    run env TAPLINE_RUN="$WORK/far" tapline tap --all --topic none. --for 100ms
    assert_success
    assert_output ''
    start tap env TAPLINE_RUN="$WORK/near" tapline tap relay --topic test.
    wait_for 10 bash -c "echo '{}' | TAPLINE_RUN=$WORK/far tapline put test.x --to feed; grep -q test.x tap.out"
}
