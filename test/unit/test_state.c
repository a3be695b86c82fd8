// The supervisor's table of states, what an exit means, and the back-off.
#include <errno.h>

#include "../../cmd/supervisor/state.c"
#include "test.h"

static int exited(int status) {
    return status << 8;
}

static void check(enum state s, enum event ev, enum action action, enum state next) {
    struct transition t = state_step(s, ev);
    CHECK_INT(t.action, action);
    CHECK_INT(t.next, next);
}

TEST(a_life) {
    check(STATE_DOWN, EVENT_START, ACTION_SPAWN, STATE_STARTING);
    check(STATE_STARTING, EVENT_READY, ACTION_READY, STATE_READY);
    check(STATE_READY, EVENT_CRASHED, ACTION_BACK_OFF, STATE_BACKING_OFF);
    check(STATE_BACKING_OFF, EVENT_TIMER, ACTION_SPAWN, STATE_STARTING);
    check(STATE_STARTING, EVENT_TIMER, ACTION_READY, STATE_READY);
    check(STATE_READY, EVENT_STOP, ACTION_TERM, STATE_STOPPING);
    check(STATE_STOPPING, EVENT_TIMER, ACTION_KILL, STATE_STOPPING);
    check(STATE_STOPPING, EVENT_ENDED, ACTION_SETTLE, STATE_DOWN);
}

TEST(restart_in_every_state) {
    check(STATE_DOWN, EVENT_RESTART, ACTION_SPAWN, STATE_STARTING);
    check(STATE_STARTING, EVENT_RESTART, ACTION_AGAIN, STATE_STOPPING);
    check(STATE_READY, EVENT_RESTART, ACTION_AGAIN, STATE_STOPPING);
    check(STATE_STOPPING, EVENT_RESTART, ACTION_COME_BACK, STATE_STOPPING);
    check(STATE_STOPPING, EVENT_START, ACTION_SPAWN, STATE_STARTING);
    check(STATE_BACKING_OFF, EVENT_RESTART, ACTION_SPAWN, STATE_STARTING);
    check(STATE_FAILED, EVENT_RESTART, ACTION_SPAWN, STATE_STARTING);
}

TEST(stop_in_every_state_leads_down_or_stays) {
    check(STATE_DOWN, EVENT_STOP, ACTION_NONE, STATE_DOWN);
    check(STATE_STARTING, EVENT_STOP, ACTION_TERM, STATE_STOPPING);
    check(STATE_STOPPING, EVENT_STOP, ACTION_STAY_DOWN, STATE_STOPPING);
    check(STATE_BACKING_OFF, EVENT_STOP, ACTION_SETTLE, STATE_DOWN);
    check(STATE_FAILED, EVENT_STOP, ACTION_NONE, STATE_FAILED);
}

TEST(events_that_mean_nothing_change_nothing) {
    check(STATE_READY, EVENT_READY, ACTION_NONE, STATE_READY);
    check(STATE_READY, EVENT_TIMER, ACTION_NONE, STATE_READY);
    check(STATE_DOWN, EVENT_READY, ACTION_NONE, STATE_DOWN);
    check(STATE_DOWN, EVENT_TIMER, ACTION_NONE, STATE_DOWN);
    check(STATE_FAILED, EVENT_TIMER, ACTION_NONE, STATE_FAILED);
    check(STATE_BACKING_OFF, EVENT_UNFIT, ACTION_NONE, STATE_BACKING_OFF);
}

/* Whatever happens, a process is spawned only in a transition to starting, and only there. */
TEST(spawn_and_starting_belong_together) {
    for (int s = 0; s < STATES; s++)
        for (int ev = 0; ev < EVENTS; ev++) {
            struct transition t = state_step((enum state)s, (enum event)ev);
            CHECK((t.action == ACTION_SPAWN) == (t.next == STATE_STARTING && t.action));
            CHECK(state_name(t.next)[0] != 0);
        }
}

TEST(what_an_exit_means) {
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(0), 0), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(1), 0), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, 9, 0), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(2), 0), EVENT_BROKEN);
    CHECK_INT(state_exit_event(RESTART_ON_FAILURE, exited(0), 0), EVENT_ENDED);
    CHECK_INT(state_exit_event(RESTART_ON_FAILURE, exited(3), 0), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_NEVER, exited(0), 0), EVENT_ENDED);
    CHECK_INT(state_exit_event(RESTART_NEVER, exited(3), 0), EVENT_BROKEN);
    CHECK_INT(state_exit_event(RESTART_NEVER, 11, 0), EVENT_BROKEN);
}

TEST(a_program_that_cannot_run) {
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(127), ENOENT), EVENT_BROKEN);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(127), EACCES), EVENT_BROKEN);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(127), ETXTBSY), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_ALWAYS, exited(127), ENOMEM), EVENT_CRASHED);
    CHECK_INT(state_exit_event(RESTART_NEVER, exited(127), ENOMEM), EVENT_BROKEN);
}

TEST(back_off_doubles_to_its_bound) {
    struct backoff b = {.first_ms = 250};
    static const int want[] = {250, 500, 1000, 2000, 4000, 8000, 10000, 10000};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        CHECK_INT(backoff_step(&b, 100), want[i]);
}

TEST(back_off_forgives) {
    struct backoff b = {.first_ms = 250};
    CHECK_INT(backoff_step(&b, 5001), 0); /* was up for a while: at once */
    CHECK_INT(backoff_step(&b, 5000), 250);
    CHECK_INT(backoff_step(&b, 10), 500);
    CHECK_INT(backoff_step(&b, 6000), 0);
    CHECK_INT(backoff_step(&b, 10), 1000); /* but not forgotten */
    CHECK_INT(backoff_step(&b, 60001), 0);
    CHECK_INT(backoff_step(&b, 10), 250); /* until it was well for a minute */
}

TEST(back_off_longer_than_the_bound) {
    struct backoff b = {.first_ms = 30000};
    CHECK_INT(backoff_step(&b, 10), 30000);
    CHECK_INT(backoff_step(&b, 10), 30000);
}
