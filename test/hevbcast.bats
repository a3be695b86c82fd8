#!/usr/bin/env bats
# hevbcast with real sockets. The checks themselves are in tool/hev_check.py; each is a process of
# its own with its own run directory. Behind them: tapline hev.

load helper

check() {
    run timeout 60 "$PY" "$ROOT/test/tool/hev_check.py" "$1"
    if [ "$status" -ne 0 ]; then
        echo "$output" | tail -n 40
        return 1
    fi
}

# server [OPTION]...: a hevbcast that takes lines "TOPIC JSON-BODY" at the named pipe `bus`
server() {
    WEBUI=$(free_port)
    QUERY=$(free_port)
    mkfifo bus
    "$PY" "$ROOT/test/tool/msgs.py" encode <bus 3>&- | hevbcast --webui-port "$WEBUI" \
        --query-port "$QUERY" --native-port 0 -o bcast "$@" >/dev/null 2>server.err 3>&- &
    SERVER=$!
    PIDS+=("$SERVER")
    exec 9>bus
    wait_for 10 tapline req bcast ping
}
put() { echo "$*" >&9; }
ask() { run --separate-stderr timeout 20 tapline hev --webui-port "$WEBUI" --query-port "$QUERY" "$@"; }
# watch NAME OPTION...: the same in the background, its lines in NAME.out
watch() {
    local name=$1
    shift
    start "$name" timeout 60 tapline hev --webui-port "$WEBUI" --query-port "$QUERY" "$@"
}
clients_are() { tapline req bcast clients | grep -q "\"webui\":$1,"; }
latched_are() { [ "$(tapline req bcast alarms | grep -o '"name":' | wc -l)" = "$1" ]; }

DATA='{"version":160,"fsm_state":5,"pressure_buffer":144,"readback_mode":1}'

@test "hevbcast: d1 text to the byte" {
    check d1_text_to_the_byte
}

@test "hevbcast: d1 of a recording" {
    check d1_of_a_recording
}

@test "hevbcast: d3 of a recording" {
    check d3_of_a_recording
}

@test "hevbcast: d1 of a1 has a timestamp" {
    check d1_of_a1_has_a_timestamp
}

@test "hevbcast: d1 of a newer ventilator has its 17 numbers" {
    check d1_of_a_newer_ventilator_has_its_17_numbers
}

@test "hevbcast: d1 packets have 600 bytes at most" {
    check d1_packets_have_600_bytes_at_most
}

@test "hevbcast: d1 one read is one packet" {
    check d1_one_read_is_one_packet
}

@test "hevbcast: d1 one asyncio read is one packet" {
    check d1_one_asyncio_read_is_one_packet
}

@test "hevbcast: d1 client that stands still gets the newest" {
    check d1_client_that_stands_still_gets_the_newest
}

@test "hevbcast: d1 client that pauses at any text loses none" {
    check d1_client_that_pauses_at_any_text_loses_none
}

@test "hevbcast: interval sends the newest once" {
    check interval_sends_the_newest_once
}

@test "hevbcast: d2 has a type and keepalives" {
    check d2_has_a_type_and_keepalives
}

@test "hevbcast: d3 text to the byte" {
    check d3_text_to_the_byte
}

@test "hevbcast: d3 interval keeps the newest of each type" {
    check d3_interval_keeps_the_newest_of_each_type
}

@test "hevbcast: d3 keepalive" {
    check d3_keepalive
}

@test "hevbcast: d1 requests" {
    check d1_requests
}

@test "hevbcast: a request that ends in nul is answered so" {
    check a_request_that_ends_in_nul_is_answered_so
}

@test "hevbcast: whoever asks nothing is sent away" {
    check whoever_asks_nothing_is_sent_away
}

@test "hevbcast: d3 requests" {
    check d3_requests
}

@test "hevbcast: d3 alarms are acknowledged by type and code" {
    check d3_alarms_are_acknowledged_by_type_and_code
}

@test "hevbcast: nothing is sent into an unplugged port" {
    check nothing_is_sent_into_an_unplugged_port
}

@test "hevbcast: d1 client that never reads is cut" {
    check d1_client_that_never_reads_is_cut
}

@test "hevbcast: d3 client that never reads is cut" {
    check d3_client_that_never_reads_is_cut
}

@test "hevbcast: clients come and go in every way" {
    check clients_come_and_go_in_every_way
}

@test "hevbcast: beyond the limit is refused" {
    check beyond_the_limit_is_refused
}

@test "hevbcast: one address does not take all" {
    check one_address_does_not_take_all
}

@test "hevbcast: a late command is refused and not sent later" {
    check a_late_command_is_refused_and_not_sent_later
}

@test "hevbcast: commands of which nothing is heard are bounded" {
    check commands_of_which_nothing_is_heard_are_bounded
}

@test "hevbcast: an alarm that came anew is not acknowledged unseen" {
    check an_alarm_that_came_anew_is_not_acknowledged_unseen
}

@test "hevbcast: a thousand clients" {
    check a_thousand_clients
}

@test "hevbcast: garbage on the bus" {
    check garbage_on_the_bus
}

@test "hevbcast: alarms on the bus" {
    check alarms_on_the_bus
}

@test "hevbcast: made up alarms" {
    check made_up_alarms
}

@test "hevbcast: latched alarms outlive the process" {
    check latched_alarms_outlive_the_process
}

@test "hevbcast: damaged memory does no harm" {
    check damaged_memory_does_no_harm
}

