#include "codec/panel.h"
#include "test.h"

#include <stdlib.h>

#define MS 1000000ull
static const uint64_t T0 = 1000000000000ull;

/* Everything a panel handed over, one word an event: "press 5|release|ignored malformed|". */
struct log {
    char text[32768];
    size_t len;
    uint64_t time_ns; /* of the last event */
};

static void log_put(struct log *g, const char *word, const char *s, size_t n) {
    int len = snprintf(g->text + g->len, sizeof g->text - g->len, "%s%s%.*s|", word, n ? " " : "",
                       (int)n, s);
    g->len += (size_t)len;
}

static bool has_text(enum panel_kind k) {
    return k == PANEL_ERROR || k == PANEL_FW || k == PANEL_MODE || k == PANEL_MAPPING;
}

static void log_event(void *ctx, const struct panel_event *e) {
    struct log *g = ctx;
    char id[12];
    const char *name = panel_kind_name(e->kind), *reason = panel_reason_name(e->reason);
    g->time_ns = e->time_ns;
    if (e->id)
        log_put(g, name, id, (size_t)snprintf(id, sizeof id, "%u", e->id));
    else if (e->kind == PANEL_IGNORED)
        log_put(g, name, reason, strlen(reason));
    else if (e->kind == PANEL_INFO)
        log_put(g, e->key, e->text, e->text_len);
    else
        log_put(g, name, e->text, has_text(e->kind) ? e->text_len : 0);
}

static void feed(struct panel *p, const char *s, size_t n, uint64_t ms, struct log *g) {
    panel_feed(p, (const uint8_t *)s, n, T0 + ms * MS, log_event, g);
}

/* The log of feeding s at once to a panel of so many buttons. */
static const char *events(unsigned buttons, const char *s, size_t n) {
    static struct log g;
    struct panel p;
    memset(&g, 0, sizeof g);
    panel_init(&p, buttons);
    feed(&p, s, n, 0, &g);
    panel_free(&p);
    return g.text;
}

static const char *events_of(const char *s) {
    return events(10, s, strlen(s));
}

struct row {
    const char *line;
    const char *with_10, *with_100; /* NULL: the same as with 10 */
};

#define RANGE "ignored out_of_range|"
#define BROKEN "ignored malformed|"
#define TEXT "ignored text|"

