#include "codec/lines.h"
#include "test.h"

#include <stdlib.h>

/* Everything a feed handed over, as text: "line|line|!8|" with !N for an overlong line. */
struct log {
    char text[8192];
    size_t len;
};

static void log_line(void *ctx, const char *s, size_t n) {
    struct log *g = ctx;
    size_t room = sizeof g->text - g->len;
    int len = s ? snprintf(g->text + g->len, room, "%.*s|", (int)n, s)
                : snprintf(g->text + g->len, room, "!%zu|", n);
    g->len += (size_t)len;
}

static void feed(struct lines *l, const char *s, struct log *g) {
    lines_feed(l, (const uint8_t *)s, strlen(s), log_line, g);
}

TEST(strips_lf_and_one_cr) {
    struct lines l;
    struct log g = {0};
    lines_init(&l, 0);
    feed(&l, "a\nb\r\n\n\r\nc\r\r\nd\re\n tail", &g);
    CHECK_STR(g.text, "a|b|||c\r|d\re|");
    CHECK_INT(l.lines, 6);
    CHECK_INT(l.bytes, 21);
    CHECK_INT(l.len, 5);
    lines_free(&l);
}

TEST(empty_lines_are_not_reported_as_overlong) {
    struct lines l;
    struct log g = {0};
    lines_init(&l, 0);
    feed(&l, "\n\r\n", &g);
    CHECK_STR(g.text, "||");
    CHECK_INT(l.overlong, 0);
    lines_free(&l);
}

/* A limit of 8: what is too long must not depend on CR, nor on the pieces. */
static const char stream[] = "12345678\n12345678\r\n123456789\n123456789\r\n12345678\r\r\n"
                             "1234567\r8\n\r\n12345678\r9\nok\r\n12345678901234567890\r\n\nend\n";
static const char stream_log[] = "12345678|12345678|!8|!8|!8|!8||!8|ok|!8||end|";

TEST(bounds_the_length) {
    struct lines l;
    struct log g = {0};
    lines_init(&l, 8);
    feed(&l, stream, &g);
    CHECK_STR(g.text, stream_log);
    CHECK_INT(l.overlong, 6);
    CHECK_INT(l.lines, 6);
    lines_free(&l);
}

TEST(splits_do_not_matter) {
    size_t n = sizeof stream - 1;
    for (size_t a = 0; a <= n; a++)
        for (size_t b = a; b <= n; b++) {
            struct lines l;
            struct log g = {0};
            const uint8_t *p = (const uint8_t *)stream;
            lines_init(&l, 8);
            lines_feed(&l, p, a, log_line, &g);
            lines_feed(&l, p + a, b - a, log_line, &g);
            lines_feed(&l, p + b, n - b, log_line, &g);
            CHECK_STR(g.text, stream_log);
            CHECK_INT(l.lines, 6);
            CHECK_INT(l.overlong, 6);
            CHECK_INT(l.bytes, n);
            lines_free(&l);
        }
}

TEST(byte_by_byte) {
    struct lines l;
    struct log g = {0};
    lines_init(&l, 8);
    for (const char *s = stream; *s; s++)
        lines_feed(&l, (const uint8_t *)s, 1, log_line, &g);
    CHECK_STR(g.text, stream_log);
    lines_free(&l);
}

TEST(endless_line_is_reported_once_and_early) {
    struct lines l;
    struct log g = {0};
    static uint8_t block[65536];
    memset(block, 'x', sizeof block);
    lines_init(&l, 0);
    for (int i = 0; i < 64; i++)
        lines_feed(&l, block, sizeof block, log_line, &g);
    CHECK_STR(g.text, "!256|");
    feed(&l, "still it\nnext\n", &g);
    CHECK_STR(g.text, "!256|next|");
    CHECK_INT(l.overlong, 1);
    lines_free(&l);
}

TEST(reset_drops_the_tail) {
    struct lines l;
    struct log g = {0};
    lines_init(&l, 8);
    feed(&l, "PRE", &g);
    lines_reset(&l);
    feed(&l, "SS\n", &g);
    feed(&l, "123456789", &g);
    lines_reset(&l);
    feed(&l, "new\n", &g);
    CHECK_STR(g.text, "SS|!8|new|");
    lines_free(&l);
}

static void whole_line(void *ctx, const char *s, size_t n) {
    const char **want = ctx;
    CHECK(s == *want);
    *want += n + 1;
}

TEST(lines_within_the_input_are_not_copied) {
    struct lines l;
    static const char text[] = "one\ntwo\nthree\n";
    const char *want = text;
    lines_init(&l, 0);
    lines_feed(&l, (const uint8_t *)text, sizeof text - 1, whole_line, &want);
    CHECK(want == text + sizeof text - 1);
    lines_free(&l);
}

/* Exact-size blocks, so that AddressSanitizer sees any read past the input. */
TEST(random_pieces) {
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        struct lines l;
        struct log whole = {0}, pieces = {0};
        uint8_t text[400];
        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (uint8_t) "abc\r\n\nxy"[(seed = seed * 1664525 + 1013904223) >> 29];
        lines_init(&l, 6);
        lines_feed(&l, text, sizeof text, log_line, &whole);
        lines_reset(&l);
        for (size_t at = 0; at < sizeof text;) {
            size_t n = (seed = seed * 1664525 + 1013904223) >> 27;
            n = n < sizeof text - at ? n : sizeof text - at;
            uint8_t *piece = malloc(n ? n : 1);
            memcpy(piece, text + at, n);
            lines_feed(&l, piece, n, log_line, &pieces);
            free(piece);
            at += n;
        }
        CHECK_STR(pieces.text, whole.text);
        lines_free(&l);
    }
}
