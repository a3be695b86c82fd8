#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hevbcast.h"
#include "log.h"

static const char *const topics[HEV_TYPES] = {
    [HEV_DATA] = "hev.data",        [HEV_READBACK] = "hev.readback",
    [HEV_CYCLE] = "hev.cycle",      [HEV_THRESHOLDS] = "hev.thresholds",
    [HEV_CMD] = "hev.cmd",          [HEV_ALARM] = "hev.alarm",
    [HEV_DEBUG] = "hev.debug",      [HEV_IVT] = "hev.ivt",
    [HEV_LOGMSG] = "hev.logmsg",    [HEV_TARGET] = "hev.target",
    [HEV_BATTERY] = "hev.battery",  [HEV_LOOP_STATUS] = "hev.loop_status",
    [HEV_PERSONAL] = "hev.personal"};

static enum hev_type type_of(const struct msg *m) {
    for (int t = 0; t < HEV_TYPES; t++)
        if (topics[t] && msg_is(m, topics[t]))
            return t;
    return HEV_UNSET;
}

/* ---- "sensors" of D1 ---- */

/* A DATA of A0 or A1 has them all under these names; later the readings of the valves come in
 * READBACK, under others. */
static const struct {
    const char *key, *readback;
} sensor[KEYS] = {{"version", NULL},
                  {"fsm_state", NULL},
                  {"timestamp", NULL},
                  {"pressure_air_supply", NULL},
                  {"pressure_air_regulated", NULL},
                  {"pressure_o2_supply", NULL},
                  {"pressure_o2_regulated", NULL},
                  {"pressure_buffer", NULL},
                  {"pressure_inhale", NULL},
                  {"pressure_patient", NULL},
                  {"temperature_buffer", NULL},
                  {"pressure_diff_patient", NULL},
                  {"readback_valve_air_in", "valve_air_in"},
                  {"readback_valve_o2_in", "valve_o2_in"},
                  {"readback_valve_inhale", "valve_inhale"},
                  {"readback_valve_exhale", "valve_exhale"},
                  {"readback_valve_purge", "valve_purge"},
                  {"readback_mode", "ventilation_mode"}};
enum { MODE = KEYS - 1 };

const char *state_sensor_key(size_t i) {
    return sensor[i].key;
}

/* Three decimals, or seven digits of what is large: a D1 packet has no room for more. */
static double rounded(double v) {
    char text[32];
    if (fabs(v) < 1e6)
        return rint(v * 1000) / 1000;
    snprintf(text, sizeof text, "%.7g", v);
    return strtod(text, NULL);
}

static double number_of_name(const struct hevbcast *h, size_t i, const struct mp_value *v) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)v->len, (const char *)v->p);
    int n = hev_number(i == MODE ? HEV_NAME_MODE : HEV_NAME_FSM_STATE, h->version, name);
    return n < 0 ? 0 : n;
}

/* No ventilator has integers of more than 32 bits; one that somebody makes up is printed as is a
 * large float, so that it fits. */
static void set_number(struct sensors *s, size_t i, double v, bool real) {
    s->real[i] = real || fabs(v) > UINT32_MAX;
    s->value[i] = s->real[i] ? rounded(v) : v;
}

static void set_sensor(struct hevbcast *h, size_t i, const struct mp_value *v) {
    struct sensors *s = &h->sensors;
    if (v->type == MP_UINT)
        set_number(s, i, (double)v->u, false);
    else if (v->type == MP_INT)
        set_number(s, i, (double)v->i, false);
    else if (v->type == MP_DOUBLE)
        set_number(s, i, v->d, true);
    else if (v->type == MP_STR)
        set_number(s, i, number_of_name(h, i, v), false);
}

static bool is_key(const struct mp_value *k, size_t i, bool readback) {
    const char *key = readback ? sensor[i].readback : sensor[i].key;
    return key && mp_is(k, key);
}

/* Keys mostly come in the order of the table, so the search goes on where the last one was. */
static void take_sensors(struct hevbcast *h, const struct msg *m, bool readback) {
    struct mp_cursor c = {m->body, m->body + m->body_len};
    struct mp_value map, key, v;
    size_t at = 0;
    mp_read(&c, &map);
    for (uint32_t p = 0; p < map.len && mp_read(&c, &key) == 1; p++) {
        struct mp_cursor value = c;
        if (mp_skip(&c) != 1 || mp_read(&value, &v) != 1)
            return;
        for (size_t i = 0; i < KEYS; i++) {
            size_t k = (at + i) % KEYS;
            if (!is_key(&key, k, readback))
                continue;
            set_sensor(h, k, &v);
            at = k + 1;
            break;
        }
    }
    h->state_number++;
}

