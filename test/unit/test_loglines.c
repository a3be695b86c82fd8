// What children write, cut into log lines; and log lines as people read them.
#include <stdlib.h>

#include "../../cmd/supervisor/lines.c"
#include "logline.h"
#include "test.h"

static struct {
    int n, level;
    char text[5000];
} got;

static void take(void *ctx, int level, const char *text) {
    (void)ctx;
    got.n++;
    got.level = level;
    snprintf(got.text, sizeof got.text, "%s", text);
}

static void feed(struct lines *l, const char *text) {
    lines_feed(l, text, strlen(text), take, NULL);
}

TEST(lines_in_pieces) {
    static struct lines l;
    feed(&l, "on");
    CHECK_INT(got.n, 0);
    feed(&l, "e\ntwo\nthr");
    CHECK_INT(got.n, 2);
    CHECK_STR(got.text, "two");
    feed(&l, "ee\r\n");
    CHECK_STR(got.text, "three");
    lines_end(&l, take, NULL);
    CHECK_INT(got.n, 3);
    feed(&l, "rest");
    lines_end(&l, take, NULL);
    CHECK_STR(got.text, "rest");
    CHECK_INT(got.n, 4);
}

TEST(levels) {
    static struct lines l;
    feed(&l, "<3>bad\n");
    CHECK_INT(got.level, 3);
    CHECK_STR(got.text, "bad");
    feed(&l, "plain\n");
    CHECK_INT(got.level, 6);
    feed(&l, "<8>no level\n");
    CHECK_INT(got.level, 6);
    CHECK_STR(got.text, "<8>no level");
    feed(&l, "<3\n");
    CHECK_STR(got.text, "<3");
}

TEST(empty_lines_are_no_lines) {
    static struct lines l;
    feed(&l, "\n\r\n<4>\n");
    CHECK_INT(got.n, 0);
}

TEST(a_line_too_long_is_cut_and_the_next_is_whole) {
    static struct lines l;
    char *big = malloc(100001);
    memset(big, 'x', 100000);
    big[100000] = 0;
    feed(&l, big);
    CHECK_INT(got.n, 0);
    feed(&l, "\nnext\n");
    CHECK_INT(got.n, 2);
    CHECK_STR(got.text, "next");
    feed(&l, big);
    lines_end(&l, take, NULL);
    CHECK_INT(strlen(got.text), LINE_BYTES + strlen(" ... (cut)"));
    free(big);
}

TEST(what_a_terminal_would_obey_is_shown) {
    static struct lines l;
    lines_feed(&l, "a\033[31m\0\tb\xff \xc3\xa4\n", 14, take, NULL);
    CHECK_STR(got.text, "a\\x1b[31m\\x00 b\\xff \xc3\xa4");
}

TEST(binary_of_the_worst_kind_fits) {
    static struct lines l;
    char bytes[LINE_BYTES];
    memset(bytes, 1, sizeof bytes);
    lines_feed(&l, bytes, sizeof bytes, take, NULL);
    lines_feed(&l, "\1\1\n", 3, take, NULL);
    CHECK_INT(got.n, 1);
}

TEST(styles) {
    struct buf b = {0};
    setenv("TZ", "UTC", 1);
    logline_put(&b, LOGLINE_PLAIN, 1700000000123456789u, "decode", 3, "text");
    logline_put(&b, LOGLINE_DATED, 1700000000123456789u, "decode", 3, "text");
    logline_put(&b, LOGLINE_LEVELS, 1700000000123456789u, "decode", 3, "text");
    logline_put(&b, LOGLINE_COLOUR, 1700000000123456789u, "decode", 3, "text");
    buf_putc(&b, 0);
    CHECK_STR((char *)buf_data(&b), "22:13:20.123 decode: text\n"
                                    "2023-11-14 22:13:20.123 decode: text\n"
                                    "<3>decode: text\n"
                                    "22:13:20.123 \033[34mdecode:\033[0m \033[31mtext\033[0m\n");
    buf_free(&b);
}
