/* devsim hub engine: pretends to be game engines that listen to the tag hub.
 *
 * in    detections from the hub
 * out   once a second sim.engines {engines, connected, identified, received, lost, ...,
 *       latency_p50_us, ...} on -o; the same in the log at the end
 * ends  on SIGTERM; with --until when every engine has that many detections: 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub.h"
#include "hub_ws.h"
#include "json_scan.h"
#include "listen.h"
#include "log.h"

enum { ENGINES = 4096, SOURCES = 64, APART_MS = 2, MICRO = 1000000 };

/* A camera's life as one engine has followed it. */
struct source {
    uint64_t run, seq; /* run 0: free */
    bool away;         /* the connection was lost since */
};

struct engine {
    struct hub_ws ws;
    unsigned number;
    bool identified, done;
    uint64_t received;
    struct source source[SOURCES];
};

struct totals {
    uint64_t connected, identified, refused, closed;
    uint64_t received, unnumbered, lost, away, doubled, overtaken, bad;
    struct hist latency, recent; /* recent: of this second */
    uint64_t recent_received, finished;
};

static const char *url, *origin;
static int64_t engines = 1, until, retry_ms = 1000;
static struct stage st;
static struct hub_url hub;
static struct engine *engine;
static struct totals n;

static const struct stage_counter told[] = {{"connected", &n.connected},
                                            {"identified", &n.identified},
                                            {"closed", &n.closed},
                                            {"received", &n.received},
                                            {"unnumbered", &n.unnumbered},
                                            {"lost", &n.lost},
                                            {"away", &n.away},
                                            {"doubled", &n.doubled},
                                            {"overtaken", &n.overtaken},
                                            {"bad", &n.bad}};
enum { TOLD = sizeof told / sizeof *told };

static const struct opt options[] = {
    {"url", 'u', OPT_TEXT, &url, "URL", "the hub: ws://HOST:PORT/PATH", 0, 0},
    {"count", 'n', OPT_INT, &engines, "N", "how many engines", 1, ENGINES},
    {"until", 0, OPT_INT, &until, "N", "detections of each engine, then the end; 0 no end", 0,
     INT64_MAX},
    {"origin", 0, OPT_TEXT, &origin, "ORIGIN", "as a page from there, such as http://game.local", 0,
     0},
    {"retry", 0, OPT_DURATION, &retry_ms, "DURATION", "from a lost connection to the next try", 1,
     INT32_MAX},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "devsim hub engine",
    .summary = "pretend to be game engines of the tag hub",
    .details =
        "Each is one WebSocket that identifies as GDevelop does and only listens. Detections of\n"
        "devsim hub camera are numbered and say when they were sent; from that come\n"
        "  lost        numbers that never came, while connected\n"
        "  away        numbers missed while the connection was lost\n"
        "  doubled, overtaken   numbers that came twice, or after a later one\n"
        "  latency     from the camera's send to the engine's read; both clocks must agree, so\n"
        "              run both on one machine. Of other cameras' detections: from the hub on\n"
        "              (server_timestamp).\n"
        "The first detection of a camera's life is not timed: it may be the latest one, which the\n"
        "hub repeats for whoever comes.\n",
    .tables = {options, NULL, NULL}};

/* ---- detections ---- */

/* The place of a camera's life; when all are taken, one of those is forgotten. */
static struct source *source_of(struct engine *g, uint64_t run) {
    size_t i = 0;
    while (i < SOURCES && g->source[i].run && g->source[i].run != run)
        i++;
    struct source *s = &g->source[i < SOURCES ? i : run % SOURCES];
    if (s->run != run)
        *s = (struct source){.run = run};
    return s;
}

/* Whether it is one to be timed. */
static bool follow(struct source *s, uint64_t seq) {
    uint64_t before = s->seq;
    if (seq > before)
        s->seq = seq;
    if (before == 0)
        return false;
    if (seq == before) {
        n.doubled += !s->away; /* whoever comes back is told the latest again */
        return false;
    }
    if (seq < before) {
        n.overtaken++;
        n.lost -= n.lost > 0;
        return true;
    }
    if (s->away)
        n.away += seq - before - 1;
    else
        n.lost += seq - before - 1;
    bool timed = !s->away;
    s->away = false;
    return timed;
}

static void note_latency(double sent_us) {
    double us = (double)(clock_wall_ns() / 1000) - sent_us;
    if (us < 0 || us > 3600.0 * MICRO)
        return;
    hist_add(&n.latency, (uint64_t)(us * 1000));
    hist_add(&n.recent, (uint64_t)(us * 1000));
}

static void check_until(struct engine *g) {
    if (g->done || !until || g->received < (uint64_t)until)
        return;
    g->done = true;
    if (++n.finished == (uint64_t)engines)
        stage_stop(&st, 0);
}

