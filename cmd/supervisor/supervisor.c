#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "sock.h"

enum {
    TICK_MS = 1000,
    STALLED_MS = 2500,  /* a tick later than this: we, not they, stood still */
    UP_WAIT_MS = 15000, /* until every stage of a detached pipeline must be ready */
    GUARD_GRACE_MS = 900,
    CLOSE_S = 20,       /* for closing, when every stage is down */
    HARD_STOP_MS = 2000 /* beyond the longest stop_timeout: what SIGKILL does not end either */
};

static const uint64_t MS_NS = 1000000;

/* ---- state of the whole ---- */

static size_t count(const struct supervisor *s, bool (*is)(const struct child *)) {
    size_t n = 0;
    for (size_t i = 0; i < s->children; i++)
        n += is(&s->child[i]);
    return n;
}

static bool is_running(const struct child *c) {
    return c->pid != 0;
}

static bool is_down(const struct child *c) {
    return c->state == STATE_DOWN;
}

const char *supervisor_state(const struct supervisor *s) {
    if (s->stopping)
        return "stopping";
    if (count(s, child_well) == s->children)
        return "ready";
    return s->was_up ? "degraded" : "starting";
}

static void say_up(struct supervisor *s) {
    s->was_up = true;
    logs_say(&s->logs, LOG_INFO, "pipeline %s is up: %zu stages ready", s->plan.name, s->children);
    if (s->plan.open && *s->plan.open)
        logs_say(&s->logs, LOG_INFO, "open %s in a browser; Ctrl-C or tapline down stops it",
                 s->plan.open);
    notify_systemd("READY=1");
    if (s->detached) {
        logs_hide(&s->logs);
        detach_ready();
    }
}

/* Bad usage does not heal, so half a pipeline would stay up. Whoever detaches wants a pipeline that
 * is up, or to know why not; on a terminal the rest may be worth having. */
static bool spoils_start(const struct supervisor *s, const struct child *c) {
    uint64_t waited = (clock_mono_ns() - s->started_ns) / MS_NS;
    if (c->state == STATE_FAILED)
        return s->detached || c->cause == CAUSE_USAGE;
    return s->detached && waited > UP_WAIT_MS && !child_well(c);
}

static void look_start(struct supervisor *s) {
    const struct child *bad = NULL;
    for (size_t i = 0; i < s->children; i++)
        if (spoils_start(s, &s->child[i]) && (!bad || bad->state != STATE_FAILED))
            bad = &s->child[i];
    if (!bad)
        return;
    logs_say(&s->logs, LOG_ERROR, "pipeline %s does not come up: stage %s is %s%s%s", s->plan.name,
             bad->plan->name, state_name(bad->state), bad->cause_text[0] ? ": " : "",
             bad->cause_text);
    supervisor_stop(s, 1);
}

static void finish(struct supervisor *s) {
    s->done = true;
    uv_stop(&s->loop);
}

void supervisor_look(struct supervisor *s) {
    if (!s->launched || s->done)
        return;
    if (s->stopping) {
        if (count(s, is_running) == 0)
            finish(s);
        return;
    }
    if (!s->was_up && count(s, child_well) == s->children)
        say_up(s);
    if (count(s, is_down) == s->children) {
        logs_say(&s->logs, LOG_INFO, "every stage has ended");
        supervisor_stop(s, 0);
    } else if (!s->was_up) {
        look_start(s);
    }
}

/* ---- stopping ---- */

static void on_hard_stop(uv_timer_t *t) {
    struct supervisor *s = t->data;
    for (size_t i = 0; i < s->children; i++)
        if (s->child[i].pid)
            logs_say(&s->logs, LOG_ERROR, "stage %s (process %d) cannot be killed; giving it up",
                     s->child[i].plan->name, (int)s->child[i].pid);
    finish(s);
}

static void kill_all(struct supervisor *s) {
    for (size_t i = 0; i < s->children; i++)
        if (s->child[i].pid)
            kill(-s->child[i].pid, SIGKILL);
}

static uint64_t longest_stop(const struct supervisor *s) {
    int64_t ms = 0;
    for (size_t i = 0; i < s->plan.sections; i++)
        if (s->plan.section[i].keys.stop_ms > ms)
            ms = s->plan.section[i].keys.stop_ms;
    return (uint64_t)ms;
}

/* A stage that ends removes its sockets by their names, and these are another's now. */
static void kill_publishers(struct supervisor *s) {
    for (size_t i = 0; i < s->children; i++)
        if (s->child[i].pid && s->child[i].plan->own)
            kill(-s->child[i].pid, SIGKILL);
}

void supervisor_stop(struct supervisor *s, int status) {
    if (s->stopping) {
        kill_all(s);
        return;
    }
    dir_look(s);
    if (s->dir_lost)
        kill_publishers(s);
    s->stopping = true;
    s->status = status;
    s->stop_ns = clock_mono_ns();
    logs_say(&s->logs, LOG_INFO, "pipeline %s is stopping", s->plan.name);
    notify_systemd("STOPPING=1");
    uv_timer_start(&s->stop_timer, on_hard_stop, longest_stop(s) + HARD_STOP_MS, 0);
    for (size_t i = 0; i < s->children; i++)
        child_event(&s->child[i], EVENT_STOP);
    supervisor_look(s);
}

/* ---- the loop ---- */

static void on_signal(uv_signal_t *h, int number) {
    struct supervisor *s = h->data;
    if (number == SIGCHLD)
        reap_all(s);
    else if (number != SIGHUP || s->at_terminal)
        supervisor_stop(s, 0);
}

/* Closing a terminal ends what runs in it; nohup is for what shall go on. Without a terminal SIGHUP
 * is somebody's habit of asking daemons to read their files anew, and no reason to end. */
