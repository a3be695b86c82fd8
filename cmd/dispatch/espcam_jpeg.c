#include "espcam_jpeg.h"

/* Start of frame: C0..CF, but for tables (C4, C8, CC). */
static bool is_frame(uint8_t marker) {
    return (marker & 0xf0) == 0xc0 && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static unsigned two(const uint8_t *p) {
    return (unsigned)p[0] << 8 | p[1];
}

/* After FF D8 come segments FF MARKER LENGTH ..., the length counts itself (ITU T.81, annex B). */
bool cam_jpeg_size(const uint8_t *p, size_t n, unsigned *width, unsigned *height) {
    if (n < 2 || two(p) != 0xffd8)
        return false;
    for (size_t at = 2; n - at >= 9 && p[at] == 0xff;) {
        unsigned len = two(p + at + 2);
        if (p[at + 1] == 0xff) { /* fill byte */
            at++;
        } else if (is_frame(p[at + 1])) {
            *height = two(p + at + 5);
            *width = two(p + at + 7);
            return true;
        } else if (len < 2 || len + 2 > n - at) {
            return false;
        } else {
            at += 2 + len;
        }
    }
    return false;
}
