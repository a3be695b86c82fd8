/* What numbers stand for, per version, as data (hev.md, section 3). */
#include "hev_names.h"

#include <string.h>
#include <strings.h>

/* Versions in the order of time: the old B6 takes the byte's value, so the new one is moved up. */
unsigned hev_rank(unsigned version) {
    if (version == HEV_VERSION_B6_OLD)
        return HEV_RANK_B6_OLD;
    if (version > HEV_VERSION_LAST)
        return HEV_RANK_NONE;
    return version == HEV_VERSION_LAST ? HEV_RANK_B6 : version;
}

const char *hev_words_name(const struct hev_words *w, unsigned value) {
    for (; w->name; w++)
        if (w->value == value)
            return w->name;
    return NULL;
}

int hev_words_value(const struct hev_words *w, const char *name) {
    for (; w->name; w++)
        if (strcmp(w->name, name) == 0)
            return w->value;
    return -1;
}

static const struct hev_words payload_types[] = {
    {0, "UNSET"},   {1, "DATA"},     {2, "READBACK"},     {3, "CYCLE"},     {4, "THRESHOLDS"},
    {5, "CMD"},     {6, "ALARM"},    {7, "DEBUG"},        {8, "IVT"},       {9, "LOGMSG"},
    {10, "TARGET"}, {11, "BATTERY"}, {12, "LOOP_STATUS"}, {13, "PERSONAL"}, {0, NULL}};

static const struct hev_words alarm_types_a2[] = {{1, "LP"}, {2, "MP"}, {3, "HP"}, {0, NULL}};
static const struct hev_words alarm_types[] = {
    {1, "PRIORITY_LOW"}, {2, "PRIORITY_MEDIUM"}, {3, "PRIORITY_HIGH"}, {0, NULL}};

#define ALARMS_1_TO_4                                                                              \
    {1, "APNEA"}, {2, "CHECK_VALVE_EXHALE"}, {3, "CHECK_P_PATIENT"}, {                             \
        4, "EXPIRATION_SENSE_FAULT_OR_LEAK"                                                        \
    }
#define ALARMS_6_TO_25                                                                             \
    {6, "HIGH_FIO2"}, {7, "HIGH_PRESSURE"}, {8, "HIGH_RR"}, {9, "HIGH_VTE"}, {10, "LOW_VTE"},      \
        {11, "HIGH_VTI"}, {12, "LOW_VTI"}, {13, "INTENTIONAL_STOP"}, {14, "LOW_BATTERY"},          \
        {15, "LOW_FIO2"}, {16, "OCCLUSION"}, {17, "HIGH_PEEP"}, {18, "LOW_PEEP"},                  \
        {19, "AC_POWER_DISCONNECTION"}, {20, "BATTERY_FAULT_SRVC"}, {21, "BATTERY_CHARGE"},        \
        {22, "AIR_FAIL"}, {23, "O2_FAIL"}, {24, "PRESSURE_SENSOR_FAULT"}, {                        \
        25, "ARDUINO_FAIL"                                                                         \
    }
#define ALARM_5                                                                                    \
    { 5, "EXPIRATION_VALVE_LEAK" }

static const struct hev_words alarms_a0[] = {ALARMS_1_TO_4, ALARM_5, ALARMS_6_TO_25, {0, NULL}};
static const struct hev_words alarms_a1[] = {
    ALARMS_1_TO_4, {5, "EXPIRATION_VALVE_Leak"}, ALARMS_6_TO_25, {0, NULL}};
static const struct hev_words alarms_a2[] = {
    {0, "UNKNOWN"}, ALARMS_1_TO_4, ALARM_5, ALARMS_6_TO_25, {0, NULL}};
static const struct hev_words alarms_b6[] = {{0, "UNKNOWN"},
                                             ALARMS_1_TO_4,
                                             ALARM_5,
                                             ALARMS_6_TO_25,
                                             {26, "ALARM_TEST"},
                                             {27, "HIGH_VME"},
                                             {28, "LOW_VME"},
                                             {29, "HIGH_VMI"},
                                             {30, "LOW_VMI"},
                                             {31, "EXTENDED_HIGH_PRESSURE"},
                                             {32, "ALARMS_COUNT"},
                                             {0, NULL}};

#define FSM_S1                                                                                     \
    {0, "UNKNOWN"}, {1, "IDLE"}, {2, "CALIBRATION"}, {3, "BUFF_PREFILL"}, {4, "BUFF_FILL"},        \
        {5, "BUFF_LOADED"}, {6, "BUFF_PRE_INHALE"}, {7, "INHALE"}, {8, "PAUSE"},                   \
        {9, "EXHALE_FILL"}, {10, "EXHALE"}, {11, "STOP"}, {12, "BUFF_PURGE"}, {                    \
        13, "BUFF_FLUSH"                                                                           \
    }

static const struct hev_words fsm_a2[] = {FSM_S1, {0, NULL}};
static const struct hev_words fsm_ab[] = {FSM_S1, {14, "STANDBY"}, {0, NULL}};
static const struct hev_words fsm_ae[] = {
    {0, "UNKNOWN"},      {1, "IDLE"},        {2, "CALIBRATION"},
    {3, "BUFF_PREFILL"}, {4, "BUFF_FILL"},   {5, "BUFF_PRE_INHALE"},
    {6, "INHALE"},       {7, "PAUSE"},       {8, "EXHALE"},
    {9, "STOP"},         {10, "BUFF_PURGE"}, {11, "BUFF_FLUSH"},
    {12, "STANDBY"},     {0, NULL}};
