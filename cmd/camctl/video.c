#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "camctl.h"
#include "command.h"
#include "jpeg.h"
#include "log.h"
#include "program.h"

enum {
    GRACE_MS = 1000,     /* for each step of ending a program */
    STOP_GRACE_MS = 150, /* and when all of us must end within STAGE_STOP_MS */
    STUCK_MS = 10000, /* a publisher or preview that takes nothing for so long is started again */
    SETTLE_MS = 1000  /* a publisher that lives so long is connected */
};

static const char MISSING_CAMERA[] = "rpicam-vid";

static void next_step(struct camctl *c);

/* ---- commands ---- */

/* The same program under its new and its old name. */
static const char *camera_program(void) {
    static const char *const names[] = {"rpicam-vid", "libcamera-vid"};
    char path[4096];
    for (int i = 0; i < 2; i++)
        if (program_find(path, sizeof path, names[i], NULL, NULL) == 0)
            return names[i];
    return MISSING_CAMERA;
}

/* Of how many pictures one is shown. */
static int64_t preview_step(const struct camctl *c) {
    int64_t shown = c->cfg.preview_fps, step = shown ? (c->cfg.fps + shown / 2) / shown : 1;
    return step ? step : 1;
}

static int start(struct camctl *c, struct proc *p, const char *template) {
    struct command_values v = {.settings = c->store.now,
                               .width = c->cfg.width,
                               .height = c->cfg.height,
                               .fps = c->cfg.fps,
                               .preview_step = preview_step(c),
                               .url = c->cfg.rtsp_url,
                               .camera = camera_program()};
    struct conf_argv a;
    struct err e;
    if (command_make(template, &v, &a, &e) < 0) {
        log_error("%s: %s", p->name, e.text); /* cannot be: it was checked */
        return -1;
    }
    int r = proc_start(p, &a, &e);
    conf_argv_free(&a);
    return r;
}

/* ---- publisher and preview ---- */

static void feed_start(struct feed *f, bool preview) {
    struct camctl *c = f->c;
    f->dropping = false;
    f->fed = f->taken = 0;
    f->progress_ms = camctl_ms(c);
    start(c, &f->proc, preview ? c->cfg.preview : c->cfg.publisher);
}

static bool feed_idle(const struct feed *f) {
    return f->proc.state == PROC_STOPPED && proc_free_to_start(&f->proc);
}

/* Whether this piece goes in. What is full is left at the beginning of a picture and entered again
 * at a key picture, when half of the room is free. */
static bool feed_takes(struct feed *f, const struct annexb_piece *x) {
    size_t waits = buf_len(&f->proc.in.queue);
    if (f->dropping && x->enter && waits < FEED_BYTES / 2)
        f->dropping = false;
    else if ((waits > FEED_BYTES && x->leave) || waits > 2 * FEED_BYTES)
        f->dropping = true;
    return !f->dropping;
}

static void feed_put(struct feed *f, bool preview, const uint8_t *p, const struct annexb_piece *x) {
    static struct log_limit slow;
    struct camctl *c = f->c;
    if (f->wanted && x->enter && feed_idle(f) && c->video.phase == VIDEO_RUN)
        feed_start(f, preview);
    if (!f->proc.fed)
        return;
    if (feed_takes(f, x)) {
        f->fed += x->len;
        outstream_write(&f->proc.in, p, x->len);
        return;
    }
    f->left_out += x->len;
    c->n.frames_left_out += x->leave;
    log_limited(&slow, LOG_WARN, "%s is too slow: pictures are left out", f->proc.name);
}

static void feed_watch(struct feed *f, uint64_t now) {
    size_t waits = f->proc.fed ? buf_len(&f->proc.in.queue) : 0;
    uint64_t taken = f->fed - waits;
    bool broken = f->proc.fed && f->proc.in.broken; /* it has closed its input, and lives */
    if (!broken && (waits == 0 || taken != f->taken))
        f->progress_ms = now;
    f->taken = taken;
    if (f->proc.fed && now - f->progress_ms > (broken ? GRACE_MS : STUCK_MS))
        proc_fail(&f->proc, CAUSE_TIMEOUT, "takes nothing any more");
    else if (f->proc.name[1] == 'u' && now - f->proc.started_ms > SETTLE_MS)
        proc_runs(&f->proc);
}

static void on_feed_end(void *ctx) {
    struct feed *f = ctx;
    struct video *v = &f->c->video;
    if (f->proc.ending || v->phase != VIDEO_RUN)
        proc_rest(&f->proc, f->wanted ? "waits for the camera" : "switched off");
    else
        proc_back_off(&f->proc);
    next_step(f->c);
}

