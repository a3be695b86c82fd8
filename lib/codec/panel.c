#include "panel.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "utf8.h"

struct span {
    const char *s;
    size_t n;
};

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* ASCII only: isdigit() follows the locale. */
static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static struct span span_strip(struct span l) {
    while (l.n > 0 && is_space(l.s[l.n - 1]))
        l.n--;
    while (l.n > 0 && is_space(l.s[0])) {
        l.s++;
        l.n--;
    }
    return l;
}

static struct span span_after(struct span l, size_t n) {
    return span_strip((struct span){l.s + n, l.n - n});
}

static bool span_begins(struct span l, const char *head) {
    size_t n = strlen(head);
    return l.n >= n && memcmp(l.s, head, n) == 0;
}

static bool span_is(struct span l, const char *word) {
    return l.n == strlen(word) && span_begins(l, word);
}

/* Whether l is the first, or last, letters of word: one at least, all of them at most. */
static bool span_is_head(struct span l, const char *word) {
    return l.n > 0 && l.n <= strlen(word) && memcmp(l.s, word, l.n) == 0;
}

static bool span_is_tail(struct span l, const char *word) {
    size_t n = strlen(word);
    return l.n > 0 && l.n <= n && memcmp(l.s, word + n - l.n, l.n) == 0;
}

static bool span_is_end(struct span l, const char *word) {
    return span_is_head(l, word) || span_is_tail(l, word);
}

/* Everything before the first blank. */
static struct span span_word(struct span l) {
    const char *blank = memchr(l.s, ' ', l.n);
    return (struct span){l.s, blank ? (size_t)(blank - l.s) : l.n};
}

/* Value of a span of digits, kept from growing above PANEL_BUTTONS_MAX; -1 = it is no number. */
static int span_number(struct span l) {
    int v = 0;
    for (size_t i = 0; i < l.n; i++) {
        if (!is_digit(l.s[i]))
            return -1;
        if (v <= PANEL_BUTTONS_MAX)
            v = v * 10 + (l.s[i] - '0');
    }
    return l.n > 0 ? v : -1;
}

/* U+0080..U+009F count too: terminals obey them. */
static bool is_control(const unsigned char *s, size_t len) {
    if (len == 1)
        return (s[0] < 0x20 && s[0] != '\t') || s[0] == 0x7F;
    return len == 2 && s[0] == 0xC2 && s[1] < 0xA0;
}

/* PANEL_TEXT = the line can be shown as it is. */
static enum panel_reason text_judge(struct span l) {
    const unsigned char *s = (const unsigned char *)l.s;
    enum panel_reason reason = PANEL_TEXT;
    for (size_t i = 0; i < l.n;) {
        int len = utf8_step(s + i, l.n - i);
        if (len < 0)
            return PANEL_NOT_UTF8;
        if (is_control(s + i, (size_t)len))
            reason = PANEL_MALFORMED;
        i += (size_t)len;
    }
    return reason;
}

static void event_ignore(struct panel_event *e, enum panel_reason reason) {
    e->kind = PANEL_IGNORED;
    e->reason = reason;
}

static void event_press(const struct panel *p, struct panel_event *e, int number) {
    if (number < 1 || (unsigned)number > p->buttons) {
        event_ignore(e, PANEL_OUT_OF_RANGE);
        return;
    }
    e->kind = PANEL_PRESS;
    e->id = (unsigned)number;
}

static void event_text(struct panel_event *e, enum panel_kind kind, struct span text) {
    e->kind = kind;
    e->text = text.s;
    e->text_len = text.n;
}

/* Section 1.3 rule 1. Every tail of PRESS counts: it ends in S, and no tail of RELEASE does. */
static bool press_take(const struct panel *p, struct span l, struct panel_event *e) {
    struct span word = span_word(l);
    if (word.n == l.n || !span_is_tail(word, "PRESS"))
        return false;
    int number = span_number(span_after(l, word.n));
    if (number >= 0)
        event_press(p, e, number);
    return number >= 0;
}

/* Section 1.3 rule 2: a press whose head was lost, unless the line before was the head of a
 * RELEASE. */
