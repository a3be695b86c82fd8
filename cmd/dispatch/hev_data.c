/* What the device tells: samples of the curves, and the latest of everything else. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec/hev.h"
#include "hev.h"
#include "log.h"

static const struct {
    const char *topic;
    enum vent_kind kind;
} topics[] = {
    {"hev.data", VENT_DATA},       {"hev.readback", VENT_READBACK}, {"hev.cycle", VENT_CYCLE},
    {"hev.target", VENT_TARGET},   {"hev.battery", VENT_BATTERY},   {"hev.link", VENT_LINK},
    {"hev.clients", VENT_SERVERS},
};

static const char *const measured[VENT_CHANNELS] = {"airway_pressure", "flow", "volume"};
/* Devices of the first versions send what their converters read. */
static const char *const counts[VENT_CHANNELS] = {"pressure_inhale", "pressure_patient",
                                                  "pressure_buffer"};

/* The states of version A0, which it sends as numbers. */
static const char *const a0_states[] = {
    "IDLE",  "BUFF_PREFILL", "BUFF_FILL", "BUFF_LOADED", "BUFF_PRE_INHALE", "INHALE",
    "PAUSE", "EXHALE_FILL",  "EXHALE",    "BUFF_PURGE",  "BUFF_FLUSH"};
static const char *const a0_modes[] = {"BREATHE", "PURGE", "FLUSH"};

/* ---- the latest of each kind ---- */

static void keep(enum vent_kind k, const struct msg *m) {
    struct vent_kept *kept = &vent.kept[k];
    buf_clear(&kept->body);
    buf_put(&kept->body, m->body, m->body_len);
    kept->time_ns = m->time;
}

const uint8_t *vent_kept_body(enum vent_kind k, size_t *n) {
    *n = buf_len(&vent.kept[k].body);
    return *n ? buf_data(&vent.kept[k].body) : NULL;
}

/* ---- names ---- */

/* The name as decoded, or the A0 name of the number, or the number itself. */
static void name_of(const struct msg *m, const char *key, const char *const *a0, size_t a0_count,
                    char out[VENT_NAME]) {
    uint64_t version = 0, number;
    out[0] = 0;
    if (mp_get_cstr(m->body, m->body_len, key, out, VENT_NAME) ||
        !mp_get_uint(m->body, m->body_len, key, &number))
        return;
    mp_get_uint(m->body, m->body_len, "version", &version);
    const char *name = hev_name(HEV_NAME_FSM_STATE, (unsigned)version, (unsigned)number);
    if (a0 == a0_modes || version <= HEV_VERSION_FIRST)
        name = number < a0_count ? a0[number] : NULL;
    if (name)
        snprintf(out, VENT_NAME, "%s", name);
    else
        snprintf(out, VENT_NAME, "%llu", (unsigned long long)number);
}

static void set_name(char now[VENT_NAME], const char *name, const char *kind) {
    if (!name[0] || strcmp(now, name) == 0)
        return;
    if (kind)
        vent_event(kind, name);
    snprintf(now, VENT_NAME, "%s", name);
    vent_changed();
}

/* ---- samples ---- */

static double number(const struct msg *m, const char *key) {
    double v;
    return mp_get_double(m->body, m->body_len, key, &v) && isfinite(v) ? v : NAN;
}

static void arrived(void) {
    static const double SMOOTH = 0.1, LONGEST_MS = 1500;
    uint64_t now = clock_mono_ns();
    double ms = fmin((double)(now - vent.sample_ns) / 1e6, LONGEST_MS);
    if (vent.sample_ns)
        vent.interval_ms += (ms - vent.interval_ms) * (vent.interval_ms > 0 ? SMOOTH : 1);
    vent.sample_ns = now;
    vent_watch();
    if (vent.stale) {
        vent.stale = false;
        vent_event("stale", "off");
        vent_changed();
    }
}

static struct vent_sample sample_of(const struct msg *m) {
    struct vent_sample s;
    double v;
    uint64_t stamp = 0;
    bool back, stamped = mp_get_uint(m->body, m->body_len, "timestamp", &stamp) &&
                         stamp <= UINT32_MAX; /* as on the line */
    s.raw = !mp_get_double(m->body, m->body_len, measured[0], &v);
    for (int k = 0; k < VENT_CHANNELS; k++)
        s.v[k] = (float)number(m, s.raw ? counts[k] : measured[k]);
    s.time_us = vent_clock_time(&vent.clock, stamped ? (int64_t)stamp : -1, m->time / 1000, &back);
    if (back)
        vent_ring_cut(vent.ring, s.time_us);
    return s;
}

static void take_names(const struct msg *m) {
    char name[VENT_NAME];
    name_of(m, "fsm_state", a0_states, sizeof a0_states / sizeof *a0_states, name);
    set_name(vent.state, name, NULL);
    if (!vent.raw)
        return;
    name_of(m, "readback_mode", a0_modes, sizeof a0_modes / sizeof *a0_modes, name);
    set_name(vent.mode, name, "mode");
}

/* Counts and cmH2O fit no common axis. */
static void take_kind(bool raw) {
    if (raw != vent.raw && vent.ring->kept) {
        log_info("another kind of device: its curves begin anew");
        vent_ring_cut(vent.ring, 0);
    }
    vent.raw = raw;
}

static void on_data(const struct msg *m) {
    struct vent_sample s = sample_of(m);
    take_kind(s.raw);
    take_names(m);
    vent.samples++;
    arrived();
    if (s.time_us == 0) {
        vent.unordered++;
        return;
    }
    vent_ring_add(vent.ring, &s);
    vent_page_sample(&s);
    if (!s.raw && vent_breaths_feed(&vent.breaths, s.time_us, s.v[0], s.v[1], s.v[2],
                                    vent_phase_of(vent.state)))
        vent_changed();
}

/* TARGET tells a mode too, but it may be that of targets which are not in use. */
static void on_other(enum vent_kind k, const struct msg *m) {
    char name[VENT_NAME];
    if (k == VENT_READBACK) {
        name_of(m, "ventilation_mode", a0_modes, 0, name);
        set_name(vent.mode, name, "mode");
    }
    vent_changed();
}

static bool ours(enum vent_kind k, const struct msg *m) {
    char mode[VENT_NAME];
    return k != VENT_TARGET || !mp_get_cstr(m->body, m->body_len, "mode", mode, sizeof mode) ||
           strcmp(mode, "CURRENT") == 0 || strcmp(mode, vent.mode) == 0 || !vent.kept[k].time_ns;
}

void vent_data_take(const struct msg *m) {
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        enum vent_kind k = topics[i].kind;
        if (!msg_is(m, topics[i].topic) || !ours(k, m))
            continue;
        keep(k, m);
        if (k == VENT_DATA)
            on_data(m);
        else
            on_other(k, m);
    }
}

bool vent_data_watch(void) {
    /* A device that sends once a second is not stale between two of its samples. */
    double limit = fmax((double)vent.opt.stale_ms, 2.5 * vent.interval_ms);
    if ((double)(clock_mono_ns() - vent.sample_ns) / 1e6 < limit)
        return true;
    vent.stale = true;
    vent_event("stale", "on");
    vent_changed();
    return false;
}
