/* hev_orders: what the controller does when told; settings live in the very payloads that report
 * them. */

#include <math.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "hev_mcu.h"

enum { GENERAL = 1 };

/* ---- stores ---- */

const struct hev_field *hev_store_field(const struct hev_store *s, const char *prefix,
                                        const char *word) {
    size_t n = strlen(prefix);
    for (size_t i = 0; s->layout && i < s->layout->count; i++) {
        const char *name = s->layout->fields[i].name;
        if (name && strncmp(name, prefix, n) == 0 && strcasecmp(name + n, word) == 0)
            return &s->layout->fields[i];
    }
    return NULL;
}

static double store_get(const struct hev_store *s, const char *name, double missing) {
    return s->layout ? hev_payload_get(s->data, s->layout, name, missing) : missing;
}

/* ---- knobs ---- */

/* What can be set, within what makes sense; beyond it the patient goes on as before. */
static const struct knob {
    const char *name, *target; /* by hand; in TARGET */
    size_t at;
    double least, most;
} knobs[] = {
    {"rate", "respiratory_rate", offsetof(struct hev_mcu, breather.set.rate), 2, 100},
    {"ie", "ie_ratio", offsetof(struct hev_mcu, breather.set.ie), 0.1, 4},
    {"pressure", "inspiratory_pressure", offsetof(struct hev_mcu, breather.set.pressure), 1, 100},
    {"peep", "peep", offsetof(struct hev_mcu, breather.set.peep), 0, 50},
    {"compliance", NULL, offsetof(struct hev_mcu, breather.compliance), 1, 500},
    {"resistance", NULL, offsetof(struct hev_mcu, breather.resistance), 1, 500},
};
enum { KNOBS = sizeof knobs / sizeof *knobs };

static double *knob_value(struct hev_mcu *m, const struct knob *k) {
    return (double *)((char *)m + k->at);
}

static bool turn(struct hev_mcu *m, const struct knob *k, double v) {
    if (!(v >= k->least && v <= k->most))
        return false;
    *knob_value(m, k) = v;
    return true;
}

static void show_target(struct hev_mcu *m) {
    const struct breath_settings *b = &m->breather.set;
    for (int i = 0; i < KNOBS; i++)
        if (knobs[i].target)
            hev_store_set(&m->current, knobs[i].target, *knob_value(m, &knobs[i]));
    hev_store_set(&m->current, "inhale_time", 60 / b->rate * b->ie / (1 + b->ie));
}

/* The patient breathes as TARGET says. */
static void follow_target(struct hev_mcu *m) {
    for (int i = 0; i < KNOBS; i++)
        if (knobs[i].target)
            turn(m, &knobs[i], store_get(&m->current, knobs[i].target, NAN));
    show_target(m);
}

int hev_mcu_set(struct hev_mcu *m, const char *name, double v, bool dry, struct err *e) {
    const struct knob *k = knobs;
    while (k < knobs + KNOBS && strcmp(k->name, name) != 0)
        k++;
    if (k == knobs + KNOBS)
        return err_set(e, CAUSE_USAGE,
                       "nothing called \"%.40s\" can be set (rate, ie, pressure, peep, compliance, "
                       "resistance)",
                       name);
    if (!(v >= k->least && v <= k->most))
        return err_set(e, CAUSE_USAGE, "%s %g: %g to %g", name, v, k->least, k->most);
    if (!dry) {
        turn(m, k, v);
        show_target(m);
    }
    return 0;
}

/* ---- after power on ---- */

