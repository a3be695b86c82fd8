/* espcam_jpeg: how large a picture is, from its JPEG headers. Pure. */
#ifndef DISPATCH_ESPCAM_JPEG_H
#define DISPATCH_ESPCAM_JPEG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Width and height in pixels; false when the bytes do not say. */
bool cam_jpeg_size(const uint8_t *p, size_t n, unsigned *width, unsigned *height);

#endif
