/* request: what a client asks for (section 3), checked against the tables of the version that the
 * serial side speaks. The same text does the same over TCP and over the bus.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hevbcast.h"
#include "json.h"
#include "log.h"

/* The request as msgpack. */
struct asked {
    const uint8_t *p;
    size_t n;
};

static bool refuse(struct answer *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Always false, so that `return refuse(...)` reads well. */
static bool refuse(struct answer *a, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->reason, sizeof a->reason, fmt, ap);
    va_end(ap);
    return false;
}

static bool has_key(const struct asked *r, const char *key) {
    struct mp_value v;
    return mp_find(r->p, r->n, key, &v, NULL);
}

/* A text of at most size - 1 bytes without NUL. */
static bool text_of(const struct asked *r, const char *key, char *out, size_t size,
                    struct answer *a) {
    if (mp_get_cstr(r->p, r->n, key, out, size))
        return true;
    *out = 0;
    return refuse(a, "\"%s\" is %s", key,
                  has_key(r, key) ? "no text, or one that is too long" : "missing");
}

static bool send_payload(struct hevbcast *h, const char *kind, const uint8_t *p, size_t n,
                         struct answer *a) {
    if (h->serial_down)
        return refuse(a, "the serial port is not connected");
    if (!pending_room(h))
        return refuse(a, "the ventilator does not take the commands before this one");
    a->id = bus_send(h, kind, p, n);
    if (!a->id)
        return refuse(a, "too many commands wait for the serial port");
    h->n.commands++;
    return true;
}

/* ---- commands ---- */

/* null is 0; the key must be there. */
static bool read_param(const struct asked *r, struct answer *a) {
    struct mp_value v;
    if (!mp_find(r->p, r->n, "param", &v, NULL))
        return refuse(a, "\"param\" is missing");
    a->has_param = v.type == MP_UINT || v.type == MP_INT || v.type == MP_DOUBLE;
    if (v.type == MP_UINT)
        a->param = (double)v.u;
    else if (v.type == MP_INT)
        a->param = (double)v.i;
    else if (v.type == MP_DOUBLE)
        a->param = v.d;
    else if (v.type != MP_NIL)
        return refuse(a, "\"param\" is neither a number nor null");
    return true;
}

/* Clients from before there were cmdtypes. */
static bool is_old_form(const struct asked *r, struct answer *a) {
    bool start = strcmp(a->cmd, "CMD_START") == 0, stop = strcmp(a->cmd, "CMD_STOP") == 0;
    if (has_key(r, "cmdtype") || (!start && !stop))
        return false;
    strcpy(a->cmdtype, "GENERAL");
    strcpy(a->cmd, start ? "START" : "STOP");
    return true;
}

static bool take_cmd(struct hevbcast *h, const struct asked *r, struct answer *a) {
    uint8_t payload[HEV_PAYLOAD_MAX];
    if (!text_of(r, "cmd", a->cmd, sizeof a->cmd, a) ||
        (!is_old_form(r, a) && !text_of(r, "cmdtype", a->cmdtype, sizeof a->cmdtype, a)) ||
        !read_param(r, a))
        return false;
    int n = hev_command_encode(payload, h->version, a->cmdtype, a->cmd, a->param);
    if (n <= 0)
        return refuse(a, "%s %s: %s (version %02X)", a->cmdtype, a->cmd, hev_refusal_text(n),
                      h->version & 0xff);
    return send_payload(h, "cmd", payload, (size_t)n, a);
}

/* ---- alarms ---- */

static size_t forget(struct hevbcast *h, const char *type, const char *name, uint64_t since_ms) {
    size_t gone = alarms_remove(&h->alarms, type, name, since_ms);
    h->n.acked += gone;
    h->alarms_changed |= gone > 0;
    h->state_number += gone > 0;
    return gone;
}

/* Which one is meant, where a name may have been latched anew since somebody saw it; 0 = whichever
 * it is. */
static bool read_since(const struct asked *r, uint64_t *since_ms, struct answer *a) {
    *since_ms = 0;
    if (!has_key(r, "since_ms"))
        return true;
    if (mp_get_uint(r->p, r->n, "since_ms", since_ms) && *since_ms)
        return true;
    return refuse(a, "\"since_ms\" is no time in milliseconds");
}

static bool none_left(struct answer *a, uint64_t since_ms) {
    return since_ms
               ? refuse(a, "that alarm %s is not latched any more; look whether a newer one is",
                        a->cmd)
               : refuse(a, "alarm %s is not latched", a->cmd);
}

/* D1: {"type": "alarm", "ack": NAME}, and ours: "since_ms": M */
static bool take_ack(struct hevbcast *h, const struct asked *r, struct answer *a) {
    uint64_t since_ms;
    strcpy(a->cmdtype, "alarm");
    if (!text_of(r, "ack", a->cmd, sizeof a->cmd, a) || !read_since(r, &since_ms, a))
        return false;
    return forget(h, NULL, a->cmd, since_ms) > 0 || none_left(a, since_ms);
}

