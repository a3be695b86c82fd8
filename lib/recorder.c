#include "recorder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "recorder_file.h"

enum { SPARES = 8 /* chunks kept for the next messages */ };

/* ---- what waits ---- */

static void free_chunk(struct recorder_chunk *c) {
    buf_free(&c->data);
    free(c);
}

static struct recorder_chunk *take_spare(struct recorder *r) {
    struct recorder_chunk *c = r->spare;
    if (!c)
        return mem_alloc(sizeof *c);
    r->spare = c->next;
    r->spares--;
    c->next = NULL;
    return c;
}

/* Where to append: not to the chunk that the thread is writing. */
static struct recorder_chunk *tail(struct recorder *r) {
    struct recorder_chunk *c = r->tail;
    if (c && !c->ends && buf_len(&c->data) < RECORDER_CHUNK && !(r->busy && c == r->head))
        return c;
    c = take_spare(r);
    if (r->tail)
        r->tail->next = c;
    else
        r->head = c;
    return r->tail = c;
}

/* Of a chunk that is written in part the message it stops in is lost as well. */
static uint64_t count_messages(struct buf *b) {
    struct msg m;
    uint64_t n = 0;
    while (buf_len(b)) {
        long len = msg_parse(buf_data(b), buf_len(b), &m);
        n += len <= 0 || (!msg_is(&m, "record.start") && !msg_is(&m, "record.source"));
        buf_consume(b, len > 0 ? (size_t)len : msg_resync(buf_data(b), buf_len(b)));
    }
    return n;
}

static void drop_waiting(struct recorder *r) {
    uint64_t lost = 0;
    for (struct recorder_chunk *c = r->head; c; c = r->head) {
        lost += count_messages(&c->data);
        r->head = c->next;
        free_chunk(c);
    }
    r->dropped += lost;
    r->dropped_bytes += r->waiting;
    r->messages -= lost < r->messages ? lost : r->messages;
    r->bytes -= r->waiting < r->bytes ? r->waiting : r->bytes;
    r->tail = NULL;
    r->waiting = 0;
}

/* Nobody is held up by a disk that takes nothing: what does not fit is dropped, and counted. */
static void update_full(struct recorder *r) {
    bool full = !r->failing && r->waiting > (r->full ? 0 : r->limit / 2);
    if (r->full == full)
        return;
    r->full = full;
    if (r->on_full)
        r->on_full(r->ctx, full);
}

/* ---- jobs ---- */

static void worked(uv_work_t *w, int status);

static void work(uv_work_t *w) {
    recorder_work(w->data);
}

static void start_work(struct recorder *r) {
    if (r->busy || r->closed)
        return;
    r->busy = true;
    r->error = 0;
    r->in_flight = r->head ? buf_len(&r->head->data) : 0;
    uv_timer_stop(&r->flush);
    r->work.data = r;
    uv_queue_work(r->loop, &r->work, work, worked);
}

static void on_flush(uv_timer_t *t) {
    start_work(t->data);
}

static void on_sync(uv_timer_t *t) {
    struct recorder *r = t->data;
    if (!r->busy && r->dirty && !r->failing)
        start_work(r);
}

static void finish_now(struct recorder *r) {
    if (r->finished)
        return;
    r->finished = true;
    if (r->fd >= 0)
        recorder_close_file(r);
    if (r->on_done)
        r->on_done(r->ctx);
}

static void job_failed(struct recorder *r) {
    static struct log_limit limit;
    r->failing = true;
    if (r->error == EPIPE && recorder_to_stdout(r)) {
        r->broken = true;
        drop_waiting(r);
        if (r->on_broken)
            r->on_broken(r->ctx);
        return;
    }
    log_limited(&limit, LOG_ERROR, "cannot write %s: %s (%zu bytes wait in memory, tried again %s)",
                r->file, strerror(r->error), r->waiting, r->finishing ? "no more" : "every second");
    if (r->finishing) {
        drop_waiting(r);
        finish_now(r);
    } else {
        uv_timer_start(&r->retry, on_flush, RECORDER_RETRY_MS, 0);
    }
}

