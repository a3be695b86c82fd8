#include <string.h>

#include "camctl.h"
#include "log.h"

static const struct sockaddr *peer_of(const struct conn *x) {
    return (const struct sockaddr *)&x->peer;
}

static void accept_peer(struct conn *x) {
    x->c->n.right++;
    session_begin(&x->c->kept->sessions, peer_of(x), camctl_ms(x->c));
    log_info("%s has authenticated", x->name);
    conn_answer(x, CAMPACKET_ID_AUTH, CAMPACKET_RESPONSE, "ready", strlen("ready"));
    bus_auth(x->c, x->name, true, "ok");
}

static void deny(struct conn *x, const char *reason) {
    static struct log_limit wrong;
    log_limited(&wrong, LOG_WARN, "authentication of %s failed: %s", x->name, reason);
    conn_answer(x, CAMPACKET_ID_AUTH, CAMPACKET_ERROR, NULL, 0);
    bus_auth(x->c, x->name, false, reason);
}

static void try_password(struct conn *x, const struct campacket *p) {
    struct camctl *c = x->c;
    uint64_t who = tries_who(peer_of(x)), now = clock_mono_ns();
    if (!tries_left(&c->tries, who, now)) {
        c->n.limited++;
        deny(x, "too many wrong passwords");
    } else if (secret_is(&c->password, p->payload, p->len)) {
        accept_peer(x);
    } else {
        c->n.wrong++;
        tries_wrong(&c->tries, who, now);
        deny(x, c->password.set ? "wrong password" : "no password is set");
    }
}

/* One packet, then the end; what makes no sense gets no answer (section 2). */
void auth_packet(struct conn *x, enum campacket_found found, const struct campacket *p) {
    bool asks = found == CAMPACKET_OK && p->id == CAMPACKET_ID_AUTH &&
                p->type == CAMPACKET_REQUEST && p->len > 0;
    if (asks)
        try_password(x, p);
    else
        bus_auth(x->c, x->name, false, "no password packet");
    conn_leave(x);
}

void auth_timeout(struct conn *x) {
    bus_auth(x->c, x->name, false, "nothing came in time");
    conn_drop(x);
}
