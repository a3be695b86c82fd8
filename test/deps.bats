#!/usr/bin/env bats
# contrib/deps.sh, with a Debian made of stubs.
load helper

setup() {
    common_setup
    mkdir stub systemd
    PATH=$WORK/stub:$PATH
    stub dpkg-query 'grep -qx "${*: -1}" "$WORK/missing" && exit 1; printf installed'
    stub apt-cache 'echo "  Candidate: 1.0"'
    stub apt-get 'echo "apt-get $*" >>"$WORK/done"'
    stub systemctl 'echo "systemctl $*" >>"$WORK/done"'
    stub sudo 'exec "$@"'
    export WORK DEPS_SYSTEMD=$WORK/systemd
}
stub() { printf '#!/bin/bash\n%s\n' "$2" >"stub/$1" && chmod +x "stub/$1"; }

@test "nothing is missing: nothing is done" {
    : >missing
    run "$ROOT/contrib/deps.sh" test
    assert_success
    assert_output ''
    assert_not_exist done
}

@test "only what is missing is installed" {
    printf 'bats\nlibuv1-dev\n' >missing
    run "$ROOT/contrib/deps.sh" test
    assert_success
    assert_line '  bats'
    grep -q -- '--no-install-recommends libuv1-dev bats$' done
    run ! grep systemctl done
}

@test "prometheus: its server does not stay, where it was us who installed it" {
    echo prometheus >missing
    run "$ROOT/contrib/deps.sh" test
    assert_success
    assert_line --partial 'The server of the package prometheus is stopped and disabled'
    assert_equal "$(tail -n 1 done)" 'systemctl disable --now prometheus'
    rmdir systemd
    rm done
    run "$ROOT/contrib/deps.sh" test
    assert_success
    run ! grep systemctl done
}
