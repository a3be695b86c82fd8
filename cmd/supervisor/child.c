#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environ.h"
#include "spawn.h"
#include "supervisor.h"

enum { MS_NS = 1000000 };

/* ---- words ---- */

static const char *program_name(const struct child *c) {
    const char *slash = strrchr(c->plan->cmd->argv[0], '/');
    return slash ? slash + 1 : c->plan->cmd->argv[0];
}

static void say(struct child *c, int level, const char *text) {
    logs_say(&c->sup->logs, level, "stage %s (%s) %s", c->plan->name, program_name(c), text);
}

static void set_cause(struct child *c, enum cause cause, const char *text) {
    c->cause = cause;
    snprintf(c->cause_text, sizeof c->cause_text, "%s", text);
}

/* "ended by signal 9 (killed)", "ended with status 3". */
static void describe_end(char *out, size_t size, int status) {
    if (WIFEXITED(status)) {
        snprintf(out, size, "ended with status %d", WEXITSTATUS(status));
        return;
    }
    char name[40];
    snprintf(name, sizeof name, "%s", strsignal(WTERMSIG(status)));
    if (name[0] >= 'A' && name[0] <= 'Z')
        name[0] = (char)(name[0] - 'A' + 'a');
    snprintf(out, size, "ended by signal %d (%s)%s", WTERMSIG(status), name,
             WCOREDUMP(status) ? ", core dumped" : "");
}

/* ---- starting ---- */

static void on_timer(uv_timer_t *t) {
    child_event(t->data, EVENT_TIMER);
}

static void set_timer(struct child *c, uint64_t ms) {
    uv_update_time(&c->sup->loop);
    uv_timer_start(&c->timer, on_timer, ms, 0);
}

/* Programs of ours that are no stages do not report. */
static bool will_report(const struct child *c) {
    static const char *const not_stages[] = {"tapline", "supervisor", "devsim"};
    if (!c->plan->own || !c->plan->section->keys.watchdog_ms)
        return false;
    for (size_t i = 0; i < sizeof not_stages / sizeof *not_stages; i++)
        if (strcmp(program_name(c), not_stages[i]) == 0)
            return false;
    return true;
}

/* A stage that could not open a descriptor of its own has made the shared one non-blocking; the
 * next life may be a program that does not expect it. */
static int blocking(int fd) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

static pid_t start_process(struct child *c) {
    struct supervisor *sup = c->sup;
    const struct plan_keys *k = &c->plan->section->keys;
    struct spawn s = {.program = c->plan->program,
                      .argv = c->plan->cmd->argv,
                      .env = c->env,
                      .cpus = k->cpu ? &k->cpus : NULL,
                      .dir = k->dir,
                      .in = c->in >= 0 ? blocking(c->in) : sup->null_fd,
                      .out = c->out >= 0 ? blocking(c->out) : c->text.write_fd,
                      .err = c->err.write_fd,
                      .keep = c->ledger.fd,
                      .shared_group = sup->shared_group};
    if (k->user)
        spawn_user(&s, k->user, k->uid, k->gid);
    return spawn_start(&s, &c->failure_fd);
}

static void forget_report(struct child *c) {
    buf_clear(&c->report.body);
    struct buf keep = c->report.body;
    c->report = (struct child_report){.body = keep};
}

static void action_spawn(struct child *c) {
    char text[120];
    forget_report(c);
    ledger_start(&c->ledger);
    c->started_ns = c->silent_since_ns = clock_mono_ns();
    c->reports = will_report(c);
    pid_t pid = start_process(c);
    if (pid < 0) {
        snprintf(text, sizeof text, "cannot start a process: %s", strerror(errno));
        set_cause(c, CAUSE_FAILED, text);
        say(c, LOG_ERROR, text);
        child_event(c, EVENT_CRASHED);
        return;
    }
    c->pid = pid;
    guard_tell(&c->sup->guard, pid, true);
    uv_timer_stop(&c->timer);
    if (!c->reports)
        set_timer(c, CHILD_ALIVE_MS);
    logs_say(&c->sup->logs, LOG_DEBUG, "stage %s (%s) started as process %d", c->plan->name,
             program_name(c), (int)pid);
}

static void action_ready(struct child *c) {
    uv_timer_stop(&c->timer);
    set_cause(c, CAUSE_OK, "");
    say(c, c->was_ready ? LOG_INFO : LOG_DEBUG, c->was_ready ? "is ready again" : "is ready");
    c->was_ready = true;
}

