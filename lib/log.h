/* log: lines for people on standard error.
 *
 * By hand: "09:41:07.123 serialcat: cannot open ..." with colour on a terminal (NO_COLOR honoured).
 * Under a supervisor (TAPLINE_STAGE set): "<4>cannot open ...", the syslog level in front; the
 * supervisor adds time and stage. There a full pipe never blocks the stage: lines that do not fit
 * are dropped, and the next one that does is preceded by their number.
 *
 * A message is always one line: control characters in it become blanks. Not for NNG's threads.
 */
#ifndef TAPLINE_LOG_H
#define TAPLINE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR = 3, LOG_WARN = 4, LOG_INFO = 6, LOG_DEBUG = 7, LOG_TRACE = 8 };

/* program: name in front of each line (kept, not copied). level: the most detailed that is shown.
 */
void log_init(const char *program, enum log_level level);
enum log_level log_level(void);

/* Whether this process runs under a supervisor: TAPLINE_STAGE is set and not empty. */
bool log_supervised(void);

/* Collect lines below LOG_WARN from now on, so that a line per event costs no write() and wakes
 * nobody in the middle of it. arm is called when the first line is kept; the caller then calls
 * log_flush soon. Warnings, errors and a full store flush at once, in order. NULL: flush, and write
 * at once again. What is kept is lost if the process is killed. */
void log_defer(void (*arm)(void));
void log_flush(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Hand every line that is shown to take as well, without its head; NULL: not any more. */
void log_also(void (*take)(enum log_level level, const char *text));

/* A fault that may repeat thousands of times a second: one line a second at most, and the next line
 * says how many were left out. Zero-initialise one per kind of fault. */
struct log_limit {
    uint64_t last_ns;
    uint64_t held;
};
void log_limited(struct log_limit *l, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Copy n bytes of outside text into out (size bytes, at least 16; "..." where it is cut), with
 * everything that is not printable ASCII or well-formed UTF-8 shown as \xNN, so that a log line
 * stays one line. Returns out. */
char *log_quote(char *out, size_t size, const void *text, size_t n);

#endif
