#include "espcam_picture.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { FIRST_BYTES = 128 << 10, FIRST_CHUNKS = 1024, KEEP_BYTES = 1 << 20 };

/* ---- memory ---- */

static size_t next_cap(size_t cap, size_t first, size_t want, size_t limit) {
    size_t next = cap ? cap : first;
    while (next < want)
        next *= 2;
    return next < limit ? next : limit;
}

static size_t data_next(const struct espcam_picture *p, size_t len, size_t limit) {
    return p->len + len <= p->cap ? p->cap : next_cap(p->cap, FIRST_BYTES, p->len + len, limit);
}

static size_t chunk_next(const struct espcam_picture *p, size_t limit) {
    size_t most = limit / ESPCAM_CHUNK_MIN + 1;
    return p->chunks < p->chunk_cap ? p->chunk_cap
                                    : next_cap(p->chunk_cap, FIRST_CHUNKS, p->chunks + 1, most);
}

size_t espcam_picture_growth(const struct espcam_picture *p, size_t len, size_t limit) {
    if (p->len + len <= p->cap && p->chunks < p->chunk_cap)
        return 0;
    return data_next(p, len, limit) - p->cap +
           (chunk_next(p, limit) - p->chunk_cap) * sizeof *p->chunk;
}

/* Blocks of this size are moved by the system, not copied. */
void espcam_picture_grow(struct espcam_picture *p, size_t len, size_t limit) {
    size_t cap = data_next(p, len, limit), chunk_cap = chunk_next(p, limit);
    if (cap != p->cap)
        p->data = mem_resize(p->data, cap);
    if (chunk_cap != p->chunk_cap)
        p->chunk = mem_resize(p->chunk, chunk_cap * sizeof *p->chunk);
    p->cap = cap;
    p->chunk_cap = chunk_cap;
}

size_t espcam_picture_memory(const struct espcam_picture *p) {
    return p->cap + p->chunk_cap * sizeof *p->chunk;
}

void espcam_picture_free(struct espcam_picture *p) {
    free(p->data);
    free(p->chunk);
    *p = (struct espcam_picture){0};
}

void espcam_picture_clear(struct espcam_picture *p) {
    if (espcam_picture_memory(p) > KEEP_BYTES)
        espcam_picture_free(p);
    *p = (struct espcam_picture){
        .data = p->data, .cap = p->cap, .chunk = p->chunk, .chunk_cap = p->chunk_cap};
}

void espcam_bench_free(struct espcam_bench *b) {
    free(b->index);
    free(b->data);
    *b = (struct espcam_bench){0};
}

static void bench_fit(struct espcam_bench *b, const struct espcam_picture *p) {
    if (b->index_cap < p->chunks) {
        b->index_cap = p->chunk_cap;
        b->index = mem_resize(b->index, b->index_cap * sizeof *b->index);
    }
    if (b->data_cap < p->len) {
        b->data_cap = p->cap;
        b->data = mem_resize(b->data, b->data_cap);
    }
}

/* ---- taking in ---- */

static void tail_update(struct espcam_picture *p, const uint8_t *d, size_t n) {
    p->tail[0] = n >= 2 ? d[n - 2] : p->tail[1];
    p->tail[1] = d[n - 1];
}

void espcam_picture_add(struct espcam_picture *p, const struct espcam_frame *f) {
    if (p->frames == 0) {
        p->first_seq = f->seq;
        p->started_ns = f->time_ns;
    }
    p->frames++;
    p->bytes += f->len;
    p->bad += !f->sum_ok;
    p->last_seq = f->seq;
    p->most = f->seq > p->most ? f->seq : p->most;
    tail_update(p, f->data, f->len);
    if (p->overflow)
        return;
    p->chunk[p->chunks++] =
        (struct espcam_chunk){f->seq, (uint32_t)p->len, (uint16_t)f->len, !f->sum_ok};
    memcpy(p->data + p->len, f->data, f->len);
    p->len += f->len;
}

bool espcam_picture_pop_stray(struct espcam_picture *p, const struct espcam_frame *next,
                              struct espcam_frame *out, uint8_t *data) {
    if (p->chunks < 2)
        return false;
    const struct espcam_chunk *last = &p->chunk[p->chunks - 1], *before = last - 1;
    if (last->seq != next->seq + 1 || (last->seq == before->seq + 1 && p->chunks > 2))
        return false;
    memcpy(data, p->data + last->at, last->len);
    out->data = data;
    out->len = last->len;
    out->seq = last->seq;
    out->sum_ok = !last->bad;
    p->chunks--;
    p->frames--;
    p->len -= last->len;
    p->bytes -= last->len;
    p->bad -= last->bad;
    p->last_seq = before->seq;
    tail_update(p, p->data + before->at, before->len);
    return true;
}