/* As a prototype reported them. */
static void usual_readback(struct hev_store *s) {
    static const struct {
        const char *name;
        double v;
    } fields[] = {{"duration_pre_calibration", 6000},
                  {"duration_calibration", 4000},
                  {"duration_buff_purge", 600},
                  {"duration_buff_flush", 600},
                  {"duration_buff_prefill", 100},
                  {"duration_buff_fill", 600},
                  {"duration_inhale", 1000},
                  {"duration_pause", 10},
                  {"duration_exhale", 2990},
                  {"valve_air_in_enable", 1},
                  {"valve_o2_in_enable", 1},
                  {"valve_purge_enable", 1},
                  {"inhale_trigger_enable", 1},
                  {"kp", 0.001},
                  {"ki", 0.001},
                  {"kd", 0.001},
                  {"pid_gain", 2},
                  {"max_patient_pressure", 45}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        hev_store_set(s, fields[i].name, fields[i].v);
}

static void usual_target(struct hev_store *s) {
    hev_store_set(s, "volume", 400);
    hev_store_set(s, "fiO2", 21); /* so called at first */
    hev_store_set(s, "fiO2_percent", 21);
    hev_store_set(s, "inhale_trigger_enable", 1);
    hev_store_set(s, "inhale_trigger_threshold", 1);
    hev_store_set(s, "exhale_trigger_threshold", 25);
    hev_store_set(s, "buffer_upper_pressure", 300);
    hev_store_set(s, "buffer_lower_pressure", 285);
}

/* The mode of that name, -1 where the version has none that can have targets. */
static int mode_number(const struct hev_mcu *m, const char *name) {
    int n = hev_number(HEV_NAME_MODE, m->version, name);
    return n > 0 && n < HEV_MCU_MODES ? n : -1;
}

void hev_orders_reset(struct hev_mcu *m) {
    int current = hev_number(HEV_NAME_MODE, m->version, "CURRENT");
    int first = mode_number(m, "PC_AC");
    m->mode = first < 0 ? 1 : (unsigned)first; /* also where it had another name */
    hev_store_begin(&m->readback, m->version, HEV_READBACK);
    usual_readback(&m->readback);
    hev_store_begin(&m->current, m->version, HEV_TARGET);
    usual_target(&m->current);
    show_target(m);
    for (int i = 0; i < HEV_MCU_MODES; i++) {
        m->target[i] = m->current;
        hev_store_set(&m->target[i], "mode", i);
    }
    hev_store_set(&m->current, "mode", current < 0 ? m->mode : (unsigned)current);
    hev_store_begin(&m->personal, m->version, HEV_PERSONAL);
    for (int i = 0; i < HEV_ALARMS; i++)
        m->least[i] = m->most[i] = NAN;
}

/* ---- orders; false: it does nothing here ---- */

static bool general(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    struct breather *b = &m->breather;
    (void)code;
    (void)param;
    if (strcmp(cmd, "GET_PERSONAL") == 0) {
        hev_mcu_report(m, &m->personal);
        return true;
    }
    if (strcmp(cmd, "START") == 0)
        breather_start(b);
    else if (strcmp(cmd, "STOP") == 0)
        breather_stop(b, BREATH_STOP);
    else if (strcmp(cmd, "RESET") == 0)
        breather_stop(b, BREATH_IDLE);
    else if (strcmp(cmd, "STANDBY") == 0)
        breather_stop(b, BREATH_STANDBY);
    else
        return false;
    m->on_phase(m->ctx);
    return true;
}

/* SET_DURATION, SET_VALVE, SET_PID: fields of READBACK are called after their commands. */
static bool set_readback(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    static const char *const prefixes[] = {"duration_", "valve_", ""};
    (void)code;
    for (int i = 0; i < 3; i++) {
        const struct hev_field *f = hev_store_field(&m->readback, prefixes[i], cmd);
        if (f)
            hev_store_set(&m->readback, f->name, param);
        if (f)
            return true;
    }
    return false;
}

static void take_mode_target(struct hev_mcu *m) {
    double current = store_get(&m->current, "mode", 0);
    m->current = m->target[m->mode];
    hev_store_set(&m->current, "mode", current);
    follow_target(m);
}

static bool set_mode(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    int mode = mode_number(m, cmd);
    (void)code;
    (void)param;
    if (mode < 0)
        return false;
    m->mode = (unsigned)mode;
    if (m->current.layout)
        take_mode_target(m);
    return true;
}

/* The time for breathing in sets the ratio. */
static void follow_inhale_time(struct hev_store *s, double inhale_s) {
    double breath_s = 60 / store_get(s, "respiratory_rate", 15);
    if (inhale_s > 0 && inhale_s < breath_s)
        hev_store_set(s, "ie_ratio", inhale_s / (breath_s - inhale_s));
}

/* SET_TARGET_PC_AC and so on: which is the name of the mode. */
static bool set_target(struct hev_mcu *m, const char *which, const char *cmd, double param) {
    bool current = strcmp(which, "CURRENT") == 0;
    int mode = current ? 0 : mode_number(m, which);
    struct hev_store *s = current ? &m->current : mode < 0 ? NULL : &m->target[mode];
    const struct hev_field *f = s ? hev_store_field(s, "", cmd) : NULL;
    if (!f)
        return false;
    hev_store_set(s, f->name, param);
    if (strcmp(f->name, "inhale_time") == 0)
        follow_inhale_time(s, param);
    if (current)
        follow_target(m);
    else if ((unsigned)mode == m->mode)
        take_mode_target(m);
    hev_mcu_report(m, &m->current);
    return true;
}

static bool get_targets(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    int mode = mode_number(m, cmd);
    (void)code;
    (void)param;
    if (mode < 0 && strcmp(cmd, "CURRENT") != 0)
        return false;
    hev_mcu_report(m, mode < 0 ? &m->current : &m->target[mode]);
    return true;
}

static bool set_least(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    (void)cmd;
    if (code < HEV_ALARMS)
        m->least[code] = param;
    return code < HEV_ALARMS;
}

static bool set_most(struct hev_mcu *m, const char *cmd, unsigned code, double param) {
    (void)cmd;
    if (code < HEV_ALARMS)
        m->most[code] = param;
    return code < HEV_ALARMS;
}

static const struct {
    const char *cmdtype;
    bool (*carry_out)(struct hev_mcu *m, const char *cmd, unsigned code, double param);
} orders[] = {
    {"GENERAL", general},
    {"SET_TIMEOUT", set_readback},
    {"SET_MODE", set_mode},
    {"SET_DURATION", set_readback},
    {"SET_VALVE", set_readback},
    {"SET_PID", set_readback},
    {"GET_TARGETS", get_targets},
    {"SET_THRESHOLD_MIN", set_least},
    {"SET_THRESHOLD_MAX", set_most},
};

static bool carry_out(struct hev_mcu *m, const char *cmdtype, const char *cmd, unsigned code,
                      double param) {
    static const char set[] = "SET_TARGET_";
    if (!cmdtype || !cmd)
        return false;
    if (strncmp(cmdtype, set, sizeof set - 1) == 0)
        return set_target(m, cmdtype + sizeof set - 1, cmd, param);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strcmp(orders[i].cmdtype, cmdtype) == 0)
            return orders[i].carry_out(m, cmd, code, param);
    return false;
}

