/* Commands as clients name them (hev.md, section 4). */
#include "hev_names.h"

#include <math.h>
#include <string.h>

static const struct hev_words general_a0[] = {{1, "START"}, {2, "STOP"}, {0, NULL}};
static const struct hev_words general_a1[] = {
    {1, "START"}, {2, "STOP"}, {3, "PURGE"}, {4, "FLUSH"}, {0, NULL}};
static const struct hev_words general_a3[] = {{1, "START"}, {2, "STOP"}, {3, "RESET"}, {0, NULL}};
static const struct hev_words general_ab[] = {
    {1, "START"}, {2, "STOP"}, {3, "RESET"}, {4, "STANDBY"}, {0, NULL}};
static const struct hev_words general_af[] = {{1, "START"},   {2, "STOP"},         {3, "RESET"},
                                              {4, "STANDBY"}, {5, "GET_PERSONAL"}, {0, NULL}};

static const struct hev_words durations_a1[] = {
    {1, "CALIBRATION"}, {2, "BUFF_PURGE"},   {3, "BUFF_FLUSH"},      {4, "BUFF_PREFILL"},
    {5, "BUFF_FILL"},   {6, "BUFF_LOADED"},  {7, "BUFF_PRE_INHALE"}, {8, "INHALE"},
    {9, "PAUSE"},       {10, "EXHALE_FILL"}, {11, "EXHALE"},         {0, NULL}};
static const struct hev_words durations_ae[] = {{1, "CALIBRATION"}, {2, "BUFF_PURGE"},
                                                {3, "BUFF_FLUSH"},  {4, "BUFF_PREFILL"},
                                                {5, "BUFF_FILL"},   {6, "BUFF_PRE_INHALE"},
                                                {7, "INHALE"},      {8, "PAUSE"},
                                                {9, "EXHALE"},      {0, NULL}};
static const struct hev_words durations_b6[] = {{1, "PRE_CALIBRATION"},
                                                {2, "CALIBRATION"},
                                                {3, "BUFF_PURGE"},
                                                {4, "BUFF_FLUSH"},
                                                {5, "BUFF_PREFILL"},
                                                {6, "BUFF_FILL"},
                                                {7, "BUFF_PRE_INHALE"},
                                                {8, "INHALE"},
                                                {9, "PAUSE"},
                                                {10, "EXHALE"},
                                                {0, NULL}};

static const struct hev_words modes_a1[] = {{1, "HEV_MODE_PS"},
                                            {2, "HEV_MODE_CPAP"},
                                            {3, "HEV_MODE_PRVC"},
                                            {4, "HEV_MODE_TEST"},
                                            {0, NULL}};

#define VALVES_1_TO_8                                                                              \
    {1, "AIR_IN_ENABLE"}, {2, "O2_IN_ENABLE"}, {3, "PURGE_ENABLE"}, {4, "INHALE_DUTY_CYCLE"},      \
        {5, "INHALE_OPEN_MIN"}, {6, "INHALE_OPEN_MAX"}, {7, "INHALE_TRIGGER_ENABLE"}, {            \
        8, "EXHALE_TRIGGER_ENABLE"                                                                 \
    }
static const struct hev_words valves[] = {VALVES_1_TO_8, {0, NULL}};
static const struct hev_words valves_aa[] = {
    VALVES_1_TO_8, {9, "INHALE_TRIGGER_THRESHOLD"}, {10, "EXHALE_TRIGGER_THRESHOLD"}, {0, NULL}};

static const struct hev_words pid_a3[] = {{1, "KP"}, {2, "KI"}, {3, "KD"}, {0, NULL}};
static const struct hev_words pid_aa[] = {
    {1, "KP"}, {2, "KI"}, {3, "KD"}, {4, "TARGET_FINAL_PRESSURE"}, {5, "NSTEPS"}, {0, NULL}};
static const struct hev_words pid_b3[] = {
    {1, "KP"},     {2, "KI"}, {3, "KD"}, {4, "PID_GAIN"}, {5, "TARGET_FINAL_PRESSURE"},
    {6, "NSTEPS"}, {0, NULL}};
static const struct hev_words pid_b6[] = {{1, "KP"},
                                          {2, "KI"},
                                          {3, "KD"},
                                          {4, "PID_GAIN"},
                                          {5, "TARGET_FINAL_PRESSURE"},
                                          {6, "NSTEPS"},
                                          {7, "MAX_PATIENT_PRESSURE"},
                                          {0, NULL}};

