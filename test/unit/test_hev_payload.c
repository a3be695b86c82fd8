/* Payloads of the hev codec: the layout table, every recorded payload, names and commands. */
#include "hev_fixture.h"
#include "codec/hev_dump.h"

/* ---- the table ---- */

static const char *form_letter(const struct hev_field *f, char out[16]) {
    static const char letters[] = {[HEV_U8] = 'B',  [HEV_I8] = 'b',  [HEV_U16] = 'H',
                                   [HEV_U32] = 'I', [HEV_F32] = 'f', [HEV_TEXT] = 's'};
    if (f->form == HEV_PAD)
        snprintf(out, 16, "%.*s", f->size, "xxxx");
    else if (f->form == HEV_TEXT && f->size == 1)
        snprintf(out, 16, "c");
    else if (f->form == HEV_TEXT)
        snprintf(out, 16, "%ds", f->size);
    else
        snprintf(out, 16, "%c", letters[f->form]);
    return out;
}

/* "<BIB...|version,timestamp,..." */
static void layout_text(const struct hev_layout *l, struct buf *out) {
    char form[16];
    buf_clear(out);
    buf_putc(out, '<');
    for (int i = 0; i < l->count; i++)
        buf_puts(out, form_letter(&l->fields[i], form));
    for (int i = 0, n = 0; i < l->count; i++)
        if (l->fields[i].name)
            buf_printf(out, "%c%s", n++ ? ',' : '|', l->fields[i].name);
}

static int type_of(const char *name) {
    return hev_number(HEV_NAME_PAYLOAD_TYPE, 0xB6, name);
}

static void check_row(char *line) {
    struct buf text = {0};
    char name[20];
    unsigned first, last, bytes, n;
    CHECK_INT(sscanf(line, "%19[A-Z_]|%x|%x|%u|%n", name, &first, &last, &bytes, &n), 4);
    for (unsigned v = first; v <= last; v++) {
        const struct hev_layout *l = hev_layout_find(v, type_of(name), bytes);
        if (!l)
            test_fail(__FILE__, __LINE__, "no layout for %s %X of %u bytes", name, v, bytes);
        layout_text(l, &text);
        CHECK_STR(text_of(&text), line + n);
    }
    buf_free(&text);
}

TEST(layouts_are_those_of_the_protocol_page) {
    struct buf b = data_read("layouts.txt");
    int rows = 0;
    for (char *line = strtok((char *)buf_data(&b), "\n"); line; line = strtok(NULL, "\n"), rows++)
        if (*line != '#')
            check_row(line);
    CHECK_INT(rows, 43);
    buf_free(&b);
}

static bool overlap(const struct hev_layout *a, const struct hev_layout *b) {
    return a->type == b->type && a->bytes == b->bytes && a->typed == b->typed &&
           a->first <= b->last && b->first <= a->last;
}

TEST(every_layout_is_consistent_and_found_by_its_own_keys) {
    for (size_t i = 0; hev_layout_at(i); i++) {
        const struct hev_layout *l = hev_layout_at(i);
        size_t bytes = 0;
        for (int k = 0; k < l->count; k++)
            bytes += l->fields[k].size;
        CHECK_INT(bytes, l->bytes);
        CHECK(bytes <= HEV_PAYLOAD_MAX);
        CHECK_STR(l->fields[0].name, "version");
        for (size_t k = 0; k < i; k++)
            CHECK(!overlap(l, hev_layout_at(k)));
        uint8_t p[HEV_PAYLOAD_MAX];
        size_t n = hev_payload_begin(p, l, l->last);
        CHECK(hev_layout_of(hev_type_address(l->type), p, n, NULL) == l);
    }
}

static const char *refused(uint8_t address, const char *hex) {
    uint8_t p[HEV_PAYLOAD_MAX];
    const char *why = "taken";
    hev_layout_of(address, p, unhex(p, sizeof p, hex), &why);
    return why;
}

