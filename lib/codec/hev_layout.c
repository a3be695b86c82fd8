/* The payload layouts as data (hev.md, section 2). A new version is new rows. */
#include "hev.h"

#define U8(name)                                                                                   \
    { name, HEV_U8, HEV_PLAIN, 1 }
#define I8(name)                                                                                   \
    { name, HEV_I8, HEV_PLAIN, 1 }
#define U16(name)                                                                                  \
    { name, HEV_U16, HEV_PLAIN, 2 }
#define U32(name)                                                                                  \
    { name, HEV_U32, HEV_PLAIN, 4 }
#define F32(name)                                                                                  \
    { name, HEV_F32, HEV_PLAIN, 4 }
#define TEXT(name, size)                                                                           \
    { name, HEV_TEXT, HEV_PLAIN, size }
#define PAD(size)                                                                                  \
    { NULL, HEV_PAD, HEV_PLAIN, size }
#define NAMED(name, names)                                                                         \
    { name, HEV_U8, names, 1 }

#define HEADER U8("version"), U32("timestamp"), NAMED("payload_type", HEV_NAME_PAYLOAD_TYPE)
#define FSM NAMED("fsm_state", HEV_NAME_FSM_STATE)

/* ---- A0, A1 ---- */

#define RAW_PRESSURES                                                                              \
    U16("pressure_air_supply"), U16("pressure_air_regulated"), U16("pressure_o2_supply"),          \
        U16("pressure_o2_regulated"), U16("pressure_buffer"), U16("pressure_inhale"),              \
        U16("pressure_patient"), U16("temperature_buffer"), U16("pressure_diff_patient")
#define RAW_READBACK                                                                               \
    U8("readback_valve_air_in"), U8("readback_valve_o2_in"), U8("readback_valve_inhale"),          \
        U8("readback_valve_exhale"), U8("readback_valve_purge"), U8("readback_mode")
#define CMD_KIND NAMED("cmd_type", HEV_NAME_CMD_TYPE), NAMED("cmd_code", HEV_NAME_CMD_CODE)
#define CMD_CODE NAMED("cmd_code", HEV_NAME_CMD_CODE)
#define ALARM_KIND                                                                                 \
    NAMED("alarm_type", HEV_NAME_ALARM_TYPE), NAMED("alarm_code", HEV_NAME_ALARM_CODE)
#define ALARM_CODE NAMED("alarm_code", HEV_NAME_ALARM_CODE)

/* A size byte behind the version: before the canonical A0. */
static const struct hev_field data_27[] = {U8("version"), PAD(1), FSM, RAW_PRESSURES, RAW_READBACK};
static const struct hev_field cmd_7[] = {U8("version"), PAD(1), CMD_CODE, U32("param")};
static const struct hev_field alarm_7[] = {U8("version"), PAD(1), ALARM_CODE, U32("param")};
/* What a 32-bit compiler makes of the 6 bytes. */
static const struct hev_field cmd_8[] = {U8("version"), CMD_CODE, PAD(2), U32("param")};
static const struct hev_field alarm_8[] = {U8("version"), ALARM_CODE, PAD(2), U32("param")};

static const struct hev_field data_26[] = {U8("version"), FSM, RAW_PRESSURES, RAW_READBACK};
static const struct hev_field cmd_6[] = {U8("version"), CMD_CODE, U32("param")};
static const struct hev_field alarm_6[] = {U8("version"), ALARM_CODE, U32("param")};

static const struct hev_field data_32[] = {U8("version"),    FSM,           PAD(2),
                                           U32("timestamp"), RAW_PRESSURES, RAW_READBACK};
static const struct hev_field cmd_10[] = {U8("version"), U32("timestamp"), CMD_CODE, U32("param")};
static const struct hev_field alarm_10[] = {U8("version"), U32("timestamp"), ALARM_CODE,
                                            U32("param")};
static const struct hev_field cmd_16[] = {U8("version"), PAD(3), U32("timestamp"),
                                          CMD_KIND,      PAD(2), U32("param")};
static const struct hev_field alarm_16[] = {U8("version"), PAD(3), U32("timestamp"),
                                            ALARM_KIND,    PAD(2), U32("param")};
static const struct hev_field data_30[] = {U8("version"), U32("timestamp"), FSM, RAW_PRESSURES,
                                           RAW_READBACK};
static const struct hev_field cmd_11[] = {U8("version"), U32("timestamp"), CMD_KIND, U32("param")};
static const struct hev_field alarm_11[] = {U8("version"), U32("timestamp"), ALARM_KIND,
                                            U32("param")};

