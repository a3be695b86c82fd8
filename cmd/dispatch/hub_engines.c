/* What wsfanout is asked: while a page looks, how long detections take to the sockets of the games,
 * from the read() that brought them in; and once, after this process has died, who is still
 * connected, for it may have died with the news that somebody left.
 */
#include <stdlib.h>

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

/* ---- who is still there ---- */

/* Sorted. */
static struct {
    uint64_t *id;
    size_t n;
    uint64_t newest; /* whoever has a greater number came after the question */
} there;

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool has_left(uint64_t id) {
    return id <= there.newest && !bsearch(&id, there.id, there.n, sizeof id, compare);
}

/* False when not all of them are in the answer. */
static bool read_clients(const struct rpc_result *r) {
    struct mp_value list;
    struct mp_cursor at;
    uint64_t count = 0;
    if (!r->ok || !mp_get_uint(r->body, r->len, "count", &count) ||
        !mp_find(r->body, r->len, "clients", &list, &at) || list.type != MP_ARRAY ||
        list.len != count || mp_read(&at, &list) != 1)
        return false;
    there.id = mem_alloc((list.len + 1) * sizeof *there.id);
    for (there.n = 0; there.n < list.len; there.n++) {
        const uint8_t *p = at.at;
        if (mp_skip(&at) != 1 || !mp_get_uint(p, (size_t)(at.at - p), "client", &there.id[there.n]))
            return false;
    }
    qsort(there.id, there.n, sizeof *there.id, compare);
    return true;
}

static void on_clients(void *ctx, const struct rpc_result *r) {
    (void)ctx;
    if (read_clients(r))
        hub_ws_left(has_left);
    free(there.id);
    there.id = NULL;
}

static void ask_clients(void) {
    static struct buf b;
    const struct hub_peers *t = &hub.state->peers;
    if (t->n == 0)
        return;
    for (size_t i = 0; i < HUB_SLOTS; i++)
        if (t->slot[i].id > there.newest)
            there.newest = t->slot[i].id;
    rpc_request_begin(&b, "clients", 0);
    rpc_request(&client, &b, ANSWER_MS, on_clients, NULL);
}

/* ---- how long it takes ---- */

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
    ask_clients();
    return 0;
}

void hub_engines_close(void) {
    if (!is_open)
        return;
    is_open = false;
    rpc_client_close(&client);
    uv_close((uv_handle_t *)&timer, NULL);
}
