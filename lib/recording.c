#include "recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10, AHEAD_BYTES = 8 << 20 };

/* ---- what a recorder writes beside the messages ---- */

static const char *host_name(char *out, size_t size) {
    if (gethostname(out, size) < 0)
        out[0] = 0;
    out[size - 1] = 0;
    return out;
}

void recording_put_start(struct buf *b, uint64_t time_ns, uint64_t seq, const char *const *endpoint,
                         size_t n) {
    char host[RECORDING_NAME];
    msg_put_head(b, "record.start", 12, time_ns, seq);
    mp_put_map(b, 5);
    mp_kv_uint(b, "version", RECORDING_VERSION);
    mp_kv_uint(b, "time", time_ns);
    mp_put_str(b, "endpoints");
    mp_put_array(b, (uint32_t)n);
    for (size_t i = 0; i < n; i++)
        mp_put_str(b, endpoint[i]);
    mp_kv_str(b, "host", host_name(host, sizeof host));
    mp_kv_str(b, "program", "tapline " TAPLINE_VERSION);
}

void recording_put_source(struct buf *b, uint64_t time_ns, uint64_t seq, const char *endpoint) {
    msg_put_head(b, "record.source", 13, time_ns, seq);
    mp_put_map(b, 1);
    mp_kv_str(b, "endpoint", endpoint);
}

/* ---- reading ---- */

int recording_open(struct recording *r, const char *path, struct err *e) {
    struct stat st;
    *r = (struct recording){.fd = -1};
    r->fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return err_errno(e, errno, "cannot open %s", path);
    if (fstat(r->fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        recording_close(r);
        return err_set(e, CAUSE_USAGE, "%s is a directory (name a recording)", path);
    }
    posix_fadvise(r->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

void recording_close(struct recording *r) {
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    buf_free(&r->buf);
}

/* As much again as waits already, so that a message of many pieces is not parsed anew for each. */
static int fill(struct recording *r, struct err *e) {
    size_t want = buf_len(&r->buf) > READ_BYTES ? buf_len(&r->buf) : READ_BYTES;
    ssize_t n;
    while ((n = read(r->fd, buf_reserve(&r->buf, want), want)) < 0 && errno == EINTR)
        ;
    if (n < 0)
        return err_errno(e, errno, "cannot read");
    buf_added(&r->buf, (size_t)n);
    r->eof = n == 0;
    off_t at = lseek(r->fd, 0, SEEK_CUR);
    if (at > 0)
        posix_fadvise(r->fd, at, AHEAD_BYTES, POSIX_FADV_WILLNEED);
    return 0;
}

static void add_source(struct recording *r, const struct mp_value *v) {
    if (v->type != MP_STR || v->len >= RECORDING_NAME || r->source_count == RECORDING_SOURCES)
        return;
    char *name = r->sources[r->source_count];
    snprintf(name, RECORDING_NAME, "%.*s", (int)v->len, (const char *)v->p);
    for (size_t i = 0; i < r->source_count; i++)
        if (strcmp(r->sources[i], name) == 0)
            return;
    r->source_count++;
}

/* Of a recording that was continued, or several put together, there may be more than one. */
static void take_start(struct recording *r, const struct msg *m) {
    struct mp_value v;
    struct mp_cursor at;
    mp_get_cstr(m->body, m->body_len, "host", r->host, sizeof r->host);
    mp_get_cstr(m->body, m->body_len, "program", r->program, sizeof r->program);
    r->source[0] = 0;
    if (!mp_find(m->body, m->body_len, "endpoints", &v, &at) || v.type != MP_ARRAY)
        return;
    uint32_t n = v.len;
    mp_read(&at, &v);
    for (uint32_t i = 0; i < n && mp_read(&at, &v) == 1; i++) {
        add_source(r, &v);
        if (n == 1 && v.type == MP_STR && v.len < RECORDING_NAME)
            snprintf(r->source, sizeof r->source, "%.*s", (int)v.len, (const char *)v.p);
    }
}

static void take_source(struct recording *r, const struct msg *m) {
    struct mp_value v;
    if (!mp_find(m->body, m->body_len, "endpoint", &v, NULL))
        return;
    add_source(r, &v);
    mp_get_cstr(m->body, m->body_len, "endpoint", r->source, sizeof r->source);
}

static void follow_time(struct recording *r, uint64_t time_ns) {
    if (!r->begun)
        r->start_ns = r->at_ns = time_ns;
    r->begun = true;
    if (time_ns > r->at_ns)
        r->at_ns = time_ns;
}

bool recording_take(struct recording *r, const struct msg *m) {
    bool start = msg_is(m, "record.start"), source = msg_is(m, "record.source");
    if (start)
        take_start(r, m);
    else if (source)
        take_source(r, m);
    if (!source)
        follow_time(r, m->time);
    if (start || source)
        return false;
    r->messages++;
    r->bytes += m->raw_len;
    return true;
}

static void consume(struct recording *r, size_t n) {
    buf_consume(&r->buf, n);
    r->whole_bytes += n;
}

static void skip_damage(struct recording *r) {
    size_t n = msg_resync(buf_data(&r->buf), buf_len(&r->buf));
    r->skipped_bytes += n;
    consume(r, n);
}

int recording_next(struct recording *r, struct msg *m, struct err *e) {
    for (;;) {
        consume(r, r->taken);
        r->taken = 0;
        long n = buf_len(&r->buf) ? msg_parse(buf_data(&r->buf), buf_len(&r->buf), m) : 0;
        r->taken = n > 0 ? (size_t)n : 0;
        if (n > 0 && recording_take(r, m))
            return 1;
        if (n < 0)
            skip_damage(r);
        if (n != 0)
            continue;
        if (r->eof) {
            r->torn_bytes = buf_len(&r->buf);
            return 0;
        }
        if (fill(r, e) < 0)
            return -1;
    }
}
