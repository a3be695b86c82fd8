#!/usr/bin/env bats
# framedecode --format espcam: pictures out of the frames of many cameras.
load helper

GEN="$ROOT/test/tool/espcam_gen.py"
decode() { "$PY" "$ROOT/test/tool/msgs.py" decode; }
encode() { "$PY" "$ROOT/test/tool/msgs.py" encode; }
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
stream() { "$PY" "$GEN" make stream.bin manifest.json "$@"; }

# The small picture of the protocol page, with and without its end frame.
frames() {
    "$PY" - "$@" <<'EOF'
import sys
sys.path.insert(0, sys.argv[1])
from espcam_gen import frame
mac, picture = bytes.fromhex("246f28a1b2c3"), bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")
text = b"HASH:d20f6ffd523b78a86cd2f916fa34af5d1918d75f7b142237c752ad6b254213ab,VOLT:75,TEMP:23.5"
parts = {"hash": frame(mac, 1, 0, text), "one": frame(mac, 2, 1, picture[:12]),
         "two": frame(mac, 2, 2, picture[12:]), "eof": frame(mac, 3, 0, b"EOF!")}
sys.stdout.buffer.write(b"".join(parts[p] for p in sys.argv[2:]))
EOF
}
small() { frames "$ROOT/test/tool" "$@"; }

@test "espcam: a picture with everything that is known of it" {
    small hash one two eof | framedecode --format espcam -q | decode >out
    run cat out
    assert_line --index 0 'espcam.sensor {"mac": "24:6f:28:a1:b2:c3", "voltage_percent": 75, "temperature_c": 23.5, "tds_v": null, "camera_time": null}'
    assert_line --index 1 --partial 'espcam.image {"mac": "24:6f:28:a1:b2:c3", "closed": "end", "first_seq": 1, "last_seq": 2, "frames": 2, "duplicates": 0, "bad_frames": 0, "started": '
    assert_line --index 1 --partial '"voltage_percent": 75, "temperature_c": 23.5, "tds_v": null, "camera_time": null, "bytes": 22, "verified": "sha256", "data": "ffd8ffe000104a46494600010100000100010000ffd9"}'
}

@test "espcam: real pictures of four cameras come out byte for byte, in any dialect" {
    for dialect in a b c d sense a,b,c,d; do
        stream --dialect "$dialect" --pictures 12
        framedecode --format espcam -q <stream.bin | "$PY" "$GEN" check manifest.json
    done
}

@test "espcam: every picture that arrived intact comes out, no other does" {
    for seed in 1 2 3; do
        stream --seed $seed --dialect a,b,c,d --pictures 40 \
            --damage corrupt=1,garbage=1,cut=0.2,double=0.5,swap=0.5,eof=5,markers=20
        framedecode --format espcam -q <stream.bin 2>err | "$PY" "$GEN" check manifest.json
    done
}

@test "espcam: through serial.rx messages, large pictures through a pipe and an endpoint at once" {
    stream --pictures 8 --size 300000
    "$PY" - <<'EOF' >in
import msgpack, sys
data, n = open("stream.bin", "rb").read(), 0
while data:
    n += 1
    sys.stdout.buffer.write(msgpack.packb(["serial.rx", n, n, {"data": data[:1000]}]))
    data = data[1000:]
EOF
    mkfifo go
    framedecode --format espcam -q -o - -o cams <go >out 3>&- &
    exec 9>go
    start tap tapline tap cams --topic espcam.image --count 8 9>&-
    wait_for 10 has_subscribers cams 1
    cat in >&9
    exec 9>&-
    wait_end "$PID"
    "$PY" "$GEN" check manifest.json <out
    assert_equal "$(wc -l <tap.out)" 8
}

@test "espcam: a message has the time of the picture's first bytes" {
    {
        echo "serial.rx {\"data\": {\"\$hex\": \"$(small hash one | hex -)\"}}"
        echo "serial.rx {\"data\": {\"\$hex\": \"$(small two eof | hex -)\"}}"
    } | encode >in
    want=$("$PY" "$ROOT/test/tool/msgs.py" raw <in | head -n 1 | cut -d ' ' -f 2)
    got=$(framedecode --format espcam -q <in | "$PY" "$ROOT/test/tool/msgs.py" raw | grep image | cut -d ' ' -f 2)
    assert_equal "$got" "$want"
}

