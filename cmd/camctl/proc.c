#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "msg.h"
#include "program.h"
#include "spawn.h"

enum {
    WAIT_FIRST_MS = 250,
    WAIT_LAST_MS = 10000,
    STEADY_MS = 10000,    /* who has run so long has not failed again and again */
    DRAIN_BYTES = 1 << 20 /* at most, of what an ended process has left in its pipes */
};

const char *proc_state_name(enum proc_state s) {
    static const char *const names[] = {"stopped", "starting", "running", "backoff", "missing"};
    return names[s];
}

static void set_state(struct proc *p, enum proc_state s) {
    if (p->state != s)
        p->since_ns = clock_wall_ns();
    p->state = s;
    p->on_told(p->ctx);
}

static void set_status(struct proc *p, enum cause cause, const char *text) {
    p->cause = cause;
    snprintf(p->status, sizeof p->status, "%s", text);
}

/* ---- standard error ---- */

static void keep_line(struct proc *p) {
    char *line = p->line[p->lines % PROC_LINES];
    if (p->part_len == 0)
        return;
    p->part_len = command_hide_logins(p->part, p->part_len);
    log_quote(line, PROC_LINE_BYTES, p->part, p->part_len);
    p->lines++;
    p->part_len = 0;
    p->lines_changed = true;
    log_debug("%s: %s", p->name, line);
}

static void on_error_bytes(void *ctx, uint64_t time_ns) {
    struct proc *p = ctx;
    const uint8_t *at = buf_data(&p->err.buf);
    size_t n = buf_len(&p->err.buf);
    (void)time_ns;
    for (size_t i = 0; i < n; i++) {
        /* A progress line ends with a carriage return alone. */
        if (at[i] == '\n' || at[i] == '\r')
            keep_line(p);
        else if (p->part_len < sizeof p->part)
            p->part[p->part_len++] = (char)at[i];
    }
    buf_consume(&p->err.buf, n);
}

/* ---- starting ---- */

struct pipes {
    int in[2], out[2], err[2]; /* [0] is read, [1] written; -1 = none */
};

static void close_pipes(struct pipes *f) {
    int *all = (int *)f;
    for (int i = 0; i < 6; i++)
        if (all[i] >= 0)
            close(all[i]);
}

static int make_pipes(const struct proc *p, struct pipes *f, struct err *e) {
    *f = (struct pipes){{-1, -1}, {-1, -1}, {-1, -1}};
    if (pipe2(f->err, O_CLOEXEC) == 0 && (!p->takes_input || pipe2(f->in, O_CLOEXEC) == 0) &&
        (!p->gives_output || pipe2(f->out, O_CLOEXEC) == 0))
        return 0;
    int no = errno;
    close_pipes(f);
    return err_errno(e, no, "cannot make a pipe");
}

/* Our ends, which close_pipes then leaves alone. */
static int watch(struct proc *p, struct pipes *f, struct err *e) {
    p->err = (struct instream){.fd = -1, .on_bytes = on_error_bytes, .ctx = p};
    if (instream_open(&p->err, p->loop, f->err[0], false, e) < 0)
        return -1;
    f->err[0] = -1;
    if (p->gives_output) {
        p->out.ended = p->out.paused = false;
        if (instream_open(&p->out, p->loop, f->out[0], false, e) < 0)
            return -1;
        f->out[0] = -1;
    }
    if (p->takes_input) {
        p->in = (struct outstream){.fd = -1};
        if (outstream_open(&p->in, p->loop, f->in[1], false, e) < 0)
            return -1;
        f->in[1] = -1;
        fcntl(p->in.fd, F_SETPIPE_SZ, PROC_PIPE_BYTES);
        p->fed = true;
    }
    return 0;
}

static void close_streams(struct proc *p) {
    instream_close(&p->err);
    instream_close(&p->out);
    if (p->fed)
        outstream_close(&p->in, 0);
    p->fed = false;
}

bool proc_free_to_start(const struct proc *p) {
    return p->pid == 0 && p->err.fd < 0 && p->out.fd < 0 && p->in.fd < 0;
}