static void chunk_written(struct recorder *r) {
    struct recorder_chunk *c = r->head;
    r->head = c->next;
    if (!r->head)
        r->tail = NULL;
    if (c->ends) {
        r->files++;
        if (r->on_file)
            r->on_file(r->ctx, r->file, c->messages, c->bytes);
    }
    if (r->spares == SPARES) {
        free_chunk(c);
        return;
    }
    buf_clear(&c->data);
    c->ends = false;
    c->next = r->spare;
    r->spare = c;
    r->spares++;
}

static void job_done(struct recorder *r) {
    if (r->failing)
        log_info("%s can be written again (%llu messages had to be dropped)", r->file,
                 (unsigned long long)r->dropped);
    r->failing = false;
    if (r->head && buf_len(&r->head->data) == 0)
        chunk_written(r);
}

/* Large pieces at once, small ones together. */
static void go_on(struct recorder *r) {
    const struct recorder_chunk *c = r->head;
    if (!c && r->finishing)
        finish_now(r);
    else if (c && (r->finishing || c->next || c->ends || buf_len(&c->data) >= RECORDER_CHUNK))
        start_work(r);
    else if (c && !uv_is_active((uv_handle_t *)&r->flush))
        uv_timer_start(&r->flush, on_flush, RECORDER_FLUSH_MS, 0);
}

static void worked(uv_work_t *w, int status) {
    struct recorder *r = w->data;
    (void)status;
    r->busy = false;
    if (r->head)
        r->waiting -= r->in_flight - buf_len(&r->head->data);
    if (r->error)
        job_failed(r);
    else
        job_done(r);
    update_full(r);
    if (!r->failing && !r->closed)
        go_on(r);
}

/* ---- opening ---- */

/* A recorder that was killed may have left half a message. What follows must not become its other
 * half. */
static int cut_torn_end(const char *path, struct err *e) {
    struct recording rec;
    struct msg m;
    int r;
    if (access(path, F_OK) < 0)
        return 0;
    if (recording_open(&rec, path, e) < 0)
        return -1;
    while ((r = recording_next(&rec, &m, e)) == 1)
        ;
    if (r == 0 && rec.torn_bytes && truncate(path, (off_t)rec.whole_bytes) < 0)
        r = err_errno(e, errno, "cannot cut the torn end of %s", path);
    else if (r == 0 && rec.torn_bytes)
        log_warn("%s ended inside a message: its %llu bytes are cut off", path,
                 (unsigned long long)rec.torn_bytes);
    recording_close(&rec);
    return r;
}

static int check_dir(const struct recorder *r, struct err *e) {
    char dir[RECORDER_PATH];
    const char *slash = strrchr(r->path, '/');
    size_t n = slash ? (size_t)(slash - r->path) + 1 : 0;
    snprintf(dir, sizeof dir, "%.*s", n ? (int)n : 1, n ? r->path : ".");
    if (access(dir, W_OK | X_OK) == 0)
        return 0;
    return err_errno(e, errno, "cannot make files in %s", dir);
}

static int open_first(struct recorder *r, struct err *e) {
    if (r->exists == RECORDER_APPEND && cut_torn_end(r->path, e) < 0)
        return -1;
    if (recorder_open_file(r) == 0)
        return 0;
    if (errno == EEXIST)
        return err_set(e, CAUSE_BUSY,
                       "%s is there already (--append or --replace, or another name)", r->path);
    return err_errno(e, errno, "cannot write %s", r->file);
}

int recorder_open(struct recorder *r, bool lazy, struct err *e) {
    r->fd = -1;
    r->numbered = (r->numbered || lazy || r->split_bytes || r->split_ns) && !recorder_to_stdout(r);
    if (strlen(r->path) > RECORDER_PATH - 16)
        return err_set(e, CAUSE_USAGE, "the name of the file is too long");
    uv_timer_init(r->loop, &r->flush);
    uv_timer_init(r->loop, &r->sync);
    uv_timer_init(r->loop, &r->retry);
    r->flush.data = r->sync.data = r->retry.data = r;
    uv_timer_start(&r->sync, on_sync, RECORDER_SYNC_MS, RECORDER_SYNC_MS);
    r->opened = true;
    return lazy && !recorder_to_stdout(r) ? check_dir(r, e) : open_first(r, e);
}