/* ---- one message ---- */

static bool has(const struct msg *m, const char *key) {
    struct mp_value v;
    return mp_find(m->body, m->body_len, key, &v, NULL);
}

/* Which of the two B6 it is, two payloads tell by what they have. */
static void learn_version(struct hevbcast *h, const struct msg *m, enum hev_type type) {
    uint64_t version;
    bool old = h->version == HEV_VERSION_B6_OLD;
    if (!mp_get_uint(m->body, m->body_len, "version", &version) || version < HEV_VERSION_FIRST ||
        version > HEV_VERSION_LAST)
        return;
    if (type == HEV_READBACK)
        old = !has(m, "duration_pre_calibration");
    else if (type == HEV_DATA && old)
        old = !has(m, "flow_calc");
    h->version = version == HEV_VERSION_LAST && old ? HEV_VERSION_B6_OLD : (unsigned)version;
    h->alarms.memory->version = h->version;
}

static bool take_alarm(struct hevbcast *h, const struct msg *m) {
    /* Section 2.1: D1 clients know names only. */
    const char *nameless = h->dialect == DIALECT_D3 ? NULL : "ARDUINO_FAIL";
    if (!alarms_latch(&h->alarms, m, h->version, nameless))
        return false;
    h->n.alarms++;
    h->alarms_changed = true;
    h->state_number++;
    return true;
}

static void take_data(struct hevbcast *h, const struct msg *m) {
    take_sensors(h, m, false);
    h->sensors.any = true;
    h->sensors.timestamp = h->version == 0xA1 && has(m, "timestamp");
}

static void strange(struct hevbcast *h, const struct msg *m) {
    static struct log_limit odd;
    h->n.strange++;
    log_limited(&odd, LOG_WARN, "a message %.*s of %zu bytes makes no sense", (int)m->topic_len,
                m->topic, m->body_len);
}

static void take_payload(struct hevbcast *h, const struct msg *m, enum hev_type type) {
    if (m->body_len > PAYLOAD_BYTES) {
        strange(h, m);
        return;
    }
    learn_version(h, m, type);
    if (type == HEV_ALARM && !take_alarm(h, m)) {
        strange(h, m);
        return;
    }
    if (type == HEV_DATA)
        take_data(h, m);
    if (type == HEV_READBACK)
        take_sensors(h, m, true);
    buf_clear(&h->body[type]);
    buf_put(&h->body[type], m->body, m->body_len);
    h->newest_type = (int)type;
    cast_payload(h, type, m->time);
}

static void take_sent(struct hevbcast *h, const struct msg *m) {
    bool ok = true, expired = false;
    uint64_t id = 0;
    mp_get_bool(m->body, m->body_len, "ok", &ok);
    mp_get_bool(m->body, m->body_len, "expired", &expired);
    mp_get_uint(m->body, m->body_len, "id", &id);
    pending_end(h, id, ok, expired);
}

void state_take(struct hevbcast *h, const struct msg *m) {
    bool connected;
    enum hev_type type = type_of(m);
    if (type != HEV_UNSET)
        take_payload(h, m, type);
    else if (msg_is(m, "hev.sent"))
        take_sent(h, m);
    else if (msg_is(m, "serial.state") &&
             mp_get_bool(m->body, m->body_len, "connected", &connected))
        h->serial_down = !connected;
}

/* Nobody else has our port, so nobody else has this file. */
void state_open(struct hevbcast *h) {
    char name[80];
    const int64_t *port = h->opt.port;
    snprintf(name, sizeof name, "%.60s-%d", h->st.name,
             (int)(port[PORT_QUERY] ? port[PORT_QUERY] : port[PORT_WEBUI]));
    alarms_open(&h->alarms, name);
    uint64_t known = h->alarms.memory->version;
    if (known >= HEV_VERSION_FIRST && known <= HEV_VERSION_B6_OLD)
        h->version = (unsigned)known;
}

void state_free(struct hevbcast *h) {
    for (int t = 0; t < HEV_TYPES; t++)
        buf_free(&h->body[t]);
    alarms_close(&h->alarms);
}
