/* How long detections take to the sockets of the games, from the read() that brought them in:
 * wsfanout measures it, and is asked while a page looks.
 */
#include "hub.h"

enum { ASK_MS = 2000, ANSWER_MS = 1500 };

static struct rpc_client client;
static uv_timer_t timer;
static bool is_open, asked, known;
static uint64_t p50_us, p99_us;

static void on_answer(void *ctx, const struct rpc_result *r) {
    struct mp_value v;
    struct mp_cursor at;
    (void)ctx;
    asked = false;
    known = r->ok && mp_find(r->body, r->len, "stats", &v, &at);
    if (!known)
        return;
    size_t n = (size_t)(at.end - at.at);
    known = mp_get_uint(at.at, n, "latency_p50_us", &p50_us) &&
            mp_get_uint(at.at, n, "latency_p99_us", &p99_us);
}

static void on_timer(uv_timer_t *t) {
    static struct buf b;
    (void)t;
    if (asked || hub.state->peers.accepted[HUB_PAGE] == 0)
        return;
    asked = true;
    buf_clear(&b);
    rpc_request_begin(&b, "stats", 0);
    rpc_request(&client, &b, ANSWER_MS, on_answer, NULL);
}

void hub_engines_put(struct buf *b) {
    mp_put_str(b, "engines");
    if (!known) {
        mp_put_nil(b);
        return;
    }
    mp_put_map(b, 2);
    mp_kv_uint(b, "us_p50", p50_us);
    mp_kv_uint(b, "us_p99", p99_us);
}

int hub_engines_open(uv_loop_t *loop, struct err *e) {
    if (!hub.opt.engines)
        return 0;
    if (rpc_client_open(&client, loop, hub.opt.engines, e) < 0)
        return -1;
    uv_timer_init(loop, &timer);
    uv_timer_start(&timer, on_timer, ASK_MS, ASK_MS);
    is_open = true;
    return 0;
}

void hub_engines_close(void) {
    if (!is_open)
        return;
    is_open = false;
    rpc_client_close(&client);
    uv_close((uv_handle_t *)&timer, NULL);
}
