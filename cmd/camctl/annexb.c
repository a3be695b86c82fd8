#include "annexb.h"

#include <string.h>

/* Types of NAL units, H.264 table 7-1. */
enum { NAL_SLICE = 1, NAL_IDR = 5, NAL_SEI = 6, NAL_SPS = 7, NAL_PPS = 8, NAL_AUD = 9 };

enum { MARK = 3, LOOK = MARK + 2 /* a mark, the type, the first byte of a slice */ };

static const uint8_t mark[MARK] = {0, 0, 1};

/* Distance to the next mark that can be looked at, or to the first byte that may begin one. */
static size_t find_mark(const uint8_t *p, size_t n, size_t from) {
    const uint8_t *m = from < n ? memmem(p + from, n - from, mark, MARK) : NULL;
    if (m)
        return (size_t)(m - p);
    for (size_t at = n > from + MARK - 1 ? n - (MARK - 1) : from; at < n; at++)
        if (memcmp(p + at, mark, n - at) == 0)
            return at;
    return n;
}

/* A picture's first slice begins with macroblock 0, coded as a single 1 bit. */
static bool is_first_slice(const uint8_t *nal) {
    int type = nal[MARK] & 31;
    return (type == NAL_SLICE || type == NAL_IDR) && (nal[MARK + 1] & 0x80);
}

/* Whether the unit begins a piece, and of which kind. */
static bool begins(struct annexb *a, const uint8_t *nal, struct annexb_piece *out) {
    int type = nal[MARK] & 31;
    bool prefix = type >= NAL_SEI && type <= NAL_AUD, slice = is_first_slice(nal);
    if (!prefix && !slice)
        return false;
    out->leave = !a->in_prefix;
    if (out->leave)
        a->has_sps = false;
    out->enter = type == NAL_SPS || (type == NAL_IDR && !a->has_sps);
    a->has_sps |= type == NAL_SPS;
    a->in_prefix = prefix;
    return out->leave || out->enter;
}

bool annexb_next(struct annexb *a, const uint8_t *p, size_t n, struct annexb_piece *out) {
    struct annexb later;
    struct annexb_piece next;
    *out = (struct annexb_piece){.len = 0};
    size_t at = find_mark(p, n, 0);
    if (at == 0 && n < LOOK)
        return false;
    if (at == 0)
        begins(a, p, out);
    at = at == 0 ? find_mark(p, n, 1) : at;
    while (n - at >= LOOK) {
        later = *a;
        if (begins(&later, p + at, &next))
            break;
        *a = later;
        at = find_mark(p, n, at + 1);
    }
    out->len = at;
    return at > 0;
}
