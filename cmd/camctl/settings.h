/* settings: the six settings of the camera: names, limits, defaults; as a file, on the bus. Pure.
 */
#ifndef CAMCTL_SETTINGS_H
#define CAMCTL_SETTINGS_H

#include "buf.h"
#include "codec/campacket.h"
#include "err.h"

enum { SETTINGS = 6, SETTINGS_FILE_MAX = 64 << 10 /* bytes */ };

struct setting {
    const char *name, *unit;
    size_t offset; /* of its double in struct camsettings */
    double min, max, step, standard;
};
extern const struct setting settings_table[SETTINGS];

static inline double *settings_value(struct camsettings *s, size_t i) {
    return (double *)(void *)((char *)s + settings_table[i].offset);
}

void settings_standard(struct camsettings *s);
/* Whether each of the settings in mask (bit i for settings_table[i]) is within its limits. */
int settings_check(const struct camsettings *s, unsigned mask, struct err *e);
/* Take over those of `from` that are in mask. True when that changes anything. */
bool settings_merge(struct camsettings *s, const struct camsettings *from, unsigned mask);

/* From a map: known keys with numbers within their limits; *mask tells which were there. other: a
 * key that may be there as well, or NULL. */
int settings_from_map(const uint8_t *p, size_t n, const char *other, struct camsettings *s,
                      unsigned *mask, struct err *e);
/* Append the SETTINGS pairs. */
void settings_put(struct buf *b, const struct camsettings *s);

/* The text of a settings file; what is missing when it is read has its standard value. */
void settings_text(struct buf *b, const struct camsettings *s);
int settings_read(const char *text, size_t n, struct camsettings *s, struct err *e);

#endif
