/* The selection panel: lib/codec/panel.h to messages panel.*. */
#include <stdlib.h>

#include "codec/panel.h"
#include "format.h"
#include "log.h"

struct decoder {
    struct stage *st;
    struct panel panel;
};

static int64_t buttons = 10;

static const struct opt options[] = {
    {"buttons", 0, OPT_INT, &buttons, "N", "panel: ids 1 to N are buttons", 1, PANEL_BUTTONS_MAX},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const char *const topics[PANEL_KINDS] = {
    [PANEL_PRESS] = "panel.press",     [PANEL_RELEASE] = "panel.release",
    [PANEL_READY] = "panel.ready",     [PANEL_PONG] = "panel.pong",
    [PANEL_OK] = "panel.ok",           [PANEL_ERROR] = "panel.error",
    [PANEL_FW] = "panel.firmware",     [PANEL_MODE] = "panel.mode",
    [PANEL_MAPPING] = "panel.mapping", [PANEL_INFO] = "panel.info",
    [PANEL_IGNORED] = "panel.ignored",
};

static void publish_id(struct decoder *d, const struct panel_event *e) {
    struct buf *b = stage_begin(d->st, topics[e->kind], e->time_ns, 1);
    if (e->id)
        mp_kv_uint(b, "id", e->id);
    else
        mp_kv_nil(b, "id");
    stage_end(d->st);
}

static void publish_text(struct decoder *d, const struct panel_event *e) {
    struct buf *b = stage_begin(d->st, topics[e->kind], e->time_ns, e->kind == PANEL_INFO ? 2 : 1);
    if (e->kind == PANEL_INFO)
        mp_kv_str(b, "key", e->key);
    mp_kv_strn(b, e->kind == PANEL_INFO ? "value" : "text", e->text, e->text_len);
    stage_end(d->st);
}

static void publish_ignored(struct decoder *d, const struct panel_event *e) {
    static struct log_limit limit;
    char text[400];
    log_quote(text, sizeof text, e->text ? e->text : "", e->text ? e->text_len : 0);
    struct buf *b = stage_begin(d->st, topics[PANEL_IGNORED], e->time_ns, 2);
    mp_kv_str(b, "text", text);
    mp_kv_str(b, "reason", panel_reason_name(e->reason));
    stage_end(d->st);
    if (e->reason == PANEL_TEXT)
        return;
    d->st->stats.bad++;
    log_limited(&limit, LOG_WARN, "line ignored (%s): \"%s\"", panel_reason_name(e->reason), text);
}

static void on_event(void *ctx, const struct panel_event *e) {
    struct decoder *d = ctx;
    switch (e->kind) {
    case PANEL_PRESS:
    case PANEL_RELEASE:
        publish_id(d, e);
        break;
    case PANEL_IGNORED:
        publish_ignored(d, e);
        break;
    case PANEL_READY:
    case PANEL_PONG:
    case PANEL_OK:
        stage_begin(d->st, topics[e->kind], e->time_ns, 0);
        stage_end(d->st);
        break;
    default:
        publish_text(d, e);
    }
}

static void *panel_open(struct stage *st, struct err *e) {
    (void)e;
    struct decoder *d = mem_alloc(sizeof *d);
    d->st = st;
    panel_init(&d->panel, (unsigned)buttons);
    stage_counter(st, "presses", &d->panel.count[PANEL_PRESS]);
    stage_counter(st, "releases", &d->panel.count[PANEL_RELEASE]);
    stage_counter(st, "ignored_out_of_range", &d->panel.ignored[PANEL_OUT_OF_RANGE]);
    stage_counter(st, "ignored_malformed", &d->panel.ignored[PANEL_MALFORMED]);
    stage_counter(st, "ignored_not_utf8", &d->panel.ignored[PANEL_NOT_UTF8]);
    stage_counter(st, "ignored_overlong", &d->panel.ignored[PANEL_OVERLONG]);
    stage_counter(st, "ignored_after_release", &d->panel.ignored[PANEL_AFTER_RELEASE]);
    stage_counter(st, "finished_without_line_end", &d->panel.early);
    return d;
}

static void feed(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct decoder *d = ctx;
    panel_feed(&d->panel, p, n, time_ns, on_event, d);
}

static uint64_t deadline(const void *ctx) {
    const struct decoder *d = ctx;
    return panel_deadline(&d->panel);
}

static void timeout(void *ctx, uint64_t now_ns) {
    struct decoder *d = ctx;
    panel_timeout(&d->panel, now_ns, on_event, d);
}

static void reset(void *ctx) {
    struct decoder *d = ctx;
    panel_reset(&d->panel);
}

static void panel_close(void *ctx) {
    struct decoder *d = ctx;
    panel_free(&d->panel);
    free(d);
}

const struct format format_panel = {
    .name = "panel",
    .summary = "selection panel: buttons with LEDs",
    .options = options,
    .open = panel_open,
    .feed = feed,
    .deadline = deadline,
    .timeout = timeout,
    .reset = reset,
    .close = panel_close,
};