static bool at_terminal(void) {
    struct sigaction before;
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0 && sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN;
}

static void on_tick(uv_timer_t *t) {
    struct supervisor *s = t->data;
    uint64_t now = clock_mono_ns(), since = now - s->tick_ns;
    s->tick_ns = now;
    for (size_t i = 0; i < s->children; i++)
        child_tick(&s->child[i], since > STALLED_MS * MS_NS ? since : 0);
    reap_all(s);
    wires_look(s);
    dir_look(s);
    if (s->watchdog_ns)
        notify_systemd("WATCHDOG=1");
    supervisor_look(s);
}

static void open_loop(struct supervisor *s) {
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    uv_loop_init(&s->loop);
    s->at_terminal = at_terminal();
    for (int i = 0; i < 4; i++) {
        uv_signal_init(&s->loop, &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, numbers[i]);
    }
    uv_timer_init(&s->loop, &s->tick);
    uv_timer_init(&s->loop, &s->stop_timer);
    s->tick.data = s->stop_timer.data = s;
    s->watchdog_ns = notify_watchdog_ns();
    uint64_t tick = TICK_MS;
    if (s->watchdog_ns && s->watchdog_ns < TICK_MS * MS_NS)
        tick = s->watchdog_ns / MS_NS + 1;
    uv_timer_start(&s->tick, on_tick, tick, tick);
}

static void publish_line(void *ctx, const struct logs_line *l) {
    struct supervisor *s = ctx;
    if (!s->pub.outputs || !pub_wanted(&s->pub))
        return;
    struct buf *b = pub_begin(&s->pub, "log.line", l->time_ns, 3);
    mp_kv_str(b, "stage", l->stage);
    mp_kv_int(b, "level", l->level);
    mp_kv_str(b, "text", l->text);
    pub_end(&s->pub);
}

/* ---- the stages ---- */

/* Both ends stay with us: each side can end and come back without the other seeing an end, and what
 * is in the pipe waits. */
static int join(struct child *from, struct child *to, struct err *e) {
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_errno(e, errno, "cannot make a pipe");
    fcntl(fd[1], F_SETPIPE_SZ, CHILD_PIPE_BYTES);
    to->in = fd[0];
    from->out = fd[1];
    return 0;
}

static int open_children(struct supervisor *s, struct err *e) {
    s->child = mem_alloc(s->plan.stages * sizeof *s->child);
    s->children = s->plan.stages;
    for (size_t i = 0; i < s->children; i++)
        s->child[i] = (struct child){.sup = s, .plan = &s->plan.stage[i], .in = -1, .out = -1};
    for (size_t i = 0; i + 1 < s->children; i++)
        if (s->child[i + 1].plan->place > 0 && join(&s->child[i], &s->child[i + 1], e) < 0)
            return -1;
    for (size_t i = 0; i < s->children; i++)
        if (child_open(&s->child[i], e) < 0)
            return -1;
    wires_open(s);
    return 0;
}

int supervisor_open(struct supervisor *s, struct err *e) {
    signal(SIGPIPE, SIG_IGN);
    s->report_fd = -1;
    s->lock.own = s->lock.shared = s->lock.dir = s->guard.fd = -1;
    s->started_ns = s->tick_ns = clock_mono_ns();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a stage leaves behind becomes ours, and is reaped */
    open_loop(s);
    if ((s->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0)
        return err_errno(e, errno, "cannot open /dev/null");
    if (logs_open(&s->logs, &s->loop, s->log_file, s->level, e) < 0 || dir_open(s, e) < 0)
        return -1;
    s->logs.on_line = publish_line;
    s->logs.ctx = s;
    /* Before any thread is there. */
    s->guard.name = "tapline-guard";
    s->guard.grace_ms = GUARD_GRACE_MS;
    s->guard.lock_fd = s->lock.shared;
    if (guard_start(&s->guard, e) < 0 || open_children(s, e) < 0)
        return -1;
    return reports_open(s, e) < 0 || requests_open(s, e) < 0 ? -1 : 0;
}

int supervisor_run(struct supervisor *s) {
    for (size_t i = 0; i < s->children; i++)
        child_event(&s->child[i], EVENT_START);
    s->launched = true;
    supervisor_look(s);
    while (!s->done) {
        uv_run(&s->loop, UV_RUN_ONCE);
        if (s->dir_gone && !s->stopping)
            dir_mend(s);
    }
    logs_say(&s->logs, LOG_INFO, "pipeline %s is down after %llu ms", s->plan.name,
             (unsigned long long)((clock_mono_ns() - s->stop_ns) / MS_NS));
    return s->status;
}

static void close_handle(uv_handle_t *h, void *ctx) {
    (void)ctx;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

int supervisor_close(struct supervisor *s, int status) {
    alarm(CLOSE_S); /* whatever hangs from here on, the process ends */
    for (size_t i = 0; i < s->children; i++)
        child_close(&s->child[i]);
    reap_adopted(s);
    guard_stop(&s->guard);
    if (s->dir_lost) {
        logs_close(&s->logs);
        _exit(status); /* to close our sockets in order would remove those of the other */
    }
    requests_close(s);
    reports_close(s);
    dir_close(s);
    logs_close(&s->logs);
    uv_walk(&s->loop, close_handle, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    rpc_server_free(&s->rpc);
    pub_free(&s->pub);
    logs_free(&s->logs);
    for (size_t i = 0; i < s->children; i++)
        child_free(&s->child[i]);
    wires_close(s);
    free(s->child);
    free(s->file);
    plan_free(&s->plan);
    sock_fini();
    return status;
}