/* ---- from the host ---- */

static void take_command(struct hev_mcu *m, const uint8_t *p, const struct hev_layout *l) {
    /* The first protocol had one list of commands, which became GENERAL. */
    unsigned type = (unsigned)hev_payload_get(p, l, "cmd_type", GENERAL);
    unsigned code = (unsigned)hev_payload_get(p, l, "cmd_code", 0);
    double param = hev_payload_get(p, l, "param", 0);
    const char *cmdtype = hev_cmdtype_name(p[0], type);
    const char *cmd = hev_command_name(p[0], type, code);
    m->commands++;
    m->on_command(m->ctx, cmdtype, cmd, param);
    if (!m->recorded)
        m->unknown += !carry_out(m, cmdtype, cmd, code, param);
}

/* What the host tells of the patient is kept, and told again when asked for. */
static void take_personal(struct hev_mcu *m, const uint8_t *p, const struct hev_layout *l) {
    m->personal.layout = l;
    memcpy(m->personal.data, p, l->bytes);
    hev_mcu_report(m, &m->personal);
}

void hev_mcu_take(struct hev_mcu *m, uint8_t address, const uint8_t *p, size_t n) {
    const struct hev_layout *l = hev_layout_of(address, p, n, NULL);
    if (l && l->type == HEV_CMD)
        take_command(m, p, l);
    else if (l && l->type == HEV_PERSONAL && !m->recorded)
        take_personal(m, p, l);
    else if (!l || l->type != HEV_BATTERY) /* the host has the sensors of the battery */
        m->unknown++;
}
