/* imgwrite: saves pictures as files.
 *
 * In:   messages whose topic ends in .image and whose body has data; others are ignored.
 * Out:  files; image.saved on -o; request list.
 * Ends: when standard input has ended and everything is saved (1 when something could not be), on
 *       SIGTERM within 0.8 s, with what waits saved as far as that allows.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imgwrite.h"
#include "log.h"

static struct imgwrite w;
static const char *dir = "images_usb_async", *pattern = NAME_DEFAULT, *sync_text = "file",
                  *keep_text;
static int64_t queue_count = 128, queue_bytes = 64 << 20, writers = 4;

static const struct opt options[] = {
    {"dir", 'd', OPT_TEXT, &dir, "DIR", "where the pictures go; made when it is missing", 0, 0},
    {"name", 0, OPT_TEXT, &pattern, "PATTERN", "what the files are called, see below", 0, 0},
    {"sync", 0, OPT_TEXT, &sync_text, "none|file|full",
     "after a power cut: anything; files whole or absent; and present once reported", 0, 0},
    {"keep", 0, OPT_TEXT, &keep_text, "LIMITS",
     "remove the oldest beyond a number, an age, a size, such as 1000,7d,2G", 0, 0},
    {"keep-count", 0, OPT_INT, &w.store.keep.count, "N", "pictures that stay; 0 = all", 0,
     INT64_MAX},
    {"keep-age", 0, OPT_DURATION, &w.store.keep.age_ms, "DURATION", "and for how long", 0,
     INT64_MAX},
    {"keep-bytes", 0, OPT_SIZE, &w.store.keep.bytes, "SIZE", "and of what size together", 0,
     INT64_MAX},
    {"sha256", 0, OPT_FLAG, &w.queue.hash, NULL, "tell the SHA-256 of each in image.saved", 0, 0},
    {"queue", 0, OPT_INT, &queue_count, "N", "pictures that may wait for the disk", 1, 100000},
    {"queue-bytes", 0, OPT_SIZE, &queue_bytes, "SIZE", "and their size together", 1, INT64_MAX},
    {"writers", 0, OPT_INT, &writers, "N", "files written at a time", 1, 64},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "imgwrite",
    .summary = "save pictures as files",
    .details =
        "Without -o nothing is written to standard output: the files are the output. With -o - or\n"
        "-o NAME each saved picture is told as image.saved {name, path, mac, bytes, time, topic,\n"
        "took_us, verified}, and NAME answers list {mac, before, after, limit}, newest first, and "
        "stats.\n\n"
        "PATTERN: {mac} {time:%Y%m%d_%H%M%S} {us} {seq} {topic}; / makes directories. What exists "
        "is\n"
        "never overwritten: {us} is counted on, or _2 is added.\n"
        "  cat capture | framedecode --format espcam | imgwrite --dir out\n"
        "  imgwrite -i decode --name '{mac}/{time:%Y-%m-%d}/{time:%H%M%S}_{us}.jpg' --keep "
        "30d,20G\n"
        "\n"
        "When the disk is slow, pipes wait; of what comes from NNG the picture that has waited\n"
        "longest is dropped and counted. When it is full or closed to us, pictures are dropped "
        "and\n"
        "counted until one can be saved again.\n",
    .tables = {options, NULL, NULL, NULL}};

static int check_sync(struct err *e) {
    static const char *const words[] = {"none", "file", "full"};
    for (int i = 0; i < 3; i++)
        if (strcmp(sync_text, words[i]) == 0) {
            w.place.sync = (enum save_sync)i;
            return 0;
        }
    return err_set(e, CAUSE_USAGE, "--sync %s: there are none, file and full", sync_text);
}

/* With --keep, names must be such that no file of somebody else has one by chance. */
static int check_keep(struct err *e) {
    struct err why;
    if (keep_text && keep_parse(&w.store.keep, keep_text, &why) < 0)
        return err_set(e, CAUSE_USAGE, "--keep %s: %s", keep_text, why.text);
    if (keep_any(&w.store.keep) && !w.place.pattern.certain)
        return err_set(e, CAUSE_USAGE,
                       "--keep removes files by their names, so --name %s needs {mac} and {time} "
                       "from year to second",
                       pattern);
    return 0;
}

/* Absolute, so that whoever is told a path can open it. */
static int check_dir(struct err *e) {
    char here[PATH_MAX];
    const char *cwd = *dir == '/' ? "" : getcwd(here, sizeof here);
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    if (n == 0)
        return err_set(e, CAUSE_USAGE, "--dir is empty");
    int len = snprintf(w.place.dir, sizeof w.place.dir, "%s%s%.*s", cwd ? cwd : ".",
                       *dir == '/' ? "" : "/", (int)n, dir);
    return (size_t)len < sizeof w.place.dir
               ? 0
               : err_set(e, CAUSE_USAGE, "--dir: longer than %d bytes", SAVE_DIR - 1);
}

static int check_options(void) {
    struct err e, why;
    if (name_parse(&w.place.pattern, pattern, &why) < 0)
        return opt_usage_error(&program, "--name %s: %s", pattern, why.text);
    if (check_sync(&e) < 0 || check_keep(&e) < 0 || check_dir(&e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    w.queue.limit = (uint64_t)queue_count;
    w.queue.limit_bytes = (uint64_t)queue_bytes;
    w.queue.writers = (unsigned)writers;
    return -1;
}

int main(int argc, char **argv) {
    struct err e;
    imgwrite_init(&w);
    program.tables[1] = stage_common_options;
    int status = stage_options(&w.st, &program, argc, argv, NULL);
    if (status < 0)
        status = check_options();
    if (status >= 0)
        return status;
    if (stage_open(&w.st, &e) < 0)
        return stage_fail(&w.st, &e);
    imgwrite_open(&w);
    stage_ready(&w.st);
    status = stage_run(&w.st);
    imgwrite_close(&w);
    return stage_close(&w.st, status);
}