TEST(unknown_payloads_are_told_apart) {
    CHECK_STR(refused(0x40, ""), "empty");
    CHECK_STR(refused(0x00, "a00100000000"), "address");
    CHECK_STR(refused(0x80, "a00100000000"), "taken");
    CHECK_STR(refused(0x80, "9f0100000000"), "version");
    CHECK_STR(refused(0x80, "b70100000000"), "version");
    CHECK_STR(refused(0x40, "aa00000000ff"), "type");
    CHECK_STR(refused(0x40, "aa0000000004"), "type"); /* THRESHOLDS */
    CHECK_STR(refused(0x40, "aa0000000001"), "length");
    CHECK_STR(refused(0x40, "aa"), "length");
    CHECK_STR(refused(0x80, "a0010000"), "length");
}

/* ---- recorded payloads ---- */

static void set_again(uint8_t *out, const struct hev_layout *l, const struct hev_field *f,
                      const uint8_t *at) {
    struct hev_value v = hev_field_get(f, at);
    if (f->form == HEV_TEXT)
        CHECK(hev_payload_set_text(out, l, f->name, v.text.p, v.text.len));
    else
        CHECK(hev_payload_set(out, l, f->name,
                              f->form == HEV_F32  ? v.f
                              : f->form == HEV_I8 ? (double)v.i
                                                  : (double)v.u));
}

static const struct hev_layout *check_identity(const struct hev_dump_payload *p) {
    uint8_t out[HEV_PAYLOAD_MAX];
    const struct hev_layout *l = hev_layout_of(p->address, p->data, p->len, NULL);
    CHECK(l);
    size_t n = hev_payload_begin(out, l, p->data[0]), at = 0;
    for (int i = 0; i < l->count; at += l->fields[i++].size)
        set_again(out, l, &l->fields[i], p->data + at);
    CHECK_MEM(out, n, p->data, p->len);
    return l;
}

static struct buf file;
static struct hev_dump dump;
static struct hev_dump_payload payload;
static int types[HEV_TYPES];

static void dump_open(const char *name) {
    file = data_read(name);
    hev_dump_init(&dump, buf_data(&file), buf_len(&file));
}

static const struct hev_layout *dump_next(void) {
    const char *why = "the end";
    if (hev_dump_next(&dump, &payload, &why) <= 0)
        test_fail(__FILE__, __LINE__, "%s", why);
    const struct hev_layout *l = check_identity(&payload);
    types[l->type]++;
    return l;
}

static double value(const char *name) {
    const struct hev_layout *l = hev_layout_of(payload.address, payload.data, payload.len, NULL);
    return hev_payload_get(payload.data, l, name, -12345);
}

TEST(a0_records) {
    int sum = 0, purge = 0, inhale = 0;
    dump_open("byteArray.dump");
    for (int i = 0; i < 100; i++) {
        CHECK_INT(dump_next()->bytes, 26);
        CHECK_INT(payload.address, HEV_ADDR_DATA);
        CHECK(!payload.timed);
        sum += (int)value("pressure_buffer");
        inhale += (int)value("pressure_inhale");
        purge += (int)value("readback_valve_purge");
        CHECK_INT(value("readback_valve_purge"), i < 3 || i > 5);
        CHECK_INT(value("version"), 160);
    }
    CHECK_INT(hev_dump_next(&dump, &payload, NULL), 0);
    CHECK_INT(sum, 14434);
    CHECK_INT(inhale, 14737);
    CHECK_INT(purge, 97);
}

static void check_aa_first(void) {
    dump_next();
    CHECK(payload.timed);
    CHECK_INT(payload.ms, 15465);
    CHECK_INT(value("timestamp"), 15465);
    CHECK_INT(value("fsm_state"), 1);
    CHECK_INT(value("pressure_air_supply"), 5);
    CHECK(value("pressure_air_regulated") == 1.49853515625);
    CHECK(value("pressure_patient") == 25.4912109375);
    CHECK(value("pressure_diff_patient") == 0.0004907209658995271);
    CHECK(value("volume") == 0);
}

