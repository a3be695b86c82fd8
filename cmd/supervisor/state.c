#include "state.h"

#include <errno.h>
#include <sys/wait.h>

enum { EXIT_USAGE = 2 };

/* An empty place: the event means nothing in that state. */
static const struct transition table[STATES][EVENTS] =
    {
        [STATE_DOWN] =
            {
                [EVENT_START] = {ACTION_SPAWN, STATE_STARTING},
                [EVENT_RESTART] = {ACTION_SPAWN, STATE_STARTING},
            },
        [STATE_STARTING] =
            {
                [EVENT_READY] = {ACTION_READY, STATE_READY},
                [EVENT_TIMER] = {ACTION_READY, STATE_READY},
                [EVENT_CRASHED] = {ACTION_BACK_OFF, STATE_BACKING_OFF},
                [EVENT_ENDED] = {ACTION_SETTLE, STATE_DOWN},
                [EVENT_BROKEN] = {ACTION_FAIL, STATE_FAILED},
                [EVENT_STOP] = {ACTION_TERM, STATE_STOPPING},
                [EVENT_RESTART] = {ACTION_AGAIN, STATE_STOPPING},
                [EVENT_UNFIT] = {ACTION_ABORT, STATE_STOPPING},
            },
        [STATE_READY] =
            {
                [EVENT_CRASHED] = {ACTION_BACK_OFF, STATE_BACKING_OFF},
                [EVENT_ENDED] = {ACTION_SETTLE, STATE_DOWN},
                [EVENT_BROKEN] = {ACTION_FAIL, STATE_FAILED},
                [EVENT_STOP] = {ACTION_TERM, STATE_STOPPING},
                [EVENT_RESTART] = {ACTION_AGAIN, STATE_STOPPING},
                [EVENT_UNFIT] = {ACTION_ABORT, STATE_STOPPING},
            },
        [STATE_STOPPING] =
            {
                [EVENT_START] = {ACTION_SPAWN, STATE_STARTING},
                [EVENT_CRASHED] = {ACTION_BACK_OFF, STATE_BACKING_OFF},
                [EVENT_ENDED] = {ACTION_SETTLE, STATE_DOWN},
                [EVENT_STOP] = {ACTION_STAY_DOWN, STATE_STOPPING},
                [EVENT_RESTART] = {ACTION_COME_BACK, STATE_STOPPING},
                [EVENT_TIMER] = {ACTION_KILL, STATE_STOPPING},
            },
        [STATE_BACKING_OFF] =
            {
                [EVENT_TIMER] = {ACTION_SPAWN, STATE_STARTING},
                [EVENT_RESTART] = {ACTION_SPAWN, STATE_STARTING},
                [EVENT_STOP] = {ACTION_SETTLE, STATE_DOWN},
                [EVENT_BROKEN] = {ACTION_FAIL, STATE_FAILED},
            },
        [STATE_FAILED] =
            {
                [EVENT_START] = {ACTION_SPAWN, STATE_STARTING},
                [EVENT_RESTART] = {ACTION_SPAWN, STATE_STARTING},
            },
};

struct transition state_step(enum state s, enum event ev) {
    struct transition t = table[s][ev];
    if (t.action == ACTION_NONE)
        t.next = s;
    return t;
}

const char *state_name(enum state s) {
    static const char *const names[STATES] = {"down",     "starting",    "ready",
                                              "stopping", "backing off", "failed"};
    return names[s];
}

/* A missing or forbidden program stays so; a lack of memory or a program that is just being written
 * does not. */
static bool lasting(int exec_error) {
    return exec_error == ENOENT || exec_error == EACCES || exec_error == EPERM ||
           exec_error == ENOEXEC || exec_error == ENOTDIR || exec_error == EINVAL ||
           exec_error == ELOOP;
}

enum event state_exit_event(enum restart_policy policy, int wait_status, int exec_error) {
    bool exited = WIFEXITED(wait_status);
    bool well = exited && WEXITSTATUS(wait_status) == 0;
    if (exec_error)
        return lasting(exec_error) || policy == RESTART_NEVER ? EVENT_BROKEN : EVENT_CRASHED;
    if (exited && WEXITSTATUS(wait_status) == EXIT_USAGE)
        return EVENT_BROKEN;
    if (well && policy != RESTART_ALWAYS)
        return EVENT_ENDED;
    return policy == RESTART_NEVER ? EVENT_BROKEN : EVENT_CRASHED;
}

uint64_t backoff_step(struct backoff *b, uint64_t up_ms) {
    uint64_t most = b->first_ms > BACKOFF_MAX_MS ? b->first_ms : BACKOFF_MAX_MS;
    if (up_ms > BACKOFF_RESET_MS || !b->next_ms)
        b->next_ms = b->first_ms;
    if (up_ms > BACKOFF_GOOD_MS)
        return 0;
    uint64_t wait = b->next_ms;
    b->next_ms = wait * 2 > most ? most : wait * 2;
    return wait;
}
