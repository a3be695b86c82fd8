/* stream: bytes in and out of a file descriptor on the loop: pipes, fifos, sockets, terminals and
 * regular files alike (a regular file is read piece by piece between other events).
 */
#ifndef TAPLINE_STREAM_H
#define TAPLINE_STREAM_H

#include <stdbool.h>
#include <uv.h>

#include "buf.h"
#include "err.h"

/* Open the named pipe at path for either direction, making it (mode 0600) when it is missing. Both
 * sides hold it open for reading and writing, so neither sees an end when the other goes away. The
 * descriptor, or -1. */
int fifo_open(const char *path, struct err *e);

struct instream {
    int fd; /* -1 = not open */
    bool paused, ended, regular;
    struct buf buf; /* bytes read and not yet consumed by the owner */
    /* Bytes have been added to buf; consume what can be used. The time is the read()'s. */
    void (*on_bytes)(void *ctx, uint64_t time_ns);
    /* End of input or a read error (cause CAUSE_OK = plain end). Nothing follows. */
    void (*on_end)(void *ctx, const struct err *e);
    void *ctx;
    union {
        uv_handle_t handle;
        uv_poll_t poll;
        uv_idle_t idle;
    };
};

/* Take over fd and start reading. own_copy: fd is shared with other processes (standard input), so
 * a descriptor of our own is opened where the system allows it (pipes, terminals), and theirs stays
 * blocking. A socket cannot be opened anew: theirs becomes non-blocking too. */
int instream_open(struct instream *s, uv_loop_t *loop, int fd, bool own_copy, struct err *e);
void instream_pause(struct instream *s, bool paused);
/* Stop and close. Memory of s must live until the loop has run its close callbacks. */
void instream_close(struct instream *s);

struct outstream {
    int fd;
    bool polling, polls, blocked, broken;
    size_t limit; /* bytes queued above which the stream counts as blocked */
    struct buf queue;
    /* The queue has passed the limit (true) or has been written out again (false). */
    void (*on_blocked)(void *ctx, bool blocked);
    /* The reader is gone or writing failed; later writes are dropped. */
    void (*on_broken)(void *ctx, int error);
    void *ctx;
    uv_poll_t poll;
};

int outstream_open(struct outstream *s, uv_loop_t *loop, int fd, bool own_copy, struct err *e);
/* Queue bytes (in s->queue) are written by the next flush; what does not fit waits for the reader.
 */
void outstream_flush(struct outstream *s);
/* Write these bytes behind what is queued, copying only what the reader cannot take now. */
void outstream_write(struct outstream *s, const void *p, size_t n);
/* The same with two runs of bytes in one go, such as a head and its data. */
void outstream_write2(struct outstream *s, const void *p, size_t n, const void *q, size_t m);
/* Write what is queued, waiting for the reader at most timeout_ms, then close; neither callback is
 * called any more. The number of bytes that could not be written. */
size_t outstream_close(struct outstream *s, int timeout_ms);

#endif
