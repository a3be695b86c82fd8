/* hub_jpeg: grey pictures as baseline JPEG (ITU T.81): one component, the tables of its annex K.
 * Pure.
 */
#ifndef DEVSIM_HUB_JPEG_H
#define DEVSIM_HUB_JPEG_H

#include <stdint.h>

#include "buf.h"

enum { HUB_JPEG_SIDE = 4096 /* pixels, at most */ };

/* Append the picture of width x height grey levels, row by row, to out. quality: 1 (small) to 100.
 * comment: what is written into it, shorter than 64 KiB; "" = nothing. */
void hub_jpeg_put(struct buf *out, const uint8_t *grey, unsigned width, unsigned height,
                  unsigned quality, const char *comment);

#endif
