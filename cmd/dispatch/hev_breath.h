/* hev_breath: what a breath was like, computed from the samples, for devices that do not say.
 *
 * A breath begins with the device's state INHALE and ends with the next one.
 */
#ifndef DISPATCH_HEV_BREATH_H
#define DISPATCH_HEV_BREATH_H

#include <stdbool.h>
#include <stdint.h>

enum vent_phase { VENT_REST, VENT_INHALE, VENT_PAUSE, VENT_EXHALE };

/* NAN where it is not known. */
struct vent_breath {
    double pip, plateau,
        peep;        /* cmH2O: highest; at the end of the pause; at the end of the breath */
    double vti, vte; /* ml, in and out */
    double inhale_s, exhale_s; /* pause counts as inhaling */
    uint64_t time_us;          /* its end */
};

enum { VENT_PERIODS = 4 };

struct vent_breaths {
    enum vent_phase phase;
    uint64_t last_us, begin_us, exhale_us; /* begin 0: not inside a breath */
    double pip, plateau, low_pass;
    double volume_begin, volume_top, volume_end; /* as the device measures it */
    double in_ml, out_ml;                        /* sums of the flow */
    double period_s[VENT_PERIODS];
    uint64_t periods; /* ever put into period_s since the last interruption */
    uint64_t count;
    struct vent_breath last;
};

void vent_breaths_init(struct vent_breaths *b);
/* Phase of a state's name; unknown ones are VENT_REST. */
enum vent_phase vent_phase_of(const char *state);
/* One sample: cmH2O, l/min, ml. True when it completed a breath, which is then in b->last. */
bool vent_breaths_feed(struct vent_breaths *b, uint64_t time_us, double pressure, double flow,
                       double volume, enum vent_phase phase);
/* Breaths a minute over the last few; NAN before the second breath. */
double vent_breaths_rate(const struct vent_breaths *b);

#endif