/* ---- DATA from A2 on ---- */

#define PRESSURES                                                                                  \
    U16("pressure_air_supply"), F32("pressure_air_regulated"), U16("pressure_o2_supply"),          \
        F32("pressure_o2_regulated"), F32("pressure_buffer"), F32("pressure_inhale"),              \
        F32("pressure_patient"), U16("temperature_buffer"), F32("pressure_diff_patient")
#define AMBIENT U16("ambient_pressure"), U16("ambient_temperature")
#define PID_STATE                                                                                  \
    F32("target_pressure"), F32("process_pressure"), F32("valve_duty_cycle"), F32("proportional"), \
        F32("integral"), F32("derivative")

static const struct hev_field data_41[] = {
    HEADER, FSM, RAW_PRESSURES, AMBIENT, F32("airway_pressure"), F32("flow"), F32("volume")};
static const struct hev_field data_53[] = {
    HEADER, FSM, PRESSURES, AMBIENT, F32("airway_pressure"), F32("flow"), F32("volume")};
static const struct hev_field data_77[] = {
    HEADER, FSM, PRESSURES, AMBIENT, F32("airway_pressure"), F32("flow"), F32("volume"), PID_STATE};
static const struct hev_field data_81[] = {
    HEADER,           FSM,           PRESSURES, AMBIENT, F32("airway_pressure"), F32("flow"),
    F32("flow_calc"), F32("volume"), PID_STATE};

/* ---- READBACK ---- */

#define DURATIONS_11                                                                               \
    U16("duration_calibration"), U16("duration_buff_purge"), U16("duration_buff_flush"),           \
        U16("duration_buff_prefill"), U16("duration_buff_fill"), U16("duration_buff_loaded"),      \
        U16("duration_buff_pre_inhale"), U16("duration_inhale"), U16("duration_pause"),            \
        U16("duration_exhale_fill"), U16("duration_exhale")
#define DURATIONS_9                                                                                \
    U16("duration_calibration"), U16("duration_buff_purge"), U16("duration_buff_flush"),           \
        U16("duration_buff_prefill"), U16("duration_buff_fill"), U16("duration_buff_pre_inhale"),  \
        U16("duration_inhale"), U16("duration_pause"), U16("duration_exhale")
#define VALVES                                                                                     \
    U8("valve_inhale"), U8("valve_exhale"), U8("valve_purge"),                                     \
        NAMED("ventilation_mode", HEV_NAME_MODE), U8("valve_inhale_percent"),                      \
        U8("valve_exhale_percent"), U8("valve_air_in_enable"), U8("valve_o2_in_enable"),           \
        U8("valve_purge_enable"), U8("inhale_trigger_enable"), U8("exhale_trigger_enable")
#define GAS_VALVES F32("valve_air_in"), F32("valve_o2_in")
#define PEEP_RATIO F32("peep"), F32("inhale_exhale_ratio")
#define PID F32("kp"), F32("ki"), F32("kd")

static const struct hev_field readback_46[] = {
    HEADER, DURATIONS_11, U8("valve_air_in"),        U8("valve_o2_in"),
    VALVES, U8("peep"),   F32("inhale_exhale_ratio")};
static const struct hev_field readback_52[] = {HEADER, DURATIONS_11, GAS_VALVES,
                                               VALVES, U8("peep"),   F32("inhale_exhale_ratio")};
static const struct hev_field readback_55[] = {HEADER, DURATIONS_11, GAS_VALVES, VALVES,
                                               PEEP_RATIO};
static const struct hev_field readback_51[] = {HEADER, DURATIONS_9, GAS_VALVES, VALVES, PEEP_RATIO};
static const struct hev_field readback_63[] = {HEADER, DURATIONS_9, GAS_VALVES,
                                               VALVES, PEEP_RATIO,  PID};
static const struct hev_field readback_68[] = {
    HEADER,     DURATIONS_9, GAS_VALVES,      VALVES,
    PEEP_RATIO, PID,         F32("pid_gain"), U8("max_patient_pressure")};
static const struct hev_field readback_70[] = {HEADER,
                                               U16("duration_pre_calibration"),
                                               DURATIONS_9,
                                               GAS_VALVES,
                                               VALVES,
                                               PEEP_RATIO,
                                               PID,
                                               F32("pid_gain"),
                                               U8("max_patient_pressure")};

/* ---- CYCLE ---- */