static const struct row rows[] = {
    {"PRESS 005", "press 5|", NULL},
    {"PRESS 5", "press 5|", NULL},
    {"PRESS  5", "press 5|", NULL},
    {"PRESS \t5", "press 5|", NULL},
    {"  PRESS 005  ", "press 5|", NULL},
    {"\t\f\v PRESS 005 \v\f\t", "press 5|", NULL},
    {"PRESS 0005", "press 5|", NULL},
    {"PRESS 00000000000000000000000000005", "press 5|", NULL},
    {"PRESS 001", "press 1|", NULL},
    {"PRESS 010", "press 10|", NULL},
    {"005", "press 5|", NULL},
    {" 005", "press 5|", NULL},
    {"5", "press 5|", NULL},
    {"\t005", "press 5|", NULL},
    {"10", "press 10|", NULL},
    {"S 005", "press 5|", NULL},
    {"SS 005", "press 5|", NULL},
    {"ESS 005", "press 5|", NULL},
    {"RESS 005", "press 5|", NULL},
    {"RESS 011", RANGE, "press 11|"},
    {"PRESS 011", RANGE, "press 11|"},
    {"011", RANGE, "press 11|"},
    {"PRESS 100", RANGE, "press 100|"},
    {"100", RANGE, "press 100|"},
    {"PRESS 000", RANGE, NULL},
    {"0", RANGE, NULL},
    {"000", RANGE, NULL},
    {"PRESS 101", RANGE, NULL},
    {"PRESS 999", RANGE, NULL},
    {"PRESS 4294967301", RANGE, NULL},
    {"PRESS 18446744073709551621", RANGE, NULL},
    {"PRESS", BROKEN, NULL},
    {"PRESS ", BROKEN, NULL},
    {"PRESS -5", BROKEN, NULL},
    {"PRESS +5", BROKEN, NULL},
    {"-5", BROKEN, NULL},
    {"PRESS abc", BROKEN, NULL},
    {"PRESS 05.", BROKEN, NULL},
    {"PRESS 0x5", BROKEN, NULL},
    {"PRESS 0 05", BROKEN, NULL},
    {"0 05", BROKEN, NULL},
    {"PRESS 005 006", BROKEN, NULL},
    {"PRESS 005PRESS 006", BROKEN, NULL},
    {"005PRESS 006", BROKEN, NULL},
    {"PRESS 005\rPRESS 006", BROKEN, NULL},
    {"PRESS005", BROKEN, NULL},
    {"PRESS\t005", BROKEN, NULL},
    {"press 005", TEXT, NULL},
    {"SE 005", "release 5|", NULL},
    {"RELEASE 005", "release 5|", NULL},
    {"RELEASE 5", "release 5|", NULL},
    {"RELEASE 011", "release|", "release 11|"},
    {"RELEASE 000", "release|", NULL},
    {"RELEASE abc", "release|", NULL},
    {"E 005", BROKEN, NULL},
    {"ASE 005", BROKEN, NULL},
    {"EASE 005", BROKEN, NULL},
    {"LEASE 005", BROKEN, NULL},
    {"ELEASE 005", BROKEN, NULL},
    {"SE005", BROKEN, NULL},
    {"RELEASE", BROKEN, NULL},
    {"RELEASE005", BROKEN, NULL},
    {"PRESS 005\x01", BROKEN, NULL},
    {"\x7f"
     "005",
     BROKEN, NULL},
    {"PRESS 0\x1b[m05", BROKEN, NULL},
    {"PRESS \v5", BROKEN, NULL},
    {"\xd9\xa5", TEXT, NULL},                 /* Arabic-Indic five */
    {"\xef\xbc\x90\xef\xbc\x95", TEXT, NULL}, /* full-width 05 */
    {"PRESS \xd9\xa5", BROKEN, NULL},
    {"PRESS 00\xff"
     "5",
     "ignored not_utf8|", NULL},
    {"\x80", "ignored not_utf8|", NULL},
    {"OK \xc0\x80", "ignored not_utf8|", NULL},
    {"OK \xed\xa0\x80", "ignored not_utf8|", NULL},
    {"OK \xe0\x80\x80", "ignored not_utf8|", NULL},
    {"OK \xf4\x90\x80\x80", "ignored not_utf8|", NULL},
    {"OK \xf0\x9f\x92", "ignored not_utf8|", NULL},
    {"ERROR \xc2\x9b"
     "31m",
     BROKEN, NULL}, /* U+009B begins a terminal sequence */
    {"FW \xf0\x9f\x92\xa1", "fw FW \xf0\x9f\x92\xa1|", NULL},
    {"READY", "ready|", NULL},
    {"READY.", TEXT, NULL},
    {"PONG", "pong|", NULL},
    {"OK", "ok|", NULL},
    {"OK 005", "ok|", NULL},
    {"ERROR x", "error x|", NULL},
    {"ERROR   Invalid LED (1-100)", "error Invalid LED (1-100)|", NULL},
    {"ERROR", TEXT, NULL},
    {"FW 2.4.1 (Proto 10 LEDs)", "fw FW 2.4.1 (Proto 10 LEDs)|", NULL},
    {"MODE PROTOTYPE", "mode PROTOTYPE|", NULL},
    {"MAPPING ON", "mapping ON|", NULL},
    {"LEDS 0000010000", "LEDS 0000010000|", NULL},
    {"CURLED 5", "CURLED 5|", NULL},
    {"BTNS 10", "BTNS 10|", NULL},
    {"HEAP 372756", "HEAP 372756|", NULL},
    {"CORE 1", "CORE 1|", NULL},
    {"QFREE 16", "QFREE 16|", NULL},
    {"QOVFL 3", "QOVFL 3|", NULL},
    {"QOVFL", TEXT, NULL},
    {"HEAPS 5", TEXT, NULL},
    {"==========", TEXT, NULL},
    {"Testing LEDs...", TEXT, NULL},
    {"", "", NULL},
    {" \t\v\f", "", NULL},
};