/* ---- ending ---- */

static void signal_group(const struct child *c, int number) {
    if (c->pid > 0)
        kill(-c->pid, number);
}

/* A stopped process gets a signal only when it goes on. SIGCONT comes first, for it undoes a stop
 * that is under way: behind a SIGTERM it meets a leak checker that stops its own process to look at
 * it, and then waits for ever. */
static void ask_to_end(struct child *c, int number) {
    signal_group(c, SIGCONT);
    signal_group(c, number);
    set_timer(c, (uint64_t)c->plan->section->keys.stop_ms);
}

static void action_term(struct child *c) {
    c->ending = ENDING_DOWN;
    ask_to_end(c, SIGTERM);
}

static void action_again(struct child *c) {
    c->ending = ENDING_AGAIN;
    say(c, LOG_INFO, "is started again on request");
    ask_to_end(c, SIGTERM);
}

static void action_abort(struct child *c) {
    c->ending = ENDING_UNFIT;
    say(c, LOG_ERROR, c->cause_text);
    ask_to_end(c, c->cause == CAUSE_TIMEOUT ? SIGABRT : SIGTERM);
}

static void action_kill(struct child *c) {
    char text[80];
    snprintf(text, sizeof text, "did not end within %lld ms; killing it",
             (long long)c->plan->section->keys.stop_ms);
    say(c, LOG_WARN, text);
    signal_group(c, SIGKILL);
}

static void action_stay_down(struct child *c) {
    c->ending = ENDING_DOWN;
}

static void action_come_back(struct child *c) {
    c->ending = ENDING_AGAIN;
}

static void action_back_off(struct child *c) {
    char text[160];
    uint64_t up_ms = (clock_mono_ns() - c->started_ns) / MS_NS;
    uint64_t wait = backoff_step(&c->backoff, up_ms);
    if (wait)
        snprintf(text, sizeof text, "%s; starting again in %llu ms", c->last_exit,
                 (unsigned long long)wait);
    else
        snprintf(text, sizeof text, "%s; starting again", c->last_exit);
    say(c, LOG_WARN, text);
    c->restarts++;
    set_timer(c, wait);
}

static void action_settle(struct child *c) {
    uv_timer_stop(&c->timer);
    set_cause(c, CAUSE_OK, "");
    if (!c->sup->stopping)
        say(c, LOG_INFO, c->last_exit);
}

static void action_fail(struct child *c) {
    char text[300];
    uv_timer_stop(&c->timer);
    snprintf(text, sizeof text, "%s; not started again (tapline restart %s)", c->cause_text,
             c->plan->name);
    say(c, LOG_ERROR, text);
}

void child_event(struct child *c, enum event ev) {
    static void (*const actions[])(struct child *) = {
        [ACTION_SPAWN] = action_spawn,         [ACTION_READY] = action_ready,
        [ACTION_BACK_OFF] = action_back_off,   [ACTION_SETTLE] = action_settle,
        [ACTION_FAIL] = action_fail,           [ACTION_TERM] = action_term,
        [ACTION_AGAIN] = action_again,         [ACTION_ABORT] = action_abort,
        [ACTION_KILL] = action_kill,           [ACTION_STAY_DOWN] = action_stay_down,
        [ACTION_COME_BACK] = action_come_back,
    };
    struct transition t = state_step(c->state, ev);
    c->state = t.next;
    if (t.action != ACTION_NONE)
        actions[t.action](c);
    supervisor_look(c->sup);
}

/* The errno with which the program could not be started; 0 when it could. */
static int exec_error(struct child *c) {
    struct spawn_failure f = {0};
    ssize_t n = read(c->failure_fd, &f, sizeof f);
    close(c->failure_fd);
    c->failure_fd = -1;
    if (n != sizeof f)
        return 0;
    const struct plan_keys *k = &c->plan->section->keys;
    const struct failed {
        char step;
        const char *verb, *what;
    } failed[] = {{'c', "use CPU", k->cpu},
                  {'d', "change to directory", k->dir},
                  {'u', "become user", k->user},
                  {'x', "run", c->plan->program}},
      *at = failed;
    while (at->step != f.step && at->step != 'x')
        at++;
    snprintf(c->last_exit, sizeof c->last_exit, "could not be started");
    snprintf(c->cause_text, sizeof c->cause_text, "cannot %s %.90s: %s", at->verb, at->what,
             strerror(f.error));
    c->cause = cause_of_errno(f.error);
    return f.error;
}

