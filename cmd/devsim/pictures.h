/* pictures: the JPEG files that simulated cameras take. */
#ifndef DEVSIM_PICTURES_H
#define DEVSIM_PICTURES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

enum { PICTURES_MAX = 256, PICTURE_BYTES = 8 << 20, PICTURES_BYTES = 64 << 20 };

struct pictures {
    struct {
        uint8_t *p;
        size_t n;
    } at[PICTURES_MAX]; /* in the order of their names */
    size_t n;
};

/* All *.jpg and *.jpeg of a directory; NULL: media/ of tapline's own data. -1 when there is none.
 */
int pictures_load(struct pictures *x, const char *dir, struct err *e);
void pictures_free(struct pictures *x);

#endif
