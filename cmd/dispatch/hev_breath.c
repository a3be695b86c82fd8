#include "hev_breath.h"

#include <math.h>
#include <string.h>

static const uint64_t GAP_US = 1500000;      /* samples were missing: this breath says nothing */
static const uint64_t LONGEST_US = 30000000; /* no breath, but a stop */
static const double FILTER_S = 0.05;         /* noise of the pressure at the end of a breath */
static const double ML_PER_LITRE_MIN_S = 1000.0 / 60;
static const double LEAST_ML = 1; /* a volume that moves less is not measured */

static const struct vent_breath unknown = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};

void vent_breaths_init(struct vent_breaths *b) {
    *b = (struct vent_breaths){.last = unknown};
}

enum vent_phase vent_phase_of(const char *state) {
    if (strcmp(state, "INHALE") == 0)
        return VENT_INHALE;
    if (strcmp(state, "PAUSE") == 0)
        return VENT_PAUSE;
    /* Between breaths the buffer is filled. */
    if (strncmp(state, "EXHALE", 6) == 0 || strcmp(state, "BUFF_PRE_INHALE") == 0 ||
        strcmp(state, "BUFF_FILL") == 0 || strcmp(state, "BUFF_LOADED") == 0 ||
        strcmp(state, "BUFF_PREFILL") == 0)
        return VENT_EXHALE;
    return VENT_REST;
}

double vent_breaths_rate(const struct vent_breaths *b) {
    uint64_t n = b->periods < VENT_PERIODS ? b->periods : VENT_PERIODS;
    double sum = 0;
    for (uint64_t i = 0; i < n; i++)
        sum += b->period_s[i];
    return sum > 0 ? 60 * (double)n / sum : NAN;
}

static void begin(struct vent_breaths *b, uint64_t time_us, double pressure, double volume) {
    b->begin_us = time_us;
    b->exhale_us = 0;
    b->pip = b->low_pass = pressure;
    b->plateau = NAN;
    b->volume_begin = b->volume_top = b->volume_end = volume;
    b->in_ml = b->out_ml = 0;
}

static double measured(double volume, double flow) {
    if (volume >= LEAST_ML)
        return volume;
    return flow >= LEAST_ML ? flow : NAN;
}

static void complete(struct vent_breaths *b, uint64_t time_us) {
    uint64_t exhale = b->exhale_us ? b->exhale_us : time_us;
    b->last = (struct vent_breath){
        .pip = b->pip,
        .plateau = b->plateau,
        .peep = b->exhale_us ? b->low_pass : NAN,
        .vti = measured(b->volume_top - b->volume_begin, b->in_ml),
        .vte = measured(b->volume_top - b->volume_end, b->out_ml),
        .inhale_s = (double)(exhale - b->begin_us) / 1e6,
        .exhale_s = (double)(time_us - exhale) / 1e6,
        .time_us = time_us,
    };
    b->period_s[b->periods++ % VENT_PERIODS] = (double)(time_us - b->begin_us) / 1e6;
    b->count++;
}

static void inside(struct vent_breaths *b, double s, double pressure, double flow, double volume) {
    double ml = flow * s * ML_PER_LITRE_MIN_S;
    if (ml > 0)
        b->in_ml += ml;
    else if (ml < 0)
        b->out_ml -= ml;
    b->low_pass += (pressure - b->low_pass) * s / (FILTER_S + s);
    if (b->phase == VENT_PAUSE)
        b->plateau = b->low_pass;
    if (b->exhale_us) {
        b->volume_end = fmin(b->volume_end, volume);
        return;
    }
    b->pip = fmax(b->pip, pressure);
    b->volume_top = b->volume_end = fmax(b->volume_top, volume);
}

static void interrupt(struct vent_breaths *b) {
    b->begin_us = 0;
    b->periods = 0;
}

bool vent_breaths_feed(struct vent_breaths *b, uint64_t time_us, double pressure, double flow,
                       double volume, enum vent_phase phase) {
    uint64_t since = time_us - b->last_us;
    bool starts = phase == VENT_INHALE && b->phase != VENT_INHALE && b->phase != VENT_PAUSE;
    bool done = false;
    if (since > GAP_US || phase == VENT_REST || (b->begin_us && time_us - b->begin_us > LONGEST_US))
        interrupt(b);
    b->last_us = time_us;
    b->phase = phase;
    if (!isfinite(pressure) || !isfinite(flow) || !isfinite(volume))
        return false;
    if (starts) {
        done = b->begin_us != 0;
        if (done)
            complete(b, time_us);
        begin(b, time_us, pressure, volume);
    } else if (b->begin_us) {
        if (phase == VENT_EXHALE && !b->exhale_us)
            b->exhale_us = time_us;
        inside(b, (double)since / 1e6, pressure, flow, volume);
    }
    return done;
}