static bool chunk_same(const struct espcam_picture *p, size_t a, size_t b) {
    const struct espcam_chunk *x = &p->chunk[a], *y = &p->chunk[b];
    return x->len == y->len && memcmp(p->data + x->at, p->data + y->at, x->len) == 0;
}

bool espcam_picture_is_constant(const struct espcam_picture *p) {
    return p->frames > 1 && p->first_seq == p->last_seq && p->most == p->first_seq &&
           (p->chunks < 2 || p->chunk[p->chunks - 2].seq == p->last_seq);
}

/* Behind two chunks of the same number the number says nothing, and equal data may be the
 * picture's own. */
bool espcam_picture_repeats(const struct espcam_picture *p, const struct espcam_frame *f) {
    if (p->chunks == 0 || p->last_seq != f->seq || p->chunk[p->chunks - 1].len != f->len ||
        (p->chunks > 1 && p->chunk[p->chunks - 2].seq == f->seq))
        return false;
    return memcmp(p->data + p->chunk[p->chunks - 1].at, f->data, f->len) == 0;
}

bool espcam_picture_begins_with(const struct espcam_picture *p, const struct espcam_frame *f) {
    return p->chunks > 0 && p->chunk[0].len == f->len && memcmp(p->data, f->data, f->len) == 0;
}

bool espcam_picture_has(const struct espcam_picture *p, uint32_t seq) {
    for (size_t i = p->chunks; i > 0; i--)
        if (p->chunk[i - 1].seq == seq)
            return true;
    return false;
}

bool espcam_picture_wants(const struct espcam_picture *p, uint32_t seq) {
    if (seq == p->last_seq + 1 || espcam_picture_is_constant(p))
        return true;
    return seq > 0 && seq <= p->most + 1 && !espcam_picture_has(p, seq);
}

bool espcam_picture_starts(const struct espcam_picture *p) {
    return p->len >= 3 && p->data[0] == 0xFF && p->data[1] == 0xD8 && p->data[2] == 0xFF;
}

bool espcam_picture_is_ended(const struct espcam_picture *p) {
    return p->tail[0] == 0xFF && p->tail[1] == 0xD9;
}

/* ---- one way to read the chunks ---- */

enum order {
    AS_RECEIVED,
    BY_NUMBER,
    BY_NUMBER_LAST,  /* the later of two with one number */
    BY_NUMBER_AROUND /* with what came before the start and has a higher number */
};

struct way {
    size_t start; /* first chunk */
    enum order order;
    bool drop_bad;
    bool reduce; /* neighbours with the same data become one: heard twice by the gateway */
};

/* A list of chunks, in bench->index. */
struct list {
    const struct espcam_picture *p;
    uint32_t *i;
    size_t n;
    bool numbered, constant; /* numbers go up by one; are all the same */
    bool left_over;          /* chunks were left out that are in no other way in it */
    bool reduced;
};

static int compare_seq(const void *a, const void *b, void *ctx) {
    const struct espcam_chunk *chunk = ctx;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (chunk[x].seq != chunk[y].seq)
        return chunk[x].seq < chunk[y].seq ? -1 : 1;
    return x < y ? -1 : 1;
}

/* The run of consecutive numbers from the first on. */
static void list_sort(struct list *l, bool last) {
    const struct espcam_chunk *c = l->p->chunk;
    size_t n = 0;
    qsort_r(l->i, l->n, sizeof *l->i, compare_seq, l->p->chunk);
    for (size_t k = 0; k < l->n; k++) {
        if (n > 0 && c[l->i[k]].seq == c[l->i[n - 1]].seq) {
            l->left_over |= !chunk_same(l->p, l->i[k], l->i[n - 1]);
            if (last)
                l->i[n - 1] = l->i[k];
        } else if (n == 0 || c[l->i[k]].seq == c[l->i[n - 1]].seq + 1) {
            l->i[n++] = l->i[k];
        } else {
            l->left_over = true;
            break;
        }
    }
    l->n = n;
}

static void list_number(struct list *l) {
    const struct espcam_chunk *c = l->p->chunk;
    l->numbered = l->constant = true;
    for (size_t k = 1; k < l->n; k++) {
        uint32_t step = c[l->i[k]].seq - c[l->i[k - 1]].seq;
        l->numbered &= step == 1;
        l->constant &= step == 0;
    }
    l->constant &= l->n > 1;
}

