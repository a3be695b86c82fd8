#include "hev_mcu.h"

#include <math.h>
#include <string.h>

enum { ALARM_US = 1000000, LATE_US = 1000000 /* so much is made up for, and no more */ };

/* Raw counts of the older controllers' converters: 12 bits. */
static const double counts_zero = 143, counts_mbar = 10;

/* ---- payloads ---- */

void hev_store_begin(struct hev_store *s, unsigned version, enum hev_type type) {
    s->layout = hev_layout_find(version, type, 0);
    if (s->layout)
        hev_payload_begin(s->data, s->layout, version);
}

void hev_store_set(struct hev_store *s, const char *name, double v) {
    if (s->layout && !hev_payload_set(s->data, s->layout, name, v))
        hev_payload_set(s->data, s->layout, name, nearbyint(v));
}

void hev_mcu_report(struct hev_mcu *m, struct hev_store *s) {
    if (!s->layout)
        return;
    hev_store_set(s, "timestamp", (uint32_t)((m->stepped_us - m->boot_us) / 1000));
    m->send(m->ctx, (enum hev_type)s->layout->type, s->data, s->layout->bytes);
}

/* ---- what it reports ---- */

/* The first protocol numbered the states itself and had no word for some. */
static unsigned fsm_number(const struct hev_mcu *m) {
    static const uint8_t first[BREATH_PHASES] = {
        [BREATH_PREFILL] = 1, [BREATH_FILL] = 2,  [BREATH_PRE_INHALE] = 4,
        [BREATH_INHALE] = 5,  [BREATH_PAUSE] = 6, [BREATH_EXHALE] = 8};
    int n = hev_number(HEV_NAME_FSM_STATE, m->version, breather_phase_name(m->breather.phase));
    return n < 0 || m->version == HEV_VERSION_FIRST ? first[m->breather.phase] : (unsigned)n;
}

/* Up to so much more or less. */
static double noisy(struct hev_mcu *m, double v, double noise) {
    return v + noise * ((double)chance_below(&m->luck, 2001) / 1000 - 1);
}

/* Before the payloads had a type byte, pressures were counts. */
static void set_pressure(struct hev_mcu *m, struct hev_store *s, const char *name, double mbar) {
    double v = noisy(m, mbar, 0.1);
    hev_store_set(s, name, s->layout->typed ? v : fmax(0, counts_zero + counts_mbar * v));
}

static double tidal_volume(const struct breather *b) {
    double rest = breather_running(b) ? b->set.peep * b->compliance : 0;
    return fmax(0, b->volume - rest);
}

static bool filling(const struct breather *b) {
    return b->phase == BREATH_EXHALE || b->phase == BREATH_PREFILL || b->phase == BREATH_FILL;
}

static void set_valves(const struct breather *b, struct hev_store *s, const char *prefix) {
    static const char *const names[] = {"air_in", "o2_in", "inhale", "exhale", "purge"};
    bool in = b->phase == BREATH_INHALE;
    bool open[] = {filling(b), filling(b), in, !in && b->phase != BREATH_PAUSE, false};
    char name[40];
    for (int i = 0; i < 5; i++) {
        strcpy(stpcpy(name, prefix), names[i]);
        hev_store_set(s, name, open[i]);
    }
}

static void set_control(struct hev_mcu *m, struct hev_store *s) {
    const struct breather *b = &m->breather;
    hev_store_set(s, "target_pressure", b->goal);
    hev_store_set(s, "process_pressure", b->pressure);
    hev_store_set(s, "valve_duty_cycle", b->phase == BREATH_INHALE ? 0.56 : 0);
    hev_store_set(s, "proportional", 0.001 * (b->goal - b->pressure));
    hev_store_set(s, "integral", 0.03);
    hev_store_set(s, "derivative", noisy(m, 0, 0.05));
}

static void report_data(struct hev_mcu *m) {
    const struct breather *b = &m->breather;
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_DATA);
    hev_store_set(&s, "fsm_state", fsm_number(m));
    set_pressure(m, &s, "pressure_air_regulated", 290);
    set_pressure(m, &s, "pressure_o2_regulated", 290);
    set_pressure(m, &s, "pressure_buffer", b->buffer);
    set_pressure(m, &s, "pressure_inhale", b->pressure);
    set_pressure(m, &s, "pressure_patient", b->pressure);
    set_pressure(m, &s, "pressure_diff_patient", b->flow / 60);
    hev_store_set(&s, "pressure_air_supply", 25);
    hev_store_set(&s, "pressure_o2_supply", 25);
    hev_store_set(&s, "temperature_buffer", 25);
    hev_store_set(&s, "ambient_pressure", 1013);
    hev_store_set(&s, "ambient_temperature", 25);
    hev_store_set(&s, "airway_pressure", noisy(m, b->pressure, 0.05));
    hev_store_set(&s, "flow", noisy(m, b->flow, 0.05));
    hev_store_set(&s, "flow_calc", b->flow);
    hev_store_set(&s, "volume", tidal_volume(b));
    set_valves(b, &s, "readback_valve_");
    set_control(m, &s);
    hev_mcu_report(m, &s);
}

