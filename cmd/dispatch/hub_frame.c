/* Pictures: any JPEG, passed on as it came. */
#include <stdio.h>
#include <string.h>

#include "espcam_jpeg.h"
#include "hub.h"
#include "log.h"

static int refuse(struct hub_camera *c, struct err *e, const char *why, size_t n) {
    static struct log_limit limit;
    c->frames_refused++;
    hub.n.frames_refused++;
    log_limited(&limit, LOG_WARN, "a picture of camera %s (%zu bytes) refused: %s", c->id, n, why);
    return err_set(e, CAUSE_PROTOCOL, "picture refused: %s", why);
}

const char *hub_frame_fault(const uint8_t *p, size_t n) {
    if (n > HUB_FRAME_MAX)
        return "more than 1 MiB";
    return n < 4 || p[0] != 0xff || p[1] != 0xd8 ? "it does not begin as a JPEG does" : NULL;
}

/* A picture that does not tell its size leaves the one before it. */
static void measure(struct hub_camera *c, const uint8_t *p, size_t n) {
    unsigned width, height;
    if (!cam_jpeg_size(p, n, &width, &height))
        return;
    c->video.width = width;
    c->video.height = height;
}

static void publish(const struct hub_camera *c, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct buf *b = stage_begin(hub.st, "hub.frame", time_ns, 5);
    mp_kv_str(b, "camera", c->id);
    mp_kv_uint(b, "bytes", n);
    mp_kv_uint(b, "width", c->video.width);
    mp_kv_uint(b, "height", c->video.height);
    mp_put_str(b, "data");
    stage_end_bin(hub.st, p, n);
}

int hub_frame_take(struct hub_camera *c, const uint8_t *p, size_t n, uint64_t time_ns,
                   struct err *e) {
    uint64_t began = clock_mono_ns();
    const char *fault = hub_frame_fault(p, n);
    if (fault)
        return refuse(c, e, fault, n);
    hub_video_frame(&c->video, (double)(time_ns / 1000) / 1e6, n);
    measure(c, p, n);
    publish(c, p, n, time_ns);
    c->frame_ns = c->heard_ns = time_ns;
    c->frame_bytes = n;
    hub.n.frames++;
    hub_video_processed(&c->video, (double)(clock_mono_ns() - began) / 1e6);
    hub_page_changed();
    return 0;
}
