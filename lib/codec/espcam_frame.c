#include "espcam_frame.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "espcam_text.h"

static const uint8_t START[4] = {0xFA, 0xCE, 0xAA, 0xBB}, END[4] = {0xCD, 0xEF, 0x56, 0x78};

/* ---- fields ---- */

static uint64_t load64(const uint8_t *p) {
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

static uint32_t load32(const uint8_t *p, bool big) {
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return big ? be32toh(x) : le32toh(x);
}

/* Four sums side by side, because one would wait for itself at each step. */
uint32_t espcam_sum(const uint8_t *p, size_t n) {
    uint64_t a = 0, b = 0, c = 0, d = 0;
    for (; n >= 32; p += 32, n -= 32) {
        a ^= load64(p);
        b ^= load64(p + 8);
        c ^= load64(p + 16);
        d ^= load64(p + 24);
    }
    for (; n >= 8; p += 8, n -= 8)
        b ^= load64(p);
    uint64_t rest = 0;
    memcpy(&rest, p, n);
    a = le64toh(a ^ b ^ c ^ d ^ rest);
    return (uint32_t)(a ^ a >> 32);
}

/* ---- one place that could be a frame ---- */

struct look {
    size_t len, span;
    size_t need; /* bytes that decide, when there are too few */
    bool big;
};

enum verdict { WHOLE, BAD_SUM, BAD_END, BAD_LENGTH, TOO_FEW };

/* Below 65536 the two readings of a length never both fit (section 2.1). */
static bool length_read(const struct espcam_scan *s, const uint8_t *p, struct look *l) {
    uint32_t big = load32(p + 15, true), little = load32(p + 15, false);
    if (big > s->limit && little > s->limit)
        return false;
    l->big = big == 0 ? s->big : big <= s->limit;
    l->len = l->big ? big : little;
    l->span = ESPCAM_OVERHEAD + l->len;
    return true;
}

/* The cheap tests come first: a checksum is computed only where the end marker is in place. */
static enum verdict place_look(const struct espcam_scan *s, const uint8_t *p, size_t n,
                               struct look *l) {
    l->need = ESPCAM_HEAD;
    if (n < ESPCAM_HEAD)
        return TOO_FEW;
    if (!length_read(s, p, l))
        return BAD_LENGTH;
    l->need = l->span;
    if (n < l->span)
        return TOO_FEW;
    const uint8_t *sum = p + ESPCAM_HEAD + l->len;
    if (memcmp(sum + 4, END, 4) != 0)
        return BAD_END;
    return espcam_sum(p + ESPCAM_HEAD, l->len) == load32(sum, l->big) ? WHOLE : BAD_SUM;
}

/* Distance from p, at least from, of the first start marker, or of a tail that may become one; n
 * when there is neither. */
static size_t start_find(const uint8_t *p, size_t n, size_t from) {
    if (n - from >= 4 && memcmp(p + from, START, 4) == 0)
        return from;
    const uint8_t *at = memmem(p + from, n - from, START, 4);
    if (at)
        return (size_t)(at - p);
    for (size_t k = n - from < 3 ? n - from : 3; k > 0; k--)
        if (memcmp(p + n - k, START, k) == 0)
            return n - k;
    return n;
}

/* Distance of the first whole frame that begins behind p and before p + within; 0 = none. A place
 * that has too few bytes to tell ends the search, with their number in *need, unless that is NULL.
 */
static size_t inside_find(const struct espcam_scan *s, const uint8_t *p, size_t n, size_t within,
                          size_t *need) {
    struct look l;
    size_t seen = n < within + 3 ? n : within + 3;
    for (size_t i = start_find(p, seen, 1); i < within; i = start_find(p, seen, i + 1)) {
        enum verdict v = place_look(s, p + i, n - i, &l);
        if (v == WHOLE)
            return i;
        if (v == TOO_FEW && need) {
            *need = i + l.need;
            return 0;
        }
    }
    return 0;
}

/* ---- frames ---- */

/* One feed or search. */
struct pass {
    struct espcam_scan *scan;
    espcam_frame_fn *frame;
    void *ctx;
    bool final; /* nothing more comes: what is unfinished stays so */
};

/* The time of a byte: of those fed now, or as marked. */
static uint64_t byte_time(const struct espcam_scan *s, const uint8_t *p) {
    if (s->run)
        return s->pass_ns;
    size_t at = (size_t)(p - s->held), i = s->marks;
    while (i > 1 && s->mark[i - 1].at > at)
        i--;
    return s->mark[i - 1].ns;
}

/* Section 2.3: the type byte may be damaged unseen, so the content decides. Without a right
 * checksum neither is to be believed, and whatever claims to end or begin a picture is not data. */
static enum espcam_type kind_find(const struct espcam_frame *f, bool lenient) {
    bool trust = f->sum_ok || lenient;
    if (espcam_text_is_end(f->data, f->len) || (!trust && f->type == ESPCAM_END))
        return ESPCAM_END;
    if (espcam_text_is_hash(f->data, f->len, f->type == ESPCAM_HASH || !trust) ||
        (!trust && f->type == ESPCAM_HASH))
        return ESPCAM_HASH;
    return ESPCAM_DATA;
}

static void frame_fill(struct espcam_frame *f, const uint8_t *p, const struct look *l) {
    f->mac = p + 4;
    f->type = p[10];
    f->seq = load32(p + 11, l->big);
    f->data = p + ESPCAM_HEAD;
    f->len = l->len;
    f->big = l->big;
}

/* Section 2.4: a frame whose data is exactly one frame of the same camera. */
static void frame_unwrap(struct espcam_scan *s, struct espcam_frame *f) {
    struct look l;
    const uint8_t *p = f->data;
    if (f->len < ESPCAM_OVERHEAD || memcmp(p, START, 4) != 0 ||
        memcmp(p + 4, f->mac, ESPCAM_MAC) != 0)
        return;
    enum verdict v = place_look(s, p, f->len, &l);
    if ((v != WHOLE && v != BAD_SUM) || l.span != f->len)
        return;
    frame_fill(f, p, &l);
    s->bad_sum += f->sum_ok && v == BAD_SUM;
    f->sum_ok = f->sum_ok && v == WHOLE;
    f->nested = true;
    s->nested_frames++;
}

static void frame_give(const struct pass *w, const uint8_t *p, const struct look *l, bool sum_ok) {
    struct espcam_scan *s = w->scan;
    struct espcam_frame f = {.sum_ok = sum_ok, .time_ns = byte_time(s, p)};
    frame_fill(&f, p, l);
    s->frames++;
    s->big = l->big;
    if (l->big)
        s->big_frames++;
    else
        s->little_frames++;
    frame_unwrap(s, &f);
    f.kind = kind_find(&f, s->lenient);
    w->frame(w->ctx, &f);
}

/* A frame with both markers and a wrong checksum: either its bytes are damaged, or its marker was
 * none and a good frame lies inside, which may reach beyond its end. */
static size_t suspect_take(const struct pass *w, const uint8_t *p, size_t n, const struct look *l) {
    size_t need = 0;
    size_t inside = inside_find(w->scan, p, n, l->span, w->final ? NULL : &need);
    if (need) {
        w->scan->need = need;
        return 0;
    }
    w->scan->bad_sum++;
    if (inside) {
        w->scan->skipped_bytes += inside;
        return inside;
    }
    frame_give(w, p, l, false);
    return l->span;
}

static size_t unfinished_take(const struct pass *w, const uint8_t *p, size_t n, size_t need) {
    size_t inside = w->final ? inside_find(w->scan, p, n, n, NULL) : 0;
    w->scan->skipped_bytes += inside;
    w->scan->need = need;
    return inside;
}

static size_t reject(struct espcam_scan *s, uint64_t *count) {
    ++*count;
    s->skipped_bytes++;
    return 1;
}

/* Deal with the marker at p; the number of bytes that are done with, 0 = more are needed. Nothing
 * is consumed on trust: after a failed test the search goes on one byte behind the marker. */
static size_t place_take(const struct pass *w, const uint8_t *p, size_t n) {
    struct espcam_scan *s = w->scan;
    struct look l;
    switch (place_look(s, p, n, &l)) {
    case WHOLE:
        frame_give(w, p, &l, true);
        return l.span;
    case BAD_SUM:
        return suspect_take(w, p, n, &l);
    case BAD_END:
        return reject(s, &s->bad_end);
    case BAD_LENGTH:
        return reject(s, &s->bad_length);
    case TOO_FEW:
        break;
    }
    return unfinished_take(w, p, n, l.need);
}

/* The number of bytes of p that are done with. */
static size_t bytes_scan(const struct pass *w, const uint8_t *p, size_t n) {
    for (size_t i = 0;;) {
        size_t at = start_find(p, n, i);
        w->scan->skipped_bytes += at - i;
        size_t done = at < n ? place_take(w, p + at, n - at) : 0;
        if (done == 0)
            return at;
        i = at + done;
    }
}

/* ---- bytes held between two feeds ---- */

static void mark_add(struct espcam_scan *s, uint64_t ns) {
    if (s->held_len == 0)
        s->marks = 0;
    if (s->marks && s->mark[s->marks - 1].ns == ns)
        return;
    if (s->marks == ESPCAM_MARKS)
        s->marks--; /* the oldest times matter most: they are those of frames in waiting */
    s->mark[s->marks++] = (struct espcam_mark){s->held_len, ns};
}

static void held_add(struct espcam_scan *s, const uint8_t *p, size_t n) {
    if (n == 0)
        return;
    mark_add(s, s->pass_ns);
    memcpy(s->held + s->held_len, p, n);
    s->held_len += n;
}

static void held_drop(struct espcam_scan *s, size_t n) {
    size_t first = 0;
    s->held_len -= n;
    memmove(s->held, s->held + n, s->held_len);
    while (first + 1 < s->marks && s->mark[first + 1].at <= n)
        first++;
    s->marks -= first;
    memmove(s->mark, s->mark + first, s->marks * sizeof *s->mark);
    for (size_t i = 0; i < s->marks; i++)
        s->mark[i].at -= s->mark[i].at < n ? s->mark[i].at : n;
}

/* Complete what is held with the first bytes of p. Returns how many of them are done with: as soon
 * as what is held lies wholly in p, the scan goes on there. */
static size_t held_feed(const struct pass *w, const uint8_t *p, size_t n) {
    struct espcam_scan *s = w->scan;
    size_t taken = 0;
    while (s->held_len > taken) {
        size_t want = s->need - s->held_len;
        size_t k = want < n - taken ? want : n - taken;
        held_add(s, p + taken, k);
        taken += k;
        if (k < want)
            return n;
        s->run = NULL;
        held_drop(s, bytes_scan(w, s->held, s->held_len));
    }
    taken -= s->held_len;
    s->held_len = 0;
    return taken;
}

void espcam_scan_feed(struct espcam_scan *s, const uint8_t *p, size_t n, uint64_t now_ns,
                      espcam_frame_fn *frame, void *ctx) {
    struct pass w = {s, frame, ctx, false};
    if (n == 0)
        return;
    s->pass_ns = now_ns;
    size_t at = held_feed(&w, p, n);
    if (s->held_len == 0) {
        s->run = p;
        at += bytes_scan(&w, p + at, n - at);
        held_add(s, p + at, n - at);
    }
    s->idle_at = s->held_len > ESPCAM_OVERHEAD ? now_ns + ESPCAM_IDLE_NS : 0;
}

uint64_t espcam_scan_deadline(const struct espcam_scan *s) {
    return s->idle_at;
}

void espcam_scan_search(struct espcam_scan *s, espcam_frame_fn *frame, void *ctx) {
    struct pass w = {s, frame, ctx, true};
    s->idle_at = 0;
    s->run = NULL;
    if (s->held_len)
        held_drop(s, bytes_scan(&w, s->held, s->held_len));
}

void espcam_scan_end(struct espcam_scan *s, espcam_frame_fn *frame, void *ctx) {
    espcam_scan_search(s, frame, ctx);
    s->skipped_bytes += s->held_len;
    s->held_len = 0;
}

void espcam_scan_init(struct espcam_scan *s, size_t limit) {
    assert(limit >= ESPCAM_FRAME_MIN && limit <= ESPCAM_FRAME_MAX);
    *s = (struct espcam_scan){.limit = limit, .big = true};
    /* A suspect frame, and one that begins inside it and ends behind it. */
    s->held = mem_alloc(2 * (ESPCAM_OVERHEAD + limit));
}

void espcam_scan_free(struct espcam_scan *s) {
    free(s->held);
    s->held = NULL;
}