static enum event after_stopping(const struct child *c) {
    return c->ending == ENDING_AGAIN   ? EVENT_START
           : c->ending == ENDING_UNFIT ? EVENT_CRASHED
                                       : EVENT_ENDED;
}

void child_ended(struct child *c, int wait_status) {
    output_drain(&c->err);
    output_drain(&c->text);
    guard_tell(&c->sup->guard, c->pid, false);
    c->pid = 0;
    ledger_end(&c->ledger);
    describe_end(c->last_exit, sizeof c->last_exit, wait_status);
    int error = exec_error(c);
    if (c->state == STATE_STOPPING) {
        c->restarts += c->ending == ENDING_AGAIN;
        child_event(c, after_stopping(c));
        return;
    }
    if (!error)
        set_cause(c, CAUSE_CRASHED, c->last_exit);
    if (!error && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 2)
        set_cause(c, CAUSE_USAGE, "ended with status 2 (bad usage, see its log)");
    child_event(c, state_exit_event(c->plan->section->keys.restart, wait_status, error));
}

/* ---- watching ---- */

static void check_silence(struct child *c) {
    uint64_t limit = (uint64_t)c->plan->section->keys.watchdog_ms * MS_NS;
    if (!limit || !c->reports || clock_mono_ns() - c->silent_since_ns < limit)
        return;
    char text[120];
    snprintf(text, sizeof text, "did not report for %llu s; ending it",
             (unsigned long long)(limit / MS_NS / 1000));
    set_cause(c, CAUSE_TIMEOUT, text);
    child_event(c, EVENT_UNFIT);
}

static uint64_t memory_of(pid_t pid) {
    char path[40];
    unsigned long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* By resident memory, because NNG and sanitizers reserve far more address space than they use. */
static void check_memory(struct child *c) {
    uint64_t limit = (uint64_t)c->plan->section->keys.memory;
    uint64_t used = limit ? memory_of(c->pid) : 0;
    if (used <= limit)
        return;
    char text[120];
    snprintf(text, sizeof text, "uses %llu MB, more than limit.memory %llu MB; ending it",
             (unsigned long long)(used >> 20), (unsigned long long)(limit >> 20));
    set_cause(c, CAUSE_LIMIT, text);
    child_event(c, EVENT_UNFIT);
}

void child_tick(struct child *c, uint64_t stalled_ns) {
    c->silent_since_ns += stalled_ns;
    if (c->state == STATE_STARTING || c->state == STATE_READY)
        check_silence(c);
    if (c->state == STATE_STARTING || c->state == STATE_READY)
        check_memory(c);
    output_tick(c);
}

void child_heard(struct child *c, bool ready) {
    c->silent_since_ns = clock_mono_ns();
    c->reports = true;
    if (c->state != STATE_STARTING)
        return;
    if (ready)
        child_event(c, EVENT_READY);
    else
        uv_timer_stop(&c->timer); /* it reports, so it will say when it is ready */
}

bool child_well(const struct child *c) {
    return c->state == STATE_READY || (c->state == STATE_DOWN && c->cause == CAUSE_OK);
}

/* ---- opening and closing ---- */

int child_open(struct child *c, struct err *e) {
    c->failure_fd = -1;
    c->err.read_fd = c->err.write_fd = c->text.read_fd = c->text.write_fd = -1;
    c->backoff.first_ms = (uint64_t)c->plan->section->keys.backoff_ms;
    c->ledger.fd = -1;
    if (c->plan->own && ledger_open(&c->ledger, e) < 0)
        return -1;
    c->env = environ_make(c->plan, c->sup->dir, c->ledger.fd);
    uv_timer_init(&c->sup->loop, &c->timer);
    c->timer.data = c;
    if (output_open(&c->err, c, e) < 0)
        return -1;
    return c->out < 0 ? output_open(&c->text, c, e) : 0;
}

void child_close(struct child *c) {
    if (c->timer.data && !uv_is_closing((uv_handle_t *)&c->timer))
        uv_close((uv_handle_t *)&c->timer, NULL);
    output_close(&c->err);
    output_close(&c->text);
    if (c->in >= 0)
        close(c->in);
    if (c->out >= 0)
        close(c->out);
    c->in = c->out = -1;
}

void child_free(struct child *c) {
    environ_free(c->env);
    ledger_close(&c->ledger);
    buf_free(&c->report.body);
}