static void check_aa_line(int line) {
    if (line == 19) {
        CHECK_INT(value("duration_calibration"), 10000);
        CHECK_INT(value("duration_inhale"), 1200);
        CHECK_INT(value("valve_inhale"), 5);
        CHECK_INT(value("ventilation_mode"), 6);
        CHECK_STR(hev_name(HEV_NAME_MODE, 0xAA, 6), "LAB_MODE_BREATHE");
        CHECK(value("peep") == 5.0);
        CHECK(value("inhale_exhale_ratio") == 0.6722221970558167);
    } else if (line == 28) {
        CHECK(value("system_temp") == -273.1499938964844);
    } else if (line == 100) {
        CHECK_INT(payload.ms, 16575);
        CHECK_INT(value("pressure_air_supply"), 23);
        CHECK(value("pressure_air_regulated") == 14.64697265625);
    }
}

TEST(aa_dump) {
    int supply = 5, temperature = 4;
    dump_open("dump.dump");
    check_aa_first();
    for (int line = 2; line <= 100; line++) {
        if (dump_next()->type == HEV_DATA) {
            supply += (int)value("pressure_air_supply");
            temperature += (int)value("temperature_buffer");
            CHECK_INT(value("fsm_state"), 1);
        }
        CHECK_INT(payload.line, line);
        check_aa_line(line);
    }
    CHECK_INT(hev_dump_next(&dump, &payload, NULL), 0);
    CHECK_INT(supply, 1091);
    CHECK_INT(temperature, 1296);
    CHECK_INT(types[HEV_DATA], 91);
    CHECK_INT(types[HEV_READBACK], 2);
    CHECK_INT(types[HEV_CYCLE], 2);
    CHECK_INT(types[HEV_DEBUG], 3);
    CHECK_INT(types[HEV_IVT], 2);
}

static void check_b6_line(int line) {
    if (line == 1) {
        CHECK_INT(payload.address, HEV_ADDR_ALARM);
        CHECK_INT(payload.ms, 4736992);
        CHECK_STR(hev_name(HEV_NAME_ALARM_TYPE, 0xB6, (unsigned)value("alarm_type")),
                  "PRIORITY_HIGH");
        CHECK_STR(hev_alarm_name(0xB6, (unsigned)value("alarm_code")), "LOW_PEEP");
        CHECK(value("param") == -500.0);
    } else if (line == 4) {
        CHECK_INT(value("dropped_send"), 314857);
        CHECK_INT(value("buffer_alarm"), 31);
        CHECK_INT(value("buffer_cmd"), 32);
        CHECK_INT(value("buffer_data"), 32);
    } else if (line == 42) {
        CHECK_INT(payload.ms, 4733008);
        CHECK_STR(hev_name(HEV_NAME_MODE, 0xB6, (unsigned)value("mode")), "CURRENT");
        CHECK(value("inspiratory_pressure") == 17.0);
        CHECK(value("ie_ratio") == 0.33779263496398926);
    } else if (line == 81) {
        CHECK_INT(payload.ms, 4739488);
        CHECK_STR(hev_name(HEV_NAME_FSM_STATE, 0xB6, (unsigned)value("fsm_state")), "INHALE");
        CHECK(value("pressure_air_regulated") == 288.943359375);
        CHECK(value("airway_pressure") == 9.26027774810791);
        CHECK(value("flow") == 0 && 1 / value("flow") < 0); /* -0.0 */
    }
}