static void list_reduce(struct list *l) {
    size_t n = 0;
    for (size_t k = 0; k < l->n; k++)
        if (n == 0 || !chunk_same(l->p, l->i[k], l->i[n - 1]))
            l->i[n++] = l->i[k];
    l->reduced = n < l->n;
    l->n = n;
}

static void list_build(struct list *l, const struct espcam_picture *p, const struct way *w,
                       struct espcam_bench *b) {
    *l = (struct list){.p = p, .i = b->index};
    bool around = w->order == BY_NUMBER_AROUND;
    for (size_t k = around ? 0 : w->start; k < p->chunks; k++)
        if ((!w->drop_bad || !p->chunk[k].bad) &&
            (!around || p->chunk[k].seq >= p->chunk[w->start].seq))
            l->i[l->n++] = (uint32_t)k;
    if (w->order != AS_RECEIVED)
        list_sort(l, w->order == BY_NUMBER_LAST);
    list_number(l);
    if (w->reduce)
        list_reduce(l);
}

/* ---- evidence ---- */

/* The bytes of a list: where they lie when nothing was moved, else copied together. */
static void list_bytes(const struct list *l, struct espcam_bench *b, struct espcam_proof *out) {
    const struct espcam_chunk *c = l->p->chunk;
    bool moved = false;
    size_t len = 0;
    for (size_t k = 0; k < l->n; k++) {
        moved |= c[l->i[k]].at != c[l->i[0]].at + len;
        len += c[l->i[k]].len;
    }
    out->data = moved ? b->data : l->p->data + c[l->i[0]].at;
    out->len = len;
    out->chunks = l->n;
    out->first_seq = c[l->i[0]].seq;
    out->last_seq = c[l->i[l->n - 1]].seq;
    for (size_t k = 0, at = 0; moved && k < l->n; at += c[l->i[k++]].len)
        memcpy(b->data + at, l->p->data + c[l->i[k]].at, c[l->i[k]].len);
}

static bool list_has_bad(const struct list *l) {
    for (size_t k = 0; k < l->n; k++)
        if (l->p->chunk[l->i[k]].bad)
            return true;
    return false;
}

static bool chunk_begins_jpeg(const struct espcam_picture *p, size_t k) {
    const uint8_t *d = p->data + p->chunk[k].at;
    return p->chunk[k].len >= 3 && d[0] == 0xFF && d[1] == 0xD8 && d[2] == 0xFF;
}

/* The camera has begun anew in the middle: what is in front does not belong to the picture. */
static bool list_has_second_start(const struct list *l) {
    for (size_t k = 1; k < l->n; k++)
        if (chunk_begins_jpeg(l->p, l->i[k]))
            return true;
    return false;
}

/* Which of the two was sent twice, or whether the picture has it twice, nobody can tell. */
static bool list_has_twins(const struct list *l) {
    for (size_t k = 1; k < l->n; k++)
        if (chunk_same(l->p, l->i[k], l->i[k - 1]))
            return true;
    return false;
}

static bool is_jpeg(const uint8_t *d, size_t n) {
    return n >= 4 && d[0] == 0xFF && d[1] == 0xD8 && d[n - 2] == 0xFF && d[n - 1] == 0xD9;
}

struct proving {
    const struct espcam_picture *p;
    const struct espcam_token *t;
    const struct espcam_trust *trust;
    struct espcam_bench *b;
    struct espcam_proof *out;
};

/* A picture begins with the number behind that of the frame before it, or with 1. */
static bool list_begins(const struct proving *v, const struct list *l) {
    const struct espcam_chunk *first = &v->p->chunk[l->i[0]];
    if (first->seq == 1 || first->seq == v->trust->first)
        return true;
    return l->i[0] > 0 && first->seq == v->p->chunk[l->i[0] - 1].seq + 1;
}

/* Without a token nothing may be missing, doubtful or left over. A constant number shows no hole,
 * so there nothing may have been damaged either. */
static bool list_speaks_for_itself(const struct proving *v, const struct list *l) {
    const struct espcam_trust *t = v->trust;
    if (!t->ended || l->reduced || l->left_over || list_has_bad(l) || list_has_twins(l) ||
        list_has_second_start(l))
        return false;
    bool constant = l->constant && t->clean && !t->hash_lost;
    if (!constant && !(l->numbered && list_begins(v, l)))
        return false;
    list_bytes(l, v->b, v->out);
    return is_jpeg(v->out->data, v->out->len);
}