@test "espcam: a broken picture is told with what is missing, and kept when asked for" {
    small hash one eof | framedecode --format espcam -q 2>err | decode >out
    run grep broken out
    assert_output --partial '"reason": "mismatch", "missing": []}'
    run cat err
    assert_output --partial 'picture of 24:6f:28:a1:b2:c3 is broken (mismatch'
    small hash two eof | framedecode --format espcam -q --keep-broken 2>err | decode >out
    run grep broken out
    assert_output --partial '"bytes": 10, "reason": "gap", "missing": [[1, 1]], "data": "0100000100010000ffd9"}'
}

@test "espcam: a silent camera's picture ends by itself" {
    mkfifo in
    exec 9<>in
    framedecode --format espcam --timeout 300ms <in 2>err 3>&- 9>&- | decode >out 3>&- 9>&- &
    small one >&9
    wait_line out '"closed": "timeout"'
    small hash one two >&9 # its hash proves it although the end was lost
    wait_line out 'espcam.image .*"closed": "timeout"'
}

@test "espcam: the port may go away within a picture" {
    {
        echo "serial.rx {\"data\": {\"\$hex\": \"$(small hash one | hex -)faceaabb24\"}}"
        echo 'serial.state {"connected": false}'
        echo "serial.rx {\"data\": {\"\$hex\": \"$(small two eof | hex -)\"}}"
    } | encode | framedecode --format espcam -q | decode >out
    run grep -c '"verified": "sha256"' out
    assert_output 1
}

@test "espcam: at a signal what is whole is still published" {
    mkfifo in
    exec 9<>in
    framedecode --format espcam -q <in >out.bin 3>&- 9>&- &
    pid=$!
    small hash one two >&9
    wait_for 10 test -s out.bin # the sensor values: the frames have been read
    kill -TERM $pid
    wait_end $pid
    run decode <out.bin
    assert_line --partial '"closed": "stop"'
    assert_line --partial '"verified": "sha256"'
}

@test "espcam: --checksum strict, warn, off" {
    small hash one two eof >good
    "$PY" -c 'import sys; d = bytearray(open("good", "rb").read()); d[-31 - 8] ^= 1; sys.stdout.buffer.write(d)' >hit
    for policy in strict:0 warn:1 off:1; do
        run bash -c "framedecode --format espcam -q --checksum ${policy%:*} <hit 2>err | $PY $ROOT/test/tool/msgs.py decode | grep -c espcam.image"
        assert_output "${policy#*:}"
    done
    run framedecode --format espcam --checksum maybe </dev/null
    assert_failure 2
    assert_output --partial '--checksum maybe: unknown (there are: strict, warn, off)'
}

@test "espcam: a reader that goes away ends it" {
    stream --pictures 40
    run bash -c 'set -o pipefail; for i in 1 2 3 4; do cat stream.bin; done | framedecode --format espcam -q 2>/dev/null | head -c 1000 >/dev/null; echo "${PIPESTATUS[1]}"'
    assert_output 0
}

@test "espcam: -vv traces every frame" {
    small hash one two eof | framedecode --format espcam -vv 2>err >/dev/null
    run grep -c ': frame ' err
    assert_output 4
    run cat err
    assert_line --partial 'frame DATA (type 2) of 24:6f:28:a1:b2:c3: sequence 2, 10 bytes, big-endian'
}

@test "espcam: odd hashes stop nothing" {
    "$PY" - "$ROOT/test/tool" <<'EOF' >odd
import sys
sys.path.insert(0, sys.argv[1])
from espcam_gen import frame
mac = bytes.fromhex("246f28a1b2c3")
for text in (b"HASH:", b"HASH:\x80\xff", b"HASH:abc", b"HASH:,,,,", b"HASH:x,VOLT:", b"HASH" * 100):
    sys.stdout.buffer.write(frame(mac, 1, 0, text))
EOF
    { cat odd; small hash one two eof; cat odd; small hash one two eof; } |
        framedecode --format espcam -q 2>err | decode >out
    run grep -c '"verified": "sha256"' out
    assert_output 2
}
