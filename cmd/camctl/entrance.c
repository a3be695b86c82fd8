#include <string.h>

#include "camctl.h"
#include "listen.h"
#include "log.h"
#include "statefile.h"

enum { TURN = 64 /* connections taken at one port in one turn of the loop */ };

/* ---- who has authenticated ---- */

void kept_open(struct camctl *c) {
    char owner[SECRET_DERIVED];
    struct kept *k = statefile_open(c->st.name, sizeof *k);
    secret_derive(&c->password, "camctl sessions", owner);
    if (memcmp(k->owner, owner, sizeof owner) != 0 || k->sessions.n > SESSIONS)
        memset(k, 0, sizeof *k);
    memcpy(k->owner, owner, sizeof owner);
    k->sessions.life_ms = (uint64_t)c->cfg.session_ms;
    c->kept = k;
}

void kept_close(struct camctl *c) {
    statefile_close(c->kept, sizeof *c->kept);
}

bool camctl_admits(struct camctl *c, const struct sockaddr_storage *peer) {
    return c->cfg.open ||
           session_see(&c->kept->sessions, (const struct sockaddr *)peer, camctl_ms(c));
}

void camctl_keep(struct camctl *c, const struct sockaddr_storage *peer) {
    if (!c->cfg.open)
        session_begin(&c->kept->sessions, (const struct sockaddr *)peer, camctl_ms(c));
}

/* ---- connections ---- */

static void welcome(void *ctx, size_t port, int fd, const struct sockaddr_storage *peer) {
    static struct log_limit strangers;
    struct camctl *c = ctx;
    char name[64];
    if (port != PORT_AUTH && !camctl_admits(c, peer)) {
        c->n.refused++;
        log_limited(&strangers, LOG_WARN, "%s has not authenticated and is not served",
                    address_text((const struct sockaddr *)peer, name, sizeof name));
        conn_refuse(fd, (enum port)port);
    } else if (port == PORT_DATA) {
        viewer_add(c, fd, peer);
    } else {
        conn_add(c, (enum port)port, fd, peer);
    }
}

int entrance_open(struct camctl *c, struct err *e) {
    c->doors =
        (struct doors){.at = config_place(&c->cfg), .turn = TURN, .welcome = welcome, .ctx = c};
    if (doors_open(&c->doors, &c->st.loop, e) < 0)
        return -1;
    log_info("%s: data on port %d of %s, settings on %d, authentication on %d, %s",
             c->cfg.open ? "open to everybody" : "for those who authenticate",
             (int)c->cfg.port[PORT_DATA], c->cfg.host, (int)c->cfg.port[PORT_SETTINGS],
             (int)c->cfg.port[PORT_AUTH], c->password.set ? "with a password" : "no password set");
    if (!c->cfg.open && !c->password.set)
        log_warn("nobody can authenticate, so nobody is served (set AUTH_PASSWORD in the "
                 "environment, give --password-file, or serve everybody with --mode open)");
    return 0;
}
