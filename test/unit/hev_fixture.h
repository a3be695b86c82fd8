/* Files of test/data/hev, hex text, and frames as text, for the tests of the hev codec. */
#ifndef TAPLINE_TEST_HEV_FIXTURE_H
#define TAPLINE_TEST_HEV_FIXTURE_H

#include "buf.h"
#include "codec/hev.h"
#include "test.h"

#include <stdlib.h>

/* The whole file with a NUL behind it. The tests run in the repository's root. */
static inline struct buf data_read(const char *name) {
    char path[200];
    struct buf b = {0};
    snprintf(path, sizeof path, "test/data/hev/%s", name);
    FILE *f = fopen(path, "rb");
    if (!f)
        test_fail(__FILE__, __LINE__, "cannot open %s (run this in the repository's root)", path);
    for (size_t n = 1; n > 0; buf_added(&b, n))
        n = fread(buf_reserve(&b, 65536), 1, 65536, f);
    fclose(f);
    buf_putc(&b, '\0');
    b.end--;
    return b;
}

/* Bytes of hex digits up to the first other character; blanks are passed over. */
static inline size_t unhex(uint8_t *out, size_t size, const char *text) {
    size_t n = 0;
    char two[3] = "";
    for (; *text; text += 2) {
        while (*text == ' ')
            text++;
        memcpy(two, text, 2);
        char *end;
        unsigned long v = strtoul(two, &end, 16);
        if (end != two + 2)
            break;
        CHECK(n < size);
        out[n++] = (uint8_t)v;
    }
    return n;
}

/* Frames heard, one line each: "40 info 3 a000..." or "80 ack 4". */
static inline void frame_note(void *ctx, const struct hev_frame *f) {
    struct buf *b = ctx;
    static const char *const kinds[] = {"info", "ack", "nack"};
    buf_printf(b, "%02x %s %d%s", f->address, kinds[f->kind], f->kind == HEV_INFO ? f->ns : f->nr,
               f->len ? " " : "");
    for (size_t i = 0; i < f->len; i++)
        buf_printf(b, "%02x", f->data[i]);
    buf_putc(b, '\n');
}

static inline const char *text_of(struct buf *b) {
    buf_putc(b, '\0');
    b->end--;
    return (const char *)buf_data(b);
}

#endif