enum { ROWS = sizeof rows / sizeof *rows };

static const char *row_want(const struct row *r, unsigned buttons) {
    return buttons == 100 && r->with_100 ? r->with_100 : r->with_10;
}

/* Each row as a line of its own with the given ending; the calls to check get line and result. */
static void rows_each(void (*check)(const char *s, size_t n, unsigned buttons, const char *want)) {
    static const char *const ends[] = {"\n", "\r\n"};
    for (size_t i = 0; i < ROWS; i++)
        for (unsigned buttons = 10; buttons <= 100; buttons += 90)
            for (int e = 0; e < 2; e++) {
                char line[128];
                int n = snprintf(line, sizeof line, "%s%s", rows[i].line, ends[e]);
                check(line, (size_t)n, buttons, row_want(&rows[i], buttons));
            }
}

static void check_whole(const char *s, size_t n, unsigned buttons, const char *want) {
    CHECK_STR(events(buttons, s, n), want);
}

TEST(line_table) {
    rows_each(check_whole);
}

static void check_split(const char *s, size_t n, unsigned buttons, const char *want) {
    for (size_t at = 0; at <= n; at++) {
        struct panel p;
        struct log g = {0};
        panel_init(&p, buttons);
        feed(&p, s, at, 0, &g);
        feed(&p, s + at, n - at, 10, &g);
        CHECK_STR(g.text, want);
        if (g.len)
            CHECK_INT(g.time_ns, at ? T0 : T0 + 10 * MS);
        panel_free(&p);
    }
}

TEST(line_table_split_at_every_byte) {
    rows_each(check_split);
}

static void check_bytes(const char *s, size_t n, unsigned buttons, const char *want) {
    struct panel p;
    struct log g = {0};
    panel_init(&p, buttons);
    for (size_t i = 0; i < n; i++)
        feed(&p, s + i, 1, i, &g);
    CHECK_STR(g.text, want);
    panel_free(&p);
}

TEST(line_table_byte_by_byte) {
    rows_each(check_bytes);
}

TEST(nul_bytes_are_malformed) {
    CHECK_STR(events(10,
                     "PRESS 0\0"
                     "05\n",
                     11),
              BROKEN);
    CHECK_STR(events(10, "\0PRESS 005\n", 11), BROKEN);
    CHECK_STR(events(10, "READY\0\n", 7), BROKEN);
}

TEST(any_number_of_buttons) {
    CHECK_STR(events(1, "PRESS 001\nPRESS 002\n", 20), "press 1|" RANGE);
    CHECK_STR(events(999, "PRESS 999\nPRESS 1000\n", 21), "press 999|" RANGE);
}

TEST(number_after_a_torn_release_is_no_press) {
    CHECK_STR(events_of("RELEASE \n005\n"), BROKEN "ignored after_release|");
    CHECK_STR(events_of("SE\r\n005\r\n"), BROKEN "ignored after_release|");
    CHECK_STR(events_of("E \n\n005\n"), BROKEN "ignored after_release|");
    CHECK_STR(events_of("REL\n005\n"), BROKEN "ignored after_release|");
    CHECK_STR(events_of("RELEASE\n005\n005\n"), BROKEN "ignored after_release|press 5|");
    CHECK_STR(events_of("RELEASE\nPRESS 005\n"), BROKEN "press 5|");
}

TEST(number_after_anything_else_is_a_press) {
    CHECK_STR(events_of("PRESS \n005\n"), BROKEN "press 5|");
    CHECK_STR(events_of("S\n005\n"), BROKEN "press 5|");
    CHECK_STR(events_of("RELEASE 005\n006\n"), "release 5|press 6|");
    CHECK_STR(events_of("RELEASE\nOK\n005\n"), BROKEN "ok|press 5|");
}

TEST(order_and_number_are_kept) {
    CHECK_STR(events_of("PRESS 001\nREADY\r\n\r\n002\nRELEASE 001\nPRESS 003\n"),
              "press 1|ready|press 2|release 1|press 3|");
}

