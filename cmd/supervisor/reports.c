#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor.h"

enum { REPORT_BYTES = 256 << 10, REPORTS_AT_ONCE = 64 };

static struct child *find(struct supervisor *s, const struct msg *m) {
    const char *name = m->topic + 4;
    size_t n = m->topic_len - 4;
    for (size_t i = 0; i < s->children; i++)
        if (strlen(s->child[i].plan->name) == n && memcmp(s->child[i].plan->name, name, n) == 0)
            return &s->child[i];
    return NULL;
}

/* From the stage's present process, or one that it has started (sh -c "..."): a report of the life
 * before may still have been under way. */
static bool is_present(const struct child *c, const struct msg *m) {
    uint64_t pid;
    return c->pid && mp_get_uint(m->body, m->body_len, "pid", &pid) && pid < INT32_MAX &&
           getpgid((pid_t)pid) == c->pid;
}

static double rate(uint64_t now, uint64_t before, double seconds) {
    return now >= before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void take_rates(struct child_report *r, const struct msg *m) {
    uint64_t in = 0, out = 0, cpu_us = 0;
    double seconds = r->time_ns && m->time > r->time_ns ? (double)(m->time - r->time_ns) / 1e9 : 0;
    mp_get_uint(m->body, m->body_len, "in", &in);
    mp_get_uint(m->body, m->body_len, "out", &out);
    mp_get_uint(m->body, m->body_len, "cpu_us", &cpu_us);
    if (r->time_ns && seconds < 0.5)
        return; /* reported out of turn, because something changed */
    r->in_per_s = rate(in, r->in, seconds);
    r->out_per_s = rate(out, r->out, seconds);
    r->cpu_percent = rate(cpu_us, r->cpu_us, seconds) / 1e4;
    r->time_ns = m->time;
    r->in = in;
    r->out = out;
    r->cpu_us = cpu_us;
}

static void take_report(struct supervisor *s, const struct msg *m) {
    char state[16] = "";
    struct child *c = msg_has_prefix(m, "sys.") ? find(s, m) : NULL;
    if (!c || !is_present(c, m)) {
        s->bad_reports++;
        return;
    }
    take_rates(&c->report, m);
    buf_clear(&c->report.body);
    buf_put(&c->report.body, m->body, m->body_len);
    mp_get_cstr(m->body, m->body_len, "state", state, sizeof state);
    pub_raw_nng(&s->pub, m);
    child_heard(c, strcmp(state, "ready") == 0);
}

static void on_readable(uv_poll_t *h, int status, int events) {
    static uint8_t bytes[REPORT_BYTES];
    struct supervisor *s = h->data;
    struct msg m;
    (void)status;
    (void)events;
    for (int i = 0; i < REPORTS_AT_ONCE; i++) {
        ssize_t n = recv(s->report_fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n < 0)
            return;
        if (n > 0 && msg_parse(bytes, (size_t)n, &m) == n)
            take_report(s, &m);
        else
            s->bad_reports++;
    }
}

int reports_open(struct supervisor *s, struct err *e) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s/report.sock", s->dir);
    unlink(at.sun_path); /* a killed supervisor's; the lock is ours */
    s->report_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->report_fd < 0 || bind(s->report_fd, (struct sockaddr *)&at, sizeof at) < 0)
        return err_errno(e, errno, "cannot listen at %s", at.sun_path);
    chmod(at.sun_path, s->shared_group ? 0660 : 0600);
    uv_poll_init(&s->loop, &s->report_poll, s->report_fd);
    s->report_poll.data = s;
    uv_poll_start(&s->report_poll, UV_READABLE, on_readable);
    return 0;
}

static void closed(uv_handle_t *h) {
    struct supervisor *s = h->data;
    close(s->report_fd);
}

void reports_close(struct supervisor *s) {
    if (s->report_poll.data && !uv_is_closing((uv_handle_t *)&s->report_poll))
        uv_close((uv_handle_t *)&s->report_poll, closed);
}
