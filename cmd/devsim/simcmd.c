#include "simcmd.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "opt.h"

static const char blanks[] = " \t\r\n";

const char *simcmd_split(const char *text, char word[32]) {
    size_t n = strcspn(text, blanks);
    snprintf(word, 32, "%.*s", (int)n, text);
    return text + n + strspn(text + n, blanks);
}

char *simcmd_trim(char *text) {
    text += strspn(text, blanks);
    size_t n = strlen(text);
    while (n && strchr(blanks, text[n - 1]))
        text[--n] = 0;
    return text;
}

static int hex(char c) {
    const char *digits = "0123456789abcdef", *at = strchr(digits, tolower((unsigned char)c));
    return c && at ? (int)(at - digits) : -1;
}

/* The byte of the escape whose letter is at p; *used = characters after the backslash. -1 = none.
 */
static int escaped(const char *p, size_t *used) {
    static const char letters[] = "nrt\\0", bytes[] = "\n\r\t\\";
    const char *at = *p ? strchr(letters, *p) : NULL;
    *used = 1;
    if (at)
        return (unsigned char)bytes[at - letters];
    if (*p != 'x' || hex(p[1]) < 0 || hex(p[2]) < 0)
        return -1;
    *used = 3;
    return hex(p[1]) * 16 + hex(p[2]);
}

long simcmd_unescape(const char *text, uint8_t *out, size_t size, struct err *e) {
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        int c = (unsigned char)*p;
        size_t used = 0;
        if (c == '\\' && (c = escaped(p + 1, &used)) < 0)
            return err_set(e, CAUSE_USAGE, "\"%.8s\" is no escape (\\n \\r \\t \\\\ \\xNN)", p);
        if (n == size)
            return err_set(e, CAUSE_LIMIT, "more than %zu bytes", size);
        out[n++] = (uint8_t)c;
        p += used;
    }
    return (long)n;
}

static int run_raw(struct simtty *t, const char *text, const char *end, bool dry, struct err *e) {
    uint8_t data[SIMCMD_MAX];
    long n = simcmd_unescape(text, data, sizeof data - 2, e);
    if (n < 0)
        return -1;
    memcpy(data + n, end, strlen(end));
    if (!dry)
        simtty_send(t, data, (size_t)n + strlen(end));
    return 1;
}

static int run_unplug(struct simtty *t, const char *rest, bool dry, struct err *e) {
    int64_t ms = 0;
    if (*rest && opt_number(OPT_DURATION, rest, &ms, e) < 0)
        return -1;
    if (ms < 0)
        return err_set(e, CAUSE_USAGE, "unplug %s: no time before now", rest);
    if (!dry)
        simtty_unplug(t, (uint64_t)ms);
    return 1;
}

int simcmd_run(struct simtty *t, const char *line_end, const char *text, bool dry, struct err *e) {
    char word[32];
    const char *rest = simcmd_split(text, word);
    if (strcmp(word, "send") == 0)
        return run_raw(t, rest, line_end, dry, e);
    if (strcmp(word, "raw") == 0)
        return run_raw(t, rest, "", dry, e);
    if (strcmp(word, "unplug") == 0)
        return run_unplug(t, rest, dry, e);
    if (strcmp(word, "plug") == 0)
        return dry || simtty_plug(t, e) == 0 ? 1 : -1;
    if (strcmp(word, "stop-reading") != 0 && strcmp(word, "start-reading") != 0)
        return 0;
    if (!dry)
        simtty_hold(t, strcmp(word, "stop-reading") == 0);
    return 1;
}
