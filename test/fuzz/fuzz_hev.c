/* Fuzz: the hev codec: a line with the data as its bytes, and what is decoded encoded again.
 *
 * Data: pieces, each of one byte with its length (low 5 bits) and the pause before it (high 3 bits,
 * 10 ms each), then its bytes. A second link gets the same bytes one by one.
 * Checked: both hear the same; every information frame is answered once; a frame encoded again is
 * decoded to itself; a payload that is understood, set field by field, is the same bytes; every
 * payload given to hev_link_send is told exactly once. The data is also read as a dump file, and
 * put into a payload of some layout.
 */
#include "codec/hev_dump.h"
#include "codec/hev_link.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* For the random inputs of main.c: flags, escapes, heads, and whole frames (an alarm and a command
 * of A0, acknowledgements) each as a piece; lines of a dump. */
const char *const fuzz_words[] = {"\x7e",
                                  "\x7d",
                                  "\x7d\x5e",
                                  "\x05\x7e\x40\x02\x01\x83",
                                  "\x07\x7e\x40\x02\x01\x83\xe2\x7e",
                                  "\x27\x7e\x80\x02\x01\x19\xe8\x7e",
                                  "\x47\x7e\xc0\x02\x05\x4a",
                                  "\x29\xc0\x12\x7e\xa0\x19\x07",
                                  "\x80\xaa",
                                  "\xb6\x01\x01\x01\x01\x05",
                                  "b'",
                                  "b'a00101010101'\n",
                                  "b'aa01010101060301000000",
                                  "'\n",
                                  "\xa0\x1b",
                                  "\xff",
                                  NULL};

struct side {
    struct hev_link link;
    uint64_t hash; /* FNV-1a over all that is heard */
    uint64_t delivered, answers, wires, told;
};

static void require(bool ok) {
    if (!ok)
        abort();
}

static void hash_add(struct side *s, const void *p, size_t n) {
    const uint8_t *b = p;
    for (size_t i = 0; i < n; i++)
        s->hash = (s->hash ^ b[i]) * 1099511628211ull;
}

/* ---- encode after decode ---- */

static void same_frame(void *ctx, const struct hev_frame *f) {
    const struct hev_frame **want = ctx;
    const struct hev_frame *w = *want;
    require(f->kind == w->kind && f->address == w->address && f->len == w->len);
    require(f->ns == w->ns && f->nr == w->nr);
    require(f->len == 0 || memcmp(f->data, w->data, f->len) == 0);
    *want = NULL;
}

static void frame_again(const struct hev_frame *f) {
    uint8_t wire[HEV_WIRE_MAX];
    struct hev_receiver r = {0};
    const struct hev_frame *want = f;
    size_t n = hev_frame_encode(wire, f);
    require(n >= 7 && n <= sizeof wire && wire[0] == 0x7E && wire[n - 1] == 0x7E);
    require(!memchr(wire + 1, 0x7E, n - 2));
    hev_receiver_feed(&r, wire, n, 1, same_frame, &want);
    require(!want && r.frames == 1);
}

/* What a text has behind its NUL, padding and the payload of a NaN are not kept. */
static bool field_again(uint8_t *out, uint8_t *copy, const struct hev_layout *l,
                        const struct hev_field *f, size_t at) {
    struct hev_value v = hev_field_get(f, copy + at);
    if (f->form == HEV_PAD || (f->form == HEV_F32 && isnan(v.f))) {
        memset(copy + at, 0, f->size);
        return true;
    }
    if (f->form == HEV_TEXT) {
        require(v.text.len <= f->size);
        memset(copy + at + v.text.len, 0, f->size - v.text.len);
        return hev_payload_set_text(out, l, f->name, (char *)copy + at, v.text.len);
    }
    double number = f->form == HEV_F32 ? v.f : f->form == HEV_I8 ? v.i : (double)v.u;
    return hev_payload_set(out, l, f->name, number) &&
           hev_payload_get(out, l, f->name, -1e99) == number;
}

static void payload_again(const struct hev_frame *f) {
    uint8_t out[HEV_PAYLOAD_MAX], copy[HEV_PAYLOAD_MAX];
    const char *why = NULL;
    const struct hev_layout *l = hev_layout_of(f->address, f->data, f->len, &why);
    require((l == NULL) == (why != NULL));
    if (!l)
        return;
    require(l->bytes == f->len);
    memcpy(copy, f->data, f->len);
    hev_payload_begin(out, l, copy[0]);
    for (size_t i = 0, at = 0; i < l->count; at += l->fields[i++].size)
        require(field_again(out, copy, l, &l->fields[i], at));
    require(memcmp(out, copy, f->len) == 0);
}

/* ---- the line ---- */

static void on_deliver(void *ctx, const struct hev_frame *f) {
    struct side *s = ctx;
    s->delivered++;
    require(f->kind == HEV_INFO && f->len <= HEV_PAYLOAD_MAX && f->ns < 128);
    hash_add(s, &f->address, 1);
    hash_add(s, &f->ns, 1);
    hash_add(s, &f->time_ns, sizeof f->time_ns);
    hash_add(s, f->data, f->len);
    frame_again(f);
    payload_again(f);
}