#define TARGETS_1_TO_5                                                                             \
    {1, "INSPIRATORY_PRESSURE"}, {2, "RESPIRATORY_RATE"}, {3, "IE_RATIO"}, {4, "VOLUME"}, {        \
        5, "PEEP"                                                                                  \
    }
#define TARGETS_6_7                                                                                \
    {6, "FIO2_PERCENT"}, {                                                                         \
        7, "INHALE_TIME"                                                                           \
    }
static const struct hev_words targets_ac[] = {
    TARGETS_1_TO_5, {6, "FIO2"}, {7, "INHALE_TIME"}, {0, NULL}};
static const struct hev_words targets_ae[] = {TARGETS_1_TO_5, TARGETS_6_7, {0, NULL}};
static const struct hev_words targets_b1[] = {TARGETS_1_TO_5,
                                              TARGETS_6_7,
                                              {8, "INHALE_TRIGGER_THRESHOLD"},
                                              {9, "EXHALE_TRIGGER_THRESHOLD"},
                                              {11, "INHALE_TRIGGER_ENABLE"},
                                              {12, "EXHALE_TRIGGER_ENABLE"},
                                              {13, "VOLUME_TRIGGER_ENABLE"},
                                              {0, NULL}};

static const struct hev_words no_cmds[] = {{0, NULL}};

/* A command type in a span of versions (ranks); its codes are a list, or the names of something
 * else when list is NULL. */
static const struct cmdtype {
    unsigned first, last;
    uint8_t code;
    const char *name;
    const struct hev_words *list;
    enum hev_names names;
} cmdtypes[] = {
    {0xA0, 0xA0, 1, "GENERAL", general_a0, HEV_PLAIN},
    {0xA1, 0xA2, 1, "GENERAL", general_a1, HEV_PLAIN},
    {0xA3, 0xAA, 1, "GENERAL", general_a3, HEV_PLAIN},
    {0xAB, 0xAE, 1, "GENERAL", general_ab, HEV_PLAIN},
    {0xAF, HEV_RANK_B6, 1, "GENERAL", general_af, HEV_PLAIN},
    {0xA2, 0xAD, 2, "SET_DURATION", durations_a1, HEV_PLAIN},
    {0xA1, 0xA6, 2, "SET_TIMEOUT", durations_a1, HEV_PLAIN},
    {0xAE, HEV_RANK_B6_OLD, 2, "SET_DURATION", durations_ae, HEV_PLAIN},
    {HEV_RANK_B6, HEV_RANK_B6, 2, "SET_DURATION", durations_b6, HEV_PLAIN},
    {0xA1, 0xA1, 3, "SET_MODE", modes_a1, HEV_PLAIN},
    {0xA2, HEV_RANK_B6, 3, "SET_MODE", NULL, HEV_NAME_MODE},
    {0xA1, HEV_RANK_B6, 4, "SET_THRESHOLD_MIN", NULL, HEV_NAME_ALARM_CODE},
    {0xA1, HEV_RANK_B6, 5, "SET_THRESHOLD_MAX", NULL, HEV_NAME_ALARM_CODE},
    {0xA3, 0xA9, 6, "SET_VALVE", valves, HEV_PLAIN},
    {0xAA, 0xB0, 6, "SET_VALVE", valves_aa, HEV_PLAIN},
    {0xB1, HEV_RANK_B6, 6, "SET_VALVE", valves, HEV_PLAIN},
    {0xA3, 0xA9, 7, "SET_PID", pid_a3, HEV_PLAIN},
    {0xAA, 0xB2, 7, "SET_PID", pid_aa, HEV_PLAIN},
    {0xB3, 0xB5, 7, "SET_PID", pid_b3, HEV_PLAIN},
    {HEV_RANK_B6_OLD, HEV_RANK_B6, 7, "SET_PID", pid_b6, HEV_PLAIN},
#define TARGET_TYPES(first, last, list)                                                            \
    {first, last, 8, "SET_TARGET_PC_AC", list, HEV_PLAIN},                                         \
        {first, last, 9, "SET_TARGET_PC_AC_PRVC", list, HEV_PLAIN},                                \
        {first, last, 10, "SET_TARGET_PC_PSV", list, HEV_PLAIN},                                   \
        {first, last, 11, "SET_TARGET_CPAP", list, HEV_PLAIN},                                     \
        {first, last, 12, "SET_TARGET_TEST", list, HEV_PLAIN}, {                                   \
        first, last, 13, "SET_TARGET_CURRENT", list, HEV_PLAIN                                     \
    }
    TARGET_TYPES(0xAC, 0xAD, targets_ac),
    TARGET_TYPES(0xAE, 0xB0, targets_ae),
    TARGET_TYPES(0xB1, HEV_RANK_B6, targets_b1),
    {0xAC, HEV_RANK_B6, 14, "GET_TARGETS", NULL, HEV_NAME_MODE},
    {0xAF, HEV_RANK_B6, 15, "SET_PERSONAL", no_cmds, HEV_PLAIN},
    {HEV_RANK_B6_OLD, HEV_RANK_B6, 16, "GET_THRESHOLD_MIN", NULL, HEV_NAME_ALARM_CODE},
    {HEV_RANK_B6_OLD, HEV_RANK_B6, 17, "GET_THRESHOLD_MAX", NULL, HEV_NAME_ALARM_CODE},
};
enum { CMDTYPES = sizeof cmdtypes / sizeof *cmdtypes };

