#include "hev_clock.h"

enum {
    JUMP_US = 400000,  /* off by more: another start of the device */
    BACK_US = 1000000, /* our clock was set, not just corrected */
    SAME_US = 2000,    /* equal stamps of a device that sends faster than its clock ticks */
    SLEW = 2000        /* of the time that has passed, a 2000th: more than crystals are apart */
};

static void follow(struct vent_clock *c, int64_t offset, uint64_t heard_us) {
    int64_t late = offset - c->offset_us, slew = (int64_t)(heard_us - c->heard_us) / SLEW;
    if (!c->any || late > JUMP_US || late < -JUMP_US) {
        c->jumps += c->any;
        c->offset_us = offset;
    } else if (late < slew) {
        c->offset_us = offset;
    } else {
        c->offset_us += slew;
    }
}

uint64_t vent_clock_time(struct vent_clock *c, int64_t stamp_ms, uint64_t heard_us, bool *back) {
    uint64_t time = heard_us;
    *back = c->any && heard_us + BACK_US < c->last_us;
    if (*back || heard_us < c->heard_us)
        c->heard_us = heard_us;
    if (*back)
        c->last_us = 0;
    if (stamp_ms >= 0) {
        follow(c, (int64_t)heard_us - stamp_ms * 1000, heard_us);
        time = (uint64_t)(stamp_ms * 1000 + c->offset_us);
    }
    c->any = true;
    c->heard_us = heard_us;
    if (time <= c->last_us) {
        if (c->last_us - time > SAME_US)
            return 0;
        time = c->last_us + 1;
    }
    c->last_us = time;
    return time;
}