TEST(b6_dump) {
    int states[16] = {0}, alarms[HEV_ALARMS] = {0};
    dump_open("B6-20200805.head1000.dump");
    for (int line = 1; line <= 1000; line++) {
        const struct hev_layout *l = dump_next();
        if (l->type == HEV_DATA)
            states[(int)value("fsm_state") & 15]++;
        if (l->type == HEV_ALARM)
            alarms[(int)value("alarm_code") % HEV_ALARMS]++;
        check_b6_line(line);
    }
    CHECK_INT(hev_dump_next(&dump, &payload, NULL), 0);
    static const int want[HEV_TYPES] = {
        [HEV_DATA] = 544, [HEV_READBACK] = 83, [HEV_CYCLE] = 10,  [HEV_ALARM] = 279,
        [HEV_DEBUG] = 34, [HEV_IVT] = 4,       [HEV_TARGET] = 24, [HEV_LOOP_STATUS] = 22};
    CHECK_MEM(types, sizeof types, want, sizeof want);
    static const int want_states[16] = {[4] = 6, [5] = 43, [7] = 83, [9] = 384, [11] = 28};
    CHECK_MEM(states, sizeof states, want_states, sizeof want_states);
    static const int want_alarms[HEV_ALARMS] = {
        [10] = 40, [12] = 40, [3] = 30, [7] = 2, [15] = 59, [18] = 60, [23] = 48};
    CHECK_MEM(alarms, sizeof alarms, want_alarms, sizeof want_alarms);
}

/* ---- setting fields ---- */

TEST(a_field_takes_only_what_fits) {
    uint8_t p[HEV_PAYLOAD_MAX];
    const struct hev_layout *l = hev_layout_find(0xB6, HEV_PERSONAL, 0);
    CHECK_INT(hev_payload_begin(p, l, 0xB6), 90);
    CHECK(hev_payload_set_text(p, l, "name", "Ada", 3));
    CHECK(hev_payload_set_text(p, l, "sex", "F", 1));
    CHECK(!hev_payload_set_text(p, l, "sex", "FF", 2));
    CHECK(!hev_payload_set_text(p, l, "age", "3", 1));
    CHECK(!hev_payload_set(p, l, "name", 3));
    CHECK(hev_payload_set(p, l, "age", 255));
    CHECK(!hev_payload_set(p, l, "age", 256));
    CHECK(!hev_payload_set(p, l, "age", -1));
    CHECK(!hev_payload_set(p, l, "age", 1.5));
    CHECK(!hev_payload_set(p, l, "shoe_size", 42));
    CHECK_INT(hev_payload_get(p, l, "age", 0), 255);
    CHECK_INT(hev_payload_get(p, l, "name", -7), -7);
    l = hev_layout_find(0xB6, HEV_BATTERY, 0);
    hev_payload_begin(p, l, 0xB6);
    CHECK(hev_payload_set(p, l, "bat", -128) && !hev_payload_set(p, l, "ok", 128));
    CHECK_INT(hev_payload_get(p, l, "bat", 0), -128);
    l = hev_layout_find(0xB6, HEV_CMD, 0);
    CHECK(!hev_payload_set(p, l, "param", 1e39));
    CHECK(hev_payload_set(p, l, "timestamp", 4294967295.0));
    CHECK(!hev_payload_set(p, l, "timestamp", 4294967296.0));
}

TEST(texts_end_at_their_first_nul) {
    uint8_t p[HEV_PAYLOAD_MAX];
    const struct hev_layout *l = hev_layout_find(0xB6, HEV_LOGMSG, 0);
    hev_payload_begin(p, l, 0xB6);
    CHECK(hev_payload_set_text(p, l, "message", "boot\0x", 6));
    struct hev_value v = hev_field_get(&l->fields[3], p + 6);
    CHECK_INT(v.form, HEV_TEXT);
    CHECK_MEM(v.text.p, v.text.len, "boot", 4);
    memset(p + 6, 'x', 50);
    CHECK_INT(hev_field_get(&l->fields[3], p + 6).text.len, 50);
}

/* ---- names ---- */