static const struct hev_words *words_of(const struct cmdtype *t, unsigned version) {
    return t->list ? t->list : hev_words_of(t->names, version);
}

static bool within(const struct cmdtype *t, unsigned version) {
    unsigned rank = hev_rank(version);
    return t->first <= rank && rank <= t->last;
}

static const struct cmdtype *type_by_code(unsigned version, unsigned code) {
    for (size_t i = 0; i < CMDTYPES; i++)
        if (cmdtypes[i].code == code && within(&cmdtypes[i], version))
            return &cmdtypes[i];
    return NULL;
}

static const struct cmdtype *type_by_name(unsigned version, const char *name) {
    for (size_t i = 0; i < CMDTYPES; i++)
        if (strcmp(cmdtypes[i].name, name) == 0 && within(&cmdtypes[i], version))
            return &cmdtypes[i];
    return NULL;
}

const char *hev_cmdtype_name(unsigned version, unsigned cmdtype) {
    const struct cmdtype *t = type_by_code(version, cmdtype);
    return t ? t->name : NULL;
}

const char *hev_command_name(unsigned version, unsigned cmdtype, unsigned cmd) {
    const struct cmdtype *t = type_by_code(version, cmdtype);
    return t ? hev_words_name(words_of(t, version), cmd) : NULL;
}

static unsigned last_of(const struct cmdtype *t) {
    if (t->last == HEV_RANK_B6)
        return HEV_VERSION_LAST;
    return t->last == HEV_RANK_B6_OLD ? HEV_VERSION_B6_OLD : t->last;
}

/* Whether some version knows the command, and this one is only too old or too new for it. */
static bool known_elsewhere(const char *cmdtype, const char *cmd) {
    for (size_t i = 0; i < CMDTYPES; i++) {
        const struct cmdtype *t = &cmdtypes[i];
        if (strcmp(t->name, cmdtype) == 0 && hev_words_value(words_of(t, last_of(t)), cmd) >= 0)
            return true;
    }
    return false;
}

static int command_put(uint8_t *out, unsigned version, int cmdtype, int cmd, double param) {
    const struct hev_layout *l = hev_layout_find(version, HEV_CMD, 0);
    size_t n = hev_payload_begin(out, l, version);
    hev_payload_set(out, l, "cmd_type", cmdtype); /* A0 has none */
    hev_payload_set(out, l, "cmd_code", cmd);
    return isfinite(param) && hev_payload_set(out, l, "param", param) ? (int)n : HEV_BAD_PARAM;
}

int hev_command_encode(uint8_t out[HEV_PAYLOAD_MAX], unsigned version, const char *cmdtype,
                       const char *cmd, double param) {
    unsigned rank = hev_rank(version);
    if (rank < HEV_VERSION_FIRST || rank > HEV_RANK_B6)
        return HEV_NO_VERSION;
    const struct cmdtype *t = type_by_name(version, cmdtype);
    int code = t ? hev_words_value(words_of(t, version), cmd) : -1;
    if (code >= 0)
        return command_put(out, version, t->code, code, param);
    if (known_elsewhere(cmdtype, cmd))
        return HEV_NO_ENCODING;
    return t ? HEV_NO_CMD : HEV_NO_CMDTYPE;
}

const char *hev_refusal_text(int refusal) {
    switch (refusal) {
    case HEV_NO_VERSION:
        return "no such version of the protocol";
    case HEV_NO_CMDTYPE:
        return "no such cmdtype";
    case HEV_NO_CMD:
        return "the cmdtype has no such cmd";
    case HEV_NO_ENCODING:
        return "the ventilator's version has no such command";
    case HEV_BAD_PARAM:
        return "param does not fit";
    default:
        return "refused";
    }
}
