/* udpcat: owns one UDP socket.
 *
 * in    datagrams at --listen, from the networks of --from; topic udp.tx {data, peer, port} from -i
 * out   udp.rx {data, peer, port}, one for each datagram; datagrams
 * ends  on SIGTERM, or when the reader of its standard output has gone; 1 when it cannot listen
 */
#include <string.h>

#include "listen.h"
#include "log.h"
#include "stage.h"
#include "udp.h"

struct udpcat {
    struct stage st;
    struct udp udp;
    const char *listen;
    struct opt_list from;
    int64_t max, rate, rate_all;
};

static struct udpcat udpcat = {.udp = {.fd = -1}, .max = 8 << 10, .rate = 8000, .rate_all = 16000};

static const struct opt options[] = {
    {"listen", 'l', OPT_TEXT, &udpcat.listen, "HOST:PORT",
     "where to listen: 0.0.0.0:5200 is every IPv4 interface, [::]:5200 IPv6 as well; no: nowhere, "
     "as if no datagram ever came",
     0, 0},
    {"from", 0, OPT_LIST, &udpcat.from, "NETWORK",
     "whose datagrams are taken, as 192.168.1.0/24 or fd00::/8, several with commas; private: what "
     "cannot come from the internet (without --from), any: everybody's",
     0, 0},
    {"max", 0, OPT_SIZE, &udpcat.max, "SIZE", "bytes of a datagram; a longer one is ignored", 1,
     UDP_BYTES},
    {"rate", 0, OPT_INT, &udpcat.rate, "N",
     "datagrams a second of one address (IPv6: of its first 64 bits); more are ignored (0: no "
     "limit)",
     0, 10000000},
    {"rate-all", 0, OPT_INT, &udpcat.rate_all, "N", "the same of all together", 0, 10000000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "udpcat",
    .summary = "own one UDP socket: publish what comes, send what others say",
    .details = "Publishes udp.rx {data, peer, port}; sends the data of udp.tx {data, peer, port}\n"
               "from -i. An address can be forged in a datagram: --from keeps honest strangers "
               "out, no more.\n\n"
               "  udpcat --listen 0.0.0.0:5200 -o - -o udp | dispatch hub ...\n"
               "  udpcat --listen 127.0.0.1:5200 | tapline tap -",
    .tables = {options, NULL, NULL}};

/* ---- socket to bus ---- */

static void on_datagram(void *ctx, const struct datagram *d) {
    struct udpcat *c = ctx;
    char host[UDP_HOST];
    struct buf *b = stage_begin(&c->st, "udp.rx", d->time_ns, 3);
    mp_kv_str(b, "peer", udp_host(d->from, host));
    mp_kv_uint(b, "port", udp_port(d->from));
    mp_put_str(b, "data");
    stage_end_bin(&c->st, d->data, d->len);
}

/* ---- bus to socket ---- */

static void drop(struct udpcat *c, const char *why) {
    static struct log_limit limit;
    c->st.stats.dropped++;
    log_limited(&limit, LOG_WARN, "udp.tx dropped: %s", why);
}

static bool data_of(const struct msg *m, const uint8_t **p, size_t *n) {
    return mp_get_bin(m->body, m->body_len, "data", p, n) ||
           mp_get_str(m->body, m->body_len, "data", (const char **)p, n);
}

static void on_msg(void *ctx, const struct msg *m) {
    struct udpcat *c = ctx;
    const uint8_t *p;
    size_t n;
    char host[UDP_HOST];
    uint64_t port;
    struct err e;
    if (!msg_is(m, "udp.tx"))
        return;
    if (!data_of(m, &p, &n) || !mp_get_cstr(m->body, m->body_len, "peer", host, sizeof host) ||
        !mp_get_uint(m->body, m->body_len, "port", &port) || port > 65535)
        drop(c, "it needs data, peer (an address) and port");
    else if (udp_send(&c->udp, host, (unsigned)port, p, n, &e) < 0)
        drop(c, e.text);
    else
        stage_latency(&c->st, m->time);
}

/* ---- the stage ---- */

/* The way out must stay open while the way in is full: the reader that does not read may be waiting
 * for what we do not take. Datagrams meanwhile wait in the kernel. */
static void on_blocked(void *ctx, bool full) {
    struct udpcat *c = ctx;
    sub_pause(&c->st.sub, false);
    udp_pause(&c->udp, full);
}

static void open_counters(struct udpcat *c) {
    stage_counter(&c->st, "datagrams_received", &c->udp.received);
    stage_counter(&c->st, "datagrams_sent", &c->udp.sent);
    stage_counter(&c->st, "datagrams_foreign", &c->udp.foreign);
    stage_counter(&c->st, "datagrams_too_long", &c->udp.too_long);
    stage_counter(&c->st, "datagrams_flooded", &c->udp.flooded);
    stage_counter(&c->st, "datagrams_overrun", &c->udp.overrun);
    stage_counter(&c->st, "datagrams_unsent", &c->udp.unsent);
}

static int check(struct udpcat *c, struct err *e) {
    if (!c->listen)
        return err_set(e, CAUSE_USAGE, "where to listen? (--listen HOST:PORT)");
    for (size_t i = 0; i < c->from.n; i++)
        if (netlist_add(&c->udp.from, c->from.item[i], "--from", e) < 0)
            return -1;
    if (c->from.n == 0 && netlist_add(&c->udp.from, "private", "--from", e) < 0)
        return -1;
    return opt_is_no(c->listen) ? 0 : listen_check(c->listen, "--listen", e);
}

static int open_socket(struct udpcat *c, struct err *e) {
    c->udp.max = (size_t)c->max;
    c->udp.flood.each = (uint64_t)c->rate;
    c->udp.flood.all = (uint64_t)c->rate_all;
    c->udp.on_datagram = on_datagram;
    c->udp.ctx = c;
    open_counters(c);
    return opt_is_no(c->listen) ? 0 : udp_open(&c->udp, &c->st.loop, c->listen, "--listen", e);
}

int main(int argc, char **argv) {
    struct udpcat *c = &udpcat;
    struct opt_program p = program;
    struct err e = {0};
    p.tables[1] = stage_common_options;
    c->st.ctx = c;
    c->st.on_msg = on_msg;
    c->st.on_blocked = on_blocked;
    c->st.no_stdin = true;
    int status = stage_options(&c->st, &p, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (check(c, &e) < 0)
        return opt_usage_error(&p, "%s", e.text);
    if (stage_open(&c->st, &e) < 0 || open_socket(c, &e) < 0)
        return stage_fail(&c->st, &e);
    stage_ready(&c->st);
    status = stage_run(&c->st);
    udp_close(&c->udp);
    return stage_close(&c->st, status);
}
