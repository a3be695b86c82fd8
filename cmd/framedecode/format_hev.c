/* HEV ventilators: lib/codec/hev.h and hev_link.h to messages hev.*. */
#include <stdlib.h>
#include <string.h>

#include "codec/hev_link.h"
#include "format.h"
#include "log.h"
#include "utf8.h"

/* What hev.link tells beside the number of frames; a change of it is worth a message. */
struct told {
    uint64_t version; /* 0 = none yet */
    uint64_t bad_fcs, repeats, gaps, unknown, sent, resent, unanswered;
};

struct decoder {
    struct stage *st;
    struct hev_link link;
    uint64_t now_ns;  /* of the feed, the timer or the message in hand */
    bool b6_old;      /* a B6 that numbers its states in the old way (hev.md, section 3.2) */
    uint64_t version; /* of the last payload that was understood */
    uint64_t unknown;
    uint64_t damaged; /* frames of which the log knows */
    struct told told;
    uint64_t told_ns;     /* when hev.link was published */
    uint64_t told_due_ns; /* when it may be again, because something has changed; 0 = nothing has */
};

enum { TOLD_NS = 1000000000 };

static bool use_link;
static int64_t resend_ms = HEV_RESEND_MS, tries = HEV_TRIES;

static const struct opt options[] = {
    {"link", 0, OPT_FLAG, &use_link, NULL,
     "hev: answer the ventilator and send it what hev.send messages bring (serial.tx)", 0, 0},
    {"resend", 0, OPT_DURATION, &resend_ms, "TIME",
     "hev: a frame of ours without an acknowledgement is repeated after this time", 5, 60000},
    {"tries", 0, OPT_INT, &tries, "N", "hev: times that a frame is sent before it is given up", 1,
     1000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const char *const topics[HEV_TYPES] = {
    [HEV_DATA] = "hev.data",         [HEV_READBACK] = "hev.readback",
    [HEV_CYCLE] = "hev.cycle",       [HEV_CMD] = "hev.cmd",
    [HEV_ALARM] = "hev.alarm",       [HEV_DEBUG] = "hev.debug",
    [HEV_IVT] = "hev.ivt",           [HEV_LOGMSG] = "hev.logmsg",
    [HEV_TARGET] = "hev.target",     [HEV_BATTERY] = "hev.battery",
    [HEV_PERSONAL] = "hev.personal", [HEV_LOOP_STATUS] = "hev.loop_status",
};

/* ---- payloads to bodies ---- */

static uint32_t keys_of(const struct hev_layout *l) {
    uint32_t n = 0;
    for (int i = 0; i < l->count; i++)
        n += l->fields[i].name != NULL;
    return n;
}

/* The name that stands for the number in this version, NULL = none. The code of a command means
 * something only with its type, which is the byte before. */
static const char *name_of(const struct hev_field *f, unsigned version, const uint8_t *at) {
    if (f->names == HEV_NAME_CMD_CODE)
        return hev_name(HEV_NAME_CMD_TYPE, version, at[-1])
                   ? hev_command_name(version, at[-1], at[0])
                   : NULL;
    return f->names == HEV_PLAIN ? NULL : hev_name(f->names, version, at[0]);
}

/* A message's strings are UTF-8; what is not becomes U+FFFD. */
static void put_text(struct buf *b, const char *key, const char *text, size_t len) {
    char out[3 * HEV_PAYLOAD_MAX];
    size_t n = 0;
    for (size_t i = 0; i < len;) {
        int step = utf8_step(text + i, len - i);
        memcpy(out + n, step > 0 ? text + i : "\xEF\xBF\xBD", step > 0 ? (size_t)step : 3);
        n += step > 0 ? (size_t)step : 3;
        i += (size_t)abs(step);
    }
    mp_kv_strn(b, key, out, n);
}

static void put_field(struct buf *b, const struct hev_field *f, unsigned version,
                      const uint8_t *at) {
    struct hev_value v = hev_field_get(f, at);
    const char *name = name_of(f, version, at);
    if (name)
        mp_kv_str(b, f->name, name);
    else if (v.form == HEV_F32)
        mp_kv_double(b, f->name, v.f);
    else if (v.form == HEV_I8)
        mp_kv_int(b, f->name, v.i);
    else if (v.form == HEV_TEXT)
        put_text(b, f->name, v.text.p, v.text.len);
    else
        mp_kv_uint(b, f->name, v.u);
}

/* B6 renumbered its states and only other payloads tell which B6 it is. */
static unsigned version_of(struct decoder *d, const struct hev_layout *l, const uint8_t *payload) {
    if (payload[0] != HEV_VERSION_LAST)
        return payload[0];
    if (l->type == HEV_READBACK)
        d->b6_old = l->bytes == 68;
    else if (l->type == HEV_DATA && l->bytes == 81)
        d->b6_old = false;
    return d->b6_old ? HEV_VERSION_B6_OLD : HEV_VERSION_LAST;
}

static void publish_payload(struct decoder *d, const struct hev_layout *l,
                            const struct hev_frame *f) {
    unsigned version = version_of(d, l, f->data);
    const uint8_t *at = f->data;
    struct buf *b = stage_begin(d->st, topics[l->type], f->time_ns, keys_of(l));
    for (int i = 0; i < l->count; at += l->fields[i++].size)
        if (l->fields[i].name)
            put_field(b, &l->fields[i], version, at);
    stage_end(d->st);
    d->version = f->data[0];
}

/* ---- what is not understood ---- */

static void put_byte(struct buf *b, const char *key, const struct hev_frame *f, size_t at) {
    if (at < f->len)
        mp_kv_uint(b, key, f->data[at]);
    else
        mp_kv_nil(b, key);
}

static const char *hex_of(const struct hev_frame *f, char out[2 * HEV_PAYLOAD_MAX + 1]) {
    out[0] = '\0';
    for (size_t i = 0; i < f->len; i++)
        snprintf(out + 2 * i, 3, "%02x", f->data[i]);
    return out;
}

static void publish_unknown(struct decoder *d, const struct hev_frame *f, const char *reason) {
    static struct log_limit limit;
    char hex[2 * HEV_PAYLOAD_MAX + 1];
    struct buf *b = stage_begin(d->st, "hev.unknown", f->time_ns, 6);
    mp_kv_uint(b, "address", f->address);
    put_byte(b, "version", f, 0);
    put_byte(b, "type", f, f->len && f->data[0] >= 0xA2 ? HEV_TYPE_AT : f->len);
    mp_kv_uint(b, "bytes", f->len);
    mp_kv_bin(b, "data", f->data, f->len);
    mp_kv_str(b, "reason", reason);
    stage_end(d->st);
    d->unknown++;
    d->st->stats.bad++;
    log_limited(&limit, LOG_WARN, "payload not understood (%s): address %02x, %zu bytes: %s",
                reason, f->address, f->len, hex_of(f, hex));
}

/* ---- what the link does ---- */

static void on_deliver(void *ctx, const struct hev_frame *f) {
    struct decoder *d = ctx;
    const char *why;
    const struct hev_layout *l = hev_layout_of(f->address, f->data, f->len, &why);
    log_trace("frame: address %02x, N(S) %u, %zu bytes, %s", f->address, f->ns, f->len,
              l ? hev_type_name(l->type) : why);
    if (l)
        publish_payload(d, l, f);
    else
        publish_unknown(d, f, why);
}

static void on_answer(void *ctx, const struct hev_frame *f) {
    struct decoder *d = ctx;
    struct buf *b = stage_begin(d->st, f->kind == HEV_ACK ? "hev.ack" : "hev.nack", f->time_ns, 2);
    mp_kv_uint(b, "address", f->address);
    mp_kv_uint(b, "nr", f->nr);
    stage_end(d->st);
}

static void on_write(void *ctx, const uint8_t *wire, size_t n) {
    struct decoder *d = ctx;
    struct buf *b = stage_begin(d->st, "serial.tx", d->now_ns, 1);
    mp_kv_bin(b, "data", wire, n);
    stage_end(d->st);
}

static void publish_sent(struct decoder *d, const struct hev_sent *s) {
    struct buf *b = stage_begin(d->st, "hev.sent", d->now_ns, s->expired ? 5 : 4);
    mp_kv_uint(b, "id", s->id);
    mp_kv_bool(b, "ok", s->ok);
    mp_kv_uint(b, "tries", s->tries);
    if (s->tries)
        mp_kv_uint(b, "ns", s->ns);
    else
        mp_kv_nil(b, "ns");
    if (s->expired)
        mp_kv_bool(b, "expired", true);
    stage_end(d->st);
}

static void on_sent(void *ctx, const struct hev_sent *s) {
    static struct log_limit limit;
    struct decoder *d = ctx;
    publish_sent(d, s);
    if (s->ok)
        return;
    d->st->stats.dropped++;
    if (s->tries)
        log_limited(&limit, LOG_WARN, "%s %llu: sent %u times in %llu ms, not acknowledged",
                    hev_class_name(s->class), (unsigned long long)s->id, s->tries,
                    (unsigned long long)(s->waited_ns / 1000000));
    else
        log_limited(&limit, LOG_WARN, "%s %llu: not sent, %s", hev_class_name(s->class),
                    (unsigned long long)s->id,
                    s->expired ? "it has waited too long"
                               : "too much waits or the device went away");
}

/* By the clock itself: after a pause of ours the time of what we read is an old one. */
static bool is_over(void *ctx, uint64_t until_ns) {
    (void)ctx;
    return clock_wall_ns() >= until_ns;
}

/* ---- hev.link ---- */

static struct told told_now(const struct decoder *d) {
    const struct hev_link *l = &d->link;
    return (struct told){.version = d->version,
                         .bad_fcs = l->receiver.bad_fcs + l->receiver.overlong_frames,
                         .repeats = l->repeats,
                         .gaps = l->gaps,
                         .unknown = d->unknown,
                         .sent = l->sent,
                         .resent = l->resent,
                         .unanswered = l->unanswered};
}

static void publish_link(struct decoder *d, const struct told *t) {
    struct buf *b = stage_begin(d->st, "hev.link", d->now_ns, 9);
    if (t->version)
        mp_kv_uint(b, "version", t->version);
    else
        mp_kv_nil(b, "version");
    mp_kv_uint(b, "frames", d->link.receiver.frames);
    mp_kv_uint(b, "bad_fcs", t->bad_fcs);
    mp_kv_uint(b, "repeats", t->repeats);
    mp_kv_uint(b, "gaps", t->gaps);
    mp_kv_uint(b, "unknown", t->unknown);
    mp_kv_uint(b, "sent", t->sent);
    mp_kv_uint(b, "resent", t->resent);
    mp_kv_uint(b, "unanswered", t->unanswered);
    stage_end(d->st);
    d->told = *t;
    d->told_ns = d->now_ns;
}

static void tell_damage(struct decoder *d, uint64_t damaged) {
    static struct log_limit limit;
    if (damaged == d->damaged)
        return;
    d->st->stats.bad += damaged - d->damaged;
    d->damaged = damaged;
    log_limited(&limit, LOG_WARN, "damaged frames: %llu so far (of %llu good ones)",
                (unsigned long long)damaged, (unsigned long long)d->link.receiver.frames);
}

/* After everything that may have changed something. last: no later one follows. */
static void tell(struct decoder *d, bool last) {
    struct told t = told_now(d);
    tell_damage(d, t.bad_fcs);
    d->told_due_ns = 0;
    if (memcmp(&t, &d->told, sizeof t) == 0)
        return;
    bool early = d->told_ns && d->now_ns >= d->told_ns && d->now_ns - d->told_ns < TOLD_NS;
    if (last || !early)
        publish_link(d, &t);
    else
        d->told_due_ns = d->told_ns + TOLD_NS;
}

/* ---- hev.send ---- */

static int class_of(const char *kind) {
    for (int c = 0; c < HEV_CLASSES; c++)
        if (strcmp(kind, hev_class_name(c)) == 0)
            return c;
    return -1;
}

/* What cannot be sent is answered all the same, when there is a number to answer with. */
static void send_take(struct decoder *d, const struct msg *m) {
    static struct log_limit limit;
    uint64_t id, until_ns = 0;
    char kind[16];
    const uint8_t *p = NULL;
    size_t n = 0;
    bool known = mp_get_uint(m->body, m->body_len, "id", &id);
    bool whole = known && mp_get_cstr(m->body, m->body_len, "kind", kind, sizeof kind) &&
                 mp_get_bin(m->body, m->body_len, "data", &p, &n);
    int class = whole ? class_of(kind) : -1;
    mp_get_uint(m->body, m->body_len, "until", &until_ns);
    if (class >= 0 &&
        hev_link_send_until(&d->link, (enum hev_class) class, id, p, n, d->now_ns, until_ns))
        return;
    d->st->stats.bad++;
    if (known)
        publish_sent(d, &(struct hev_sent){.id = id});
    log_limited(&limit, LOG_WARN,
                "hev.send ignored: it needs an id, a kind (alarm, cmd, data) and 1 to %d bytes of "
                "data",
                HEV_PAYLOAD_MAX);
}

static bool message(void *ctx, const struct msg *m, uint64_t now_ns) {
    struct decoder *d = ctx;
    if (!use_link || !msg_is(m, "hev.send"))
        return false;
    d->now_ns = now_ns;
    send_take(d, m);
    tell(d, false);
    return true;
}

/* ---- the decoder ---- */

static void count(struct stage *st, const struct decoder *d) {
    const struct hev_link *l = &d->link;
    stage_counter(st, "frames", &l->receiver.frames);
    stage_counter(st, "bad_fcs", &l->receiver.bad_fcs);
    stage_counter(st, "overlong_frames", &l->receiver.overlong_frames);
    stage_counter(st, "short_frames", &l->receiver.runts);
    stage_counter(st, "skipped_bytes", &l->receiver.skipped_bytes);
    stage_counter(st, "repeats", &l->repeats);
    stage_counter(st, "gaps", &l->gaps);
    stage_counter(st, "unknown_payloads", &d->unknown);
    stage_counter(st, "acks", &l->acks);
    stage_counter(st, "stray_acks", &l->stray_acks);
    stage_counter(st, "nacks", &l->nacks);
    stage_counter(st, "sent", &l->sent);
    stage_counter(st, "resent", &l->resent);
    stage_counter(st, "unanswered", &l->unanswered);
    stage_counter(st, "send_queue_dropped", &l->dropped);
    stage_counter(st, "sends_expired", &l->expired);
}

static void *hev_open(struct stage *st, struct err *e) {
    (void)e;
    struct decoder *d = mem_alloc(sizeof *d);
    struct hev_link_config config = {.tries = (unsigned)tries};
    struct hev_link_hooks hooks = {.write = use_link ? on_write : NULL,
                                   .deliver = on_deliver,
                                   .answer = on_answer,
                                   .sent = on_sent,
                                   .is_over = is_over};
    for (int c = 0; c < HEV_CLASSES; c++)
        config.resend_ns[c] = (uint64_t)resend_ms * 1000000u;
    d->st = st;
    hev_link_init(&d->link, &config, &hooks, d);
    pub_retain(&st->pub, "hev.link");
    count(st, d);
    return d;
}

static void feed(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct decoder *d = ctx;
    d->now_ns = time_ns;
    hev_link_feed(&d->link, p, n, time_ns);
    tell(d, false);
}

static uint64_t deadline(const void *ctx) {
    const struct decoder *d = ctx;
    uint64_t send = hev_link_deadline(&d->link), due = d->told_due_ns;
    return send == 0 || (due && due < send) ? due : send;
}

static void timeout(void *ctx, uint64_t now_ns) {
    struct decoder *d = ctx;
    d->now_ns = now_ns;
    hev_link_timeout(&d->link, now_ns);
    tell(d, false);
}

static void reset(void *ctx) {
    struct decoder *d = ctx;
    hev_link_reset(&d->link);
    tell(d, false);
}

static void finish(void *ctx) {
    struct decoder *d = ctx;
    hev_link_reset(&d->link);
    tell(d, true);
}

static void hev_close(void *ctx) {
    free(ctx);
}

const struct format format_hev = {
    .name = "hev",
    .summary = "HEV ventilator",
    .options = options,
    .open = hev_open,
    .feed = feed,
    .message = message,
    .deadline = deadline,
    .timeout = timeout,
    .reset = reset,
    .finish = finish,
    .close = hev_close,
};
