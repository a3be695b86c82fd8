# A server on a free port and curl, for tests of httpd: `load httpd`. The stage behind `ask` is
# test/tool/answer.c.
load helper

RAW="$ROOT/test/tool/http_raw.py"

setup() {
    common_setup
    TOOL=${TAPLINE_BIN:-$ROOT/build/bin}/../tool
    mkdir -p www/sub media
    printf '<h1>panel</h1>' >www/index.html
    printf 'let a = 1\n' >www/app.js
    printf '0123456789' >media/001.mp3
    printf 'picture' >media/001.jpg
    : >media/empty.txt
}

# serve [OPTION...]: httpd on a free port, its address in $URL and $PORT.
serve() {
    start httpd httpd -v --listen 127.0.0.1:0 "$@"
    HTTPD=$PID
    wait_line httpd.err 'listening on http'
    URL=$(sed -n 's/.*listening on \(http:[^ ]*\)\/$/\1/p' httpd.err)
    PORT=${URL##*:}
}

serve_files() {
    serve --route 'GET / file www/index.html' --route 'GET /static/* dir www' \
        --route 'GET /media/* dir media' "$@"
}

answer() {
    start answer "$TOOL/answer" -o rules
    wait_for 10 test -S "$TAPLINE_RUN/rules.rep"
}

# fetch CURL-ARGS... PATH: status in $status_code, body in file body, headers in file head.
fetch() {
    local path=${*: -1}
    rm -f body head
    status_code=$(curl -s -m 10 --path-as-is -o body -D head -w '%{http_code}' "${@:1:$#-1}" "$URL$path") || true
    touch body head
    tr -d '\r' <head >head.txt
}

assert_status() { [ "$status_code" = "$1" ] || { echo "status $status_code, want $1" >&2; cat head.txt body >&2; return 1; }; }
assert_header() { grep -qixE -- "$1: *$2" head.txt || { echo "no header $1: $2" >&2; cat head.txt >&2; return 1; }; }
refute_header() { ! grep -qi "^$1:" head.txt || { echo "unwanted $1" >&2; cat head.txt >&2; return 1; }; }
assert_body() { [ "$(cat body)" = "$1" ] || { echo "body: $(cat body)" >&2; echo "want: $1" >&2; return 1; }; }
etag() { sed -n 's/^ETag: //ip' head.txt; }
