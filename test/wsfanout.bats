# wsfanout: WebSocket clients, handed over as httpd does it. The checks themselves are in
# tool/ws_check.py; each is a process of its own with its own run directory.

load helper

check() {
    run timeout 60 "$PY" "$ROOT/test/tool/ws_check.py" "$1"
    if [ "$status" -ne 0 ]; then
        echo "$output" | tail -n 40
        return 1
    fi
}

@test "wsfanout: broadcast keeps order for everybody" {
    check broadcast_keeps_order_for_everybody
}

@test "wsfanout: stop and play are one segment" {
    check stop_and_play_are_one_segment
}

@test "wsfanout: frame lengths" {
    check frame_lengths
}

@test "wsfanout: targets" {
    check targets
}

@test "wsfanout: nonsense orders are counted and reach nobody" {
    check nonsense_orders_are_counted_and_reach_nobody
}

@test "wsfanout: join leave kick" {
    check join_leave_kick
}

@test "wsfanout: seventeen groups are too many" {
    check seventeen_groups_are_too_many
}

@test "wsfanout: marks" {
    check marks
}

@test "wsfanout: text binary fragments" {
    check text_binary_fragments
}

@test "wsfanout: bytes one by one" {
    check bytes_one_by_one
}

@test "wsfanout: pongs" {
    check pongs
}

@test "wsfanout: extra bytes" {
    check extra_bytes
}

@test "wsfanout: open says who" {
    check open_says_who
}

@test "wsfanout: closing" {
    check closing
}

@test "wsfanout: violations" {
    check violations
}

@test "wsfanout: websockets library" {
    check websockets_library
}

@test "wsfanout: oversize" {
    check oversize
}

@test "wsfanout: flood" {
    check flood
}

@test "wsfanout: slow client is cut and others go on" {
    check slow_client_is_cut_and_others_go_on
}

@test "wsfanout: slow client skips to the newest" {
    check slow_client_skips_to_the_newest
}

@test "wsfanout: skipping is no progress" {
    check skipping_is_no_progress
}

@test "wsfanout: slow client gets all when it reads again" {
    check slow_client_gets_all_when_it_reads_again
}

@test "wsfanout: one large message may pass the bound" {
    check one_large_message_may_pass_the_bound
}

@test "wsfanout: unfinished messages of all have one bound" {
    check unfinished_messages_of_all_have_one_bound
}

@test "wsfanout: queues of all have one bound" {
    check queues_of_all_have_one_bound
}

@test "wsfanout: unfinished message must end" {
    check unfinished_message_must_end
}

@test "wsfanout: stalled client is cut" {
    check stalled_client_is_cut
}

@test "wsfanout: silent peer is pinged and cut" {
    check silent_peer_is_pinged_and_cut
}

@test "wsfanout: whoever talks is not pinged" {
    check whoever_talks_is_not_pinged
}

@test "wsfanout: vanishing clients" {
    check vanishing_clients
}

@test "wsfanout: beyond the limit is refused" {
    check beyond_the_limit_is_refused
}

@test "wsfanout: one address has a quarter" {
    check one_address_has_a_quarter
}

@test "wsfanout: a number given is for everybody" {
    check a_number_given_is_for_everybody
}

@test "wsfanout: garbage at the door" {
    check garbage_at_the_door
}

@test "wsfanout: kept and idle connections at the door" {
    check kept_and_idle_connections_at_the_door
}

@test "wsfanout: stale socket is replaced live one is not" {
    check stale_socket_is_replaced_live_one_is_not
}

@test "wsfanout: two names" {
    check two_names
}

@test "wsfanout: sigterm closes everybody in time" {
    check sigterm_closes_everybody_in_time
}

@test "wsfanout: answered closes end it at once" {
    check answered_closes_end_it_at_once
}

@test "wsfanout: end of input ends it" {
    check end_of_input_ends_it
}

@test "wsfanout: garbage on the input" {
    check garbage_on_the_input
}

@test "wsfanout: full output stops clients not the bus" {
    check full_output_stops_clients_not_the_bus
}

@test "wsfanout: who comes while the output is full misses nothing" {
    check who_comes_while_the_output_is_full_misses_nothing
}

@test "wsfanout: out of descriptors it rests and takes them later" {
    check out_of_descriptors_it_rests_and_takes_them_later
}

@test "wsfanout: a thousand clients" {
    check a_thousand_clients
}

@test "wsfanout: idle costs nothing" {
    check idle_costs_nothing
}

@test "wsfanout: every check of tool/ws_check.py is run here" {
    for name in $("$PY" "$ROOT/test/tool/ws_check.py"); do
        grep -q "^    check $name$" "$BATS_TEST_FILENAME"
    done
}

@test "wsfanout: wrong usage is one line and status 2" {
    run wsfanout --queue lots -o ws
    assert_failure 2
    assert_output --partial '--queue: "lots" is not a size'
    run wsfanout --memory 5M -o ws </dev/null
    assert_failure 2
    assert_output --partial '--memory 5242880 is too little for one message of --max-message 4194304'
    run wsfanout --skip a --skip-above 2M -o ws </dev/null
    assert_failure 2
    assert_output --partial '--skip-above 2097152 must be less than --queue 1048576'
    run wsfanout --socket ../x </dev/null
    assert_failure 2
    assert_output --partial '--socket "../x"'
    run wsfanout </dev/null
    assert_failure 2
    assert_output --partial 'give --socket NAME or -o NAME'
}

@test "wsfanout: takes its socket's name from the first named output" {
    mkfifo in
    start fan bash -c 'exec wsfanout -o "$0" -o ws -o other <in' 'fifo:x'
    exec 7>in
    wait_for 5 test -S "$TAPLINE_RUN/ws.sock"
    assert_not_exists "$TAPLINE_RUN/other.sock"
    exec 7>&-
    wait_gone "$PID"
}
