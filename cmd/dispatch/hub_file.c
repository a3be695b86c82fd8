/* The history of connections in a file that people keep: read when the pipeline starts, written to
 * a temporary name, synced and renamed by a thread of libuv's soon after a change, and once a
 * minute while a camera is connected, so that an end nobody saw is known to a minute.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hub.h"
#include "json.h"
#include "log.h"

enum { SOON_MS = 300, MINUTE_MS = 60000, FILE_BYTES = 1 << 20, PATH_BYTES = 1024 };

static struct {
    uv_timer_t timer;
    uv_work_t work;
    uv_mutex_t lock; /* one writes at a time */
    bool open, busy, again;
    struct buf text;        /* what the thread writes */
    uint64_t made, written; /* versions of it */
    char path[PATH_BYTES], part[PATH_BYTES + 8];
    int error;
} file;

/* ---- writing ---- */

static int write_all(int fd, const struct buf *b) {
    for (size_t at = 0; at < buf_len(b);) {
        ssize_t n = write(fd, buf_data(b) + at, buf_len(b) - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

static int save(const struct buf *b) {
    int fd = open(file.part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return errno;
    int no = write_all(fd, b) < 0 ? errno : 0;
    close(fd);
    if (no == 0 && rename(file.part, file.path) < 0)
        no = errno;
    return no;
}

/* An older version must not come behind a newer one. */
static void save_version(const struct buf *b, uint64_t version) {
    uv_mutex_lock(&file.lock);
    if (version > file.written) {
        file.error = save(b);
        file.written = version;
    }
    uv_mutex_unlock(&file.lock);
}

static void render(struct buf *out) {
    static struct buf map;
    buf_clear(&map);
    mp_put_map(&map, 2);
    mp_kv_double(&map, "saved_timestamp", (double)clock_wall_ns() / 1e9);
    mp_put_str(&map, "history");
    hub_json_put_history(&map);
    struct mp_cursor at = {buf_data(&map), buf_data(&map) + buf_len(&map)};
    buf_clear(out);
    json_from_mp(out, &at, NULL);
    buf_putc(out, '\n');
}

static void tell(void) {
    static struct log_limit limit;
    if (file.error)
        log_limited(&limit, LOG_WARN, "cannot save the history in %s: %s", file.path,
                    strerror(file.error));
}

static void on_work(uv_work_t *w) {
    save_version(&file.text, *(uint64_t *)w->data);
}

static void on_timer(uv_timer_t *t);

static void on_done(uv_work_t *w, int status) {
    (void)w;
    (void)status;
    file.busy = false;
    tell();
    if (file.again && file.open)
        on_timer(&file.timer);
}

static void on_timer(uv_timer_t *t) {
    static uint64_t version;
    file.again = file.busy;
    if (file.busy)
        return;
    render(&file.text);
    version = ++file.made;
    file.work.data = &version;
    file.busy = uv_queue_work(t->loop, &file.work, on_work, on_done) == 0;
    if (hub.state->peers.accepted[HUB_CAMERA])
        uv_timer_start(t, on_timer, MINUTE_MS, 0);
}

void hub_file_changed(void) {
    if (file.open)
        uv_timer_start(&file.timer, on_timer, SOON_MS, 0);
}

/* ---- reading ---- */

static uint64_t time_of(const uint8_t *p, size_t n, const char *key) {
    double s;
    return mp_get_double(p, n, key, &s) && s > 0 && s < 1e11 ? (uint64_t)(s * 1e9) : 0;
}

/* One session of the file; without an end it ended when the file was written. */
static void take_session(const uint8_t *p, size_t n, uint64_t saved_ns) {
    struct hub_session s = {.began_ns = time_of(p, n, "connect_timestamp"),
                            .ended_ns = time_of(p, n, "disconnect_timestamp")};
    if (s.ended_ns == 0)
        s.ended_ns = saved_ns;
    mp_get_cstr(p, n, "camera", s.name, sizeof s.name);
    mp_get_cstr(p, n, "address", s.addr, sizeof s.addr);
    if (s.began_ns && s.ended_ns >= s.began_ns)
        hub_history_add(&hub.state->history, &s);
}

static void take_list(const uint8_t *p, size_t n, const char *key, uint64_t saved_ns) {
    struct mp_value list;
    struct mp_cursor at;
    if (!mp_find(p, n, key, &list, &at) || list.type != MP_ARRAY)
        return;
    mp_read(&at, &list);
    for (uint32_t i = 0; i < list.len; i++) {
        const uint8_t *from = at.at;
        if (mp_skip(&at) != 1)
            return;
        take_session(from, (size_t)(at.at - from), saved_ns);
    }
}

static bool take_file(const struct buf *text) {
    struct buf map = {0};
    struct mp_value v;
    struct mp_cursor at;
    bool ok = json_to_mp(&map, (const char *)buf_data(text), buf_len(text), NULL) == 0;
    const uint8_t *p = buf_data(&map);
    size_t n = buf_len(&map);
    ok = ok && mp_find(p, n, "history", &v, &at) && v.type == MP_MAP;
    if (ok) {
        uint64_t saved_ns = time_of(p, n, "saved_timestamp");
        take_list(at.at, (size_t)(at.end - at.at), "sessions", saved_ns);
        take_list(at.at, (size_t)(at.end - at.at), "open_sessions", saved_ns);
    }
    buf_free(&map);
    return ok;
}

static int read_all(struct buf *b) {
    int fd = open(file.path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    if (fd < 0)
        return errno;
    while (buf_len(b) < FILE_BYTES && (n = read(fd, buf_reserve(b, 16384), 16384)) > 0)
        buf_added(b, (size_t)n);
    int no = n < 0 ? errno : 0;
    close(fd);
    return no;
}

static void load(void) {
    struct buf b = {0};
    int no = read_all(&b);
    if (no && no != ENOENT)
        log_warn("cannot read the history in %s: %s", file.path, strerror(no));
    if (no == 0 && !take_file(&b)) {
        snprintf(file.part, sizeof file.part, "%s.bad", file.path);
        log_warn("%s holds no history: kept as %s, a new one begins", file.path, file.part);
        rename(file.path, file.part);
    }
    buf_free(&b);
}

/* ---- life ---- */

void hub_file_open(uv_loop_t *loop, bool fresh) {
    if (!hub.opt.history_file)
        return;
    snprintf(file.path, sizeof file.path, "%s", hub.opt.history_file);
    if (fresh)
        load();
    snprintf(file.part, sizeof file.part, "%s.part", file.path);
    uv_mutex_init(&file.lock);
    uv_timer_init(loop, &file.timer);
    file.open = true;
    hub_file_changed();
}

void hub_file_close(void) {
    struct buf last = {0};
    if (!file.open)
        return;
    file.open = false;
    uv_close((uv_handle_t *)&file.timer, NULL);
    render(&last);
    save_version(&last, ++file.made);
    tell();
    buf_free(&last);
}
