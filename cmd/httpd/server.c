#include "server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "conn.h"
#include "linger.h"
#include "listen.h"
#include "listener.h"
#include "log.h"
#include "proxied.h"

enum {
    CONN_MEMORY = 32 << 10, /* head of a request plus head of its answer */
    STOP_MS = 200,          /* for answers under way */
    SPARE_FDS = 128
};

/* ---- MHD's turn ---- */

static void on_timer(uv_timer_t *t) {
    server_run(t->data);
}

static void arm(struct httpd *h) {
    MHD_UNSIGNED_LONG_LONG ms;
    if (h->again)
        uv_timer_start(&h->timer, on_timer, 0, 0);
    else if (MHD_get_timeout(h->mhd, &ms) == MHD_YES)
        uv_timer_start(&h->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&h->timer);
}

void server_run(struct httpd *h) {
    if (h->running) {
        h->again = true;
        return;
    }
    h->again = false;
    h->running = true;
    MHD_run(h->mhd);
    h->running = false;
    if (h->stopping && !h->first)
        stage_stopped(&h->st);
    arm(h);
}

static void on_events(uv_poll_t *p, int status, int events) {
    (void)status;
    (void)events;
    server_run(p->data);
}

/* ---- opening ---- */

static void mhd_log(void *cls, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
static void mhd_log(void *cls, const char *fmt, va_list ap) {
    static struct log_limit limit;
    char text[400];
    (void)cls;
    if (log_level() < LOG_DEBUG)
        return;
    vsnprintf(text, sizeof text, fmt, ap);
    text[strcspn(text, "\n")] = 0;
    log_limited(&limit, LOG_DEBUG, "libmicrohttpd: %s", text);
}

/* Every connection and every file being sent is a descriptor. */
static void raise_files(int64_t connections) {
    uint64_t files = listen_files();
    if (files < (uint64_t)(2 * connections + SPARE_FDS))
        log_warn("%llu open files are allowed, %lld connections may need %lld (raise LimitNOFILE "
                 "or lower --connections)",
                 (unsigned long long)files, (long long)connections,
                 (long long)(2 * connections + SPARE_FDS));
}

/* External epoll mode. SIGPIPE is ignored by the stage; without saying so MHD would not use
 * sendfile. */
static struct MHD_Daemon *start(struct httpd *h) {
    unsigned idle_s = (unsigned)((h->timeout_ms + 999) / 1000);
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                                MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG,
                            0, NULL, NULL, request_handle, h, MHD_OPTION_EXTERNAL_LOGGER, mhd_log,
                            NULL, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)h->connections + CONN_SPARE,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
                            MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_NOTIFY_CONNECTION,
                            conn_notify, h, MHD_OPTION_NOTIFY_COMPLETED, request_completed, h,
                            MHD_OPTION_URI_LOG_CALLBACK, request_uri, h, MHD_OPTION_END);
}

int server_open(struct httpd *h, struct err *e) {
    raise_files(h->connections);
    h->mhd = start(h);
    if (!h->mhd)
        return err_set(e, CAUSE_FAILED, "libmicrohttpd %s does not start", MHD_get_version());
    int epoll = MHD_get_daemon_info(h->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(&h->st.loop, &h->poll, epoll);
    uv_timer_init(&h->st.loop, &h->timer);
    uv_timer_init(&h->st.loop, &h->stop_timer);
    h->poll.data = h->timer.data = h->stop_timer.data = h;
    uv_poll_start(&h->poll, UV_READABLE, on_events);
    return listeners_open(h, e);
}

/* ---- stopping ---- */

static void on_stop_timer(uv_timer_t *t) {
    struct httpd *h = t->data;
    stage_stopped(&h->st);
}

void server_stop(struct httpd *h) {
    h->stopping = true;
    listeners_close();
    proxied_stop();
    linger_stop();
    conn_stop(h);
    uv_timer_start(&h->stop_timer, on_stop_timer, STOP_MS, 0);
    server_run(h);
}

void server_close(struct httpd *h) {
    if (!h->mhd)
        return;
    uv_close((uv_handle_t *)&h->poll, NULL);
    uv_close((uv_handle_t *)&h->timer, NULL);
    uv_close((uv_handle_t *)&h->stop_timer, NULL);
    MHD_stop_daemon(h->mhd);
    h->mhd = NULL;
}