static void report_readback(struct hev_mcu *m) {
    struct hev_store *s = &m->readback;
    set_valves(&m->breather, s, "valve_");
    hev_store_set(s, "ventilation_mode", m->mode);
    hev_store_set(s, "peep", m->breather.set.peep);
    hev_store_set(s, "inhale_exhale_ratio", m->breather.set.ie);
    hev_mcu_report(m, s);
}

static void report_cycle(struct hev_mcu *m) {
    const struct breath_measures *l = &m->breather.last;
    double compliance = m->breather.compliance;
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_CYCLE);
    hev_store_set(&s, "respiratory_rate", l->rate);
    hev_store_set(&s, "tidal_volume", l->exhaled);
    hev_store_set(&s, "exhaled_tidal_volume", l->exhaled);
    hev_store_set(&s, "inhaled_tidal_volume", l->inhaled);
    hev_store_set(&s, "minute_volume", l->exhaled * l->rate / 1000);
    hev_store_set(&s, "exhaled_minute_volume", l->exhaled * l->rate / 1000);
    hev_store_set(&s, "inhaled_minute_volume", l->inhaled * l->rate / 1000);
    hev_store_set(&s, "lung_compliance", compliance);
    hev_store_set(&s, "static_compliance", compliance);
    hev_store_set(&s, "inhalation_pressure", l->plateau);
    hev_store_set(&s, "peak_inspiratory_pressure", l->peak);
    hev_store_set(&s, "plateau_pressure", l->plateau);
    hev_store_set(&s, "mean_airway_pressure", l->mean);
    hev_store_set(&s, "fi02_percent", 21); /* so called at first, with a digit */
    hev_store_set(&s, "fiO2_percent", 21);
    hev_store_set(&s, "mandatory_breath", 1);
    hev_mcu_report(m, &s);
}

static void report_target(struct hev_mcu *m) {
    hev_mcu_report(m, &m->current);
}

static void report_debug(struct hev_mcu *m) {
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_DEBUG);
    hev_store_set(&s, "kp", 0.001);
    hev_store_set(&s, "ki", 0.001);
    hev_store_set(&s, "kd", 0.001);
    set_control(m, &s);
    hev_mcu_report(m, &s);
}

static void report_ivt(struct hev_mcu *m) {
    static const char *const valves[] = {"inhale", "exhale", "purge", "air_in", "o2_in"};
    struct hev_store s;
    char name[40];
    hev_store_begin(&s, m->version, HEV_IVT);
    for (int i = 0; i < 5; i++) {
        strcpy(stpcpy(name, valves[i]), "_current");
        hev_store_set(&s, name, noisy(m, 4, 1));
        strcpy(stpcpy(name, valves[i]), "_voltage");
        hev_store_set(&s, name, noisy(m, 24, 0.03));
        strcpy(stpcpy(name, valves[i]), "_i2caddr");
        hev_store_set(&s, name, 64 + i);
    }
    hev_store_set(&s, "system_temp", noisy(m, 35.7, 0.1));
    hev_mcu_report(m, &s);
}

static void report_loop_status(struct hev_mcu *m) {
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_LOOP_STATUS);
    hev_store_set(&s, "duration_loop", noisy(m, 0.1, 0.05));
    hev_store_set(&s, "duration_loop_max", 0.5);
    hev_mcu_report(m, &s);
}

static void report_battery(struct hev_mcu *m) {
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_BATTERY);
    hev_store_set(&s, "ok", 1);
    hev_store_set(&s, "rdy2buf", 1);
    hev_store_set(&s, "bat85", 1);
    hev_mcu_report(m, &s);
}

/* ---- alarms ---- */

static void report_alarm(struct hev_mcu *m, unsigned code) {
    const struct hev_alarm *a = &m->alarm[code];
    struct hev_store s;
    hev_store_begin(&s, m->version, HEV_ALARM);
    hev_store_set(&s, "alarm_type", a->priority);
    hev_store_set(&s, "alarm_code", code);
    hev_store_set(&s, "param", a->param);
    hev_mcu_report(m, &s);
}

static void report_alarms(struct hev_mcu *m) {
    for (unsigned code = 0; code < HEV_ALARMS; code++)
        if (m->alarm[code].active)
            report_alarm(m, code);
}

int hev_mcu_alarm_code(const struct hev_mcu *m, const char *name, struct err *e) {
    int code = hev_alarm_code(m->version, name);
    if (code < 0 || code >= HEV_ALARMS)
        return err_set(e, CAUSE_USAGE, "there is no alarm \"%.40s\" in version %X", name,
                       m->version);
    return code;
}

