#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor.h"

enum { LEFTOVERS_MS = 5000 };

/* Stages of another user must get at the sockets: the directory then belongs to their group, which
 * what is made in it inherits. */
static int find_group(struct supervisor *s, struct err *e) {
    for (size_t i = 0; i < s->plan.sections; i++) {
        const struct plan_keys *k = &s->plan.section[i].keys;
        if (!k->user || k->uid == geteuid())
            continue;
        if (s->shared_group && k->gid != s->group)
            return err_set(e, CAUSE_USAGE,
                           "the users of %s have different groups and could not reach each other's"
                           " sockets (give them one primary group)",
                           s->file);
        s->shared_group = true;
        s->group = k->gid;
    }
    return 0;
}

static int share_dir(struct supervisor *s, struct err *e) {
    if (!s->shared_group)
        return 0;
    if (chown(s->dir, (uid_t)-1, s->group) < 0 || chmod(s->dir, 02770) < 0)
        return err_errno(e, errno, "cannot give %s to group %u", s->dir, (unsigned)s->group);
    umask(0007);
    return 0;
}

/* A stage makes its named pipes with mode 0600, which a stage of another user cannot open. */
static void share_fifo(struct supervisor *s, const char *endpoint) {
    struct endpoint ep;
    struct err e;
    if (endpoint_parse(&ep, endpoint, &e) < 0 || ep.kind != ENDPOINT_FIFO)
        return;
    if (mkfifo(ep.pub, 0660) < 0 && errno != EEXIST)
        logs_say(&s->logs, LOG_WARN, "cannot make %s: %s", ep.pub, strerror(errno));
}

static void share_fifos(struct supervisor *s) {
    for (size_t i = 0; s->shared_group && i < s->plan.stages; i++) {
        size_t at = 1;
        const struct plan_stage *st = &s->plan.stage[i];
        for (const char *o; st->own && (o = plan_option(st->cmd, &at, 'o', "output"));)
            share_fifo(s, o);
    }
}

/* ---- what stages leave there ---- */

/* Of those that were killed: sockets and named pipes, and what dispatch remembers from one of its
 * lives to the next, which a new start of the pipeline is none of. */
static const char *const sockets[] = {".pub", ".rep", ".fifo", ".sock", NULL};
static const char *const states[] = {".state", NULL};

static bool ends_in(const char *name, const char *const *ends) {
    size_t n = strlen(name);
    for (; *ends; ends++)
        if (n > strlen(*ends) && strcmp(name + n - strlen(*ends), *ends) == 0)
            return true;
    return false;
}

static bool is_of_kind(const char *path, const char *const *ends) {
    struct stat st;
    if (lstat(path, &st) < 0)
        return false;
    return ends == states ? S_ISREG(st.st_mode) : S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode);
}

/* A recorder or publisher that somebody runs beside the pipeline goes on without it. Our own
 * sockets may be closing still. */
static bool somebody_listens(const char *path, const char *name) {
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (strncmp(name, "supervisor.", 11) == 0 || strlen(path) >= sizeof to.sun_path)
        return false;
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool is = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == EAGAIN;
    close(fd);
    return is;
}

static void remove_files(const char *dir, const char *const *ends) {
    char path[RUNDIR_MAX + 256];
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *f; (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%.255s", dir, f->d_name);
        if (ends_in(f->d_name, ends) && is_of_kind(path, ends) &&
            !somebody_listens(path, f->d_name))
            unlink(path);
    }
    closedir(d);
}

/* ---- the start ---- */

static int take_dir(struct supervisor *s, struct err *e) {
    struct stat st;
    if (rundir_path(s->dir, sizeof s->dir, NULL, e) < 0 || find_group(s, e) < 0)
        return -1;
    if (s->dir[0] != '/')
        return err_set(e, CAUSE_USAGE, "TAPLINE_RUN=%s: a path from / is needed", s->dir);
    s->made_dir = stat(s->dir, &st) < 0;
    if (rundir_make(s->dir, e) < 0)
        return -1;
    if (runlock_take(&s->lock, s->dir, s->plan.name, s->file, LEFTOVERS_MS, e) < 0)
        return -1;
    if (share_dir(s, e) < 0)
        return -1;
    share_fifos(s);
    return 0;
}

int dir_open(struct supervisor *s, struct err *e) {
    if (take_dir(s, e) < 0)
        return -1;
    remove_files(s->dir, states);
    return 0;
}

/* ---- when somebody removes it under us ---- */

void dir_look(struct supervisor *s) {
    struct runlock_info other;
    s->dir_gone = s->launched && !runlock_ours(&s->lock, s->dir);
    s->dir_lost = s->dir_gone && runlock_held(s->dir, &other);
}

/* What was bound in the old directory nobody finds any more. */
static int reopen(struct supervisor *s, struct err *e) {
    requests_close(s);
    reports_close(s);
    uv_run(&s->loop, UV_RUN_NOWAIT); /* so that they are closed */
    rpc_server_free(&s->rpc);
    pub_free(&s->pub);
    s->rpc = (struct rpc_server){0};
    s->pub = (struct pub){0};
    return reports_open(s, e) < 0 || requests_open(s, e) < 0 ? -1 : 0;
}

/* The lock first: from then on the names in there are ours to bind and to remove. */
static int mend(struct supervisor *s, struct err *e) {
    struct runlock old = s->lock;
    int r = take_dir(s, e);
    s->dir_gone = false;
    if (r == 0) {
        s->guard.lock_fd = s->lock.shared;
        reap_new_guard(s);
    }
    runlock_drop(&old, s->dir);
    return r < 0 ? -1 : reopen(s, e);
}

static void start_again(struct supervisor *s) {
    for (size_t i = 0; i < s->children && !s->stopping; i++)
        if (s->child[i].pid)
            child_event(&s->child[i], EVENT_RESTART);
}

void dir_mend(struct supervisor *s) {
    struct err e;
    if (s->dir_lost) {
        logs_say(&s->logs, LOG_ERROR,
                 "the run directory %s was removed, and another supervisor has it now (tapline list"
                 " shows it)",
                 s->dir);
        supervisor_stop(s, 1);
        return;
    }
    logs_say(&s->logs, LOG_ERROR,
             "the run directory %s was removed under the running pipeline; making it anew and"
             " starting the stages again (keep what cleans up there away from it: it is locked)",
             s->dir);
    if (mend(s, &e) == 0) {
        start_again(s);
        return;
    }
    logs_say(&s->logs, LOG_ERROR, "%s", e.text);
    supervisor_stop(s, 1);
}

/* ---- the end ---- */

void dir_close(struct supervisor *s) {
    bool ours = s->lock.shared >= 0 && runlock_ours(&s->lock, s->dir);
    if (ours) {
        remove_files(s->dir, sockets);
        remove_files(s->dir, states);
    }
    runlock_hide(&s->lock, s->dir);
    if (ours && s->made_dir)
        rmdir(s->dir);
    runlock_drop(&s->lock, s->dir); /* last: tapline down waits for it */
}
