/* tapline logs: the lines the supervisor has kept, and with -f those that follow. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "log.h"
#include "logline.h"
#include "opt.h"
#include "pick.h"
#include "rpc.h"

enum { FOLLOW_MS = 200, LINES_MAX = 4000 };

static bool follow;
static int64_t lines = 100;
static const char *level_word = "debug";

static const struct opt options[] = {
    {"follow", 'f', OPT_FLAG, &follow, NULL, "go on as the log grows", 0, 0},
    {"lines", 'n', OPT_INT, &lines, "N", "so many lines at first", 0, LINES_MAX},
    {"level", 0, OPT_TEXT, &level_word, "WORD", "not below error, warning, info or debug", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline logs",
    .summary = "the log of a running pipeline",
    .synopsis = "[STAGE]",
    .tables = {options, pick_options, NULL},
};

static int level_of(const char *word) {
    static const struct {
        const char *word;
        int level;
    } levels[] = {{"error", LOG_ERROR},
                  {"warning", LOG_WARN},
                  {"warn", LOG_WARN},
                  {"info", LOG_INFO},
                  {"debug", LOG_TRACE}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].word, word) == 0)
            return levels[i].level;
    return -1;
}

static void print_line(const uint8_t *p, size_t n, uint64_t *last_ns) {
    static struct buf b;
    char stage[80] = "";
    int64_t level = LOG_INFO;
    const char *text = "";
    size_t len = 0;
    mp_get_uint(p, n, "time", last_ns);
    mp_get_int(p, n, "level", &level);
    mp_get_cstr(p, n, "stage", stage, sizeof stage);
    mp_get_str(p, n, "text", &text, &len);
    struct buf line = {0};
    buf_put(&line, text, len);
    buf_putc(&line, 0);
    buf_clear(&b);
    logline_put(&b, logline_style_for(STDOUT_FILENO), *last_ns, stage, (int)level,
                (char *)buf_data(&line));
    fwrite(buf_data(&b), 1, buf_len(&b), stdout);
    buf_free(&line);
}

static void print_lines(const struct buf *reply, uint64_t *last_ns) {
    struct mp_value list;
    struct mp_cursor at;
    if (!mp_find(buf_data(reply), buf_len(reply), "lines", &list, &at) || list.type != MP_ARRAY ||
        mp_read(&at, &list) != 1)
        return;
    for (uint32_t i = 0; i < list.len; i++) {
        const uint8_t *p = at.at;
        if (mp_skip(&at) != 1)
            return;
        print_line(p, (size_t)(at.at - p), last_ns);
    }
    fflush(stdout);
}

static int show(const char *stage, int level, uint64_t most, uint64_t *last_ns) {
    struct buf request = {0}, reply = {0};
    rpc_request_begin(&request, "logs", stage ? 4 : 3);
    mp_kv_uint(&request, "lines", most);
    mp_kv_uint(&request, "level", (uint64_t)level);
    mp_kv_uint(&request, "since", *last_ns);
    if (stage)
        mp_kv_str(&request, "stage", stage);
    int r = pick_ask(&request, &reply);
    if (r == 0)
        print_lines(&reply, last_ns);
    buf_free(&request);
    buf_free(&reply);
    return r;
}

/* Asked for again and again instead of subscribed to: the supervisor keeps the lines anyway, so
 * none is missed between the first answer and the first message. */
static int follow_log(const struct running *r, const char *stage, int level, uint64_t last_ns) {
    struct runlock_info i;
    while (!ferror(stdout)) {
        poll(NULL, 0, FOLLOW_MS);
        if (!runlock_held(r->dir, &i))
            return 0;
        if (show(stage, level, LINES_MAX, &last_ns) < 0)
            return runlock_held(r->dir, &i);
    }
    return 0;
}

int logs_main(int argc, char **argv) {
    struct running r;
    struct err e;
    uint64_t last_ns = 0;
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    int level = level_of(level_word);
    if (n > 1)
        return opt_usage_error(&program, "unexpected argument \"%s\"", argv[2]);
    if (level < 0)
        return opt_usage_error(&program, "--level %s: error, warning, info or debug", level_word);
    if (pick_pipeline(NULL, &r, &e) < 0)
        return pick_fail(&e);
    const char *stage = n ? argv[1] : NULL;
    if (show(stage, level, (uint64_t)lines, &last_ns) < 0)
        return 1;
    return follow ? follow_log(&r, stage, level, last_ns) : 0;
}