TEST(names_depend_on_the_version) {
    CHECK(!hev_name(HEV_NAME_FSM_STATE, 0xA0, 1));
    CHECK(!hev_name(HEV_NAME_FSM_STATE, 0xA1, 1));
    CHECK_STR(hev_name(HEV_NAME_FSM_STATE, 0xAA, 7), "INHALE");
    CHECK(!hev_name(HEV_NAME_FSM_STATE, 0xAA, 14));
    CHECK_STR(hev_name(HEV_NAME_FSM_STATE, 0xAB, 14), "STANDBY");
    CHECK_STR(hev_name(HEV_NAME_FSM_STATE, 0xB5, 7), "PAUSE");
    CHECK_STR(hev_name(HEV_NAME_FSM_STATE, HEV_VERSION_B6_OLD, 7), "PAUSE");
    CHECK_STR(hev_name(HEV_NAME_FSM_STATE, 0xB6, 7), "INHALE");
    CHECK_STR(hev_name(HEV_NAME_ALARM_TYPE, 0xA3, 3), "HP");
    CHECK_STR(hev_name(HEV_NAME_ALARM_TYPE, 0xA4, 3), "PRIORITY_HIGH");
    CHECK_STR(hev_name(HEV_NAME_MODE, 0xA8, 6), "LAB_MODE_PURGE");
    CHECK_STR(hev_name(HEV_NAME_MODE, 0xB6, 100), "CURRENT");
    CHECK(!hev_name(HEV_NAME_MODE, 0xB7, 1));
    CHECK(!hev_name(HEV_NAME_CMD_TYPE, 0xB2, 1));
    CHECK_STR(hev_name(HEV_NAME_CMD_TYPE, 0xB3, 1), "GENERAL");
    CHECK_INT(hev_number(HEV_NAME_FSM_STATE, 0xB6, "EXHALE"), 9);
    CHECK_INT(hev_number(HEV_NAME_FSM_STATE, 0xB6, "exhale"), -1);
    CHECK_STR(hev_type_name(HEV_LOOP_STATUS), "LOOP_STATUS");
    CHECK_STR(hev_type_name(99), "?");
}

TEST(alarms_have_names_and_priorities) {
    CHECK(!hev_alarm_name(0xA0, 0));
    CHECK_STR(hev_alarm_name(0xA0, 1), "APNEA");
    CHECK_STR(hev_alarm_name(0xA1, 5), "EXPIRATION_VALVE_Leak");
    CHECK_STR(hev_alarm_name(0xA2, 5), "EXPIRATION_VALVE_LEAK");
    CHECK_STR(hev_alarm_name(0xA2, 0), "UNKNOWN");
    CHECK(!hev_alarm_name(0xB5, 26));
    CHECK_STR(hev_alarm_name(0xB6, 31), "EXTENDED_HIGH_PRESSURE");
    CHECK_INT(hev_alarm_code(0xA0, "ARDUINO_FAIL"), 25);
    CHECK_INT(hev_alarm_code(0xA0, "HIGH_VME"), -1);
    CHECK_INT(hev_alarm_priority(1), HEV_PRIORITY_HIGH);
    CHECK_INT(hev_alarm_priority(4), HEV_PRIORITY_MEDIUM);
    CHECK_INT(hev_alarm_priority(18), HEV_PRIORITY_HIGH);
    CHECK_INT(hev_alarm_priority(19), HEV_PRIORITY_MEDIUM);
    CHECK_INT(hev_alarm_priority(25), HEV_PRIORITY_HIGH);
    CHECK_INT(hev_alarm_priority(0) + hev_alarm_priority(26), HEV_PRIORITY_NONE);
    CHECK_INT(hev_alarm_name_priority("EXPIRATION_VALVE_Leak"), HEV_PRIORITY_MEDIUM);
    CHECK_INT(hev_alarm_name_priority("NONE"), HEV_PRIORITY_NONE);
}

/* ---- commands ---- */

static void check_command(unsigned version, const char *type, const char *cmd, double param,
                          const char *hex) {
    uint8_t out[HEV_PAYLOAD_MAX], want[HEV_PAYLOAD_MAX];
    int n = hev_command_encode(out, version, type, cmd, param);
    CHECK(n > 0);
    CHECK_MEM(out, (size_t)n, want, unhex(want, sizeof want, hex));
}

static int refusal(unsigned version, const char *type, const char *cmd, double param) {
    uint8_t out[HEV_PAYLOAD_MAX];
    return hev_command_encode(out, version, type, cmd, param);
}

