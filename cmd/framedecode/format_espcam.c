/* Cameras behind a serial gateway: lib/codec/espcam.h to messages espcam.*. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec/espcam.h"
#include "format.h"
#include "log.h"

struct decoder {
    struct stage *st;
    struct espcam espcam;
    uint64_t faults; /* seen so far */
};

enum { MAC_TEXT = 18 };

static const char *checksum = "warn";
static bool keep_broken;
static int64_t max_frame = ESPCAM_FRAME_DEFAULT, timeout_ms = 20000, max_image = 4 << 20,
               max_memory = 64 << 20, max_cameras = 64;

static const struct opt options[] = {
    {"checksum", 0, OPT_TEXT, &checksum, "POLICY",
     "espcam: a frame whose checksum is wrong is thrown away (strict), is good only if the "
     "picture's SHA-256 agrees (warn), or is believed (off)",
     0, 0},
    {"max-frame", 0, OPT_SIZE, &max_frame, "SIZE", "espcam: more data in a frame is damage",
     ESPCAM_FRAME_MIN, ESPCAM_FRAME_MAX},
    {"timeout", 0, OPT_DURATION, &timeout_ms, "TIME",
     "espcam: silence of a camera that ends its picture", 100, 86400000},
    {"max-image", 0, OPT_SIZE, &max_image, "SIZE", "espcam: a larger picture is broken",
     ESPCAM_IMAGE_MIN, MSG_MAX - (64 << 10)},
    {"max-memory", 0, OPT_SIZE, &max_memory, "SIZE",
     "espcam: for unfinished pictures of all cameras; then the camera silent longest loses its own",
     1 << 20, INT64_C(4) << 30},
    {"max-cameras", 0, OPT_INT, &max_cameras, "N",
     "espcam: more cameras at a time push the one silent longest out", 1, ESPCAM_CAMERAS_MAX},
    {"keep-broken", 0, OPT_FLAG, &keep_broken, NULL,
     "espcam: messages about broken pictures carry what came of them", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

/* ---- messages ---- */

static const char *mac_text(const uint8_t *m, char out[MAC_TEXT]) {
    snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    return out;
}

static void put_value(struct buf *b, const char *key, double v) {
    if (isnan(v))
        mp_kv_nil(b, key);
    else
        mp_kv_double(b, key, v);
}

enum { SENSOR_KEYS = 4 };

static void put_sensors(struct buf *b, const struct espcam_sensors *s) {
    if (isnan(s->voltage_percent))
        mp_kv_nil(b, "voltage_percent");
    else
        mp_kv_uint(b, "voltage_percent", (uint64_t)s->voltage_percent);
    put_value(b, "temperature_c", s->temperature_c);
    put_value(b, "tds_v", s->tds_v);
    mp_kv_str(b, "camera_time", s->time[0] ? s->time : NULL);
}

enum { PICTURE_KEYS = 9 };

/* What is told of every picture. */
static void put_picture(struct buf *b, const struct espcam_image *i) {
    char mac[MAC_TEXT];
    mp_kv_str(b, "mac", mac_text(i->mac, mac));
    mp_kv_str(b, "closed", espcam_closed_name(i->closed));
    mp_kv_uint(b, "first_seq", i->first_seq);
    mp_kv_uint(b, "last_seq", i->last_seq);
    mp_kv_uint(b, "frames", i->frames);
    mp_kv_uint(b, "duplicates", i->duplicates);
    mp_kv_uint(b, "bad_frames", i->bad);
    mp_kv_uint(b, "started", i->started_ns);
    mp_kv_uint(b, "ended", i->ended_ns);
}

static void on_image(void *ctx, const struct espcam_image *i) {
    struct decoder *d = ctx;
    char mac[MAC_TEXT];
    struct buf *b =
        stage_begin(d->st, "espcam.image", i->started_ns, PICTURE_KEYS + SENSOR_KEYS + 3);
    put_picture(b, i);
    put_sensors(b, i->sensors);
    mp_kv_uint(b, "bytes", i->len);
    mp_kv_str(b, "verified", espcam_verified_name(i->verified));
    mp_put_str(b, "data");
    uint64_t seq = stage_end_bin(d->st, i->data, i->len);
    if (log_level() >= LOG_DEBUG)
        log_debug("picture %llu of %s: %zu bytes in %zu frames, verified: %s",
                  (unsigned long long)seq, mac_text(i->mac, mac), i->len, i->frames,
                  espcam_verified_name(i->verified));
}

static void put_missing(struct buf *b, const struct espcam_image *i) {
    mp_put_str(b, "missing");
    mp_put_array(b, (uint32_t)i->ranges);
    for (size_t k = 0; k < i->ranges; k++) {
        mp_put_array(b, 2);
        mp_put_uint(b, i->missing[k].from);
        mp_put_uint(b, i->missing[k].to);
    }
}

static void on_broken(void *ctx, const struct espcam_image *i) {
    static struct log_limit limit;
    struct decoder *d = ctx;
    char mac[MAC_TEXT];
    bool keep = keep_broken && i->data;
    struct buf *b = stage_begin(d->st, "espcam.broken", i->started_ns,
                                PICTURE_KEYS + SENSOR_KEYS + 3 + (keep ? 1 : 0));
    put_picture(b, i);
    put_sensors(b, i->sensors);
    mp_kv_uint(b, "bytes", i->bytes);
    mp_kv_str(b, "reason", espcam_reason_name(i->reason));
    put_missing(b, i);
    if (keep) {
        mp_put_str(b, "data");
        stage_end_bin(d->st, i->data, i->len);
    } else {
        stage_end(d->st);
    }
    d->st->stats.bad++;
    log_limited(&limit, LOG_WARN,
                "picture of %s is broken (%s, ended by: %s): %zu frames, %llu bytes",
                mac_text(i->mac, mac), espcam_reason_name(i->reason), espcam_closed_name(i->closed),
                i->frames, (unsigned long long)i->bytes);
}

static void on_sensor(void *ctx, const uint8_t *mac, const struct espcam_sensors *s,
                      uint64_t time_ns) {
    struct decoder *d = ctx;
    char text[MAC_TEXT];
    struct buf *b = stage_begin(d->st, "espcam.sensor", time_ns, 1 + SENSOR_KEYS);
    mp_kv_str(b, "mac", mac_text(mac, text));
    put_sensors(b, s);
    stage_end(d->st);
}

static void on_frame(void *ctx, const struct espcam_frame *f) {
    static const char *const kinds[] = {"?", "HASH", "DATA", "EOF"};
    char mac[MAC_TEXT];
    (void)ctx;
    log_trace("frame %s (type %u) of %s: sequence %u, %zu bytes, %s-endian%s%s", kinds[f->kind],
              f->type, mac_text(f->mac, mac), f->seq, f->len, f->big ? "big" : "little",
              f->nested ? ", nested" : "", f->sum_ok ? "" : ", wrong checksum");
}

/* ---- the decoder ---- */

static int read_policy(enum espcam_policy *out, struct err *e) {
    static const char *const names[] = {
        [ESPCAM_STRICT] = "strict", [ESPCAM_WARN] = "warn", [ESPCAM_OFF] = "off"};
    for (int i = 0; i <= ESPCAM_OFF; i++) {
        if (strcmp(checksum, names[i]) == 0) {
            *out = (enum espcam_policy)i;
            return 0;
        }
    }
    return err_set(e, CAUSE_USAGE, "--checksum %s: unknown (there are: strict, warn, off)",
                   checksum);
}

static void count_frames(struct stage *st, const struct espcam *c) {
    stage_counter(st, "frames_data", &c->data_frames);
    stage_counter(st, "frames_hash", &c->hash_frames);
    stage_counter(st, "frames_eof", &c->end_frames);
    stage_counter(st, "frames_big_endian", &c->scan.big_frames);
    stage_counter(st, "frames_little_endian", &c->scan.little_frames);
    stage_counter(st, "frames_nested", &c->scan.nested_frames);
    stage_counter(st, "frames_refused", &c->refused);
    stage_counter(st, "bad_types", &c->other_types);
    stage_counter(st, "bad_lengths", &c->scan.bad_length);
    stage_counter(st, "bad_ends", &c->scan.bad_end);
    stage_counter(st, "bad_checksums", &c->scan.bad_sum);
    stage_counter(st, "skipped_bytes", &c->scan.skipped_bytes);
}

static void count_pictures(struct stage *st, const struct espcam *c) {
    stage_counter(st, "duplicates", &c->duplicates);
    stage_counter(st, "gaps", &c->gaps);
    stage_counter(st, "hashes_without_token", &c->odd_hashes);
    stage_counter(st, "lone_eofs", &c->lone_ends);
    stage_counter(st, "sensor_texts", &c->sensor_texts);
    stage_counter(st, "pictures_sha256", &c->verified[ESPCAM_BY_SHA256]);
    stage_counter(st, "pictures_sum", &c->verified[ESPCAM_BY_SUM]);
    stage_counter(st, "pictures_unverified", &c->verified[ESPCAM_UNVERIFIED]);
    stage_counter(st, "pictures_broken", &c->broken);
    stage_counter(st, "pictures_timed_out", &c->timed_out);
    stage_counter(st, "pictures_evicted", &c->evicted);
    stage_counter(st, "picture_bytes", &c->image_bytes);
}

static void *espcam_open(struct stage *st, struct err *e) {
    struct espcam_options o = {.max_frame = (size_t)max_frame,
                               .timeout_ns = (uint64_t)timeout_ms * 1000000u,
                               .max_image = (size_t)max_image,
                               .max_memory = (size_t)max_memory,
                               .max_cameras = (size_t)max_cameras};
    if (read_policy(&o.policy, e) < 0)
        return NULL;
    struct decoder *d = mem_alloc(sizeof *d);
    struct espcam_handler h = {.image = on_image,
                               .broken = on_broken,
                               .sensor = on_sensor,
                               .frame = log_level() >= LOG_TRACE ? on_frame : NULL,
                               .ctx = d};
    d->st = st;
    espcam_init(&d->espcam, &o, &h);
    count_frames(st, &d->espcam);
    count_pictures(st, &d->espcam);
    return d;
}

/* Noise is summed up, never shown: a dump of it would only fill the log. */
static void tell_faults(struct decoder *d) {
    static struct log_limit limit;
    const struct espcam_scan *s = &d->espcam.scan;
    uint64_t faults = s->bad_length + s->bad_end + s->bad_sum;
    if (faults == d->faults)
        return;
    d->st->stats.bad += faults - d->faults;
    d->faults = faults;
    log_limited(&limit, LOG_WARN,
                "damage: %llu bad lengths, %llu bad ends, %llu bad checksums, %llu bytes skipped "
                "so far",
                (unsigned long long)s->bad_length, (unsigned long long)s->bad_end,
                (unsigned long long)s->bad_sum, (unsigned long long)s->skipped_bytes);
}

static void feed(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct decoder *d = ctx;
    espcam_feed(&d->espcam, p, n, time_ns);
    tell_faults(d);
}

static uint64_t deadline(const void *ctx) {
    const struct decoder *d = ctx;
    return espcam_deadline(&d->espcam);
}

static void timeout(void *ctx, uint64_t now_ns) {
    struct decoder *d = ctx;
    espcam_timeout(&d->espcam, now_ns);
    tell_faults(d);
}

static void reset(void *ctx) {
    struct decoder *d = ctx;
    espcam_reset(&d->espcam);
    tell_faults(d);
}

static void finish(void *ctx) {
    struct decoder *d = ctx;
    espcam_finish(&d->espcam);
    tell_faults(d);
}

static void espcam_close(void *ctx) {
    struct decoder *d = ctx;
    espcam_free(&d->espcam);
    free(d);
}

const struct format format_espcam = {
    .name = "espcam",
    .summary = "cameras behind a serial gateway",
    .options = options,
    .open = espcam_open,
    .feed = feed,
    .deadline = deadline,
    .timeout = timeout,
    .reset = reset,
    .finish = finish,
    .close = espcam_close,
};
