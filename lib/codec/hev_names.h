/* Tables of names, shared by hev_names.c and hev_command.c only. */
#ifndef TAPLINE_HEV_NAMES_H
#define TAPLINE_HEV_NAMES_H

#include "hev.h"

/* A list of these ends with name NULL. */
struct hev_words {
    uint8_t value;
    const char *name;
};

/* Place of a version in time: the version byte, but the new B6 after the old one. */
enum { HEV_RANK_B6_OLD = 0xB6, HEV_RANK_B6 = 0xB7, HEV_RANK_NONE = 0x1000 };
unsigned hev_rank(unsigned version);

/* NULL when the version has no names for it. Not for commands. */
const struct hev_words *hev_words_of(enum hev_names names, unsigned version);

const char *hev_words_name(const struct hev_words *w, unsigned value);
int hev_words_value(const struct hev_words *w, const char *name);

#endif
