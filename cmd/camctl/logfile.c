#include "logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "msg.h"

enum { LINE_BYTES = 2600, PATH_BYTES = 4096 };

static struct {
    int fd;
    const char *path, *name;
    size_t bytes;
} file = {.fd = -1};

static const char *level_name(enum log_level level) {
    return level <= LOG_ERROR  ? "ERROR"
           : level == LOG_WARN ? "WARNING"
           : level == LOG_INFO ? "INFO"
                               : "DEBUG";
}

static int open_file(void) {
    struct stat st;
    file.fd = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);
    file.bytes = file.fd >= 0 && fstat(file.fd, &st) == 0 ? (size_t)st.st_size : 0;
    return file.fd;
}

/* Without a file the lines are still on standard error. */
static void turn(void) {
    char old[PATH_BYTES];
    close(file.fd);
    file.fd = -1;
    if (snprintf(old, sizeof old, "%s.1", file.path) < (int)sizeof old &&
        rename(file.path, old) == 0)
        open_file();
}

static void take(enum log_level level, const char *text) {
    char line[LINE_BYTES], day[32];
    uint64_t now = clock_wall_ns();
    time_t sec = (time_t)(now / 1000000000u);
    struct tm tm;
    if (file.fd < 0)
        return;
    localtime_r(&sec, &tm);
    strftime(day, sizeof day, "%Y-%m-%d %H:%M:%S", &tm);
    int n = snprintf(line, sizeof line, "%s,%03u - %s - %s - %s\n", day,
                     (unsigned)(now / 1000000u % 1000u), file.name, level_name(level), text);
    ssize_t w = write(file.fd, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
    file.bytes += w > 0 ? (size_t)w : 0;
    if (file.bytes > LOGFILE_BYTES)
        turn();
}

int logfile_open(const char *path, const char *name, struct err *e) {
    file.path = path;
    file.name = name;
    if (open_file() < 0)
        return err_errno(e, errno, "cannot open the log file %s", path);
    log_also(take);
    return 0;
}

void logfile_close(void) {
    log_also(NULL);
    if (file.fd >= 0)
        close(file.fd);
    file.fd = -1;
}