TEST(commands_are_encoded_for_the_version) {
    check_command(0xA0, "GENERAL", "START", 0, "a00100000000");
    check_command(0xA0, "GENERAL", "STOP", 305419896, "a00278563412");
    check_command(0xA1, "GENERAL", "PURGE", 4294967295.0, "a100000000 01 03 ffffffff");
    check_command(0xA1, "SET_TIMEOUT", "INHALE", 7, "a100000000 02 08 07000000");
    check_command(0xA3, "SET_DURATION", "INHALE", 1111, "a30000000005 02 08 57040000");
    check_command(0xAA, "GENERAL", "START", 0, "aa00000000050101 00000000");
    check_command(0xAA, "SET_DURATION", "INHALE", 1111, "aa00000000050208 00e08a44");
    check_command(0xB6, "SET_DURATION", "INHALE", 1111, "b600000000050208 00e08a44");
    check_command(0xB5, "SET_DURATION", "INHALE", 0, "b500000000050207 00000000");
    check_command(0xB6, "SET_PID", "MAX_PATIENT_PRESSURE", -0.5, "b600000000050707 000000bf");
    check_command(0xB6, "SET_THRESHOLD_MAX", "HIGH_PEEP", 2, "b600000000050511 00000040");
    check_command(0xB6, "SET_MODE", "PC_PSV", 0, "b600000000050303 00000000");
    check_command(0xB6, "SET_TARGET_CPAP", "VOLUME_TRIGGER_ENABLE", 1,
                  "b60000000005 0b0d 0000803f");
    check_command(0xB6, "GET_TARGETS", "CURRENT", 0, "b60000000005 0e64 00000000");
}

TEST(commands_are_refused_with_the_reason) {
    CHECK_INT(refusal(0x9F, "GENERAL", "START", 0), HEV_NO_VERSION);
    CHECK_INT(refusal(0xB7, "GENERAL", "START", 0), HEV_NO_VERSION);
    CHECK_INT(refusal(0xA0, "GENERAL", "PURGE", 0), HEV_NO_ENCODING);
    CHECK_INT(refusal(0xA0, "SET_MODE", "HEV_MODE_PS", 0), HEV_NO_ENCODING);
    CHECK_INT(refusal(0xB6, "GENERAL", "PURGE", 0), HEV_NO_ENCODING);
    CHECK_INT(refusal(0xB6, "SET_TIMEOUT", "INHALE", 0), HEV_NO_ENCODING);
    CHECK_INT(refusal(0xB6, "general", "START", 0), HEV_NO_CMDTYPE);
    CHECK_INT(refusal(0xB6, "GENERAL", "foo", 0), HEV_NO_CMD);
    CHECK_INT(refusal(0xB6, "SET_PERSONAL", "x", 0), HEV_NO_CMD);
    CHECK_INT(refusal(0xB6, "MUTE_ALARM", "x", 0), HEV_NO_CMDTYPE);
    CHECK_INT(refusal(0xA0, "GENERAL", "START", -1), HEV_BAD_PARAM);
    CHECK_INT(refusal(0xA0, "GENERAL", "START", 4294967296.0), HEV_BAD_PARAM);
    CHECK_INT(refusal(0xA3, "GENERAL", "START", 0.5), HEV_BAD_PARAM);
    CHECK_INT(refusal(0xB6, "GENERAL", "START", 1e300), HEV_BAD_PARAM);
    for (int r = HEV_BAD_PARAM; r < 0; r++)
        CHECK(strcmp(hev_refusal_text(r), "refused") != 0);
}

TEST(command_numbers_have_names) {
    CHECK_STR(hev_cmdtype_name(0xB6, 13), "SET_TARGET_CURRENT");
    CHECK(!hev_cmdtype_name(0xB6, 18));
    CHECK_STR(hev_command_name(0xB6, 1, 5), "GET_PERSONAL");
    CHECK_STR(hev_command_name(0xB6, 2, 1), "PRE_CALIBRATION");
    CHECK_STR(hev_command_name(0xB5, 2, 1), "CALIBRATION");
    CHECK(!hev_command_name(0xB6, 1, 6));
    CHECK(!hev_command_name(0xB6, 15, 0));
    CHECK(!hev_command_name(0xB6, 99, 0));
}
