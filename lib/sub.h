/* sub: receives messages from any number of inputs: NNG endpoints, standard input, named pipes.
 *
 * Every input and topic is followed by its sequence number: a hole is counted as lost, a repetition
 * of the same message (see pub.h, state topics) is dropped silently, a step back is a restarted
 * publisher. A pipe whose bytes make no sense is searched for the next message; the bytes skipped
 * are counted.
 */
#ifndef TAPLINE_SUB_H
#define TAPLINE_SUB_H

#include <nng/nng.h>
#include <uv.h>

#include "tally.h"
#include "endpoint.h"
#include "mp_walk.h"
#include "msg.h"
#include "stream.h"

enum { SUB_INPUTS = 32, SUB_TOPICS = 1024, SUB_QUEUE = 2048 /* messages */, SUB_PREFIXES = 16 };

struct sub_topic {
    char name[MSG_TOPIC_MAX + 1];
    size_t input;
    uint64_t seq, time;
    uint64_t received, lost;
    struct tally_mark *mark; /* NULL = none */
};

struct sub_input {
    struct endpoint ep;
    struct sub *sub;
    size_t index;
    nng_socket sock;
    uv_poll_t poll;
    bool polling, eof, ended, detecting, raw;
    bool busy;    /* its bytes are being taken: a call from inside changes nothing */
    bool walking; /* the message at the start of the buffer is large and not whole yet */
    struct mp_walk walk;
    uint64_t read_ns; /* when the newest bytes were read */
    struct instream stream;
    struct tally_in *count, own; /* own, unless there is a page */
};

struct sub {
    uv_loop_t *loop;
    struct sub_input *in[SUB_INPUTS];
    size_t inputs;
    const char *prefix[SUB_PREFIXES]; /* kept, not copied */
    size_t prefixes;
    bool paused, closed;
    bool failed;                          /* an input ended with an error, not plainly */
    struct sub_topic *topics[SUB_TOPICS]; /* open hash, by input and name */
    size_t topic_count;
    uint64_t received, bytes, lost, skipped_bytes, restarts;
    struct tally *page;           /* shared with the supervisor; set before sub_add; NULL = none */
    const struct sub_input *from; /* during on_msg: the input it came from */
    /* Set by the owner. The message is valid during the call. */
    void (*on_msg)(void *ctx, const struct msg *m);
    /* Standard input holds plain bytes, not messages (only asked for when set). Returns how many of
     * them were used; the rest is shown again with what follows. */
    size_t (*on_raw)(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns);
    /* Every pipe has ended and there is no NNG input, so nothing can come any more. */
    void (*on_end)(void *ctx);
    /* A message was missing (optional; for logs). */
    void (*on_gap)(void *ctx, const char *topic, uint64_t missing);
    void *ctx;
};

int sub_init(struct sub *s, uv_loop_t *loop);
/* Narrow to topics that begin with one of the prefixes. Before sub_add. */
int sub_prefix(struct sub *s, const char *prefix, struct err *e);
int sub_add(struct sub *s, const char *endpoint, struct err *e);
/* Stop taking messages in (pipes push back; an NNG input keeps the newest SUB_QUEUE) and go on;
 * what was read before the pause is delivered within the call that ends it. */
void sub_pause(struct sub *s, bool paused);
/* Whether a publisher has answered at input i, some time; true of what is no NNG endpoint. */
bool sub_joined(const struct sub *s, size_t i);
/* Messages of `topic` lost so far on any input; name of input i. For status and taps. */
const struct sub_topic *sub_topic_at(const struct sub *s, size_t slot);
void sub_close(struct sub *s);
void sub_free(struct sub *s);

#endif
