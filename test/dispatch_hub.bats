#!/usr/bin/env bats
# dispatch hub: the rules between cameras and games. The checks themselves are in tool/hub_rules.py;
# each has a run directory of its own.
load helper

check() {
    run timeout 90 "$PY" "$ROOT/test/tool/hub_rules.py" "$1"
    if [ "$status" -ne 0 ]; then
        echo "$output" | tail -n 40
        tail -n 40 hub.log
        return 1
    fi
}

@test "dispatch hub: nobody speaks without the token" {
    check nobody_speaks_without_the_token
}

@test "dispatch hub: guessing is slowed for an address and ended for a connection" {
    check guessing_is_slowed_for_an_address_and_ended_for_a_connection
}

@test "dispatch hub: the first identify decides" {
    check the_first_identify_decides
}

@test "dispatch hub: the text of every value is kept" {
    check the_text_of_every_value_is_kept
}

@test "dispatch hub: what is refused is neither sent nor kept" {
    check what_is_refused_is_neither_sent_nor_kept
}

@test "dispatch hub: late games get the newest" {
    check late_games_get_the_newest
}

@test "dispatch hub: datagrams and posts reach the same games" {
    check datagrams_and_posts_reach_the_same_games
}

@test "dispatch hub: older games poll one by one" {
    check older_games_poll_one_by_one
}

@test "dispatch hub: pictures in each form" {
    check pictures_in_each_form
}

@test "dispatch hub: figures follow the formulas" {
    check figures_follow_the_formulas
}

@test "dispatch hub: the interval is told to cameras only" {
    check the_interval_is_told_to_cameras_only
}

@test "dispatch hub: sessions end each by itself" {
    check sessions_end_each_by_itself
}

@test "dispatch hub: a killed hub knows everybody still" {
    check a_killed_hub_knows_everybody_still
}

@test "dispatch hub: pages are told what happens" {
    check pages_are_told_what_happens
}

@test "dispatch hub: who talks too much is not heard" {
    check who_talks_too_much_is_not_heard
}

@test "dispatch hub: no token no hub" {
    check no_token_no_hub
}

@test "dispatch hub: who left while the hub was dead is forgotten" {
    check who_left_while_the_hub_was_dead_is_forgotten
}
