/* topics: what has been seen of each topic of each source: counts, losses, sizes, rates. */
#ifndef TAPLINE_TOPICS_H
#define TAPLINE_TOPICS_H

#include "msg.h"

enum { TOPICS_MAX = 4096, TOPICS_SOURCE = 128 };

/* Messages in each second, from the first to the last that was whole. */
struct topics_rate {
    uint64_t began_ns, second; /* the one being counted, from began_ns */
    uint64_t now;              /* messages in it */
    uint64_t seconds, min, max, total;
};

struct topic {
    char source[TOPICS_SOURCE];
    char name[MSG_TOPIC_MAX + 1];
    uint64_t count, bytes, min_bytes, max_bytes;
    uint64_t gaps, lost;               /* holes in the sequence, messages missing in them */
    uint64_t restarts;                 /* steps back: the publisher began anew */
    uint64_t repeated;                 /* the same again: not counted as messages */
    uint64_t seq, time;                /* of the last */
    uint64_t first_ns, last_ns;        /* as given to topics_count */
    uint64_t value;                    /* the caller's */
    uint64_t shown_count, shown_bytes; /* the caller's */
    struct topics_rate rate;
};

/* {0} is empty. */
struct topics {
    struct topic **row; /* in order of appearance */
    size_t n;
    size_t *slot;      /* open hash: index + 1 */
    uint64_t unlisted; /* messages of topics beyond TOPICS_MAX */
};

/* The row of a source's topic, made when it is new; NULL when there are too many. */
struct topic *topics_find(struct topics *t, const char *source, const char *name, size_t n);
/* Count a message that came at at_ns. Its row, or NULL. */
struct topic *topics_count(struct topics *t, const char *source, const struct msg *m,
                           uint64_t at_ns);
/* By source, then by name. */
void topics_sort(struct topics *t);
void topics_free(struct topics *t);

#endif