static void on_answer(void *ctx, const struct hev_frame *f) {
    struct side *s = ctx;
    s->answers++;
    require(f->kind != HEV_INFO && f->len == 0 && f->nr < 128);
    hash_add(s, &f->nr, 1);
    frame_again(f);
}

static void on_write(void *ctx, const uint8_t *wire, size_t n) {
    struct side *s = ctx;
    s->wires++;
    hash_add(s, wire, n);
}

static void on_sent(void *ctx, const struct hev_sent *sent) {
    struct side *s = ctx;
    s->told++;
    require(sent->ok <= (sent->tries > 0) && sent->tries <= 3);
    hash_add(s, &sent->id, sizeof sent->id);
    hash_add(s, &sent->ok, sizeof sent->ok);
}

/* A block of its own for each feed, so that AddressSanitizer sees a read past its end. */
static void feed(struct side *s, const uint8_t *data, size_t n, uint64_t now) {
    uint8_t *block = malloc(n ? n : 1);
    memcpy(block, data, n);
    hev_link_feed(&s->link, block, n, now);
    free(block);
}

static void pause_end(struct side *s, uint64_t now) {
    for (uint64_t due; (due = hev_link_deadline(&s->link)) && due <= now;)
        hev_link_timeout(&s->link, due);
}

static void piece(struct side *a, struct side *b, const uint8_t *p, size_t n, uint64_t now) {
    pause_end(a, now);
    pause_end(b, now);
    feed(a, p, n, now);
    for (size_t i = 0; i < n; i++)
        feed(b, p + i, 1, now);
    if (n == 0)
        return;
    uint64_t until = now + n * 1000000;
    require(hev_link_send_until(&a->link, p[0] % HEV_CLASSES, now, p, n, now, until));
    require(hev_link_send_until(&b->link, p[0] % HEV_CLASSES, now, p, n, now, until));
}

static void side_begin(struct side *s) {
    static const struct hev_link_config config = {.tries = 3, .depth = 4};
    static const struct hev_link_hooks hooks = {
        .write = on_write, .deliver = on_deliver, .answer = on_answer, .sent = on_sent};
    memset(s, 0, sizeof *s);
    hev_link_init(&s->link, &config, &hooks, s);
}

static void side_end(const struct side *s, uint64_t payloads) {
    const struct hev_link *l = &s->link;
    require(l->receiver.frames == s->delivered + l->repeats + s->answers);
    require(s->wires == s->delivered - l->unaddressed + l->repeats + l->sent + l->resent);
    require(s->told == payloads && hev_link_pending(l) == 0);
}

static void line_check(const uint8_t *data, size_t n) {
    static struct side a, b;
    uint64_t now = 1, payloads = 0;
    side_begin(&a);
    side_begin(&b);
    for (size_t at = 0; at < n;) {
        size_t len = data[at] & 31;
        now += (uint64_t)(data[at] >> 5) * 10000000;
        at++;
        len = len < n - at ? len : n - at;
        piece(&a, &b, data + at, len, now);
        payloads += len > 0;
        at += len;
    }
    hev_link_reset(&a.link);
    hev_link_reset(&b.link);
    side_end(&a, payloads);
    side_end(&b, payloads);
    require(a.hash == b.hash && a.delivered == b.delivered && a.answers == b.answers);
}

static void dump_check(const uint8_t *data, size_t n) {
    uint8_t *block = malloc(n ? n : 1);
    struct hev_dump d;
    struct hev_dump_payload p;
    const char *why;
    memcpy(block, data, n);
    hev_dump_init(&d, block, n);
    size_t steps = 0;
    for (int r; (r = hev_dump_next(&d, &p, &why)) != 0; steps++) {
        require(p.line > 0 && steps <= n);
        require(r < 0 || hev_layout_of(p.address, p.data, p.len, NULL));
    }
    free(block);
}

/* A payload of the layout that the first byte chooses, filled with the rest. */
static void layout_check(const uint8_t *data, size_t n) {
    uint8_t p[HEV_PAYLOAD_MAX];
    size_t layouts = 0;
    while (hev_layout_at(layouts))
        layouts++;
    if (n < 2)
        return;
    const struct hev_layout *l = hev_layout_at(data[0] % layouts);
    for (size_t i = 0; i < l->bytes; i++)
        p[i] = data[1 + i % (n - 1)];
    p[0] = l->last;
    if (l->typed)
        p[HEV_TYPE_AT] = l->type;
    struct hev_frame f = {.address = hev_type_address(l->type), .data = p, .len = l->bytes};
    require(hev_layout_of(f.address, p, f.len, NULL) == l);
    payload_again(&f);
    frame_again(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    layout_check(data, n);
    line_check(data, n);
    dump_check(data, n);
    return 0;
}