static bool number_take(const struct panel *p, struct span l, struct panel_event *e,
                        bool after_release) {
    int number = span_number(l);
    if (number < 0)
        return false;
    if (after_release)
        event_ignore(e, PANEL_AFTER_RELEASE);
    else
        event_press(p, e, number);
    return true;
}

/* Section 1.3 rule 3. */
static bool release_take(const struct panel *p, struct span l, struct panel_event *e) {
    struct span word = span_word(l);
    if (word.n == l.n || !(span_is(word, "RELEASE") || span_is(word, "SE")))
        return false;
    int number = span_number(span_after(l, word.n));
    e->kind = PANEL_RELEASE;
    e->id = number >= 1 && (unsigned)number <= p->buttons ? (unsigned)number : 0;
    return true;
}

/* Section 1.3 rule 4. */
static bool answer_take(struct span l, struct panel_event *e) {
    if (span_is(l, "READY"))
        e->kind = PANEL_READY;
    else if (span_is(l, "PONG"))
        e->kind = PANEL_PONG;
    else if (span_begins(l, "OK"))
        e->kind = PANEL_OK;
    else if (span_begins(l, "FW "))
        e->kind = PANEL_FW;
    else if (span_begins(l, "ERROR "))
        event_text(e, PANEL_ERROR, span_after(l, 6));
    else if (span_begins(l, "MODE "))
        event_text(e, PANEL_MODE, span_after(l, 5));
    else if (span_begins(l, "MAPPING "))
        event_text(e, PANEL_MAPPING, span_after(l, 8));
    else
        return false;
    return true;
}

/* Section 1.3 rule 5. */
static bool info_take(struct span l, struct panel_event *e) {
    static const char *const keys[] = {"CURLED", "BTNS", "LEDS", "HEAP", "CORE", "QFREE", "QOVFL"};
    struct span word = span_word(l);
    if (word.n == l.n)
        return false;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (span_is(word, keys[i])) {
            event_text(e, PANEL_INFO, span_after(l, word.n));
            e->key = keys[i];
            return true;
        }
    }
    return false;
}

/* Whether a line that is no message has the looks of a press or release that was damaged on its
 * way. It decides about a warning only. */
static bool is_damaged(struct span l) {
    if (span_begins(l, "PRESS") || span_begins(l, "RELEASE"))
        return true;
    bool digit = false;
    for (size_t i = 0; i < l.n; i++) {
        if (!memchr("0123456789 +-.PRESLA", l.s[i], 20))
            return false;
        digit = digit || is_digit(l.s[i]);
    }
    return digit || span_is_end(l, "PRESS") || span_is_end(l, "RELEASE");
}

static void line_judge(struct panel *p, struct span l, struct panel_event *e) {
    bool after_release = p->after_release;
    p->after_release = false;
    enum panel_reason reason = text_judge(l);
    if (reason == PANEL_TEXT) {
        if (press_take(p, l, e) || number_take(p, l, e, after_release) || release_take(p, l, e) ||
            answer_take(l, e) || info_take(l, e))
            return;
        p->after_release = span_is_end(l, "RELEASE");
        if (is_damaged(l))
            reason = PANEL_MALFORMED;
    }
    event_ignore(e, reason);
}

/* One call of panel_feed or panel_timeout. */
struct pass {
    struct panel *panel;
    uint64_t now_ns;
    panel_event_fn *event;
    void *ctx;
};

static void event_give(const struct pass *w, struct panel_event *e) {
    struct panel *p = w->panel;
    p->count[e->kind]++;
    if (e->kind == PANEL_IGNORED)
        p->ignored[e->reason]++;
    w->event(w->ctx, e);
}

static void line_take(void *ctx, const char *s, size_t n) {
    const struct pass *w = ctx;
    struct panel *p = w->panel;
    struct panel_event e = {.time_ns = p->start_ns, .text = ""};
    p->start_ns = w->now_ns;
    if (s) {
        struct span l = span_strip((struct span){s, n});
        if (l.n == 0)
            return;
        e.text = l.s;
        e.text_len = l.n;
        line_judge(p, l, &e);
    } else {
        p->after_release = false;
        event_ignore(&e, PANEL_OVERLONG);
    }
    event_give(w, &e);
}