static void on_feed_again(void *ctx) {
    struct feed *f = ctx;
    proc_rest(&f->proc, "waits for a key picture");
}

/* ---- preview pictures ---- */

static void on_jpeg_bytes(void *ctx, uint64_t time_ns) {
    struct feed *f = ctx;
    struct buf *b = &f->proc.out.buf;
    unsigned width, height;
    (void)time_ns;
    for (long n; (n = jpeg_scan(buf_data(b), buf_len(b), &width, &height)) != 0;) {
        if (n > 0) {
            proc_runs(&f->proc);
            f->c->video.previews++;
            bus_image(f->c, buf_data(b), (size_t)n, width, height);
        }
        buf_consume(b, n > 0 ? (size_t)n : 1);
    }
    if (buf_len(b) > JPEG_BYTES)
        buf_clear(b);
}

/* ---- camera ---- */

static void camera_start(struct camctl *c) {
    struct video *v = &c->video;
    if (!proc_free_to_start(&v->camera)) {
        proc_back_off(&v->camera);
        return;
    }
    v->scan = (struct annexb){.in_prefix = false};
    v->seen_ms = camctl_ms(c);
    v->shown = c->store.now;
    start(c, &v->camera, c->cfg.camera);
}

static void count(struct video *v, const struct annexb_piece *x) {
    v->bytes += x->len;
    v->pictures += x->leave;
    v->keys += x->enter;
}

static void on_camera_bytes(void *ctx, uint64_t time_ns) {
    struct camctl *c = ctx;
    struct video *v = &c->video;
    struct buf *b = &v->camera.out.buf;
    struct annexb_piece x;
    (void)time_ns;
    proc_runs(&v->camera);
    v->seen_ms = camctl_ms(c);
    while (buf_len(b) && annexb_next(&v->scan, buf_data(b), buf_len(b), &x)) {
        count(v, &x);
        for (int i = 0; i < FEEDS; i++)
            feed_put(&v->feed[i], i == FEED_PREVIEW, buf_data(b), &x);
        buf_consume(b, x.len);
    }
}

/* The stream has ended: so does what hangs on it. */
static void on_camera_end(void *ctx) {
    struct camctl *c = ctx;
    struct video *v = &c->video;
    for (int i = 0; i < FEEDS; i++)
        proc_end(&v->feed[i].proc);
    if (v->phase == VIDEO_RUN)
        proc_back_off(&v->camera);
    else
        proc_rest(&v->camera, v->phase == VIDEO_STOP ? "" : "starts again with new settings");
    next_step(c);
}

static void on_camera_again(void *ctx) {
    struct camctl *c = ctx;
    if (c->video.phase == VIDEO_RUN)
        camera_start(c);
}

/* ---- all of them ---- */

static bool all_ended(const struct video *v) {
    bool ended = v->camera.pid == 0;
    for (int i = 0; i < FEEDS; i++)
        ended = ended && v->feed[i].proc.pid == 0;
    return ended;
}

static void on_pause_over(uv_timer_t *t) {
    struct camctl *c = t->data;
    c->video.phase = VIDEO_RUN;
    camera_start(c);
}

static void next_step(struct camctl *c) {
    struct video *v = &c->video;
    if (!all_ended(v))
        return;
    if (v->phase == VIDEO_STOP) {
        stage_stopped(&c->st);
    } else if (v->phase == VIDEO_CHANGE) {
        v->phase = VIDEO_PAUSE;
        uv_timer_start(&v->timer, on_pause_over, CHANGE_PAUSE_MS, 0);
    }
}

/* The camera first; its end is the end of the others' input. */
static void end_all(struct camctl *c, enum video_phase phase) {
    struct video *v = &c->video;
    v->phase = phase;
    uv_timer_stop(&v->timer);
    if (v->camera.pid)
        proc_end(&v->camera);
    else
        on_camera_end(c);
    for (int i = 0; i < FEEDS; i++)
        if (v->feed[i].proc.pid == 0)
            on_feed_end(&v->feed[i]);
}

void video_change(struct camctl *c) {
    if (c->video.phase == VIDEO_RUN) {
        proc_forgive(&c->video.camera);
        end_all(c, VIDEO_CHANGE);
    }
}

