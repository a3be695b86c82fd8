/* supervisor: what the parts of the supervisor share. */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <uv.h>

#include "child.h"
#include "guard.h"
#include "logs.h"
#include "plan.h"
#include "pub.h"
#include "rpc.h"
#include "rundir.h"
#include "runlock.h"
#include "wires.h"

struct supervisor {
    struct plan plan;
    char *file;           /* absolute, or as given when there is none; owned */
    const char *log_file; /* NULL = none */
    int level;            /* of the log */
    char dir[RUNDIR_MAX]; /* $TAPLINE_RUN */
    bool made_dir;        /* ... and we made it, so we remove it */
    bool detached;
    uv_loop_t loop;
    uv_signal_t signals[4];
    uv_timer_t tick, stop_timer;
    struct logs logs;
    struct runlock lock;
    struct guard guard;
    struct pub pub;
    struct rpc_server rpc;
    int report_fd, null_fd;
    uv_poll_t report_poll;
    uint64_t bad_reports;
    struct child *child;
    size_t children;
    struct wires wires;
    bool shared_group; /* stages run as other users, of one group */
    gid_t group;
    uint64_t started_ns, tick_ns, stop_ns; /* monotonic */
    uint64_t watchdog_ns;                  /* how often systemd wants to hear from us; 0 = never */
    bool launched, was_up, stopping, done;
    bool at_terminal; /* whose end is ours */
    bool dir_gone;    /* somebody has removed the run directory, or our lock in it */
    bool dir_lost;    /* ... and it is another supervisor's now: nothing there is ours */
    int status;
};

/* main's parts */
int supervisor_open(struct supervisor *s, struct err *e);
int supervisor_run(struct supervisor *s);
int supervisor_close(struct supervisor *s, int status);

/* Stop all stages and end with this status; a second call kills. */
void supervisor_stop(struct supervisor *s, int status);
/* A stage has changed: are all up, or all down? */
void supervisor_look(struct supervisor *s);
/* "starting", "ready", "degraded" (was up, and is not now), "stopping". */
const char *supervisor_state(const struct supervisor *s);

/* dir.c: the run directory */
int dir_open(struct supervisor *s, struct err *e);
/* See whether it is still ours: sets dir_gone and dir_lost. */
void dir_look(struct supervisor *s);
/* It is gone: make it anew and start the stages again, or stop. Outside of the loop's turns. */
void dir_mend(struct supervisor *s);
void dir_close(struct supervisor *s);

/* reap.c: processes that have ended; all that are left */
void reap_all(struct supervisor *s);
void reap_adopted(struct supervisor *s);
/* Another guard in place of one that has gone. */
void reap_new_guard(struct supervisor *s);

/* reports.c: what stages say about themselves */
int reports_open(struct supervisor *s, struct err *e);
void reports_close(struct supervisor *s);

/* requests.c: status, restart, stop, logs */
int requests_open(struct supervisor *s, struct err *e);
void requests_close(struct supervisor *s);

/* notify.c: systemd, and the terminal that a detached supervisor was started from */
void notify_systemd(const char *text);
uint64_t notify_watchdog_ns(void);
/* Go on in a process of its own; the caller's waits and ends as detach_ready or our end says. */
int detach_begin(struct err *e);
void detach_ready(void);

#endif
