/* play: the parts of `tapline play`. */
#ifndef TAPLINE_PLAY_H
#define TAPLINE_PLAY_H

#include "recording.h"
#include "stage.h"
#include "topics.h"

enum {
    PLAY_RENAMES = 16,
    PLAY_TARGETS = RECORDING_SOURCES,
    PLAY_WINDOW = 16, /* requests open at a time */
    PLAY_SLOTS = PLAY_WINDOW + 2 * PLAY_TARGETS
};

/* ---- play_when.c: --from and --to ---- */

/* Nanoseconds from the start of the recording for "10s", "9:41", "09:41:07.5" (local time, that day
 * or the next) or "2026-07-12T09:41:07". */
int play_when(const char *text, uint64_t start_ns, uint64_t *offset_ns, struct err *e);

/* ---- play_pace.c: how exactly the times are kept ---- */

/* Ask to be woken before other programs on a busy machine, where that is permitted (root, or
 * ulimit -r). Before anything of NNG is opened. */
void play_pace_prefer(void);
/* Append in words how late the messages were, for a summary. */
void play_pace_put(const struct hist *late, struct buf *b);

/* ---- play_edit.c: what is changed about a message ---- */

struct play_rename {
    const char *from, *to;
    size_t from_len;
};

struct play_edit {
    struct play_rename rename[PLAY_RENAMES];
    size_t renames;
    bool keep_time;
    struct topics in, out; /* sequence numbers; `value` of out is the last one given */
    struct buf buf;
};

/* "OLD=NEW": topics that begin with OLD begin with NEW instead. */
int play_edit_rename(struct play_edit *d, const char *text, struct err *e);
/* The message as it is to be published now (time_ns), valid until the next call. Holes of its
 * sequence stay holes; when the recording begins again, or several are played, the numbers go on.
 * False when its new topic is none. */
bool play_edit(struct play_edit *d, const char *source, const struct msg *m, uint64_t time_ns,
               struct msg *out);
/* The recording begins again. */
void play_edit_restart(struct play_edit *d);
void play_edit_free(struct play_edit *d);

/* ---- play_into.c: requests to running stages ---- */

/* A way to a stage. When the process there is another one, what the old one was asked is never
 * answered, and a new way is taken. */
struct play_way {
    struct rpc_client client;
    struct play_way *before;
};

struct play_target {
    struct play_into *into;
    char endpoint[RECORDING_NAME];
    struct play_way *way;
    struct buf batch; /* messages of the next request */
    uint64_t batched;
    uint64_t pid; /* of the process that answers; 0 = not known */
    bool was_there;
    bool is_asked; /* whether it is there still */
};

/* A request that waits for its reply; target NULL = a free place. */
struct play_sent {
    struct play_target *target;
    uint64_t messages;
    size_t bytes;
};

struct play_into {
    uv_loop_t *loop;
    bool keep_time;
    const char *all;             /* --into: every source into this stage; NULL = its own */
    const struct opt_list *maps; /* --map SOURCE=STAGE */
    struct play_target target[PLAY_TARGETS];
    size_t targets;
    struct play_sent sent[PLAY_SLOTS];
    size_t open, open_bytes; /* of these */
    bool blocked;
    uv_timer_t look;
    uint64_t played, failed;
    void (*on_room)(void *ctx); /* not blocked any more; or all replies have come */
    void (*on_gone)(void *ctx, const char *text); /* a stage never answered: it makes no sense */
    void *ctx;
};

/* Gather a message for the stage its source goes to; not while blocked. -1 when there is none. */
int play_into_add(struct play_into *p, const char *source, const struct msg *m, struct err *e);
/* Send the requests that have been gathered. */
void play_into_flush(struct play_into *p);
void play_into_close(struct play_into *p);
void play_into_free(struct play_into *p);

/* ---- play_wires.c ---- */

/* Whether the endpoint's stage gets, by way of other stages, what another endpoint of the recording
 * says: then playing that one brings forth these messages anew. by: which. False too when the
 * pipeline does not tell. */
bool play_is_derived(const struct buf *status, const char *endpoint, const struct recording *r,
                     const struct opt_list *wanted, char *by);

#endif