int hev_mcu_alarm(struct hev_mcu *m, const char *name, enum hev_priority priority, double param,
                  struct err *e) {
    int code = hev_mcu_alarm_code(m, name, e);
    if (code < 0)
        return -1;
    if (!priority)
        priority = hev_alarm_priority((unsigned)code);
    m->alarm[code] = (struct hev_alarm){
        .active = true, .priority = priority ? priority : HEV_PRIORITY_LOW, .param = param};
    report_alarm(m, (unsigned)code);
    return 0;
}

int hev_mcu_clear(struct hev_mcu *m, const char *name, struct err *e) {
    if (strcmp(name, "all") == 0) {
        memset(m->alarm, 0, sizeof m->alarm);
        return 0;
    }
    int code = hev_mcu_alarm_code(m, name, e);
    if (code >= 0)
        m->alarm[code].active = false;
    return code < 0 ? -1 : 0;
}

/* Thresholds, looked at after each breath. */
static void check_threshold(struct hev_mcu *m, const char *name, double v) {
    int code = hev_alarm_code(m->version, name);
    if (code < 0 || code >= HEV_ALARMS)
        return;
    struct hev_alarm *a = &m->alarm[code];
    /* NAN compares with nothing. */
    if (v < m->least[code] || v > m->most[code]) {
        bool was = a->active;
        hev_mcu_alarm(m, name, HEV_PRIORITY_NONE, nearbyint(v), NULL);
        a->by_itself = !was || a->by_itself;
    } else if (a->by_itself) {
        a->active = a->by_itself = false;
    }
}

static void check_thresholds(struct hev_mcu *m) {
    const struct breath_measures *l = &m->breather.last;
    check_threshold(m, "HIGH_PRESSURE", l->peak);
    check_threshold(m, "HIGH_RR", l->rate);
    check_threshold(m, "HIGH_VTE", l->exhaled);
    check_threshold(m, "LOW_VTE", l->exhaled);
    check_threshold(m, "HIGH_VTI", l->inhaled);
    check_threshold(m, "LOW_VTI", l->inhaled);
    check_threshold(m, "HIGH_PEEP", m->breather.set.peep);
    check_threshold(m, "LOW_PEEP", m->breather.set.peep);
}

/* ---- time ---- */

/* Intervals as recordings of real ones show them. */
static const struct {
    int64_t us; /* 0: as the owner says */
    void (*report)(struct hev_mcu *m);
} reports[] = {{0, report_data},          {300000, report_readback},     {1000000, report_target},
               {500000, report_debug},    {1000000, report_loop_status}, {2000000, report_ivt},
               {5000000, report_battery}, {ALARM_US, report_alarms}};
enum { REPORTS = sizeof reports / sizeof *reports };
_Static_assert((int)REPORTS == (int)HEV_MCU_REPORTS, "a time for each");

static void step(struct hev_mcu *m, uint64_t now_us) {
    if (now_us > m->stepped_us)
        breather_step(&m->breather, (double)(now_us - m->stepped_us) / 1e6);
    m->stepped_us = now_us;
    if (m->breather.breaths == m->told_breaths)
        return;
    m->told_breaths = m->breather.breaths;
    report_cycle(m);
    check_thresholds(m);
}

static void report_due(struct hev_mcu *m, int i, uint64_t now_us) {
    uint64_t every = (uint64_t)(reports[i].us ? reports[i].us : m->data_us);
    reports[i].report(m);
    m->due_us[i] += every;
    if (m->due_us[i] + LATE_US < now_us)
        m->due_us[i] = now_us + every;
}

/* The one that is due first. */
static int next_report(const struct hev_mcu *m) {
    int first = 0;
    for (int i = 1; i < REPORTS; i++)
        if (m->due_us[i] < m->due_us[first])
            first = i;
    return first;
}

uint64_t hev_mcu_run(struct hev_mcu *m, uint64_t now_us) {
    for (;;) {
        int i = next_report(m);
        if (m->due_us[i] > now_us)
            return m->due_us[i];
        step(m, m->due_us[i] > m->stepped_us ? m->due_us[i] : m->stepped_us);
        report_due(m, i, now_us);
    }
}

void hev_mcu_resume(struct hev_mcu *m, uint64_t now_us) {
    m->stepped_us = now_us;
    for (int i = 0; i < REPORTS; i++)
        m->due_us[i] = now_us;
}

void hev_mcu_boot(struct hev_mcu *m, uint64_t now_us, bool breathing) {
    m->boot_us = now_us;
    m->breather.set = m->usual;
    breather_reset(&m->breather);
    m->told_breaths = 0;
    memset(m->alarm, 0, sizeof m->alarm);
    hev_orders_reset(m);
    if (breathing)
        breather_start(&m->breather);
    hev_mcu_resume(m, now_us);
}