static void note_command(struct proc *p, const struct conf_cmd *c) {
    buf_clear(&p->command);
    for (size_t i = 0; i < c->argc; i++) {
        bool plain = c->argv[i][0] && !c->argv[i][strcspn(c->argv[i], " \t'\"\\$*?;&|<>()")];
        char *word = mem_strdup(c->argv[i]);
        int n = (int)command_hide_logins(word, strlen(word));
        buf_printf(&p->command, plain ? "%s%.*s" : "%s'%.*s'", i ? " " : "", n, word);
        free(word);
    }
}

static int run(struct proc *p, const char *path, char *const *argv, struct err *e) {
    struct pipes f;
    if (make_pipes(p, &f, e) < 0)
        return -1;
    const struct spawn s = {
        .program = path, .argv = argv, .in = f.in[0], .out = f.out[1], .err = f.err[1], .keep = -1};
    pid_t pid = spawn_start(&s, NULL);
    if (pid < 0) {
        err_errno(e, errno, "cannot start %s", path);
        close_pipes(&f);
        return -1;
    }
    guard_tell(p->guard, pid, true);
    p->pid = pid;
    int r = watch(p, &f, e);
    close_pipes(&f);
    return r;
}

static void on_again(uv_timer_t *t) {
    struct proc *p = t->data;
    p->on_again(p->ctx);
}

static void pause_now(struct proc *p, enum proc_state s) {
    unsigned ms = p->wait_ms ? p->wait_ms : WAIT_FIRST_MS;
    p->wait_ms = ms * 2 < WAIT_LAST_MS ? ms * 2 : WAIT_LAST_MS;
    uv_update_time(p->loop);
    uv_timer_start(&p->timer, on_again, ms, 0);
    set_state(p, s);
}

/* Into the log, unless it is what was said the last time. */
static void tell(struct proc *p, enum cause cause, const char *text) {
    set_status(p, cause, text);
    if (strcmp(p->told, p->status) != 0)
        log_warn("%s: %s", p->name, p->status);
    snprintf(p->told, sizeof p->told, "%s", p->status);
}

/* Try again later. */
static int cannot(struct proc *p, enum proc_state s, const struct err *e) {
    tell(p, e->cause, e->text);
    pause_now(p, s);
    return -1;
}

int proc_start(struct proc *p, const struct conf_argv *a, struct err *e) {
    char path[PROGRAM_PATH];
    const struct conf_cmd *c = &a->cmd[0];
    note_command(p, c);
    if (program_find(path, sizeof path, c->argv[0], NULL, e) < 0) {
        p->wait_ms = WAIT_LAST_MS;
        return cannot(p, PROC_MISSING, e);
    }
    p->ending = false;
    p->step = 0;
    p->part_len = 0;
    p->lines_before = p->lines;
    if (run(p, path, c->argv, e) < 0) {
        if (p->pid == 0)
            return cannot(p, PROC_BACKOFF, e);
        proc_fail(p, e->cause, e->text);
        return -1;
    }
    uv_timer_stop(&p->timer);
    p->started_ms = uv_now(p->loop);
    set_status(p, CAUSE_OK, "");
    set_state(p, PROC_STARTING);
    log_debug("%s: %.*s", p->name, (int)buf_len(&p->command), (char *)buf_data(&p->command));
    return 0;
}

void proc_runs(struct proc *p) {
    if (p->state == PROC_STARTING && !p->ending)
        set_state(p, PROC_RUNNING);
}

/* ---- ending ---- */

/* The group, for a script may have started the program that holds the camera. */
static void signal_group(struct proc *p, int number) {
    if (p->pid > 0)
        kill(-p->pid, number);
}

static void on_step(uv_timer_t *t);

static void take_step(struct proc *p) {
    static const int signals[] = {0, SIGTERM, SIGKILL};
    if (p->step == 0 && p->fed) {
        outstream_close(&p->in, 0);
        p->fed = false;
    } else if (p->step == 0) {
        p->step = 1;
    }
    if (signals[p->step])
        signal_group(p, signals[p->step]);
    if (p->step == 2)
        return;
    p->step++;
    uv_timer_start(&p->timer, on_step, p->grace_ms, 0);
}