/* Section 1.4: nothing shorter may be finished, for the rest of it could still be on its way. */
static bool tail_is_complete(const struct panel *p) {
    struct span l = span_strip((struct span){p->lines.tail, p->lines.len});
    if (l.n == 9 && span_begins(l, "PRESS "))
        l = (struct span){l.s + 6, 3};
    return l.n == 3 && span_number(l) >= 0;
}

void panel_timeout(struct panel *p, uint64_t now_ns, panel_event_fn *event, void *ctx) {
    if (p->deadline_ns == 0 || now_ns < p->deadline_ns)
        return;
    struct pass w = {p, now_ns, event, ctx};
    p->deadline_ns = 0;
    p->early++;
    line_take(&w, p->lines.tail, p->lines.len);
    /* The LF may still come; it ends an empty line then, which is nothing. */
    lines_reset(&p->lines);
}

void panel_feed(struct panel *p, const uint8_t *data, size_t n, uint64_t now_ns,
                panel_event_fn *event, void *ctx) {
    panel_timeout(p, now_ns, event, ctx);
    if (n == 0)
        return;
    struct pass w = {p, now_ns, event, ctx};
    if (p->lines.len == 0)
        p->start_ns = now_ns;
    lines_feed(&p->lines, data, n, line_take, &w);
    p->deadline_ns = tail_is_complete(p) ? now_ns + PANEL_FRAGMENT_NS : 0;
}

uint64_t panel_deadline(const struct panel *p) {
    return p->deadline_ns;
}

void panel_init(struct panel *p, unsigned buttons) {
    assert(buttons >= 1 && buttons <= PANEL_BUTTONS_MAX);
    *p = (struct panel){.buttons = buttons};
    lines_init(&p->lines, LINES_LIMIT);
}

void panel_free(struct panel *p) {
    lines_free(&p->lines);
}

void panel_reset(struct panel *p) {
    lines_reset(&p->lines);
    p->after_release = false;
    p->deadline_ns = 0;
}

const char *panel_kind_name(enum panel_kind k) {
    static const char *const names[PANEL_KINDS] = {
        [PANEL_PRESS] = "press", [PANEL_RELEASE] = "release", [PANEL_READY] = "ready",
        [PANEL_PONG] = "pong",   [PANEL_OK] = "ok",           [PANEL_ERROR] = "error",
        [PANEL_FW] = "fw",       [PANEL_MODE] = "mode",       [PANEL_MAPPING] = "mapping",
        [PANEL_INFO] = "info",   [PANEL_IGNORED] = "ignored"};
    return k < PANEL_KINDS ? names[k] : "unknown";
}

const char *panel_reason_name(enum panel_reason r) {
    static const char *const names[PANEL_REASONS] = {
        [PANEL_TEXT] = "text",           [PANEL_OUT_OF_RANGE] = "out_of_range",
        [PANEL_MALFORMED] = "malformed", [PANEL_NOT_UTF8] = "not_utf8",
        [PANEL_OVERLONG] = "overlong",   [PANEL_AFTER_RELEASE] = "after_release"};
    return r < PANEL_REASONS ? names[r] : "unknown";
}

size_t panel_command(char out[PANEL_COMMAND_SIZE], enum panel_cmd cmd, unsigned id) {
    switch (cmd) {
    case PANEL_LEDCLR:
        return (size_t)snprintf(out, PANEL_COMMAND_SIZE, "LEDCLR\n");
    case PANEL_PING:
        return (size_t)snprintf(out, PANEL_COMMAND_SIZE, "PING\n");
    case PANEL_LEDSET:
        if (id < 1 || id > PANEL_BUTTONS_MAX)
            break;
        return (size_t)snprintf(out, PANEL_COMMAND_SIZE, "LEDSET %03u\n", id);
    }
    out[0] = '\0';
    return 0;
}
