#include "breather.h"

#include <math.h>
#include <string.h>

static const double step_s = 0.002, longest_s = 60;
/* How fast the valves bring the airway to the pressure that is wanted. */
static const double rise_s = 0.08, fall_s = 0.12;
static const double buffer_full = 300, buffer_fill_s = 0.5;
static const double buffer_l =
    10; /* volume of the buffer: what a breath takes lowers its pressure */

const struct breath_settings breath_usual = {.rate = 15, .ie = 0.5, .pressure = 17, .peep = 5};

/* ---- phases ---- */

static const double pause_s = 0.01;

/* Time of a breath until the lung is let go. */
static double inhale_s(const struct breather *b) {
    return 60 / b->set.rate * b->set.ie / (1 + b->set.ie);
}

static double phase_s(const struct breather *b, enum breath_phase p) {
    switch (p) {
    case BREATH_PREFILL:
    case BREATH_FILL:
        return 0.6;
    case BREATH_INHALE:
        return fmax(inhale_s(b) - pause_s, pause_s);
    case BREATH_PAUSE:
        return pause_s;
    case BREATH_EXHALE:
        return 60 / b->set.rate - inhale_s(b);
    default:
        return 0;
    }
}

static enum breath_phase phase_after(enum breath_phase p) {
    return p == BREATH_EXHALE ? BREATH_PRE_INHALE : p + 1;
}

bool breather_running(const struct breather *b) {
    return b->phase >= BREATH_PREFILL;
}

const char *breather_phase_name(enum breath_phase p) {
    static const char *const names[BREATH_PHASES] = {"IDLE",         "STANDBY",   "STOP",
                                                     "BUFF_PREFILL", "BUFF_FILL", "BUFF_PRE_INHALE",
                                                     "INHALE",       "PAUSE",     "EXHALE"};
    return names[p];
}

static void end_breath(struct breather *b) {
    if (b->now.s <= 0)
        return;
    b->last = (struct breath_measures){.rate = 60 / b->now.s,
                                       .inhaled = b->now.inhaled,
                                       .exhaled = b->now.exhaled,
                                       .peak = b->now.peak,
                                       .plateau = b->now.plateau,
                                       .mean = b->now.area / b->now.s};
    b->breaths++;
}

static void enter(struct breather *b, enum breath_phase p) {
    if (b->phase == BREATH_EXHALE && p == BREATH_PRE_INHALE)
        end_breath(b);
    if (p == BREATH_PRE_INHALE)
        memset(&b->now, 0, sizeof b->now);
    if (p == BREATH_EXHALE)
        b->now.plateau = b->pressure;
    b->phase = p;
    b->left_s += phase_s(b, p);
}

void breather_start(struct breather *b) {
    if (breather_running(b))
        return;
    b->left_s = 0;
    enter(b, BREATH_PREFILL);
}

void breather_stop(struct breather *b, enum breath_phase into) {
    b->phase = into;
    memset(&b->now, 0, sizeof b->now);
}

void breather_reset(struct breather *b) {
    breather_stop(b, BREATH_IDLE);
    memset(&b->last, 0, sizeof b->last);
    b->pressure = b->flow = b->volume = b->goal = 0;
    b->buffer = buffer_full;
    b->breaths = 0;
}

/* ---- physics ---- */

static double wanted(const struct breather *b) {
    if (!breather_running(b))
        return 0;
    return b->phase == BREATH_INHALE || b->phase == BREATH_PAUSE ? b->set.pressure : b->set.peep;
}

static void measure(struct breather *b, double ml, double s) {
    b->now.s += s;
    b->now.area += b->pressure * s;
    b->now.peak = fmax(b->now.peak, b->pressure);
    if (ml > 0)
        b->now.inhaled += ml;
    else
        b->now.exhaled -= ml;
}

static void fill_buffer(struct breather *b, double ml, double s) {
    if (ml > 0)
        b->buffer = fmax(0, b->buffer - ml / 1000 / buffer_l * (1013 + b->buffer));
    else
        b->buffer += (buffer_full - b->buffer) * s / buffer_fill_s;
}

static void small_step(struct breather *b, double s) {
    b->goal = wanted(b);
    double tau = b->goal > b->pressure ? rise_s : fall_s;
    b->pressure += (b->goal - b->pressure) * s / tau;
    double l_s = (b->pressure - b->volume / b->compliance) / b->resistance, ml = l_s * 1000 * s;
    b->volume += ml;
    b->flow = l_s * 60;
    fill_buffer(b, ml, s);
    measure(b, ml, s);
}

void breather_step(struct breather *b, double s) {
    for (s = fmin(s, longest_s); s > 0; s -= step_s) {
        double d = fmin(s, step_s);
        small_step(b, d);
        for (b->left_s -= d; breather_running(b) && b->left_s <= 0;)
            enter(b, phase_after(b->phase));
    }
}
