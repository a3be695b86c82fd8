# Pipelines of one file in the directory of the test, for tests of the supervisor: `load supervisor`.
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
