/* breather: a ventilated patient: pressure-controlled breaths into one elastic lung behind one
 * resistance. No I/O and no clock: time is stepped by the owner.
 *
 * Pressures are above ambient in mbar, volumes above the relaxed lung's in ml, flow into the
 * patient in l/min.
 */
#ifndef DEVSIM_BREATHER_H
#define DEVSIM_BREATHER_H

#include <stdbool.h>

/* Where the ventilator is; breather_phase_name gives the words of its protocol. */
enum breath_phase {
    BREATH_IDLE,
    BREATH_STANDBY,
    BREATH_STOP,
    BREATH_PREFILL,
    BREATH_FILL,
    BREATH_PRE_INHALE,
    BREATH_INHALE,
    BREATH_PAUSE,
    BREATH_EXHALE,
    BREATH_PHASES
};

struct breath_settings {
    double rate;     /* breaths a minute */
    double ie;       /* time in : time out, 0.5 is 1:2 */
    double pressure; /* at the end of inhaling */
    double peep;     /* at the end of exhaling */
};

/* What has been measured of the last whole breath; zeros before the first. */
struct breath_measures {
    double rate, inhaled, exhaled, peak, plateau, mean;
};

struct breather {
    /* Set by the owner at any time; the next phase follows them. */
    struct breath_settings set;
    double compliance; /* ml/mbar */
    double resistance; /* mbar/(l/s) */

    /* To be read. */
    enum breath_phase phase;
    double pressure, flow, volume;
    double goal;   /* the pressure that is steered to */
    double buffer; /* pressure in the gas buffer */
    struct breath_measures last;
    unsigned long breaths; /* whole ones */

    /* Its own. */
    double left_s; /* of the phase */
    struct {
        double s, inhaled, exhaled, peak, plateau, area;
    } now; /* this breath so far */
};

extern const struct breath_settings breath_usual;

/* Stopped, lung relaxed. Settings and lung stay. */
void breather_reset(struct breather *b);
void breather_start(struct breather *b);
/* Into one of BREATH_IDLE, _STANDBY, _STOP: the pressure falls and the lung empties. */
void breather_stop(struct breather *b, enum breath_phase into);
bool breather_running(const struct breather *b);
/* Let s seconds pass, a minute at most. */
void breather_step(struct breather *b, double s);

/* "INHALE", as fsm_state is called on the bus. */
const char *breather_phase_name(enum breath_phase p);

#endif
