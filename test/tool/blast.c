/* blast: a publisher of a steady rate, for measuring.
 *
 *     blast -o ENDPOINT --rate 50M --size 64k --for 20s
 *
 * Waits for a first subscriber, then publishes messages `blast` {n, data} and prints how many and
 * how many bytes it has sent, and what its outputs dropped.
 */
#include <stdio.h>
#include <string.h>

#include "stage.h"

static int64_t rate = 50 << 20, size = 64 << 10, run_ms = 20000;
static struct stage st;
static uv_timer_t timer;
static uint64_t began_ns, sent;

static const struct opt options[] = {
    {"rate", 0, OPT_SIZE, &rate, "SIZE", "bytes a second", 1, 4LL << 30},
    {"size", 0, OPT_SIZE, &size, "SIZE", "of a message's data", 0, 16 << 20},
    {"for", 0, OPT_DURATION, &run_ms, "TIME", "end after this time", 1, 3600000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};
static const struct opt_program program = {
    .name = "blast", .summary = "publish at a steady rate", .tables = {options, NULL}};

static void publish(void) {
    struct buf *b = stage_begin(&st, "blast", 0, 2);
    mp_kv_uint(b, "n", ++sent);
    mp_put_str(b, "data");
    mp_put_bin_header(b, (size_t)size);
    memset(buf_reserve(b, (size_t)size), (int)sent, (size_t)size);
    buf_added(b, (size_t)size);
    stage_end(&st);
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    uint64_t now = clock_mono_ns();
    if (!pub_wanted(&st.pub) || st.pub.blocked)
        return;
    if (!began_ns)
        began_ns = now;
    if (now - began_ns > (uint64_t)run_ms * 1000000u) {
        st.ended = true;
        stage_stop(&st, 0);
        return;
    }
    double due = (double)(now - began_ns) / 1e9 * (double)rate / (double)(size ? size : 1);
    for (int i = 0; i < 64 && (double)sent < due && !st.pub.blocked; i++)
        publish();
}

int main(int argc, char **argv) {
    struct err e;
    static struct opt_program p;
    p = program;
    p.tables[1] = stage_common_options;
    st.no_stdin = true;
    int status = stage_options(&st, &p, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (stage_open(&st, &e) < 0)
        return stage_fail(&st, &e);
    uv_timer_init(&st.loop, &timer);
    uv_timer_start(&timer, on_timer, 1, 1);
    stage_ready(&st);
    status = stage_run(&st);
    fprintf(stderr, "sent %llu messages, %llu bytes, dropped %llu\n", (unsigned long long)sent,
            (unsigned long long)st.pub.bytes, (unsigned long long)st.pub.dropped);
    uv_close((uv_handle_t *)&timer, NULL);
    return stage_close(&st, status);
}
