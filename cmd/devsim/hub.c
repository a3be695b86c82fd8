/* devsim hub: pretends to be cameras that see AprilTags, or game engines that want to know.
 *
 * in    devsim hub camera|engine [OPTION]...
 * out   as the half of it that was chosen (hub_cameras.c, hub_engine.c)
 * ends  as that; 2 when it is neither
 */
#include "hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devsim.h"

static const struct opt no_options[] = {{NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "devsim hub",
    .summary = "pretend to be cameras or game engines of the tag hub",
    .synopsis = "camera|engine [OPTION]...",
    .details = "Each has a --help of its own:\n"
               "  camera       sends detections of tags, and pictures, by WebSocket, HTTP or UDP\n"
               "  engine       listens, and tells what is lost and how late it comes\n",
    .words = "camera engine ",
    .tables = {no_options, NULL}};

static int hub_main(int argc, char **argv) {
    int operands = 0, at = opt_first_operand(&program, argc, argv);
    char *word = at < argc ? argv[at] : "";
    if (strcmp(word, "camera") == 0 || strcmp(word, "engine") == 0) {
        /* Before it may stand what a supervisor asks of every program. */
        memmove(&argv[2], &argv[1], (size_t)(at - 1) * sizeof *argv);
        argv[1] = word;
        return (*word == 'c' ? hub_cameras_main : hub_engines_main)(argc - 1, argv + 1);
    }
    int status = opt_parse(&program, argc > 2 ? 2 : argc, argv, &operands);
    if (status >= 0)
        return status;
    return operands ? opt_usage_error(&program, "\"%s\" is neither camera nor engine", argv[1])
                    : opt_usage_error(&program, "camera or engine?");
}

int hub_run(struct stage *st, int status, int (*open)(struct stage *st, struct err *e),
            void (*close)(void)) {
    struct err e;
    if (status >= 0)
        return status;
    if (!getenv("TAPLINE_STAGE"))
        st->name = "devsim"; /* sys.NAME has no blanks */
    if (stage_open(st, &e) < 0 || open(st, &e) < 0)
        return stage_fail(st, &e);
    stage_ready(st);
    status = stage_run(st);
    close();
    return stage_close(st, status);
}

void hub_put_counters(struct buf *b, const struct stage_counter *all, size_t n) {
    for (size_t i = 0; i < n; i++)
        mp_kv_uint(b, all[i].name, *all[i].value);
}

void hub_put_hist(struct buf *b, const char *key, const struct hist *h) {
    char name[48];
    snprintf(name, sizeof name, "%s_p50_us", key);
    mp_kv_uint(b, name, hist_quantile(h, 0.5));
    snprintf(name, sizeof name, "%s_p99_us", key);
    mp_kv_uint(b, name, hist_quantile(h, 0.99));
    snprintf(name, sizeof name, "%s_max_us", key);
    mp_kv_uint(b, name, h->max_us);
}

const struct sim sim_hub = {
    .name = "hub", .summary = "cameras or game engines of the tag hub", .run = hub_main};
