#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "supervisor.h"

/* So much of one stage at a time, so that a flood does not keep the others waiting. */
enum { READ_BYTES = 64 << 10, DRAIN_READS = 16, SECOND_NS = 1000000000 };

/* A stage whose lines are being thrown away is read only so often (3 MB/s), or throwing them away
 * would cost a core. */
enum { FLOOD_PAUSE_MS = 20 };

static void say_left_out(struct child *c) {
    char text[80];
    if (!c->left_out)
        return;
    snprintf(text, sizeof text, "%llu lines left out here (more than %d in a second)",
             (unsigned long long)c->left_out, CHILD_LINES_PER_S);
    c->left_out = 0;
    logs_add(&c->sup->logs, c->plan->name, LOG_WARN, text);
}

static void turn_window(struct child *c) {
    uint64_t now = clock_mono_ns();
    if (now - c->window_ns < SECOND_NS)
        return;
    c->window_ns = now;
    c->window_lines = 0;
    say_left_out(c);
}

static void take_line(void *ctx, int level, const char *text) {
    struct child *c = ctx;
    if (++c->window_lines > CHILD_LINES_PER_S)
        c->left_out++;
    else
        logs_add(&c->sup->logs, c->plan->name, level, text);
}

/* Bytes read; 0 = nothing there. */
static size_t read_some(struct output *o) {
    char bytes[READ_BYTES];
    ssize_t n = read(o->read_fd, bytes, sizeof bytes);
    if (n <= 0)
        return 0;
    turn_window(o->child);
    lines_feed(&o->lines, bytes, (size_t)n, take_line, o->child);
    return (size_t)n;
}

static void on_readable(uv_poll_t *h, int status, int events);

static void on_pause_over(uv_timer_t *t) {
    struct output *o = t->data;
    uv_poll_start(&o->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *h, int status, int events) {
    struct output *o = h->data;
    (void)status;
    (void)events;
    read_some(o);
    if (o->child->window_lines <= CHILD_LINES_PER_S)
        return;
    uv_poll_stop(h);
    uv_timer_start(&o->pause, on_pause_over, FLOOD_PAUSE_MS, 0);
}

int output_open(struct output *o, struct child *c, struct err *e) {
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_errno(e, errno, "cannot make a pipe");
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    o->child = c;
    o->read_fd = fd[0];
    o->write_fd = fd[1];
    o->poll.data = o->pause.data = o;
    uv_timer_init(&c->sup->loop, &o->pause);
    uv_poll_init(&c->sup->loop, &o->poll, fd[0]);
    uv_poll_start(&o->poll, UV_READABLE, on_readable);
    return 0;
}

void output_drain(struct output *o) {
    if (o->read_fd < 0)
        return;
    for (int i = 0; i < DRAIN_READS && read_some(o); i++)
        ;
    lines_end(&o->lines, take_line, o->child);
}

void output_tick(struct child *c) {
    turn_window(c);
}

static void closed(uv_handle_t *h) {
    struct output *o = h->data;
    close(o->read_fd);
    close(o->write_fd);
    o->read_fd = o->write_fd = -1;
}

void output_close(struct output *o) {
    if (o->read_fd < 0 || uv_is_closing((uv_handle_t *)&o->poll))
        return;
    uv_close((uv_handle_t *)&o->pause, NULL);
    uv_close((uv_handle_t *)&o->poll, closed);
}