/* The weak token is blind to order, so the numbers must agree with it. Where they are constant, a
 * chunk that came twice may stand for one that is lost. */
static bool list_is_weak(const struct proving *v, const struct list *l) {
    if (v->t->kind != ESPCAM_TOKEN_SUM)
        return false;
    if (list_has_bad(l) || !(l->numbered || l->constant))
        return true;
    return l->constant && !v->trust->clean && list_has_twins(l);
}

static bool list_matches(const struct proving *v, const struct list *l) {
    if (list_is_weak(v, l))
        return false;
    list_bytes(l, v->b, v->out);
    return espcam_token_matches(v->t, v->out->data, v->out->len);
}

/* ---- all ways ---- */

static bool way_proves(const struct proving *v, const struct way *w) {
    struct list l;
    list_build(&l, v->p, w, v->b);
    if (l.n == 0 || (w->reduce && !l.reduced))
        return false;
    if (v->t->kind == ESPCAM_TOKEN_SHA256 && l.n == v->p->chunks && w->order == AS_RECEIVED)
        return false; /* proves_as_received has found that */
    if (!espcam_token_usable(v->t)) {
        v->out->verified = ESPCAM_UNVERIFIED;
        return list_speaks_for_itself(v, &l);
    }
    v->out->verified = v->t->kind == ESPCAM_TOKEN_SHA256 ? ESPCAM_BY_SHA256 : ESPCAM_BY_SUM;
    return list_matches(v, &l);
}

static bool is_numbered(const struct espcam_picture *p) {
    for (size_t k = 1; k < p->chunks; k++)
        if (p->chunk[k].seq != p->chunk[k - 1].seq + 1)
            return false;
    return true;
}

/* Sorting changes nothing where the numbers are in order already. */
static int orders_of(const struct espcam_picture *p, size_t start) {
    if (espcam_picture_is_constant(p) || is_numbered(p))
        return 1;
    return start ? BY_NUMBER_AROUND + 1 : BY_NUMBER_LAST + 1;
}

static bool start_proves(const struct proving *v, size_t start) {
    int orders = orders_of(v->p, start);
    int drops = v->p->bad ? 2 : 1;
    for (int drop = 0; drop < drops; drop++)
        for (int order = 0; order < orders; order++)
            for (int reduce = 0; reduce < 2; reduce++)
                if (way_proves(v, &(struct way){start, (enum order)order, drop, reduce}))
                    return true;
    return false;
}

/* As nearly every picture comes: hash first, nothing missing. Spares it the lists. */
static bool proves_as_received(const struct proving *v) {
    const struct espcam_picture *p = v->p;
    *v->out = (struct espcam_proof){ESPCAM_BY_SHA256, p->data,      p->len,
                                    p->chunks,        p->first_seq, p->last_seq};
    return v->t->kind == ESPCAM_TOKEN_SHA256 && espcam_token_matches(v->t, p->data, p->len);
}

bool espcam_picture_prove(const struct espcam_picture *p, const struct espcam_token *t,
                          const struct espcam_trust *trust, struct espcam_bench *b,
                          struct espcam_proof *out) {
    struct proving v = {p, t, trust, b, out};
    if (p->overflow || p->chunks == 0 || (!trust->ended && !espcam_token_usable(t)))
        return false;
    if (proves_as_received(&v))
        return true;
    bench_fit(b, p);
    if (start_proves(&v, 0))
        return true;
    /* The camera began again, or remains of another picture lie in front: the latest is likeliest.
     */
    int tried = 0;
    for (size_t k = p->chunks - 1; k > 0 && tried < ESPCAM_STARTS; k--) {
        if (!chunk_begins_jpeg(p, k))
            continue;
        tried++;
        if (start_proves(&v, k))
            return true;
    }
    return false;
}

size_t espcam_picture_missing(const struct espcam_picture *p, struct espcam_bench *b,
                              struct espcam_range *out, size_t max) {
    size_t n = 0;
    uint32_t next = 1;
    if (p->chunks == 0 || espcam_picture_is_constant(p))
        return 0;
    bench_fit(b, p);
    for (size_t k = 0; k < p->chunks; k++)
        b->index[k] = (uint32_t)k;
    qsort_r(b->index, p->chunks, sizeof *b->index, compare_seq, p->chunk);
    for (size_t k = 0; k < p->chunks && n < max; k++) {
        uint32_t seq = p->chunk[b->index[k]].seq;
        if (seq > next && next)
            out[n++] = (struct espcam_range){next, seq - 1};
        next = seq + 1;
    }
    return n;
}