#define CYCLE_VOLUMES                                                                              \
    F32("respiratory_rate"), F32("tidal_volume"), F32("exhaled_tidal_volume"),                     \
        F32("inhaled_tidal_volume"), F32("minute_volume"), F32("exhaled_minute_volume"),           \
        F32("inhaled_minute_volume"), F32("lung_compliance"), F32("static_compliance")
#define CYCLE_PRESSURES                                                                            \
    F32("inhalation_pressure"), F32("peak_inspiratory_pressure"), F32("plateau_pressure"),         \
        F32("mean_airway_pressure")
#define CYCLE_END U16("apnea_index"), U16("apnea_time"), U8("mandatory_breath")

static const struct hev_field cycle_56[] = {HEADER,
                                            CYCLE_VOLUMES,
                                            U16("inhalation_pressure"),
                                            U16("peak_inspiratory_pressure"),
                                            U16("plateau_pressure"),
                                            U16("mean_airway_pressure"),
                                            U8("fi02_percent"),
                                            CYCLE_END};
static const struct hev_field cycle_67_fi02[] = {HEADER, CYCLE_VOLUMES, CYCLE_PRESSURES,
                                                 F32("fi02_percent"), CYCLE_END};
static const struct hev_field cycle_67[] = {HEADER, CYCLE_VOLUMES, CYCLE_PRESSURES,
                                            F32("fiO2_percent"), CYCLE_END};

/* ---- CMD, ALARM ---- */

static const struct hev_field cmd_12_u32[] = {HEADER, CMD_KIND, U32("param")};
static const struct hev_field cmd_12[] = {HEADER, CMD_KIND, F32("param")};
static const struct hev_field alarm_12_u32[] = {HEADER, ALARM_KIND, U32("param")};
static const struct hev_field alarm_12[] = {HEADER, ALARM_KIND, F32("param")};

/* ---- DEBUG, IVT, LOGMSG ---- */

static const struct hev_field debug_42[] = {HEADER, PID, PID_STATE};

#define CURRENTS                                                                                   \
    F32("inhale_current"), F32("exhale_current"), F32("purge_current"), F32("air_in_current"),     \
        F32("o2_in_current")
#define VOLTAGES                                                                                   \
    F32("inhale_voltage"), F32("exhale_voltage"), F32("purge_voltage"), F32("air_in_voltage"),     \
        F32("o2_in_voltage")
#define I2C_ADDRESSES(FORM)                                                                        \
    FORM("inhale_i2caddr"), FORM("exhale_i2caddr"), FORM("purge_i2caddr"), FORM("air_in_i2caddr"), \
        FORM("o2_in_i2caddr")

static const struct hev_field ivt_50[] = {HEADER, CURRENTS, VOLTAGES, F32("system_temp")};
static const struct hev_field ivt_55_signed[] = {HEADER, CURRENTS, VOLTAGES, I2C_ADDRESSES(I8),
                                                 F32("system_temp")};
static const struct hev_field ivt_55[] = {HEADER, CURRENTS, VOLTAGES, I2C_ADDRESSES(U8),
                                          F32("system_temp")};
static const struct hev_field logmsg_56[] = {HEADER, TEXT("message", 50)};

/* ---- TARGET ---- */

#define TARGET_MODE NAMED("mode", HEV_NAME_MODE)
#define TARGET_MAIN                                                                                \
    F32("inspiratory_pressure"), F32("ie_ratio"), F32("volume"), F32("respiratory_rate"),          \
        F32("peep")
#define BUFFER_PRESSURES F32("buffer_upper_pressure"), F32("buffer_lower_pressure")
#define TRIGGERS                                                                                   \
    U8("inhale_trigger_enable"), U8("exhale_trigger_enable"), U8("volume_trigger_enable"),         \
        F32("inhale_trigger_threshold"), F32("exhale_trigger_threshold")
#define TARGET_U16_TIME TARGET_MAIN, F32("fiO2_percent"), U16("inhale_time")
#define TARGET_F32_TIME TARGET_MAIN, F32("fiO2_percent"), F32("inhale_time")

static const struct hev_field target_33[] = {HEADER, TARGET_MODE, TARGET_MAIN, F32("fiO2"),
                                             U16("inhale_time")};
static const struct hev_field target_41[] = {HEADER, TARGET_MODE, TARGET_U16_TIME,
                                             BUFFER_PRESSURES};
static const struct hev_field target_52[] = {HEADER, TARGET_MODE, TARGET_U16_TIME, TRIGGERS,
                                             BUFFER_PRESSURES};
static const struct hev_field target_54_rise[] = {
    HEADER, TARGET_MODE, TARGET_U16_TIME, TRIGGERS, BUFFER_PRESSURES, U16("inhale_rise_time")};