/* ---- what the firmware says at boot (section 1.5) ---- */

static const char boot_2_4[] =
    "\r\n"
    "==========================================\r\n"
    "Button Panel v2.4.1 (PROTOTYPE: 10 LEDs)\r\n"
    "==========================================\r\n"
    "\r\n"
    "Pins:\r\n"
    "  SCK=7, MISO=8, MOSI=9, LED_OE=2\r\n"
    "  BTN_PS=4, LED_RCK=1\r\n"
    "\r\n"
    "Bit-Mapping:\r\n"
    "  Taster 1-10 -> Bits: 15,12,13,11,10,9,8,14,7,4\r\n"
    "\r\n"
    "Commands: LEDSET n, LEDON n, LEDOFF n, LEDCLR, LEDALL, TEST, STOP,\r\n"
    "  PING, STATUS, VERSION, QRESET, HELLO, HELP\r\n"
    "\r\n"
    "READY\r\n"
    "\r\n"
    "Running startup LED test...\r\n"
    "READY\r\n"
    "PRESS 005\r\n"
    "RELEASE 005\r\n";

static const char status_2_4[] = "FW 2.4.1 (Proto 10 LEDs)\r\nOK\r\n"
                                 "LEDS 0000010000\r\nCURLED 5\r\nBTNS 0000000000\r\n"
                                 "HEAP 372756\r\nCORE 1\r\nQFREE 16\r\nMODE PROTOTYPE\r\n"
                                 "MAPPING ON\r\n";

TEST(boot_of_firmware_2_4) {
    CHECK_STR(events_of(boot_2_4), TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT TEXT
              "ready|" TEXT "ready|press 5|release 5|");
    CHECK_STR(events_of(status_2_4),
              "fw FW 2.4.1 (Proto 10 LEDs)|ok|LEDS 0000010000|CURLED 5|BTNS 0000000000|"
              "HEAP 372756|CORE 1|QFREE 16|mode PROTOTYPE|mapping ON|");
}

TEST(boot_of_firmware_2_5) {
    CHECK_STR(events_of("READY\nFW selection-panel v2.5.1\nPRESS 010\n"
                        "CURLED 10\nBTNS 10\nLEDS 10\nHEAP 300000\nMODE PRODUCTION\nOK\n"
                        "ERROR INVALID_ID\n"),
              "ready|fw FW selection-panel v2.5.1|press 10|CURLED 10|BTNS 10|LEDS 10|"
              "HEAP 300000|mode PRODUCTION|ok|error INVALID_ID|");
}

/* ---- a lost LF (section 1.4) ---- */

/* Feed a, let ms pass with the timer called when it asks, feed b; the log of both. */
static const char *paused(const char *a, uint64_t ms, const char *b) {
    static struct log g;
    struct panel p;
    memset(&g, 0, sizeof g);
    panel_init(&p, 100);
    feed(&p, a, strlen(a), 0, &g);
    uint64_t due = panel_deadline(&p);
    if (due && due <= T0 + ms * MS)
        panel_timeout(&p, due, log_event, &g);
    feed(&p, b, strlen(b), ms, &g);
    panel_free(&p);
    return g.text;
}

TEST(a_complete_message_does_not_wait_for_its_lf) {
    CHECK_STR(paused("PRESS 005", 60, ""), "press 5|");
    CHECK_STR(paused("PRESS 005\r", 60, ""), "press 5|");
    CHECK_STR(paused("OK\nPRESS 005", 60, ""), "ok|press 5|");
    CHECK_STR(paused("005", 60, ""), "press 5|");
    CHECK_STR(paused("PRESS 101", 60, ""), RANGE);
    CHECK_STR(paused("PRESS 005", 49, ""), "");
}

TEST(a_late_lf_does_not_press_again) {
    CHECK_STR(paused("PRESS 005", 60, "\n"), "press 5|");
    CHECK_STR(paused("PRESS 005", 60, "\r\n"), "press 5|");
    CHECK_STR(paused("PRESS 005\r", 60, "\n"), "press 5|");
    CHECK_STR(paused("005", 60, "\nPRESS 006\n"), "press 5|press 6|");
    CHECK_STR(paused("PRESS 005", 10, "\n"), "press 5|");
}

