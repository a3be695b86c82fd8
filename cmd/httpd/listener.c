#include "listener.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conn.h"
#include "listen.h"
#include "log.h"
#include "loopback.h"
#include "netlist.h"
#include "proxied.h"
#include "rundir.h"
#include "server.h"
#include "unixsock.h"

enum { MOST = 16, AT_ONCE = 32 /* accepted before MHD has its turn */, BACKLOG = 1024 };

static const char UNIX[] = "unix:";

struct listener {
    int fd;
    bool proxy, local; /* takes PROXY headers; is a Unix socket */
    uv_poll_t poll;
};

static struct {
    struct httpd *h;
    struct listener item[MOST];
    size_t n;
    struct netlist proxies; /* who may use PROXY headers over TCP */
    bool paused;
} all;

/* ---- accepting ---- */

static void pause_all(void) {
    for (size_t i = 0; i < all.n; i++)
        uv_poll_stop(&all.item[i].poll);
    all.paused = true;
}

static bool is_full(const struct httpd *h) {
    return h->n.connections >= (uint64_t)h->connections + CONN_SPARE;
}

void listener_adopt(struct httpd *h, int fd, const struct sockaddr *peer, socklen_t len,
                    bool secure) {
    static struct log_limit limit;
    h->adopting_secure = secure;
    if (MHD_add_connection(h->mhd, fd, peer, len) != MHD_YES)
        log_limited(&limit, LOG_WARN, "a connection could not be taken: %s", strerror(errno));
}

static void take(struct httpd *h, const struct listener *l, int fd, const struct sockaddr *peer,
                 socklen_t len) {
    static struct log_limit limit;
    char who[64];
    if (!l->proxy) {
        listener_adopt(h, fd, peer, len, false);
    } else if (l->local || netlist_has(&all.proxies, peer)) {
        proxied_begin(h, fd);
    } else {
        h->n.proxy_faults++;
        log_limited(&limit, LOG_WARN, "%s may not pass connections on (--proxy-from)",
                    address_text(peer, who, sizeof who));
        close(fd);
    }
}

/* -1 when it is no use to try again at once. */
static int accept_one(struct httpd *h, const struct listener *l) {
    static struct log_limit limit;
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    int fd = accept4(l->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        take(h, l, fd, (struct sockaddr *)&peer, len);
        return 0;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        log_limited(&limit, LOG_WARN, "no connection can be taken now: %s", strerror(errno));
        pause_all();
    }
    return errno == ECONNABORTED || errno == EINTR ? 0 : -1;
}

static void on_readable(uv_poll_t *p, int status, int events) {
    struct httpd *h = all.h;
    (void)status;
    (void)events;
    for (int i = 0; i < AT_ONCE && !is_full(h) && accept_one(h, p->data) == 0; i++)
        ;
    if (is_full(h))
        pause_all();
    server_run(h);
}

void listeners_go_on(void) {
    if (!all.paused || is_full(all.h))
        return;
    all.paused = false;
    for (size_t i = 0; i < all.n; i++)
        uv_poll_start(&all.item[i].poll, UV_READABLE, on_readable);
}

/* ---- options ---- */

static const char *unix_name(const char *where) {
    return strncmp(where, UNIX, sizeof UNIX - 1) == 0 ? where + sizeof UNIX - 1 : NULL;
}

static int check_proxy(const struct httpd *h, const char *where, struct err *e) {
    const char *name = unix_name(where);
    if (name)
        return *name == '/' || endpoint_name_valid(name)
                   ? 0
                   : err_set(e, CAUSE_USAGE, "--proxy-listen %s: write unix:NAME or unix:/the/path",
                             where);
    if (listen_check(where, "--proxy-listen", e) < 0)
        return -1;
    bool bare = !strchr(where, ':'); /* a port alone is on 127.0.0.1 */
    return bare || host_is_loopback(where) || h->proxy_from.n > 0
               ? 0
               : err_set(e, CAUSE_USAGE,
                         "--proxy-listen %s: whoever reaches it may pretend to come from anywhere "
                         "(use 127.0.0.1 or unix:NAME, or say with --proxy-from who may)",
                         where);
}

int listeners_declare(struct httpd *h, struct err *e) {
    if (h->listen.n == 0)
        h->listen.item[h->listen.n++] = "127.0.0.1:8080";
    for (size_t i = 0; i < h->listen.n; i++)
        if (listen_check(h->listen.item[i], "--listen", e) < 0)
            return -1;
    for (size_t i = 0; i < h->proxy_listen.n; i++)
        if (check_proxy(h, h->proxy_listen.item[i], e) < 0)
            return -1;
    for (size_t i = 0; i < h->proxy_from.n; i++)
        if (netlist_add(&all.proxies, h->proxy_from.item[i], "--proxy-from", e) < 0)
            return -1;
    if (h->listen.n + h->proxy_listen.n > MOST)
        return err_set(e, CAUSE_USAGE, "at most %d addresses to listen on", MOST);
    return h->proxy_from.n ? 0 : netlist_add(&all.proxies, "loopback", "--proxy-from", e);
}

/* ---- opening ---- */

/* The stage holds the run directory open; NAME.sock lies in it. */
static int open_unix(const char *name, char *where, size_t size, struct err *e) {
    char dir[RUNDIR_MAX];
    if (*name == '/')
        snprintf(where, size, "%s", name);
    else if (rundir_path(dir, sizeof dir, NULL, e) < 0 || rundir_make(dir, e) < 0 ||
             rundir_file(where, size, name, "sock", e) < 0)
        return -1;
    return unix_listen(where, SOCK_STREAM, BACKLOG, e);
}

static int open_one(struct httpd *h, const char *where, bool proxy, struct err *e) {
    struct listener *l = &all.item[all.n];
    const char *name = proxy ? unix_name(where) : NULL;
    char at[128];
    int fd = name ? open_unix(name, at, sizeof at, e)
                  : listen_open(where, proxy ? "--proxy-listen" : "--listen", e);
    if (fd < 0)
        return -1;
    *l = (struct listener){.fd = fd, .proxy = proxy, .local = name != NULL};
    uv_poll_init(&h->st.loop, &l->poll, fd);
    l->poll.data = l;
    all.n++;
    log_info("listening on %s%s", name ? at : listen_url(fd, at, sizeof at),
             proxy ? ", with PROXY headers" : "");
    return 0;
}

int listeners_open(struct httpd *h, struct err *e) {
    all.h = h;
    for (size_t i = 0; i < h->listen.n; i++)
        if (open_one(h, h->listen.item[i], false, e) < 0)
            return -1;
    for (size_t i = 0; i < h->proxy_listen.n; i++)
        if (open_one(h, h->proxy_listen.item[i], true, e) < 0)
            return -1;
    all.paused = true;
    listeners_go_on();
    return 0;
}

void listeners_close(void) {
    all.paused = false;
    for (; all.n > 0; all.n--) {
        struct listener *l = &all.item[all.n - 1];
        uv_poll_stop(&l->poll);
        uv_close((uv_handle_t *)&l->poll, NULL);
        close(l->fd);
    }
}
