#include "hev_play.h"

#include <errno.h>
#include <stdio.h>

#include "log.h"

enum {
    FILE_MAX = 256 << 20,
    CHUNK = 64 << 10,
    AGAIN_MS = 10 /* from the last line to the first */
};

/* ---- the file ---- */

static int read_file(struct hev_play *p, const char *path, struct err *e) {
    FILE *f = fopen(path, "re");
    if (!f)
        return err_errno(e, errno, "cannot read the dump %s", path);
    size_t n;
    while ((n = fread(buf_reserve(&p->file, CHUNK), 1, CHUNK, f)) > 0 &&
           buf_len(&p->file) <= FILE_MAX)
        buf_added(&p->file, n);
    int failed = ferror(f) ? errno : 0;
    fclose(f);
    if (failed)
        return err_errno(e, failed, "cannot read the dump %s", path);
    if (buf_len(&p->file) > FILE_MAX)
        return err_set(e, CAUSE_LIMIT, "the dump %s has more than %d MB", path, FILE_MAX >> 20);
    return 0;
}

int hev_play_open(struct hev_play *p, const char *path, struct err *e) {
    struct hev_dump_payload one;
    const char *why = "it is empty";
    if (read_file(p, path, e) < 0)
        return -1;
    hev_dump_init(&p->dump, buf_data(&p->file), buf_len(&p->file));
    int r;
    while ((r = hev_dump_next(&p->dump, &one, &why)) < 0)
        p->damaged++;
    hev_dump_rewind(&p->dump);
    if (r == 0)
        return err_set(e, CAUSE_USAGE, "%s holds no payload (%s)", path, why);
    p->damaged = 0;
    return 0;
}

void hev_play_free(struct hev_play *p) {
    buf_free(&p->file);
}

/* ---- one after another ---- */

static bool next_line(struct hev_play *p) {
    static struct log_limit damaged;
    const char *why = "";
    int r;
    while ((r = hev_dump_next(&p->dump, &p->next, &why)) < 0) {
        p->damaged++;
        log_limited(&damaged, LOG_WARN, "dump, line %zu: %s; left out", p->next.line, why);
    }
    return r > 0;
}

static bool begin_pass(struct hev_play *p) {
    p->passes++;
    p->on_pass(p->ctx);
    if (!p->loop)
        return false;
    if (p->untimed == 0)
        p->shift_ms += p->last_ms - p->first_ms + AGAIN_MS;
    hev_dump_rewind(&p->dump);
    return next_line(p);
}

static void stamp(struct hev_play *p, bool first) {
    if (!p->next.timed)
        return;
    if (first)
        p->first_ms = p->last_ms = p->next.ms;
    if (p->next.ms > p->last_ms)
        p->last_ms = p->next.ms;
}

/* The next payload is at hand; false at the end. */
static bool fetch(struct hev_play *p) {
    if (p->waiting || p->ended)
        return p->waiting;
    bool first = p->sent == 0;
    p->waiting = next_line(p);
    if (!p->waiting) {
        first = true;
        p->waiting = begin_pass(p);
    }
    p->ended = !p->waiting;
    if (p->waiting)
        stamp(p, first);
    return p->waiting;
}

static uint64_t due_us(const struct hev_play *p) {
    double us = p->next.timed ? ((double)(p->last_ms - p->first_ms) + (double)p->shift_ms) * 1000
                              : (double)p->untimed * (double)p->every_us;
    return p->speed > 0 ? p->start_us + (uint64_t)(us / p->speed) : 0;
}

static void send_next(struct hev_play *p) {
    struct hev_dump_payload *n = &p->next;
    const struct hev_layout *l = hev_layout_of(n->address, n->data, n->len, NULL);
    if (n->timed && l)
        hev_payload_set(n->data, l, "timestamp", (uint32_t)(n->ms + p->shift_ms));
    p->send(p->ctx, n->address, n->data, n->len);
    p->untimed += !n->timed;
    p->sent++;
    p->waiting = false;
}

uint64_t hev_play_run(struct hev_play *p, uint64_t now_us) {
    if (!p->started)
        p->start_us = now_us;
    else if (p->paused_us)
        p->start_us += now_us - p->paused_us;
    p->started = true;
    p->paused_us = 0;
    while (fetch(p)) {
        uint64_t due = due_us(p);
        if (due > now_us)
            return due;
        if (!p->room(p->ctx, p->next.address))
            return UINT64_MAX;
        send_next(p);
    }
    return UINT64_MAX;
}

void hev_play_pause(struct hev_play *p, uint64_t now_us) {
    if (p->started && !p->paused_us)
        p->paused_us = now_us;
}