static const struct hev_words fsm_b6[] = {
    {0, "UNKNOWN"},         {1, "IDLE"},         {2, "PRE_CALIBRATION"},
    {3, "CALIBRATION"},     {4, "BUFF_PREFILL"}, {5, "BUFF_FILL"},
    {6, "BUFF_PRE_INHALE"}, {7, "INHALE"},       {8, "PAUSE"},
    {9, "EXHALE"},          {10, "STOP"},        {11, "BUFF_PURGE"},
    {12, "BUFF_FLUSH"},     {13, "STANDBY"},     {0, NULL}};

static const struct hev_words modes_a2[] = {
    {0, "UNKNOWN"},        {1, "HEV_MODE_PS"},    {2, "HEV_MODE_CPAP"},
    {3, "HEV_MODE_PRVC"},  {4, "HEV_MODE_TEST"},  {5, "LAB_MODE_BREATHE"},
    {6, "LAB_MODE_PURGE"}, {7, "LAB_MODE_FLUSH"}, {0, NULL}};
static const struct hev_words modes_a9[] = {{0, "UNKNOWN"},
                                            {1, "HEV_MODE_PC_AC"},
                                            {2, "HEV_MODE_PC_AC_PRVC"},
                                            {3, "HEV_MODE_PC_PSV"},
                                            {4, "HEV_MODE_CPAP"},
                                            {5, "HEV_MODE_TEST"},
                                            {6, "LAB_MODE_BREATHE"},
                                            {7, "LAB_MODE_PURGE"},
                                            {8, "LAB_MODE_FLUSH"},
                                            {0, NULL}};
static const struct hev_words modes_ac[] = {
    {0, "UNKNOWN"}, {1, "PC_AC"}, {2, "PC_AC_PRVC"}, {3, "PC_PSV"},    {4, "CPAP"},
    {5, "TEST"},    {6, "PURGE"}, {7, "FLUSH"},      {100, "CURRENT"}, {0, NULL}};

/* One row for each meaning and span of versions. */
static const struct names_row {
    enum hev_names names;
    unsigned first, last; /* ranks */
    const struct hev_words *words;
} rows[] = {
    {HEV_NAME_PAYLOAD_TYPE, 0xA2, HEV_RANK_B6, payload_types},
    {HEV_NAME_ALARM_TYPE, 0xA2, 0xA3, alarm_types_a2},
    {HEV_NAME_ALARM_TYPE, 0xA4, HEV_RANK_B6, alarm_types},
    {HEV_NAME_ALARM_CODE, 0xA0, 0xA0, alarms_a0},
    {HEV_NAME_ALARM_CODE, 0xA1, 0xA1, alarms_a1},
    {HEV_NAME_ALARM_CODE, 0xA2, HEV_RANK_B6_OLD, alarms_a2},
    {HEV_NAME_ALARM_CODE, HEV_RANK_B6, HEV_RANK_B6, alarms_b6},
    {HEV_NAME_FSM_STATE, 0xA2, 0xAA, fsm_a2},
    {HEV_NAME_FSM_STATE, 0xAB, 0xAD, fsm_ab},
    {HEV_NAME_FSM_STATE, 0xAE, HEV_RANK_B6_OLD, fsm_ae},
    {HEV_NAME_FSM_STATE, HEV_RANK_B6, HEV_RANK_B6, fsm_b6},
    {HEV_NAME_MODE, 0xA2, 0xA8, modes_a2},
    {HEV_NAME_MODE, 0xA9, 0xAB, modes_a9},
    {HEV_NAME_MODE, 0xAC, HEV_RANK_B6, modes_ac},
};

const struct hev_words *hev_words_of(enum hev_names names, unsigned version) {
    unsigned rank = hev_rank(version);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].names == names && rows[i].first <= rank && rank <= rows[i].last)
            return rows[i].words;
    return NULL;
}

/* Commands got their names in the JSON late. */
static bool cmd_named(unsigned version) {
    return hev_rank(version) >= 0xB3;
}

const char *hev_name(enum hev_names names, unsigned version, unsigned value) {
    if (names == HEV_NAME_CMD_TYPE)
        return cmd_named(version) ? hev_cmdtype_name(version, value) : NULL;
    const struct hev_words *w = hev_words_of(names, version);
    return w ? hev_words_name(w, value) : NULL;
}

int hev_number(enum hev_names names, unsigned version, const char *name) {
    const struct hev_words *w = hev_words_of(names, version);
    return w ? hev_words_value(w, name) : -1;
}

const char *hev_type_name(enum hev_type type) {
    const char *name = hev_words_name(payload_types, type);
    return name ? name : "?";
}

/* ---- alarms ---- */

const char *hev_alarm_name(unsigned version, unsigned code) {
    return hev_name(HEV_NAME_ALARM_CODE, version, code);
}

int hev_alarm_code(unsigned version, const char *name) {
    return hev_number(HEV_NAME_ALARM_CODE, version, name);
}

enum hev_priority hev_alarm_priority(unsigned code) {
    /* Codes 1 to 25: H high, M medium. LOW_BATTERY is low only while AC power is on, which nothing
     * here can know. */
    static const char priorities[] = "HHHMMMHMMMMMHHHHHHMMMHHHH";
    if (code < 1 || code >= sizeof priorities)
        return HEV_PRIORITY_NONE;
    return priorities[code - 1] == 'H' ? HEV_PRIORITY_HIGH : HEV_PRIORITY_MEDIUM;
}

enum hev_priority hev_alarm_name_priority(const char *name) {
    for (const struct hev_words *w = alarms_a0; w->name; w++)
        if (strcasecmp(w->name, name) == 0) /* A1 wrote one of them in mixed case */
            return hev_alarm_priority(w->value);
    return HEV_PRIORITY_NONE;
}
