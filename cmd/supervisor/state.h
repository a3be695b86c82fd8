/* state: the life of a stage as a table, state x event -> action and next state; and the two
 * decisions beside it: what the end of a process means, and how long to wait before the next try.
 * Pure: no I/O, no clock.
 */
#ifndef SUPERVISOR_STATE_H
#define SUPERVISOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

enum state {
    STATE_DOWN, /* not running, and nothing is wrong */
    STATE_STARTING,
    STATE_READY,
    STATE_STOPPING,    /* told to end, still there */
    STATE_BACKING_OFF, /* waits before it is started again */
    STATE_FAILED,      /* not running, and starting it again would not help */
    STATES
};

enum event {
    EVENT_START,   /* it shall run */
    EVENT_READY,   /* it has said so, or has lived long enough */
    EVENT_CRASHED, /* the process has ended and is to be started again */
    EVENT_ENDED,   /* ... has ended and that is well */
    EVENT_BROKEN,  /* ... has ended and will not be started again by itself */
    EVENT_STOP,    /* it shall end and stay down */
    EVENT_RESTART, /* it shall end and start again */
    EVENT_UNFIT,   /* silent too long, or too big: end it, start it again */
    EVENT_TIMER,   /* the time of this state is over */
    EVENTS
};

enum action {
    ACTION_NONE,
    ACTION_SPAWN,
    ACTION_READY,
    ACTION_BACK_OFF,
    ACTION_SETTLE, /* it is down */
    ACTION_FAIL,
    ACTION_TERM,  /* ask it to end, to stay down */
    ACTION_AGAIN, /* ask it to end, to start again */
    ACTION_ABORT, /* it does not listen any more: end it with a trace of where it was */
    ACTION_KILL,
    ACTION_STAY_DOWN, /* it is ending: do not start it again */
    ACTION_COME_BACK  /* it is ending: start it again */
};

struct transition {
    enum action action;
    enum state next;
};

struct transition state_step(enum state s, enum event ev);

/* "down", "starting", ...: the same words in log, status and pages. */
const char *state_name(enum state s);

enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };

/* What it means that the process of a running stage ended with this wait status (exec_error: errno
 * when the program could not even be started, else 0). */
enum event state_exit_event(enum restart_policy policy, int wait_status, int exec_error);

enum { BACKOFF_MAX_MS = 10000, BACKOFF_GOOD_MS = 5000, BACKOFF_RESET_MS = 60000 };

struct backoff {
    uint64_t first_ms; /* from the pipeline file */
    uint64_t next_ms;  /* 0 = none was needed yet */
};

/* Milliseconds to wait before the next start of something that was up for up_ms. */
uint64_t backoff_step(struct backoff *b, uint64_t up_ms);

#endif
