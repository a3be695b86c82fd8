/* put: the request {op: put} that every stage answers: messages published on all its outputs as if
 * they were its own. Whoever can ask is the pipeline's user: the sockets lie in a directory of
 * 0700.
 *
 *     {op: put, topic, body}                one message
 *     {op: put, data: bin}                  messages one after another, as in a recording
 *     keep_time: true (with topic: time)    they keep their time; otherwise it is now
 *
 * Reply {ok, count}. Sequence numbers are the stage's own. While an output pipe is full the reply
 * waits, so that whoever awaits it goes as fast as the pipeline.
 */
#ifndef TAPLINE_PUT_H
#define TAPLINE_PUT_H

#include <stdbool.h>

#include "pub.h"
#include "rpc.h"

enum { PUT_WAITING = 64 /* replies held back at a time; one more is refused */ };

struct put_requests {
    struct pub *pub;
    struct rpc_call *call[PUT_WAITING]; /* published already */
    uint64_t count[PUT_WAITING];
    size_t waiting;
};

/* Answer one request, at once or when the outputs take more. */
void put_request(struct put_requests *p, struct rpc_call *call, const uint8_t *body, size_t n);
/* The outputs take more (or the stage ends): answer those that wait. */
void put_unblocked(struct put_requests *p);

#endif