/* ---- adding ---- */

static void added(struct recorder *r, const struct recorder_chunk *c, size_t before) {
    size_t n = buf_len(&c->data) - before;
    r->waiting += n;
    r->file_bytes += n;
}

void recorder_begin(struct recorder *r, uint64_t time_ns) {
    struct recorder_chunk *c = tail(r);
    size_t before = buf_len(&c->data);
    recording_put_start(&c->data, time_ns, ++r->start_seq, r->endpoint, r->endpoints);
    added(r, c, before);
    r->file_ns = time_ns;
    snprintf(r->source, sizeof r->source, "%s", r->endpoints == 1 ? r->endpoint[0] : "");
    go_on(r);
}

static bool is_over(const struct recorder *r, size_t n, uint64_t time_ns) {
    if (!r->file_bytes || !r->numbered)
        return false;
    return (r->split_bytes && r->file_messages && r->file_bytes + n > r->split_bytes) ||
           (r->split_ns && time_ns > r->file_ns && time_ns - r->file_ns >= r->split_ns);
}

static bool drop(struct recorder *r, size_t n) {
    static struct log_limit limit;
    r->dropped++;
    r->dropped_bytes += n;
    log_limited(
        &limit, LOG_WARN,
        "a message of %zu bytes dropped: %zu bytes wait for %s already (%llu dropped so far)", n,
        r->waiting, recorder_to_stdout(r) ? "the reader" : "the disk",
        (unsigned long long)r->dropped);
    return false;
}

bool recorder_add(struct recorder *r, const char *source, const struct msg *m, uint64_t time_ns) {
    if (r->waiting + m->raw_len > r->limit || r->finishing || r->broken)
        return drop(r, m->raw_len);
    if (is_over(r, m->raw_len, time_ns))
        recorder_end_file(r);
    if (!r->file_bytes)
        recorder_begin(r, time_ns);
    struct recorder_chunk *c = tail(r);
    size_t before = buf_len(&c->data);
    if (strcmp(r->source, source) != 0) {
        snprintf(r->source, sizeof r->source, "%s", source);
        recording_put_source(&c->data, m->time, ++r->source_seq, source);
    }
    buf_put(&c->data, m->raw, m->raw_len);
    added(r, c, before);
    r->messages++;
    r->bytes += m->raw_len;
    r->file_messages++;
    update_full(r);
    if (!r->busy && !r->failing)
        go_on(r);
    return true;
}

void recorder_end_file(struct recorder *r) {
    if (!r->file_bytes)
        return;
    struct recorder_chunk *c = tail(r);
    c->ends = true;
    c->messages = r->file_messages;
    c->bytes = r->file_bytes;
    r->file_messages = r->file_bytes = 0;
    if (!r->busy && !r->failing)
        go_on(r);
}

/* ---- ending ---- */

void recorder_finish(struct recorder *r) {
    if (r->finishing)
        return;
    if (!r->broken)
        recorder_end_file(r);
    r->finishing = true;
    uv_timer_stop(&r->retry);
    if (!r->busy && r->head)
        start_work(r);
    else if (!r->busy)
        finish_now(r);
}

bool recorder_is_stuck(const struct recorder *r) {
    return r->finishing && recorder_to_stdout(r) && !r->regular;
}

void recorder_close(struct recorder *r) {
    if (!r->opened || r->closed)
        return;
    r->finishing = true;
    while (r->busy) /* the thread cannot be left alone with what is freed next */
        uv_run(r->loop, UV_RUN_ONCE);
    drop_waiting(r);
    r->closed = true;
    if (r->fd >= 0)
        recorder_close_file(r);
    uv_close((uv_handle_t *)&r->flush, NULL);
    uv_close((uv_handle_t *)&r->sync, NULL);
    uv_close((uv_handle_t *)&r->retry, NULL);
}

void recorder_free(struct recorder *r) {
    for (struct recorder_chunk *c = r->spare; c; c = r->spare) {
        r->spare = c->next;
        free_chunk(c);
    }
}
