/* hev_mcu: the ventilator's controller: what it reports when, what it does when told. A patient of
 * its own breathes behind it (breather). Payloads only; frames and the line are the owner's.
 *
 * Its times are microseconds on the owner's clock. Sections are those of lib/codec/hev.md.
 */
#ifndef DEVSIM_HEV_MCU_H
#define DEVSIM_HEV_MCU_H

#include "breather.h"
#include "chance.h"
#include "codec/hev.h"
#include "err.h"

enum { HEV_MCU_REPORTS = 8, HEV_MCU_MODES = 8 /* modes that have targets are below */ };

/* A payload that is kept and changed field by field. */
struct hev_store {
    const struct hev_layout *layout; /* NULL: this version has none */
    uint8_t data[HEV_PAYLOAD_MAX];
};

struct hev_alarm {
    bool active;    /* reported again and again until cleared */
    bool by_itself; /* a threshold was passed; it goes as it came */
    enum hev_priority priority;
    double param;
};

struct hev_mcu {
    /* Set by the owner. */
    unsigned version;
    int64_t data_us; /* from DATA to DATA */
    struct breather breather;
    struct breath_settings usual; /* what the settings are after power on */
    struct chance luck;
    void (*send)(void *ctx, enum hev_type type, const uint8_t *p, size_t n);
    /* A command was taken in; names as clients say them, NULL where the version has none. */
    void (*on_command)(void *ctx, const char *cmdtype, const char *cmd, double param);
    void (*on_phase)(void *ctx); /* it was started or stopped */
    void *ctx;
    bool recorded; /* a recording plays instead: commands are told and do nothing */

    /* To be read. */
    uint64_t commands, unknown;         /* unknown: no command, or one that does nothing here */
    struct hev_alarm alarm[HEV_ALARMS]; /* by code */

    /* Its own. */
    uint64_t boot_us, stepped_us, due_us[HEV_MCU_REPORTS];
    unsigned long told_breaths;
    unsigned mode;
    struct hev_store readback, personal, current, target[HEV_MCU_MODES];
    double least[HEV_ALARMS], most[HEV_ALARMS]; /* thresholds by alarm; NAN: none */
};

/* Power on. */
void hev_mcu_boot(struct hev_mcu *m, uint64_t now_us, bool breathing);
/* The owner did not look for a while: go on now instead of making up for it. */
void hev_mcu_resume(struct hev_mcu *m, uint64_t now_us);
/* Report what is due. When to call again. */
uint64_t hev_mcu_run(struct hev_mcu *m, uint64_t now_us);
/* A payload from the host. */
void hev_mcu_take(struct hev_mcu *m, uint8_t address, const uint8_t *p, size_t n);

/* The code of an alarm of that name; -1 when this version has none. */
int hev_mcu_alarm_code(const struct hev_mcu *m, const char *name, struct err *e);
/* Raise an alarm, at its usual priority when that is HEV_PRIORITY_NONE; it is reported at once and
 * once a second until it is cleared. */
int hev_mcu_alarm(struct hev_mcu *m, const char *name, enum hev_priority priority, double param,
                  struct err *e);
/* By name; "all". */
int hev_mcu_clear(struct hev_mcu *m, const char *name, struct err *e);
/* Turn a knob: rate, ie, pressure, peep, compliance or resistance. dry: only whether it could be
 * done. */
int hev_mcu_set(struct hev_mcu *m, const char *name, double v, bool dry, struct err *e);

/* ---- between hev_mcu.c and hev_orders.c ---- */

void hev_store_begin(struct hev_store *s, unsigned version, enum hev_type type);
/* Nothing happens where the layout lacks the field; an integer takes the nearest. */
void hev_store_set(struct hev_store *s, const char *name, double v);
/* The field called `prefix` and then word, that in any case; NULL = there is none. */
const struct hev_field *hev_store_field(const struct hev_store *s, const char *prefix,
                                        const char *word);

/* Targets, READBACK and thresholds as after power on. */
void hev_orders_reset(struct hev_mcu *m);
/* Time stamp it and send it. */
void hev_mcu_report(struct hev_mcu *m, struct hev_store *s);

#endif
