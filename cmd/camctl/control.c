#include "camctl.h"
#include "log.h"

static void answer_settings(struct conn *x) {
    uint8_t p[CAMPACKET_SETTINGS];
    camsettings_put(p, &x->c->store.now);
    conn_answer(x, CAMPACKET_ID_SETTINGS, CAMPACKET_RESPONSE, p, sizeof p);
}

static void answer_error(struct conn *x) {
    conn_answer(x, CAMPACKET_ID_SETTINGS, CAMPACKET_ERROR, NULL, 0);
}

static void on_changed(void *ctx, const struct err *why) {
    struct conn *x = ctx;
    x->change = NULL;
    if (why)
        answer_error(x);
    else
        answer_settings(x);
    if (!x->gone)
        conn_go_on(x);
}

static void refuse(struct conn *x, const char *why) {
    static struct log_limit limit;
    log_limited(&limit, LOG_WARN, "settings of %s refused: %s", x->name, why);
    answer_error(x);
}

static void set(struct conn *x, const uint8_t *payload) {
    struct camsettings want;
    struct err e;
    camsettings_get(payload, &want);
    if (settings_check(&want, ~0u, &e) < 0) {
        refuse(x, e.text);
        return;
    }
    x->c->n.sets++;
    x->change = store_change(&x->c->store, &want, ~0u, on_changed, x);
    if (!x->change)
        refuse(x, "too many changes wait");
}

void control_packet(struct conn *x, enum campacket_found found, const struct campacket *p) {
    if (found != CAMPACKET_OK) {
        refuse(x, "a damaged packet");
        return;
    }
    x->c->n.requests++;
    if (p->id != CAMPACKET_ID_SETTINGS || p->type != CAMPACKET_REQUEST)
        refuse(x, "a packet of another id or type");
    else if (p->len == 0)
        answer_settings(x);
    else if (p->len == CAMPACKET_SETTINGS_SET)
        set(x, p->payload);
    else
        refuse(x, "they have another length");
}