static void on_tag(struct engine *g, const struct json_object *o) {
    double run, seq, us;
    g->received++;
    n.received++;
    n.recent_received++;
    if (json_raw_number(json_get(o, "sim_run"), &run) && run >= 1 &&
        json_raw_number(json_get(o, "sim_seq"), &seq) && seq >= 1 &&
        json_raw_number(json_get(o, "sim_us"), &us)) {
        if (follow(source_of(g, (uint64_t)run), (uint64_t)seq))
            note_latency(us);
    } else {
        n.unnumbered++;
        if (g->received > 1 && json_raw_number(json_get(o, "server_timestamp"), &us))
            note_latency(us * MICRO);
    }
    check_until(g);
}

/* ---- the connection ---- */

static void on_open(void *ctx) {
    struct engine *g = ctx;
    char text[128];
    int len = snprintf(text, sizeof text,
                       "{\"event\":\"identify\",\"data\":{\"type\":\"gdevelop\","
                       "\"name\":\"simulated engine %u\"}}",
                       g->number);
    n.connected++;
    hub_ws_text(&g->ws, text, (size_t)len);
}

static void on_text(void *ctx, const char *p, size_t len) {
    static struct json_object o;
    struct engine *g = ctx;
    char event[32];
    if (json_scan(&o, p, len, NULL) < 0 ||
        !json_raw_text(json_get(&o, "event"), event, sizeof event)) {
        n.bad++;
    } else if (strcmp(event, "apriltag_data") == 0) {
        on_tag(g, &o);
    } else if (strcmp(event, "identify_success") == 0 && !g->identified) {
        g->identified = true;
        n.identified++;
    }
}

static void on_closed(void *ctx, const char *why) {
    static struct log_limit limit;
    struct engine *g = ctx;
    n.connected -= g->ws.was_open;
    n.identified -= g->identified;
    n.closed += g->ws.was_open;
    n.refused += !g->ws.was_open;
    g->identified = false;
    for (size_t i = 0; i < SOURCES; i++)
        g->source[i].away = true;
    log_limited(&limit, LOG_WARN, "engine %u: %s: %s (again in %.1f s)", g->number, hub.authority,
                why, (double)retry_ms / 1000);
}

/* ---- life ---- */

static void on_tick(void *ctx) {
    (void)ctx;
    struct buf *b = stage_begin(&st, "sim.engines", 0, 2 + TOLD + 6);
    mp_kv_uint(b, "engines", (uint64_t)engines);
    mp_kv_uint(b, "recent_received", n.recent_received);
    hub_put_counters(b, told, TOLD);
    hub_put_hist(b, "latency", &n.latency);
    hub_put_hist(b, "recent", &n.recent);
    stage_end(&st);
    memset(&n.recent, 0, sizeof n.recent);
    n.recent_received = 0;
}

static void start_engine(struct engine *g, unsigned i) {
    g->number = i + 1;
    g->ws.url = &hub;
    g->ws.origin = origin;
    g->ws.retry_ms = (uint64_t)retry_ms;
    g->ws.on_open = on_open;
    g->ws.on_text = on_text;
    g->ws.on_closed = on_closed;
    g->ws.ctx = g;
    hub_ws_start(&g->ws, &st.loop, i * APART_MS);
}

static int open_engines(struct stage *s, struct err *e) {
    if ((uint64_t)engines + 64 > listen_files())
        return err_set(e, CAUSE_LIMIT,
                       "--count %lld: more than the system lets us open (ulimit -n)",
                       (long long)engines);
    if (hub_url_find(&hub, e) < 0)
        return -1;
    stage_counters(&st, told, TOLD);
    stage_counter(&st, "refused", &n.refused);
    pub_retain(&s->pub, "sim.engines");
    engine = mem_alloc((size_t)engines * sizeof *engine);
    for (unsigned i = 0; i < engines; i++)
        start_engine(&engine[i], i);
    return 0;
}

static void close_engines(void) {
    on_tick(NULL);
    log_info(
        "%llu detections, %llu lost, %llu doubled, %llu overtaken; latency %llu us median, "
        "%llu us p99, %llu us at most",
        (unsigned long long)n.received, (unsigned long long)n.lost, (unsigned long long)n.doubled,
        (unsigned long long)n.overtaken, (unsigned long long)hist_quantile(&n.latency, 0.5),
        (unsigned long long)hist_quantile(&n.latency, 0.99), (unsigned long long)n.latency.max_us);
    for (int i = 0; i < engines; i++)
        hub_ws_stop(&engine[i].ws);
}

static int read_options(int argc, char **argv) {
    struct err e;
    program.tables[1] = stage_common_options;
    int status = stage_options(&st, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (!url)
        return opt_usage_error(&program, "--url is missing: where is the hub?");
    if (hub_url_parse(&hub, url, "--url", &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    if (hub.scheme != HUB_WS)
        return opt_usage_error(&program, "--url %s: engines speak WebSocket: ws://HOST:PORT/PATH",
                               url);
    return -1;
}

int hub_engines_main(int argc, char **argv) {
    st.no_stdin = st.no_stdout = true;
    st.on_tick = on_tick;
    int status = hub_run(&st, read_options(argc, argv), open_engines, close_engines);
    for (int i = 0; engine && i < engines; i++)
        hub_ws_free(&engine[i].ws);
    free(engine);
    return status;
}
