#!/usr/bin/env bats
# make install and uninstall, and the example that is there to be copied.
load helper

# What is built already is taken as it is.
installs() { make -s -C "$ROOT" -o build "BUILD=${BIN%/bin}" "DESTDIR=$WORK/to" PREFIX=/opt/t "$@"; }

@test "install: everybody may read it, it runs from anywhere; uninstall leaves no file" {
    (umask 077 && installs install)
    assert_equal "$(find to ! -perm -o=r)" ''
    run to/opt/t/bin/tapline check panel MEDIA=media
    assert_success
    assert_output --partial "$WORK/to/opt/t/share/tapline/pipelines/panel.conf: pipeline panel"
    assert_file_contains to/opt/t/lib/systemd/system/tapline@.service '^ExecStart=/opt/t/bin/tapline up %i$'
    assert_exist to/opt/t/lib/udev/rules.d/70-tapline.rules
    assert_exist to/opt/t/share/man/man1/tapline-serialcat.1
    assert_exist to/opt/t/share/bash-completion/completions/tapline
    installs uninstall
    assert_equal "$(find to -type f -o -type l)" ''
}

@test "the example: a script of one's own makes the LED blink" {
    cp -r "$ROOT/contrib/example" 'my panel'
    port=$(free_port)
    start example env TAPLINE_SHARE="$ROOT" tapline up "my panel/blink.conf" "LISTEN=127.0.0.1:$port"
    wait_for 10 curl -sf "http://127.0.0.1:$port/status"
    start tap tapline tap board --topic sim.command -f json
    wait_for 10 has_subscribers board 1
    wait_for 10 tapline req board press id=3
    for what in 'LEDSET 003' 'LEDOFF 3' 'LEDON 3'; do wait_line tap.out "\"text\":\"$what\""; done
}
