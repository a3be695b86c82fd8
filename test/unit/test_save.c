/* Faults come from here: calls of save.c that fail as a full or read-only disk makes them. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rundir_test.h"

static int write_error, write_room = 1 << 30, rename_error, sync_error;
static int fdatasyncs, dir_syncs;

static ssize_t fake_write(int fd, const void *p, size_t n) {
    if (write_error && write_room < (int)n) {
        if (write_room == 0) {
            errno = write_error;
            return -1;
        }
        n = (size_t)write_room;
    }
    write_room -= (int)n;
    return write(fd, p, n);
}

static int fake_fdatasync(int fd) {
    (void)fd;
    fdatasyncs++;
    errno = sync_error;
    return sync_error ? -1 : 0;
}

static int fake_fsync(int fd) {
    dir_syncs += fsync(fd) == 0;
    return 0;
}

static int fake_renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    errno = rename_error;
    return rename_error ? -1 : renameat2(a, from, b, to, flags);
}

#define write fake_write
#define fdatasync fake_fdatasync
#define fsync fake_fsync
#define renameat2 fake_renameat2
#include "../../cmd/imgwrite/save.c"
#undef write
#undef fdatasync
#undef fsync
#undef renameat2
#include "../../cmd/imgwrite/index.c"
#include "../../cmd/imgwrite/name.c"
#include "../../cmd/imgwrite/scan.c"
#include "test.h"

static struct save_place place;
static struct err e;
static char name[NAME_BYTES];
static bool remade;

static void in(const char *below, const char *pattern) {
    snprintf(place.dir, sizeof place.dir, "%s%s", make_test_dir(), below);
    CHECK_INT(name_parse(&place.pattern, pattern, &e), 0);
    place.sync = SAVE_SYNC_FILE;
}

static int save_text(const char *text, uint64_t us) {
    struct name_facts f = {.mac = 0x246f28a1b2c3, .time_us = us, .seq = 7};
    return save_picture(&place, &f, text, strlen(text), name, &remade, &e);
}

static const char *content(const char *file) {
    static char text[100];
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/%s", place.dir, file);
    FILE *f = fopen(path, "r");
    if (!f)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    return text;
}

/* Entries of dir, whatever they are called. */
static int entries(const char *dir) {
    DIR *d = opendir(dir);
    int n = -2;
    CHECK(d != NULL);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void both_ways(void (*test)(void)) {
    test();
    atomic_store(&place.named, true);
    test();
}

static void saves(void) {
    static uint64_t us = 1748467031000000u;
    us += 1000;
    CHECK_INT(save_text("one", us), 0);
    CHECK_STR(content(name), "one");
    char first[NAME_BYTES];
    strcpy(first, name);
    CHECK_INT(save_text("two", us), 0);
    CHECK(strcmp(first, name) != 0);
    CHECK_STR(content(first), "one");
    CHECK_STR(content(name), "two");
    CHECK(!remade);
}

TEST(saves_and_never_overwrites) {
    in("", NAME_DEFAULT);
    both_ways(saves);
    CHECK_INT(entries(place.dir), 4);
    CHECK_INT(fdatasyncs, 4);
}

TEST(numbers_where_there_are_no_microseconds) {
    in("", "{seq}.jpg");
    CHECK_INT(save_text("one", 1), 0);
    CHECK_INT(save_text("two", 1), 0);
    CHECK_STR(name, "7_2.jpg");
    CHECK_INT(save_text("three", 1), 0);
    CHECK_STR(name, "7_3.jpg");
    CHECK_STR(content("7.jpg"), "one");
}

static void makes_directories(void) {
    CHECK_INT(save_text("one", 1748467031000000u), 0);
    CHECK(remade);
    CHECK_STR(content(name), "one");
    char command[SAVE_PATH + 20];
    snprintf(command, sizeof command, "rm -r '%s'", place.dir);
    CHECK_INT(system(command), 0);
    CHECK_INT(save_text("two", 1748467031000000u), 0);
    CHECK(remade);
    CHECK_STR(content(name), "two");
    CHECK_INT(system(command), 0);
}

TEST(directories_come_back) {
    in("/a/b", "{mac}/{time:%Y/%m}/{us}.jpg");
    both_ways(makes_directories);
}

static void full(void) {
    write_error = ENOSPC;
    write_room = 2;
    CHECK_INT(save_text("picture", 1748467031000000u), -1);
    CHECK_INT(e.cause, CAUSE_FULL);
    CHECK(strstr(e.text, "No space left on device (free some, or set a limit with --keep)"));
    CHECK_INT(entries(place.dir), 0);
    write_error = 0;
    write_room = 1 << 30;
    CHECK_INT(save_text("picture", 1748467031000000u), 0);
    CHECK_STR(content(name), "picture");
    CHECK_INT(entries(place.dir), 1);
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/%s", place.dir, name);
    unlink(path);
}

TEST(a_full_disk_leaves_nothing_and_heals) {
    in("", NAME_DEFAULT);
    both_ways(full);
}

TEST(a_disk_that_goes_away) {
    in("", NAME_DEFAULT);
    write_error = EIO;
    write_room = 3;
    CHECK_INT(save_text("picture", 1), -1);
    CHECK_INT(e.cause, CAUSE_UNPLUGGED);
    CHECK_INT(entries(place.dir), 0);
}

TEST(what_cannot_be_synced_is_not_saved) {
    in("", NAME_DEFAULT);
    sync_error = EIO;
    CHECK_INT(save_text("picture", 1), -1);
    CHECK_INT(entries(place.dir), 0);
    place.sync = SAVE_SYNC_NONE;
    CHECK_INT(save_text("picture", 1), 0);
    CHECK_INT(fdatasyncs, 1);
    CHECK_INT(dir_syncs, 0);
    sync_error = 0;
    place.sync = SAVE_SYNC_FULL;
    CHECK_INT(save_text("picture", 1), 0);
    CHECK_INT(dir_syncs, 1);
}

TEST(file_systems_that_cannot_rename_without_replacing) {
    in("", NAME_DEFAULT);
    atomic_store(&place.named, true);
    rename_error = EINVAL;
    CHECK_INT(save_text("one", 1748467031000000u), 0);
    CHECK_INT(save_text("two", 1748467031000000u), 0);
    CHECK_STR(content(name), "two");
    CHECK_INT(entries(place.dir), 2);
}

static const char *const expected[] = {"246f28a1b2c3_20250528_231711_000001.jpg", NULL};

static void touch(const char *file, const char *text) {
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/%s", place.dir, file);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    fputs(text, f);
    fclose(f);
}

TEST(a_scan_finds_what_is_ours_and_clears_what_the_dead_left) {
    static struct scan s = {.place = &place};
    in("", NAME_DEFAULT);
    touch(expected[0], "12345");
    touch("holiday.jpg", "x");
    touch(SAVE_TEMPORARY "1-1.part", "half");
    touch(SAVE_TEMPORARY "1-2.part", "half, but somebody writes it");
    touch(SAVE_TEMPORARY "1-2.txt", "somebody's");
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/" SAVE_TEMPORARY "1-2.part", place.dir);
    int held = open(path, O_RDONLY);
    CHECK_INT(flock(held, LOCK_EX), 0);
    snprintf(path, sizeof path, "%s/246f28a1b2c3_20250528_231711_000002.jpg", place.dir);
    CHECK_INT(mkdir(path, 0777), 0);
    snprintf(path, sizeof path, "%s/246f28a1b2c3_20250528_231711_000003.jpg", place.dir);
    CHECK_INT(symlink("holiday.jpg", path), 0);
    scan_run(&s);
    CHECK_INT(s.error, 0);
    CHECK_INT(s.leftovers, 1);
    CHECK_INT(s.foreign, 2);
    CHECK_INT(s.found.n, 1);
    CHECK_INT(s.found.bytes, 5);
    CHECK_INT(entries(place.dir), 6);
    close(held);
    index_free(&s.found);
}

TEST(a_scan_goes_as_deep_as_the_pattern_and_no_deeper) {
    static struct scan s = {.place = &place};
    in("", "{mac}/{time}_{us}.jpg");
    CHECK_INT(save_text("one", 1748467031000000u), 0);
    char path[SAVE_PATH];
    snprintf(path, sizeof path, "%s/246f28a1b2c3/deep", place.dir);
    mkdir(path, 0777);
    touch("246f28a1b2c3/deep/20250528_231711_000001.jpg", "x");
    touch("20250528_231711_000001.jpg", "x");
    scan_run(&s);
    CHECK_INT(s.found.n, 1);
    index_free(&s.found);
}

TEST(removing_takes_empty_directories_along) {
    uint64_t removed = 0;
    static char names[2][NAME_BYTES];
    in("/tree", "{mac}/{time:%Y}/{time:%m%d%H%M%S}.jpg");
    CHECK_INT(save_text("one", 1748467031000000u), 0);
    strcpy(names[0], name);
    CHECK_INT(save_text("two", 1748467032000000u), 0);
    strcpy(names[1], name);
    CHECK_INT(scan_remove(&place, names, 1, &removed), 0);
    CHECK_INT(entries(place.dir), 1);
    CHECK_INT(scan_remove(&place, names, 2, &removed), 0);
    CHECK_INT(removed, 2);
    CHECK_INT(entries(place.dir), 0);
}

static void *save_many(void *arg) {
    struct name_facts f = {.mac = 1, .time_us = 1748467031000000u};
    char own[NAME_BYTES];
    bool made;
    struct err why;
    (void)arg;
    for (int i = 0; i < 50; i++)
        if (save_picture(&place, &f, "x", 1, own, &made, &why) < 0)
            return arg;
    return NULL;
}

static void many(void) {
    pthread_t t[4];
    void *result;
    for (int i = 0; i < 4; i++)
        CHECK_INT(pthread_create(&t[i], NULL, save_many, &place), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(t[i], &result);
        CHECK(result == NULL);
    }
}

TEST(threads_that_want_the_same_name_all_get_one) {
    in("", NAME_DEFAULT);
    both_ways(many);
    CHECK_INT(entries(place.dir), 400);
}