static const struct hev_field target_56[] = {HEADER,   TARGET_MODE,      TARGET_U16_TIME,
                                             TRIGGERS, BUFFER_PRESSURES, F32("pid_gain")};
static const struct hev_field target_58[] = {HEADER,   TARGET_MODE,      TARGET_F32_TIME,
                                             TRIGGERS, BUFFER_PRESSURES, F32("pid_gain")};
static const struct hev_field target_54[] = {HEADER, TARGET_MODE, TARGET_F32_TIME, TRIGGERS,
                                             BUFFER_PRESSURES};

/* ---- BATTERY, LOOP_STATUS, PERSONAL ---- */

static const struct hev_field battery_13[] = {HEADER,          I8("bat"),     I8("ok"),
                                              I8("alarm"),     I8("rdy2buf"), I8("bat85"),
                                              I8("prob_elec"), I8("dummy")};
static const struct hev_field loop_status_25[] = {HEADER,
                                                  F32("duration_loop"),
                                                  F32("duration_loop_max"),
                                                  U32("dropped_send"),
                                                  U32("dropped_receive"),
                                                  U8("buffer_alarm"),
                                                  U8("buffer_cmd"),
                                                  U8("buffer_data")};
#define BODY U8("age"), TEXT("sex", 1), U8("height"), U8("weight")
static const struct hev_field personal_70[] = {HEADER, TEXT("name", 60), BODY};
static const struct hev_field personal_90[] = {HEADER, TEXT("name", 60), TEXT("patient_id", 20),
                                               BODY};

/* Of rows for the same version and type, the last is the newest. */
#define ROW(first, last, type, bytes, fields)                                                      \
    { first, last, type, bytes, true, sizeof fields / sizeof *fields, fields }
#define UNTYPED(first, last, type, bytes, fields)                                                  \
    { first, last, type, bytes, false, sizeof fields / sizeof *fields, fields }

static const struct hev_layout layouts[] = {
    UNTYPED(0xA0, 0xA0, HEV_DATA, 27, data_27),
    UNTYPED(0xA0, 0xA1, HEV_DATA, 26, data_26),
    UNTYPED(0xA0, 0xA0, HEV_CMD, 7, cmd_7),
    UNTYPED(0xA0, 0xA0, HEV_CMD, 8, cmd_8),
    UNTYPED(0xA0, 0xA1, HEV_CMD, 6, cmd_6),
    UNTYPED(0xA0, 0xA0, HEV_ALARM, 7, alarm_7),
    UNTYPED(0xA0, 0xA0, HEV_ALARM, 8, alarm_8),
    UNTYPED(0xA0, 0xA1, HEV_ALARM, 6, alarm_6),
    UNTYPED(0xA1, 0xA1, HEV_DATA, 32, data_32),
    UNTYPED(0xA1, 0xA1, HEV_DATA, 30, data_30),
    UNTYPED(0xA1, 0xA1, HEV_CMD, 10, cmd_10),
    UNTYPED(0xA1, 0xA1, HEV_CMD, 16, cmd_16),
    UNTYPED(0xA1, 0xA2, HEV_CMD, 11, cmd_11),
    UNTYPED(0xA1, 0xA1, HEV_ALARM, 10, alarm_10),
    UNTYPED(0xA1, 0xA1, HEV_ALARM, 16, alarm_16),
    UNTYPED(0xA1, 0xA2, HEV_ALARM, 11, alarm_11),
    ROW(0xA2, 0xA2, HEV_DATA, 41, data_41),
    ROW(0xA2, 0xAF, HEV_DATA, 53, data_53),
    ROW(0xB0, 0xB6, HEV_DATA, 77, data_77),
    ROW(0xB6, 0xB6, HEV_DATA, 81, data_81),
    ROW(0xA2, 0xA2, HEV_READBACK, 46, readback_46),
    ROW(0xA2, 0xA3, HEV_READBACK, 52, readback_52),
    ROW(0xA4, 0xA4, HEV_READBACK, 55, readback_55),
    ROW(0xA5, 0xA5, HEV_READBACK, 52, readback_52),
    ROW(0xA6, 0xAD, HEV_READBACK, 55, readback_55),
    ROW(0xAC, 0xB0, HEV_READBACK, 51, readback_51),
    ROW(0xB0, 0xB5, HEV_READBACK, 63, readback_63),
    ROW(0xB6, 0xB6, HEV_READBACK, 68, readback_68),
    ROW(0xB6, 0xB6, HEV_READBACK, 70, readback_70),
    ROW(0xA2, 0xA8, HEV_CYCLE, 56, cycle_56),
    ROW(0xA9, 0xAD, HEV_CYCLE, 67, cycle_67_fi02),
    ROW(0xAE, 0xB6, HEV_CYCLE, 67, cycle_67),
    ROW(0xA2, 0xA3, HEV_CMD, 12, cmd_12_u32),
    ROW(0xA4, 0xB6, HEV_CMD, 12, cmd_12),
    ROW(0xA2, 0xA3, HEV_ALARM, 12, alarm_12_u32),
    ROW(0xA4, 0xB6, HEV_ALARM, 12, alarm_12),
    ROW(0xA5, 0xB6, HEV_DEBUG, 42, debug_42),
    ROW(0xA6, 0xA6, HEV_IVT, 50, ivt_50),
    ROW(0xA6, 0xAD, HEV_IVT, 55, ivt_55_signed),
    ROW(0xAE, 0xB6, HEV_IVT, 55, ivt_55),
    ROW(0xA8, 0xB6, HEV_LOGMSG, 56, logmsg_56),
    ROW(0xAC, 0xAE, HEV_TARGET, 33, target_33),
    ROW(0xAE, 0xB0, HEV_TARGET, 41, target_41),
    ROW(0xB1, 0xB1, HEV_TARGET, 52, target_52),
    ROW(0xB2, 0xB2, HEV_TARGET, 54, target_54_rise),
    ROW(0xB3, 0xB3, HEV_TARGET, 56, target_56),
    ROW(0xB4, 0xB5, HEV_TARGET, 58, target_58),
    ROW(0xB6, 0xB6, HEV_TARGET, 54, target_54),
    ROW(0xAC, 0xB6, HEV_BATTERY, 13, battery_13),
    ROW(0xAD, 0xB6, HEV_LOOP_STATUS, 25, loop_status_25),
    ROW(0xAF, 0xB4, HEV_PERSONAL, 70, personal_70),
    ROW(0xB5, 0xB6, HEV_PERSONAL, 90, personal_90),
};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