bool video_restart(struct camctl *c, const char *name) {
    struct video *v = &c->video;
    if (strcmp(name, "camera") == 0) {
        video_change(c);
        return true;
    }
    for (int i = 0; i < FEEDS; i++) {
        struct feed *f = &v->feed[i];
        if (strcmp(name, f->proc.name) != 0)
            continue;
        proc_forgive(&f->proc);
        if (f->proc.pid)
            proc_end(&f->proc);
        else
            on_feed_again(f);
        return true;
    }
    return false;
}

void video_watch(struct camctl *c) {
    struct video *v = &c->video;
    uint64_t now = camctl_ms(c);
    if (v->camera.pid && !v->camera.ending && c->cfg.silence_ms &&
        now - v->seen_ms > (uint64_t)c->cfg.silence_ms) {
        v->seen_ms = now;
        proc_fail(&v->camera, CAUSE_TIMEOUT, "gives no pictures (--silence)");
    }
    for (int i = 0; i < FEEDS; i++)
        feed_watch(&v->feed[i], now);
}

/* ---- life ---- */

static void reap_guard(struct guard *g) {
    if (g->pid <= 0 || waitpid(g->pid, NULL, WNOHANG) != g->pid)
        return;
    g->pid = 0;
    log_warn("the guard was ended: after kill -9 of this process, what camera scripts have started "
             "may go on (restart camctl)");
}

static void on_child(uv_signal_t *s, int number) {
    struct camctl *c = s->data;
    (void)number;
    reap_guard(&c->guard);
    proc_reap(&c->video.camera);
    for (int i = 0; i < FEEDS; i++)
        proc_reap(&c->video.feed[i].proc);
}

static void on_told(void *ctx) {
    struct camctl *c = ctx;
    c->proc_changed[0] = true;
}

static void on_feed_told(void *ctx) {
    struct feed *f = ctx;
    f->c->proc_changed[1 + (f - f->c->video.feed)] = true;
}

static void open_feed(struct camctl *c, enum feed_name i, const char *name) {
    struct feed *f = &c->video.feed[i];
    f->c = c;
    f->proc.name = name;
    f->proc.ctx = f;
    f->proc.takes_input = true;
    f->proc.gives_output = i == FEED_PREVIEW;
    f->proc.out.on_bytes = on_jpeg_bytes;
    f->proc.on_end = on_feed_end;
    f->proc.on_again = on_feed_again;
    f->proc.on_told = on_feed_told;
    f->proc.grace_ms = GRACE_MS;
    f->proc.guard = &c->guard;
    proc_open(&f->proc, &c->st.loop);
    proc_rest(&f->proc, f->wanted ? "waits for the camera" : "switched off");
}

void video_open(struct camctl *c) {
    struct video *v = &c->video;
    v->c = c;
    v->camera.name = "camera";
    v->camera.ctx = c;
    v->camera.gives_output = true;
    v->camera.out.on_bytes = on_camera_bytes;
    v->camera.on_end = on_camera_end;
    v->camera.on_again = on_camera_again;
    v->camera.on_told = on_told;
    v->camera.grace_ms = GRACE_MS;
    v->camera.guard = &c->guard;
    proc_open(&v->camera, &c->st.loop);
    v->feed[FEED_PUBLISHER].wanted = c->cfg.rtsp_url[0] != 0;
    v->feed[FEED_PREVIEW].wanted = c->cfg.preview_fps > 0;
    open_feed(c, FEED_PUBLISHER, "publisher");
    open_feed(c, FEED_PREVIEW, "preview");
    uv_timer_init(&c->st.loop, &v->timer);
    uv_signal_init(&c->st.loop, &v->child);
    v->timer.data = v->child.data = c;
    uv_signal_start(&v->child, on_child, SIGCHLD);
    camera_start(c);
}

void video_stop(struct camctl *c) {
    struct video *v = &c->video;
    v->camera.grace_ms = STOP_GRACE_MS;
    for (int i = 0; i < FEEDS; i++)
        v->feed[i].proc.grace_ms = STOP_GRACE_MS;
    end_all(c, VIDEO_STOP);
}

void video_close(struct camctl *c) {
    struct video *v = &c->video;
    proc_close(&v->camera);
    for (int i = 0; i < FEEDS; i++)
        proc_close(&v->feed[i].proc);
    uv_close((uv_handle_t *)&v->timer, NULL);
    uv_close((uv_handle_t *)&v->child, NULL);
}

void video_free(struct camctl *c) {
    proc_free(&c->video.camera);
    for (int i = 0; i < FEEDS; i++)
        proc_free(&c->video.feed[i].proc);
}
