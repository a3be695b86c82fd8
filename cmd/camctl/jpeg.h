/* jpeg: pictures in a stream of JPEG files one after another, as ffmpeg's image2pipe writes them.
 * Pure. */
#ifndef CAMCTL_JPEG_H
#define CAMCTL_JPEG_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the picture at the start of p, with its size in pixels; 0: the bytes end inside it; -1:
 * there is none here. ITU-T T.81 Annex B. */
long jpeg_scan(const uint8_t *p, size_t n, unsigned *width, unsigned *height);

#endif
