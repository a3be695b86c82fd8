/* The figures of the screen. What the device says of a breath comes first; what it leaves at 0 or
 * does not say is computed from the samples. */
#include <math.h>
#include <string.h>

#include "hev.h"

/* What the device said of a breath longer ago is of no breath of now. */
static const uint64_t CYCLE_NS = 15 * UINT64_C(1000000000);
static const uint64_t BREATH_US = 30 * UINT64_C(1000000);
/* cmH2O, ml, a minute: hundredths are noise. */
static const double ROUND = 100;

static double told(enum vent_kind k, const char *key) {
    double v;
    size_t n;
    const uint8_t *p = vent_kept_body(k, &n);
    return p && mp_get_double(p, n, key, &v) && isfinite(v) ? v : NAN;
}

static double of_cycle(const char *key) {
    double v = told(VENT_CYCLE, key);
    if (clock_wall_ns() > vent.kept[VENT_CYCLE].time_ns + CYCLE_NS)
        return NAN;
    return v > 0 ? v : NAN;
}

/* ---- the figures ---- */

struct figure {
    const char *name;
    double value;
    const char *source; /* "device" or "breaths" */
};

static struct figure figure(const char *name, double device, double breaths) {
    bool own = !isnan(device);
    return (struct figure){name, own ? device : breaths, own ? "device" : "breaths"};
}

static double first(double a, double b) {
    return isnan(a) ? b : a;
}

/* Inhaling, breathing out: the second in units of the first. */
static double ratio(const struct vent_breath *b) {
    return b->inhale_s > 0 && b->exhale_s > 0 ? b->exhale_s / b->inhale_s : NAN;
}

enum { FIGURES = 9 };

static void collect(struct figure f[FIGURES]) {
    static const struct vent_breath none = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0};
    bool recent = vent.breaths.last.time_us + BREATH_US > clock_wall_ns() / 1000;
    const struct vent_breath *b = recent ? &vent.breaths.last : &none;
    double rate = recent ? vent_breaths_rate(&vent.breaths) : NAN;
    f[0] = figure("pip", of_cycle("peak_inspiratory_pressure"), b->pip);
    f[1] = figure("peep", NAN, b->peep);
    f[2] = figure("plateau", of_cycle("plateau_pressure"), b->plateau);
    f[3] = figure("rr", of_cycle("respiratory_rate"), rate);
    f[4] = figure("vti", of_cycle("inhaled_tidal_volume"), b->vti);
    f[5] = figure("vte", of_cycle("exhaled_tidal_volume"), b->vte);
    f[6] = figure("mve", of_cycle("exhaled_minute_volume"),
                  first(f[3].value, rate) * first(b->vte, f[5].value) / 1000);
    f[7] = figure("fio2", first(of_cycle("fiO2_percent"), of_cycle("fi02_percent")), NAN);
    f[8] = figure("ie", NAN, ratio(b));
}

void vent_numbers_put(struct buf *b) {
    struct figure f[FIGURES];
    uint32_t n = 0;
    collect(f);
    for (int i = 0; i < FIGURES; i++)
        n += !isnan(f[i].value);
    mp_put_map(b, n);
    for (int i = 0; i < FIGURES; i++) {
        if (isnan(f[i].value))
            continue;
        mp_put_str(b, f[i].name);
        mp_put_array(b, 2);
        mp_put_double(b, round(f[i].value * ROUND) / ROUND);
        mp_put_str(b, f[i].source);
    }
}

/* ---- what is set ---- */

void vent_targets_put(struct buf *b) {
    const struct {
        const char *name;
        double value;
    } t[] = {
        {"pip", told(VENT_TARGET, "inspiratory_pressure")},
        {"rr", told(VENT_TARGET, "respiratory_rate")},
        {"peep", first(told(VENT_TARGET, "peep"), told(VENT_READBACK, "peep"))},
        {"vti", told(VENT_TARGET, "volume")},
        {"fio2", first(told(VENT_TARGET, "fiO2_percent"), told(VENT_TARGET, "fiO2"))},
        {"inhale_s", told(VENT_TARGET, "inhale_time")},
    };
    enum { TARGETS = sizeof t / sizeof *t };
    uint32_t n = 0;
    for (int i = 0; i < TARGETS; i++)
        n += t[i].value > 0;
    mp_put_map(b, n);
    for (int i = 0; i < TARGETS; i++)
        if (t[i].value > 0)
            mp_kv_double(b, t[i].name, round(t[i].value * ROUND) / ROUND);
}
