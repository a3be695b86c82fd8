/* tally: what a stage has taken in and sent, input by input and output by output.
 *
 * Under a supervisor they lie in memory that the two share (tally_open), so that they can be read
 * at any moment and are exact after a kill -9, which leaves no time for a report. One process
 * writes, plain 64-bit stores; nothing is waited for. The marks outlive the process: whoever takes
 * its place knows from them which messages died with it, and which it is shown again.
 *
 * received + skipped + lost is how far the input has come; see ARCHITECTURE.md, "Loss that adds
 * up", for the sums over a wire.
 */
#ifndef TAPLINE_TALLY_H
#define TAPLINE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

enum { TALLY_VERSION = 1, TALLY_INPUTS = 32, TALLY_OUTPUTS = 8, TALLY_MARKS = 1024 };

struct tally_in {
    uint64_t received;  /* new messages given to the stage */
    uint64_t bytes;     /* of those */
    uint64_t skipped;   /* new messages that came but were not asked for (--topic, ?PREFIX) */
    uint64_t repeats;   /* state that was seen before */
    uint64_t lost;      /* holes in the sequences, whatever the topic */
    uint64_t crashed;   /* of these: missed because our process or the publisher's was another */
    uint64_t before;    /* sent before the first of its topic came here: a late joiner */
    uint64_t bad_bytes; /* that were no message */
    uint64_t waiting;   /* bytes read that are still to be taken */
    uint64_t paused;    /* 1 while nothing is taken, because an output is full */
};

struct tally_out {
    uint64_t sent;    /* new messages published there, also while nobody listened */
    uint64_t bytes;   /* of those */
    uint64_t repeats; /* state sent again */
    uint64_t dropped; /* of those sent: thrown away here, because the queue was full */
    uint64_t queue;   /* bytes that wait for the reader of a pipe */
};

/* How far an input had come with one topic. */
struct tally_mark {
    uint64_t key; /* of input and topic; 0 = free */
    uint64_t seq, time;
};

struct tally {
    uint32_t version;
    int32_t pid; /* whose numbers they are; 0: nobody counts here */
    uint32_t inputs, outputs;
    struct tally_in in[TALLY_INPUTS];
    struct tally_out out[TALLY_OUTPUTS];
    struct tally_mark mark[TALLY_MARKS]; /* open hash by key */
};

/* The supervisor's: make them, as a descriptor and mapped. NULL with errno. */
struct tally *tally_make(int *fd);
void tally_unmap(struct tally *c);

/* The environment variable that tells a stage the number of the descriptor. */
#define TALLY_ENV "TAPLINE_TALLY"

/* The stage's: what the supervisor gave us, now ours; NULL when there is none, or another process
 * of the same stage has it. Nothing that we start inherits it. */
struct tally *tally_open(void);

/* The mark of a key, made when it is new; NULL when there is no room (or c is NULL). */
struct tally_mark *tally_find(struct tally *c, uint64_t key);

#endif
