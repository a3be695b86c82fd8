// When pages are told the state of things.
#include "../../cmd/dispatch/pace.c"
#include "loop.h"

static uv_loop_t loop;
static int told;
static uint64_t first_ms, last_ms;
static bool wanted = true;
static struct pace pace;

static void tell(void) {
    last_ms = uv_now(&loop);
    if (told++ == 0)
        first_ms = last_ms;
}

static bool is_somebody_there(void) {
    return wanted;
}

static void begin(unsigned change_ms, unsigned apart_ms, unsigned heartbeat_ms) {
    pace = (struct pace){.change_ms = change_ms,
                         .apart_ms = apart_ms,
                         .heartbeat_ms = heartbeat_ms,
                         .tell = tell,
                         .wanted = is_somebody_there};
    uv_loop_init(&loop);
    pace_open(&pace, &loop);
}

static void end(void) {
    pace_close(&pace);
    loop_finish(&loop);
}

TEST(several_changes_of_one_moment_are_told_once_and_later) {
    begin(5, 0, 1000000);
    uint64_t now = uv_now(&loop);
    for (int i = 0; i < 10; i++)
        pace_changed(&pace);
    CHECK_INT(told, 0);
    RUN_UNTIL(&loop, told);
    CHECK(last_ms >= now + 5);
    run_for(&loop, 20);
    CHECK_INT(told, 1);
    end();
}

TEST(one_telling_and_the_next_lie_apart) {
    begin(1, 60, 1000000);
    pace_changed(&pace);
    RUN_UNTIL(&loop, told == 1);
    pace_changed(&pace);
    RUN_UNTIL(&loop, told == 2);
    CHECK(last_ms >= first_ms + 60);
    end();
}

TEST(without_a_change_it_is_told_now_and_then) {
    begin(1, 0, 20);
    pace_changed(&pace);
    RUN_UNTIL(&loop, told == 3);
    CHECK(last_ms >= first_ms + 2 * 20);
    end();
}

TEST(with_nobody_there_nothing_is_told_until_the_next_change) {
    begin(1, 0, 5);
    wanted = false;
    pace_changed(&pace);
    CHECK(!uv_is_active((uv_handle_t *)&pace.timer));
    wanted = true;
    pace_changed(&pace);
    RUN_UNTIL(&loop, told == 1);
    wanted = false; /* they have gone: the heartbeat ends */
    RUN_UNTIL(&loop, !uv_is_active((uv_handle_t *)&pace.timer));
    CHECK_INT(told, 1);
    wanted = true;
    pace_changed(&pace);
    RUN_UNTIL(&loop, told == 2);
    end();
}
