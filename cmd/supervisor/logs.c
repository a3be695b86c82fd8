#include "logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msg.h"

enum { CLOSE_MS = 100, SAY_BYTES = 1024 };

/* systemd names the journal's socket by device and inode, so that a shell that merely inherited the
 * variable is not taken for it. */
static bool is_journal(void) {
    const char *given = getenv("JOURNAL_STREAM");
    unsigned long long dev, ino;
    struct stat st;
    return given && sscanf(given, "%llu:%llu", &dev, &ino) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           st.st_dev == dev && st.st_ino == ino;
}

static enum logline_style choose_style(void) {
    return is_journal() || log_supervised() ? LOGLINE_LEVELS : logline_style_for(STDERR_FILENO);
}

int logs_open(struct logs *g, uv_loop_t *loop, const char *path, int level, struct err *e) {
    int fd = -1;
    g->style = choose_style();
    g->level = level;
    if (path && (fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640)) < 0)
        return err_errno(e, errno, "cannot open the log file %s", path);
    sink_open(&g->shown, loop, STDERR_FILENO);
    sink_open(&g->file, loop, fd);
    return 0;
}

void logs_hide(struct logs *g) {
    sink_write(&g->shown, "", 0);
    g->shown.fd = -1;
}

void logs_close(struct logs *g) {
    int fd = g->file.fd;
    sink_close(&g->shown, CLOSE_MS);
    sink_close(&g->file, CLOSE_MS);
    if (fd >= 0)
        close(fd);
}

static void drop_first(struct logs *g) {
    struct logs_line *l = &g->line[g->first];
    g->bytes -= strlen(l->text);
    free(l->stage);
    g->first = (g->first + 1) % LOGS_LINES;
    g->n--;
}

void logs_free(struct logs *g) {
    while (g->n)
        drop_first(g);
    sink_free(&g->shown);
    sink_free(&g->file);
}

/* ---- one line ---- */

static struct logs_line *keep(struct logs *g, const char *stage, int level, const char *text) {
    size_t names = strlen(stage) + 1, n = strlen(text);
    while (g->n && (g->n == LOGS_LINES || g->bytes + n > LOGS_BYTES))
        drop_first(g);
    struct logs_line *l = &g->line[(g->first + g->n++) % LOGS_LINES];
    *l = (struct logs_line){.time_ns = clock_wall_ns(), .level = level};
    l->stage = mem_alloc(names + n + 1);
    l->text = l->stage + names;
    memcpy(l->stage, stage, names);
    memcpy(l->text, text, n + 1);
    g->bytes += n;
    return l;
}

static void write_to(struct sink *to, enum logline_style style, const struct logs_line *l) {
    struct buf b = {0};
    if (to->fd < 0)
        return;
    logline_put(&b, style, l->time_ns, l->stage, l->level, l->text);
    sink_write(to, (char *)buf_data(&b), buf_len(&b));
    buf_free(&b);
}

void logs_add(struct logs *g, const char *stage, int level, const char *text) {
    const struct logs_line *l = keep(g, stage, level, text);
    /* How much a stage says is the stage's own business (-v, -q in its run line). */
    if (level <= g->level || g->level >= LOG_INFO) {
        write_to(&g->shown, g->style, l);
        write_to(&g->file, LOGLINE_DATED, l); /* a file is read days later */
    }
    if (g->on_line)
        g->on_line(g->ctx, l);
}

void logs_say(struct logs *g, int level, const char *fmt, ...) {
    if (level > g->level)
        return;
    char text[SAY_BYTES], clean[SAY_BYTES * 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    logs_add(g, "supervisor", level, log_quote(clean, sizeof clean, text, strlen(text)));
}

/* ---- reading back ---- */

static const struct logs_line *at(const struct logs *g, size_t i) {
    return &g->line[(g->first + i) % LOGS_LINES];
}

static bool fits(const struct logs_line *l, const struct logs_wanted *w) {
    return l->level <= w->level && l->time_ns > w->since_ns &&
           (!w->stage || strcmp(l->stage, w->stage) == 0);
}

void logs_put(const struct logs *g, struct buf *b, const struct logs_wanted *w) {
    size_t from = g->n, count = 0;
    while (from > 0 && count < w->most)
        count += fits(at(g, --from), w);
    mp_put_array(b, (uint32_t)count);
    for (; from < g->n; from++) {
        const struct logs_line *l = at(g, from);
        if (!fits(l, w))
            continue;
        mp_put_map(b, 4);
        mp_kv_uint(b, "time", l->time_ns);
        mp_kv_str(b, "stage", l->stage);
        mp_kv_int(b, "level", l->level);
        mp_kv_str(b, "text", l->text);
    }
}
