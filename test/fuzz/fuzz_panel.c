/* Fuzz: the panel codec, with the pieces and the pauses taken from the data.
 *
 * Data: byte 0 chooses the number of buttons, then pieces follow: one byte with the length of the
 * piece (low 5 bits) and the pause before it (high 3 bits, 10 ms each), then its bytes.
 * Checked: every event keeps the promises of panel.h; a copy of the panel fed byte by byte, with
 * its timer called late instead of on time, gives the same events.
 */
#include "codec/panel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* For the random inputs of main.c: what a panel says, and heads of pieces. */
const char *const fuzz_words[] = {"PRESS ",   "005",           "010",      "\n",   "\r\n",
                                  "RELEASE ", "SE ",           "\x1f",     "\x09", "\xdf",
                                  "\x03",     "\nPRESS 005\n", "READY",    "OK",   "FW ",
                                  "ERROR ",   "HEAP 5",        "\xc2\x9b", "\xff", NULL};

struct trace {
    const struct panel *panel;
    uint64_t hash; /* FNV-1a over all events */
    uint64_t events;
};

static void require(bool ok) {
    if (!ok)
        abort();
}

static void hash_add(struct trace *t, const void *p, size_t n) {
    const uint8_t *s = p;
    for (size_t i = 0; i < n; i++)
        t->hash = (t->hash ^ s[i]) * 1099511628211ull;
}

static void text_check(const struct panel_event *e) {
    require(e->text && e->text_len <= LINES_LIMIT);
    if (e->kind == PANEL_IGNORED)
        return;
    for (size_t i = 0; i < e->text_len; i++)
        require((uint8_t)e->text[i] >= 0x20 || e->text[i] == '\t');
}

static void event_check(void *ctx, const struct panel_event *e) {
    struct trace *t = ctx;
    unsigned buttons = t->panel->buttons;
    require(e->kind < PANEL_KINDS && e->reason < PANEL_REASONS);
    require(e->id <= buttons && (e->kind != PANEL_PRESS || e->id >= 1));
    require((e->kind == PANEL_INFO) == (e->key != NULL));
    text_check(e);
    t->events++;
    hash_add(t, &e->kind, sizeof e->kind);
    hash_add(t, &e->reason, sizeof e->reason);
    hash_add(t, &e->id, sizeof e->id);
    hash_add(t, &e->time_ns, sizeof e->time_ns);
    hash_add(t, e->text, e->text_len);
}

/* A block of its own for each feed, so that AddressSanitizer sees a read past its end. */
static void feed(struct panel *p, const uint8_t *data, size_t n, uint64_t now, struct trace *t) {
    uint8_t *block = malloc(n ? n : 1);
    memcpy(block, data, n);
    panel_feed(p, block, n, now, event_check, t);
    free(block);
    require(n == 0 || panel_deadline(p) == 0 || panel_deadline(p) == now + PANEL_FRAGMENT_NS);
}

static void feed_bytes(struct panel *p, const uint8_t *data, size_t n, uint64_t now,
                       struct trace *t) {
    for (size_t i = 0; i < n; i++)
        feed(p, data + i, 1, now, t);
}

static void pause_end(struct panel *p, uint64_t now, struct trace *t) {
    uint64_t due = panel_deadline(p);
    if (due == 0 || due > now)
        return;
    uint64_t before = t->events;
    panel_timeout(p, due, event_check, t);
    require(t->events == before + 1 && panel_deadline(p) == 0);
}

static void counters_check(const struct panel *p, const struct trace *t) {
    uint64_t events = 0, ignored = 0;
    for (int i = 0; i < PANEL_KINDS; i++)
        events += p->count[i];
    for (int i = 0; i < PANEL_REASONS; i++)
        ignored += p->ignored[i];
    require(events == t->events && ignored == p->count[PANEL_IGNORED]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct panel a, b;
    struct trace ta = {.panel = &a}, tb = {.panel = &b};
    uint64_t now = 1;
    unsigned buttons = n ? data[0] * 4 % PANEL_BUTTONS_MAX + 1 : 10;
    panel_init(&a, buttons);
    panel_init(&b, buttons);
    for (size_t at = 1; at < n;) {
        size_t len = data[at] & 31;
        now += (uint64_t)(data[at] >> 5) * 10000000;
        at++;
        len = len < n - at ? len : n - at;
        pause_end(&a, now, &ta);
        feed(&a, data + at, len, now, &ta);
        feed_bytes(&b, data + at, len, now, &tb);
        at += len;
    }
    pause_end(&a, now + PANEL_FRAGMENT_NS, &ta);
    feed(&b, data, 0, now + PANEL_FRAGMENT_NS, &tb);
    counters_check(&a, &ta);
    require(ta.events == tb.events && ta.hash == tb.hash);
    panel_free(&a);
    panel_free(&b);
    return 0;
}
