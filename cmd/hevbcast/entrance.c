#include "hevbcast.h"
#include "log.h"

enum { TURN = 256 /* connections taken at one port in one turn of the loop */ };

static struct doors_place place(const struct options *o) {
    static const char *const option[PORTS] = {[PORT_WEBUI] = "--webui-port",
                                              [PORT_NATIVE] = "--native-port",
                                              [PORT_QUERY] = "--query-port"};
    return (struct doors_place){o->host, o->port, option, PORTS};
}

int entrance_check(const struct options *o, struct err *e) {
    struct doors_place at = place(o);
    return doors_check(&at, e);
}

static void welcome(void *ctx, size_t port, int fd, const struct sockaddr_storage *peer) {
    if (port == PORT_QUERY)
        query_add(ctx, fd, peer);
    else
        client_add(ctx, (enum port)port, fd, peer);
}

int entrance_open(struct hevbcast *h, struct err *e) {
    h->doors = (struct doors){.at = place(&h->opt), .turn = TURN, .welcome = welcome, .ctx = h};
    if (doors_open(&h->doors, &h->st.loop, e) < 0)
        return -1;
    log_info("%s: broadcast on ports %lld and %lld of %s, requests on %lld", h->opt.dialect,
             (long long)h->opt.port[PORT_WEBUI], (long long)h->opt.port[PORT_NATIVE], h->opt.host,
             (long long)h->opt.port[PORT_QUERY]);
    return 0;
}