TEST(bytes_after_an_early_finish_are_a_fresh_line) {
    CHECK_STR(paused("PRESS 005", 60, "PRESS 006\n"), "press 5|press 6|");
    CHECK_STR(paused("005", 60, "006\n"), "press 5|press 6|");
    CHECK_STR(paused("PRESS 005", 10, "PRESS 006\n"), BROKEN);
}

TEST(partial_text_waits) {
    static const struct {
        const char *a, *b, *want;
    } cases[] = {
        {"P", "RESS 005\n", "press 5|"},     {"PRESS", " 005\n", "press 5|"},
        {"PRESS ", "005\n", "press 5|"},     {"PRESS 0", "05\n", "press 5|"},
        {"PRESS 00", "5\n", "press 5|"},     {"1", "0\n", "press 10|"},
        {"01", "0\n", "press 10|"},          {"RELEASE 0", "05\n", "release 5|"},
        {"RELEASE 005", "\n", "release 5|"}, {"RELEASE ", "005\n", "release 5|"},
        {"PRESS 0005", "\n", "press 5|"},    {"READY", "\n", "ready|"},
        {"RE", "LEASE 005\n", "release 5|"}, {"0005", "\n", "press 5|"},
        {"PRESS 0001", "0\n", "press 10|"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(paused(cases[i].a, 100000, cases[i].b), cases[i].want);
}

TEST(a_late_number_of_a_torn_release_is_no_press) {
    CHECK_STR(paused("RELEASE \n005", 60, "\n"), BROKEN "ignored after_release|");
    CHECK_STR(paused("RELEASE \n", 60, "005\n"), BROKEN "ignored after_release|");
}

TEST(deadline_counts_from_the_last_byte) {
    struct panel p;
    struct log g = {0};
    panel_init(&p, 10);
    CHECK_INT(panel_deadline(&p), 0);
    feed(&p, "PRESS 00", 8, 0, &g);
    CHECK_INT(panel_deadline(&p), 0);
    feed(&p, "5", 1, 40, &g);
    CHECK_INT(panel_deadline(&p), T0 + 90 * MS);
    panel_timeout(&p, T0 + 90 * MS - 1, log_event, &g);
    CHECK_STR(g.text, "");
    panel_timeout(&p, T0 + 90 * MS, log_event, &g);
    CHECK_STR(g.text, "press 5|");
    CHECK_INT(g.time_ns, T0);
    CHECK_INT(panel_deadline(&p), 0);
    panel_timeout(&p, T0 + 500 * MS, log_event, &g);
    CHECK_STR(g.text, "press 5|");
    CHECK_INT(p.early, 1);
    panel_free(&p);
}

TEST(time_is_that_of_the_first_byte) {
    struct panel p;
    struct log g = {0};
    panel_init(&p, 10);
    feed(&p, "PRE", 3, 0, &g);
    feed(&p, "SS 005\n", 7, 10, &g);
    CHECK_INT(g.time_ns, T0);
    feed(&p, "PRE", 3, 20, &g);
    feed(&p, "SS 005\nPRESS 006\nPRE", 20, 30, &g);
    CHECK_INT(g.time_ns, T0 + 30 * MS);
    feed(&p, "SS 007\n", 7, 40, &g);
    CHECK_INT(g.time_ns, T0 + 30 * MS);
    panel_free(&p);
}

TEST(a_timer_that_comes_late_changes_nothing) {
    struct panel p;
    struct log g = {0};
    panel_init(&p, 10);
    feed(&p, "PRESS 005", 9, 0, &g);
    feed(&p, "PRESS 006\n", 10, 60, &g);
    CHECK_STR(g.text, "press 5|press 6|");
    CHECK_INT(g.time_ns, T0 + 60 * MS);
    panel_free(&p);
}

TEST(reset_forgets_the_tail) {
    struct panel p;
    struct log g = {0};
    panel_init(&p, 10);
    feed(&p, "RELEASE\n005", 11, 0, &g);
    panel_reset(&p);
    CHECK_INT(panel_deadline(&p), 0);
    panel_timeout(&p, T0 + 1000 * MS, log_event, &g);
    feed(&p, "006\n", 4, 2000, &g);
    CHECK_STR(g.text, BROKEN "press 6|");
    panel_free(&p);
}

/* ---- volume and garbage ---- */

TEST(a_thousand_presses_in_one_feed) {
    static char burst[10001];
    static char want[10001];
    size_t len = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(burst + i * 10, 11, "PRESS %03d\n", i % 100 + 1);
        len += (size_t)snprintf(want + len, sizeof want - len, "press %d|", i % 100 + 1);
    }
    CHECK_STR(events(100, burst, 10000), want);
    for (size_t at = 4995; at < 5006; at++) {
        struct panel p;
        static struct log g;
        memset(&g, 0, sizeof g);
        panel_init(&p, 100);
        feed(&p, burst, at, 0, &g);
        feed(&p, burst + at, 10000 - at, 1, &g);
        CHECK_STR(g.text, want);
        CHECK_INT(p.count[PANEL_PRESS], 1000);
        panel_free(&p);
    }
}

TEST(an_endless_line_is_reported_once) {
    struct panel p;
    struct log g = {0};
    static char block[4096];
    memset(block, '5', sizeof block);
    panel_init(&p, 10);
    for (int i = 0; i < 1000; i++)
        feed(&p, block, sizeof block, (uint64_t)i * 100, &g);
    CHECK_INT(panel_deadline(&p), 0);
    feed(&p, "005\nPRESS 005\n", 14, 200000, &g);
    CHECK_STR(g.text, "ignored overlong|press 5|");
    CHECK_INT(p.ignored[PANEL_OVERLONG], 1);
    CHECK_INT(p.lines.overlong, 1);
    panel_free(&p);
}

static uint32_t random_next(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static size_t random_text(char *out, size_t size, uint32_t *seed) {
    static const char *const words[] = {"PRESS ", "005", "\n",  "\r\n", "RELEASE ", "SE ", "OK",
                                        "\xff",   "\n",  "010", " ",    "READY",    "E",   "0"};
    size_t n = 0;
    while (n + 8 < size) {
        const char *w = words[random_next(seed) % 14];
        memcpy(out + n, w, strlen(w));
        n += strlen(w);
        if (random_next(seed) % 16 == 0)
            out[n - 1] = (char)random_next(seed);
    }
    return n;
}

TEST(random_pieces) {
    uint32_t seed = 20240;
    for (int round = 0; round < 5000; round++) {
        struct panel p;
        static struct log g;
        char text[300];
        size_t n = random_text(text, sizeof text, &seed);
        memset(&g, 0, sizeof g);
        panel_init(&p, 10);
        for (size_t at = 0; at < n;) {
            size_t part = random_next(&seed) % 24;
            part = part < n - at ? part : n - at;
            char *piece = malloc(part ? part : 1);
            memcpy(piece, text + at, part);
            feed(&p, piece, part, 0, &g);
            free(piece);
            at += part;
        }
        CHECK_STR(events(10, text, n), g.text);
        panel_free(&p);
    }
}

TEST(commands) {
    char out[PANEL_COMMAND_SIZE];
    CHECK_INT(panel_command(out, PANEL_LEDCLR, 0), 7);
    CHECK_STR(out, "LEDCLR\n");
    CHECK_INT(panel_command(out, PANEL_PING, 0), 5);
    CHECK_STR(out, "PING\n");
    CHECK_INT(panel_command(out, PANEL_LEDSET, 5), 11);
    CHECK_STR(out, "LEDSET 005\n");
    CHECK_INT(panel_command(out, PANEL_LEDSET, 999), 11);
    CHECK_STR(out, "LEDSET 999\n");
    CHECK_INT(panel_command(out, PANEL_LEDSET, 0), 0);
    CHECK_INT(panel_command(out, PANEL_LEDSET, 1000), 0);
    CHECK_STR(out, "");
}
