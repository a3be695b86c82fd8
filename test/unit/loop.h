/* loop: running a libuv loop in a unit test until something has happened, with a limit on the time.
 */
#ifndef TAPLINE_TEST_LOOP_H
#define TAPLINE_TEST_LOOP_H

#include <stdlib.h>
#include <uv.h>

#include "msg.h"
#include "test.h"

enum { LOOP_LIMIT_MS = 10000 };

static inline void loop_tick(uv_timer_t *t) {
    (void)t;
}

static inline void loop_ticker_freed(uv_handle_t *h) {
    free(h);
}

/* Wakes the loop, so that a condition and the limit are looked at. On the heap, because its closing
 * is finished by a later turn of the loop. */
static inline uv_timer_t *loop_ticker(uv_loop_t *loop) {
    uv_timer_t *t = calloc(1, sizeof *t);
    uv_timer_init(loop, t);
    uv_timer_start(t, loop_tick, 2, 2);
    return t;
}

#define RUN_UNTIL(loop, cond)                                                                      \
    do {                                                                                           \
        uint64_t end_ = clock_mono_ns() + LOOP_LIMIT_MS * 1000000ull;                              \
        uv_timer_t *ticker_ = loop_ticker(loop);                                                   \
        while (!(cond) && clock_mono_ns() < end_)                                                  \
            uv_run((loop), UV_RUN_ONCE);                                                           \
        uv_close((uv_handle_t *)ticker_, loop_ticker_freed);                                       \
        if (!(cond))                                                                               \
            test_fail(__FILE__, __LINE__, "did not happen in time: %s", #cond);                    \
    } while (0)

/* For showing that something does not happen. */
static inline void run_for(uv_loop_t *loop, unsigned ms) {
    uint64_t end = clock_mono_ns() + ms * 1000000ull;
    uv_timer_t *ticker = loop_ticker(loop);
    while (clock_mono_ns() < end)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)ticker, loop_ticker_freed);
}

/* What is left are closing handles; a loop that does not end holds one that nobody closed. */
static inline void loop_finish(uv_loop_t *loop) {
    for (int i = 0; i < 100 && uv_loop_alive(loop); i++)
        uv_run(loop, UV_RUN_NOWAIT);
    CHECK_INT(uv_loop_close(loop), 0);
}

#endif