@test "hevbcast: the end of the input is the end" {
    check the_end_of_the_input_is_the_end
}

@test "hevbcast: a port in use is told" {
    check a_port_in_use_is_told
}

@test "hevbcast: wrong usage is told" {
    check wrong_usage_is_told
}

@test "every check is run" {
    for name in $("$PY" "$ROOT/test/tool/hev_check.py"); do
        grep -q "^    check $name\$" "$BATS_TEST_FILENAME"
    done
}

@test "tapline hev against D1: values, alarms, ack, cmd" {
    server
    watch values values -f --timeout 3
    FOLLOWS=$PID
    watch alarms alarms --follow
    watch once values
    ONCE=$PID
    wait_for 10 clients_are 3
    put hev.data "$DATA"
    wait_line values.out '^{"version":160,"fsm_state":5,.*"readback_mode":1}$'
    wait_line alarms.out '^\[\]$'
    wait_gone "$ONCE" # without -f it ends
    wait "$ONCE"
    assert_equal "$(wc -l <once.out)" 1
    put hev.alarm '{"version":160,"alarm_code":"APNEA","param":0}'
    wait_line alarms.out '^\["APNEA"\]$'
    ask ack APNEA
    assert_success
    assert_output '{"type":"ack"}'
    ask ack APNEA
    assert_failure 1
    assert_output '{"type":"nack"}'
    put hev.data "$DATA"
    wait_for 10 eval '[ "$(tail -n 1 alarms.out)" = "[]" ]'
    ask cmd GENERAL START 5
    assert_success
    ask --nul cmd GENERAL STOP
    assert_success
    ask cmd general foo
    assert_failure 1
    kill -TERM "$SERVER"
    wait_gone "$FOLLOWS" # with -f it goes on as long as the server does
    wait_line values.err 'has closed the connection'
}

@test "tapline hev against D3: the same, and payloads by type" {
    server --dialect D3 --mcu-version B6
    watch values values
    VALUES=$PID
    watch cycles values --type CYCLE
    watch alarms alarms -f
    wait_for 10 clients_are 3
    put hev.cycle '{"version":182,"payload_type":"CYCLE","respiratory_rate":12.5}'
    put hev.data '{"version":182,"payload_type":"DATA","flow":-0.0}'
    wait_line values.out '^{"version":182,"payload_type":"DATA","flow":-0.0}$'
    wait_line cycles.out '^{"version":182,"payload_type":"CYCLE","respiratory_rate":12.5}$'
    wait_gone "$VALUES"
    # What does not come ends the wait, whatever else does.
    watch never --timeout 0.5 values --type LOGMSG
    wait_for 10 eval 'put hev.data "{}"; grep -qE "(no LOGMSG|nothing) within 500 ms" never.err'
    wait_gone "$PID"
    put hev.alarm '{"version":182,"alarm_type":"PRIORITY_HIGH","alarm_code":"APNEA","param":1.0}'
    wait_line alarms.out '^\[{"version":182,"alarm_type":"PRIORITY_HIGH","alarm_code":"APNEA","param":1.0}\]$'
    ask ack PRIORITY_HIGH APNEA
    assert_success
    wait_for 10 latched_are 0
    ask ack PRIORITY_HIGH NONSENSE
    assert_failure 1
    ask --nul cmd SET_TARGET_CPAP PEEP 5.5
    assert_success
}

@test "tapline hev: no server, nothing in time, wrong usage" {
    WEBUI=$(free_port)
    QUERY=$(free_port)
    ask values
    assert_failure 1
    assert_regex "$stderr" "cannot connect to 127.0.0.1 port $WEBUI: .*hevbcast"
    ask cmd GENERAL START
    assert_failure 1
    server
    ask --timeout 0.1 values
    assert_failure 1
    assert_regex "$stderr" 'nothing within 100 ms'
    for words in "" "sing" "ack" "ack a b c" "cmd GENERAL" "cmd GENERAL START x"; do
        # shellcheck disable=SC2086 # several words
        ask $words
        assert_failure 2
    done
}

@test "requests over the bus: values, alarms, clients, request" {
    server
    run tapline req bcast values
    assert_failure
    watch values values -f
    wait_for 10 clients_are 1
    put hev.alarm '{"version":160,"alarm_code":"APNEA","param":7}'
    put hev.data "$DATA"
    wait_line values.out 144
    run tapline req bcast values
    assert_output --partial '"type":"DATA","values":{"version":160,"fsm_state":5,'
    run tapline req bcast values type=CYCLE
    assert_failure
    run tapline req bcast alarms
    assert_output --partial '"name":"APNEA","alarm_code":"APNEA","param":7,"since":'
    run tapline req bcast clients
    assert_output --regexp '"webui":1,"native":0,"cut":0,"clients":\[\{"peer":"127.0.0.1:[0-9]+","port":"webui","sent":'
    run tapline req bcast request 'text={"type": "alarm", "ack": "APNEA"}'
    # text looks like JSON, so it must be sent as a string of JSON
    assert_failure
    run tapline req bcast request 'text="{\"type\": \"alarm\", \"ack\": \"APNEA\"}"'
    assert_success
    assert_output '{"ok":true,"reply":"ack","reason":""}'
    run tapline req bcast request 'text="{\"type\": \"cmd\"}"'
    assert_success
    assert_output --partial '"reply":"nack","reason":"'
    run tapline req bcast nonsense
    assert_failure
}
