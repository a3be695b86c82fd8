/* recording: messages kept in a file.
 *
 * A recording is the messages one after another, as on a pipe; any msgpack library reads it. Two
 * topics say where they came from, and are not handed out by the reader:
 *   record.start   version, time, endpoints [..], host, program: first in every file
 *   record.source  endpoint: the messages after this one came from there
 * A recorder that is killed leaves a torn message at the end at most: the reader says so.
 */
#ifndef TAPLINE_RECORDING_H
#define TAPLINE_RECORDING_H

#include "err.h"
#include "msg.h"

enum { RECORDING_VERSION = 1, RECORDING_SOURCES = 64, RECORDING_NAME = 128 };

struct recording {
    int fd;
    struct buf buf;
    size_t taken; /* bytes of the message handed out last */
    bool eof, begun;
    char host[RECORDING_NAME], program[RECORDING_NAME]; /* "" = not said */
    char source[RECORDING_NAME];                        /* of the last message; "" = not said */
    char sources[RECORDING_SOURCES][RECORDING_NAME];    /* those the recorder listened to */
    size_t source_count;
    uint64_t start_ns; /* wall clock: of record.start, else of the first message */
    /* Where in the recording the last message stands: its own time, but never before the start or
     * before an earlier message. State topics and derived messages carry older times. */
    uint64_t at_ns;
    uint64_t messages, bytes;
    uint64_t whole_bytes;   /* of the file, up to the end of the last whole message */
    uint64_t skipped_bytes; /* damage inside */
    uint64_t torn_bytes;    /* of a last message that was cut off */
};

/* "-" is standard input. -1 with a text that names the file. */
int recording_open(struct recording *r, const char *path, struct err *e);
/* The next message, valid until the next call. 1; 0 at the end; -1 when reading failed. */
int recording_next(struct recording *r, struct msg *m, struct err *e);
void recording_close(struct recording *r);
/* For a recording that comes some other way, as messages: follow what m says of its source and time
 * ({0} to begin with). False when m is a word of the recorder's and not for the caller. */
bool recording_take(struct recording *r, const struct msg *m);

/* Append what begins a file, and what stands before the messages of another endpoint. */
void recording_put_start(struct buf *b, uint64_t time_ns, uint64_t seq, const char *const *endpoint,
                         size_t n);
void recording_put_source(struct buf *b, uint64_t time_ns, uint64_t seq, const char *endpoint);

#endif
