#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

int dir_open(struct supervisor *s, struct err *e) {
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

static bool is_ours(const char *name) {
    static const char *const ends[] = {".pub", ".rep", ".fifo", ".sock"};
    size_t n = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* Sockets and named pipes of stages that were killed. */
static void remove_sockets(const char *dir) {
    char path[RUNDIR_MAX + 256];
    struct stat st;
    DIR *d = opendir(dir);
    if (!d)
        return;
    for (struct dirent *f; (f = readdir(d));) {
        snprintf(path, sizeof path, "%s/%.255s", dir, f->d_name);
        if (is_ours(f->d_name) && lstat(path, &st) == 0 &&
            (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)))
            unlink(path);
    }
    closedir(d);
}

void dir_close(struct supervisor *s) {
    if (s->lock.shared < 0) { /* another supervisor's directory */
        runlock_drop(&s->lock, s->dir);
        return;
    }
    remove_sockets(s->dir);
    runlock_drop(&s->lock, s->dir);
    if (s->made_dir)
        rmdir(s->dir);
}