const struct hev_layout *hev_layout_at(size_t i) {
    return i < LAYOUTS ? &layouts[i] : NULL;
}

/* typed: -1 = either. */
static const struct hev_layout *layout_find(unsigned version, enum hev_type type, size_t bytes,
                                            int typed) {
    for (size_t i = LAYOUTS; i-- > 0;) {
        const struct hev_layout *l = &layouts[i];
        if (l->type == type && l->first <= version && version <= l->last &&
            (bytes == 0 || l->bytes == bytes) && (typed < 0 || l->typed == (typed == 1)))
            return l;
    }
    return NULL;
}

const struct hev_layout *hev_layout_find(unsigned version, enum hev_type type, size_t bytes) {
    return layout_find(version & 0xFF, type, bytes, -1);
}

/* HEV_UNSET for address kind 00. */
static enum hev_type address_type(uint8_t address) {
    switch (address & HEV_ADDR_MASK) {
    case HEV_ADDR_DATA:
        return HEV_DATA;
    case HEV_ADDR_CMD:
        return HEV_CMD;
    case HEV_ADDR_ALARM:
        return HEV_ALARM;
    default:
        return HEV_UNSET;
    }
}

static bool type_known(unsigned version, unsigned type) {
    return type < HEV_TYPES && layout_find(version, type, 0, -1);
}

/* Which of the three keys is at fault. */
static const char *fault_of(const uint8_t *p, size_t n) {
    if (p[0] < HEV_VERSION_FIRST || p[0] > HEV_VERSION_LAST)
        return "version";
    if (p[0] >= 0xA2 && n > HEV_TYPE_AT && !type_known(p[0], p[HEV_TYPE_AT]))
        return "type";
    return "length";
}

const struct hev_layout *hev_layout_of(uint8_t address, const uint8_t *p, size_t n,
                                       const char **why) {
    const struct hev_layout *l = NULL;
    enum hev_type type = address_type(address);
    const char *fault = n == 0 ? "empty" : type == HEV_UNSET ? "address" : NULL;
    if (!fault && n > HEV_TYPE_AT)
        l = layout_find(p[0], p[HEV_TYPE_AT], n, 1);
    if (!fault && !l)
        l = layout_find(p[0], type, n, 0);
    if (!l && why)
        *why = fault ? fault : fault_of(p, n);
    return l;
}

uint8_t hev_type_address(enum hev_type type) {
    return type == HEV_ALARM ? HEV_ADDR_ALARM : type == HEV_CMD ? HEV_ADDR_CMD : HEV_ADDR_DATA;
}
