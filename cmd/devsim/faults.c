#include "faults.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fault_rate(const char *text, double *rate, struct err *e) {
    char *end;
    double v = strtod(text, &end);
    if (end == text || strcmp(end, "%") != 0 || !(v >= 0 && v <= 100))
        return err_set(e, CAUSE_USAGE, "\"%s\" is no share such as 1%% or 0.05%%", text);
    *rate = v / 100;
    return 0;
}

/* ---- what stands between frames ---- */

static size_t random_bytes(struct faults *x, uint8_t *out) {
    size_t n = 1 + chance_below(&x->luck, FAULTS_NOISE_MAX);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)chance_next(&x->luck);
    return n;
}

/* The gateway's log shares the line with the frames. */
static size_t log_text(struct faults *x, char *out) {
    bool colour = chance_below(&x->luck, 2);
    return (size_t)snprintf(out, FAULTS_NOISE_MAX,
                            "%sW (%u) esp_now: send queue is full, frame dropped%s\r\n",
                            colour ? "\033[0;33m" : "", (unsigned)chance_below(&x->luck, 1000000),
                            colour ? "\033[0m" : "");
}

static size_t lone_mark(struct faults *x, uint8_t *out) {
    static const uint8_t marks[2][4] = {{0xfa, 0xce, 0xaa, 0xbb}, {0xcd, 0xef, 0x56, 0x78}};
    memcpy(out, marks[chance_below(&x->luck, 2)], 4);
    return 1 + chance_below(&x->luck, 4);
}

static void make_noise(struct faults *x) {
    uint8_t noise[FAULTS_NOISE_MAX];
    uint64_t kind = chance_below(&x->luck, 3);
    size_t n = kind == 0   ? random_bytes(x, noise)
               : kind == 1 ? log_text(x, (char *)noise)
                           : lone_mark(x, noise);
    x->noises++;
    x->send(x->ctx, noise, n);
}

/* ---- frames ---- */

static void emit(struct faults *x, struct fault_lane *lane, const struct frame *f) {
    struct frame out = *f;
    if (chance_hit(&x->luck, x->rate.noise))
        make_noise(x);
    if (chance_hit(&x->luck, x->rate.corrupt)) {
        out.bytes[chance_below(&x->luck, out.n)] ^= (uint8_t)(1 + chance_below(&x->luck, 255));
        lane->damaged = true;
        x->corrupted++;
    }
    if (chance_hit(&x->luck, x->rate.cut)) {
        out.n = chance_below(&x->luck, out.n);
        lane->damaged = true;
        x->cut++;
    }
    x->send(x->ctx, out.bytes, out.n);
    if (chance_hit(&x->luck, x->rate.twice)) {
        x->send(x->ctx, out.bytes, out.n);
        x->doubled++;
    }
}

static void release(struct faults *x, struct fault_lane *lane) {
    if (lane->holding)
        emit(x, lane, &lane->held);
    lane->holding = false;
}

void faults_pass(struct faults *x, struct fault_lane *lane, const struct frame *f) {
    if (f->n == 0 || chance_hit(&x->luck, x->rate.loss)) {
        lane->damaged = true;
        x->lost++;
        if (f->type != FRAME_DATA)
            release(x, lane);
        return;
    }
    if (f->type == FRAME_DATA && !lane->holding && chance_hit(&x->luck, x->rate.swap)) {
        lane->held = *f;
        lane->holding = true;
        return;
    }
    /* A frame that ends something must not overtake what it ends. */
    if (f->type != FRAME_DATA)
        release(x, lane);
    emit(x, lane, f);
    x->swapped += lane->holding;
    release(x, lane);
}