/* D3: {"type": "ALARM", "alarm_type": TYPE, "alarm_code": NAME, ...}; also for one that is not
 * latched. */
static bool take_alarm(struct hevbcast *h, const struct asked *r, struct answer *a) {
    char type[ALARM_NAME_MAX + 1];
    uint64_t since_ms;
    strcpy(a->cmdtype, "alarm");
    if (!text_of(r, "alarm_type", type, sizeof type, a) ||
        !text_of(r, "alarm_code", a->cmd, sizeof a->cmd, a) || !read_since(r, &since_ms, a))
        return false;
    if (hev_number(HEV_NAME_ALARM_TYPE, h->version, type) < 0 && h->version >= 0xA4)
        return refuse(a, "no alarm_type %s", type);
    if (hev_alarm_code(h->version, a->cmd) < 0)
        return refuse(a, "no alarm_code %s", a->cmd);
    size_t gone = forget(h, h->version >= 0xA4 ? type : NULL, a->cmd, since_ms);
    return gone > 0 || !since_ms || none_left(a, since_ms);
}

/* ---- the patient ---- */

static bool set_number(const struct asked *r, uint8_t *payload, const struct hev_layout *l,
                       const char *key, struct answer *a) {
    double v;
    if (!mp_get_double(r->p, r->n, key, &v) || !hev_payload_set(payload, l, key, v))
        return refuse(a, "\"%s\" is missing or out of range", key);
    return true;
}

static bool set_text(const struct asked *r, uint8_t *payload, const struct hev_layout *l,
                     const char *key, struct answer *a) {
    const char *s;
    size_t n;
    if (!mp_get_str(r->p, r->n, key, &s, &n) || !hev_payload_set_text(payload, l, key, s, n))
        return refuse(a, "\"%s\" is missing or too long", key);
    return true;
}

/* Keys are the payload's fields behind version, timestamp and payload_type. */
static bool take_personal(struct hevbcast *h, const struct asked *r, struct answer *a) {
    uint8_t payload[HEV_PAYLOAD_MAX];
    const struct hev_layout *l = hev_layout_find(h->version & 0xff, HEV_PERSONAL, 0);
    strcpy(a->cmdtype, "PERSONAL");
    if (!l)
        return refuse(a, "version %02X has no PERSONAL", h->version & 0xff);
    size_t n = hev_payload_begin(payload, l, h->version & 0xff);
    for (unsigned i = 3; i < l->count; i++) {
        const struct hev_field *f = &l->fields[i];
        if (!f->name)
            continue;
        if (!(f->form == HEV_TEXT ? set_text : set_number)(r, payload, l, f->name, a))
            return false;
    }
    return send_payload(h, "data", payload, n, a);
}

/* ---- any request ---- */

static const struct {
    const char *type;
    bool (*take)(struct hevbcast *h, const struct asked *r, struct answer *a);
} kinds[] = {{"cmd", take_cmd},
             {"CMD", take_cmd},
             {"alarm", take_ack},
             {"ALARM", take_alarm},
             {"PERSONAL", take_personal}};

static bool carry_out(struct hevbcast *h, const struct asked *r, struct answer *a) {
    char type[32], shown[64];
    if (!text_of(r, "type", type, sizeof type, a))
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(type, kinds[i].type) == 0)
            return kinds[i].take(h, r, a);
    return refuse(a, "no request has the type %s",
                  log_quote(shown, sizeof shown, type, strlen(type)));
}

static bool parse_and_carry_out(struct hevbcast *h, const char *text, size_t n, struct answer *a) {
    struct buf body = {0};
    struct err e;
    bool ok = false;
    if (n == 0)
        refuse(a, "nothing came");
    else if (n >= REQUEST_MAX - 1)
        refuse(a, "longer than %d bytes", REQUEST_MAX - 2);
    else if (json_to_mp(&body, text, n, &e) < 0)
        refuse(a, "%.150s", e.text);
    else if ((*buf_data(&body) & 0xf0) != 0x80 && *buf_data(&body) < 0xde)
        refuse(a, "no JSON object");
    else
        ok = carry_out(h, &(struct asked){buf_data(&body), buf_len(&body)}, a);
    buf_free(&body);
    return ok;
}

void request_take(struct hevbcast *h, const char *text, size_t n, const char *client,
                  const char *from, struct answer *a) {
    static struct log_limit nacked;
    h->n.requests++;
    a->ack = parse_and_carry_out(h, text, n, a);
    if (a->ack)
        h->n.acks++;
    else
        h->n.nacks++;
    if (a->ack)
        log_info("%s: %s %s: ack", client, a->cmdtype, a->cmd);
    else
        log_limited(&nacked, LOG_INFO, "%s: nack: %s", client, a->reason);
    bus_command(h, a, client, from);
    if (a->ack && a->id)
        pending_add(h, a->id, a, client, from);
}