static void on_step(uv_timer_t *t) {
    struct proc *p = t->data;
    if (p->pid)
        take_step(p);
}

void proc_end(struct proc *p) {
    uv_timer_stop(&p->timer);
    if (p->pid == 0)
        return;
    /* Asked again, it is being waited for with another grace: the step it has got to goes on. */
    if (p->ending)
        uv_timer_start(&p->timer, on_step, p->grace_ms, 0);
    else
        take_step(p);
    p->ending = true;
}

void proc_fail(struct proc *p, enum cause cause, const char *why) {
    if (p->pid == 0)
        return;
    tell(p, cause, why);
    p->ending = false;
    p->step = 2;
    signal_group(p, SIGKILL);
}

void proc_back_off(struct proc *p) {
    p->restarts++;
    pause_now(p, PROC_BACKOFF);
}

void proc_rest(struct proc *p, const char *why) {
    uv_timer_stop(&p->timer);
    if (p->pid)
        return;
    set_status(p, CAUSE_OK, why);
    set_state(p, PROC_STOPPED);
}

void proc_forgive(struct proc *p) {
    p->wait_ms = 0;
    p->told[0] = 0;
}

/* What it wrote before it ended. */
static void drain(struct instream *s) {
    for (size_t all = 0; s->fd >= 0 && !s->ended && all < DRAIN_BYTES;) {
        ssize_t n = read(s->fd, buf_reserve(&s->buf, 4096), 4096);
        if (n <= 0)
            return;
        buf_added(&s->buf, (size_t)n);
        all += (size_t)n;
        s->on_bytes(s->ctx, clock_wall_ns());
    }
}

/* The last line of this life that says something: ffmpeg's last one may end in " -- ". */
static const char *last_line(const struct proc *p) {
    for (size_t i = p->lines; i > p->lines_before && p->lines - i < PROC_LINES; i--) {
        const char *line = p->line[(i - 1) % PROC_LINES];
        size_t n = strlen(line);
        while (n && line[n - 1] == ' ')
            n--;
        if (n > 2 && memcmp(line + n - 2, "--", 2) != 0)
            return line;
    }
    return "";
}

static void describe(struct proc *p, int code, int value) {
    char text[sizeof p->status];
    const char *last = last_line(p);
    if (code == CLD_EXITED)
        snprintf(text, sizeof text, "ended with status %d%s%.100s", value, *last ? ": " : "", last);
    else
        snprintf(text, sizeof text, "ended by signal %d (%s)", value, strsignal(value));
    tell(p, CAUSE_CRASHED, text);
}

void proc_reap(struct proc *p) {
    siginfo_t si = {0};
    /* Its number stays taken until waitpid: what is left of its group can still be found. */
    if (p->pid == 0 || waitid(P_PID, (id_t)p->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
        si.si_pid != p->pid)
        return;
    signal_group(p, SIGKILL);
    guard_tell(p->guard, p->pid, false);
    waitpid(p->pid, NULL, 0);
    p->pid = 0;
    uv_timer_stop(&p->timer);
    drain(&p->err);
    keep_line(p);
    if (p->gives_output)
        drain(&p->out);
    close_streams(p);
    if (uv_now(p->loop) - p->started_ms > STEADY_MS)
        p->wait_ms = 0;
    if (!p->ending && p->cause == CAUSE_OK)
        describe(p, si.si_code, si.si_status);
    p->on_end(p->ctx);
}

/* ---- life ---- */

void proc_open(struct proc *p, uv_loop_t *loop) {
    p->loop = loop;
    p->err.fd = p->out.fd = p->in.fd = -1;
    p->out.ctx = p->ctx;
    p->since_ns = clock_wall_ns();
    p->opened = true;
    uv_timer_init(loop, &p->timer);
    p->timer.data = p;
}

void proc_close(struct proc *p) {
    if (!p->opened)
        return;
    if (p->pid) {
        signal_group(p, SIGKILL);
        waitpid(p->pid, NULL, 0);
        guard_tell(p->guard, p->pid, false);
        p->pid = 0;
    }
    close_streams(p);
    uv_close((uv_handle_t *)&p->timer, NULL);
}

void proc_free(struct proc *p) {
    buf_free(&p->command);
}
