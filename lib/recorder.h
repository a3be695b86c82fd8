/* recorder: writes a recording (recording.h) without ever making the loop wait for the disk.
 *
 * Messages are collected in memory and written whole, in large pieces, by a thread of libuv's; once
 * a second and at the end the file is synced. So a kill costs the last RECORDER_FLUSH_MS, a power
 * cut about a second. What waits in memory is bounded: beyond it messages are dropped and counted.
 * A disk that refuses (full, gone) is tried again once a second.
 */
#ifndef TAPLINE_RECORDER_H
#define TAPLINE_RECORDER_H

#include <uv.h>

#include "recording.h"

enum {
    RECORDER_FLUSH_MS = 20,
    RECORDER_SYNC_MS = 1000,
    RECORDER_RETRY_MS = 1000,
    RECORDER_PATH = 1024,
    RECORDER_CHUNK = 512 << 10 /* bytes handed to the thread at a time */
};

enum recorder_exists { RECORDER_REFUSE, RECORDER_APPEND, RECORDER_REPLACE };

struct recorder_chunk {
    struct recorder_chunk *next;
    struct buf data; /* what is left to write */
    bool ends;       /* its file ends behind it, and held this much */
    uint64_t messages, bytes;
};

struct recorder {
    /* Set by the owner; texts are kept, not copied. */
    uv_loop_t *loop;
    const char *path;            /* "-" = standard output */
    bool numbered;               /* PATH.tap means PATH-0001.tap, PATH-0002.tap, ... */
    enum recorder_exists exists; /* what to do about a file that is there (not numbered) */
    uint64_t split_bytes;        /* a file's size; 0 = any. Means numbered. */
    uint64_t split_ns;           /* a file's duration; 0 = any. Means numbered. */
    size_t limit;                /* bytes that may wait in memory */
    const char *const *endpoint; /* for record.start */
    size_t endpoints;
    void (*on_full)(void *ctx, bool full); /* half of the limit waits / none does any more */
    /* A file is written, synced and closed. */
    void (*on_file)(void *ctx, const char *path, uint64_t messages, uint64_t bytes);
    void (*on_done)(void *ctx);   /* after recorder_finish */
    void (*on_broken)(void *ctx); /* the reader of standard output is gone */
    void *ctx;

    /* For the owner to read. */
    uint64_t messages, bytes;        /* written or waiting */
    uint64_t dropped, dropped_bytes; /* memory was full, or the end came before the disk */
    size_t waiting;                  /* bytes */
    bool failing, full;
    uint64_t files, slowest_us; /* longest write or sync */
    char file[RECORDER_PATH];   /* being written; changes only between jobs */

    /* Its own. */
    int fd, error;
    bool regular, dirty, opened, finishing, finished, closed, busy, broken;
    size_t in_flight; /* bytes the thread was given */
    unsigned number;
    struct recorder_chunk *head, *tail, *spare;
    size_t spares;
    uv_work_t work;
    uv_timer_t flush, sync, retry;
    uint64_t synced_ns, start_seq, source_seq;
    uint64_t file_messages, file_bytes, file_ns; /* of the file being filled; 0 bytes = none is */
    char source[RECORDING_NAME];
};

/* Open the first file, or (lazy) make sure that it could be. */
int recorder_open(struct recorder *r, bool lazy, struct err *e);
/* Begin the file now, so that an empty recording says when it was made. */
void recorder_begin(struct recorder *r, uint64_t time_ns);
/* Append a message that came from `source`. time_ns says when a file begins that it is the first
 * in. False when it had to be dropped. */
bool recorder_add(struct recorder *r, const char *source, const struct msg *m, uint64_t time_ns);
/* End the current file: the next message begins another. Means numbered. */
void recorder_end_file(struct recorder *r);
/* Write what waits, sync, close; then on_done, once. A disk that refuses is not waited for. */
void recorder_finish(struct recorder *r);
/* It has been asked to finish and does not come on: the reader of standard output stands still. */
bool recorder_is_stuck(const struct recorder *r);
/* Take the handles down, waiting for a job under way; what waits then is dropped and counted. */
void recorder_close(struct recorder *r);
/* After the loop has run. */
void recorder_free(struct recorder *r);

#endif
