/* hev_link: acknowledges what comes and repeats what is not acknowledged (hev.md, section 1.5).
 *
 * Either end of the line: the gateway's and a simulated ventilator's. Receiving: every information
 * frame is acknowledged, whatever its N(S); one that repeats the last of its address is not handed
 * over again. Sending: one frame at a time, alarms first, then commands, then data; its N(S) is
 * used up when it is acknowledged or given up.
 *
 * Pure: no I/O, no allocation; time is passed in, on one clock of the caller's choice (if it steps
 * back, the wait for an answer starts again). Every queue is bounded: when full its oldest entry is
 * dropped and told as not sent.
 */
#ifndef TAPLINE_HEV_LINK_H
#define TAPLINE_HEV_LINK_H

#include "hev.h"

enum hev_class { HEV_CLASS_ALARM, HEV_CLASS_CMD, HEV_CLASS_DATA, HEV_CLASSES };

enum { HEV_QUEUE_MAX = 32, HEV_RESEND_MS = 50, HEV_TRIES = 10 };

struct hev_sent {
    uint64_t id; /* as given to hev_link_send */
    enum hev_class class;
    bool ok;            /* acknowledged */
    unsigned tries;     /* times it was put on the line; 0 = dropped while it waited */
    bool expired;       /* because its time was over */
    uint8_t ns;         /* N(S) it had; 0 when tries is 0 */
    uint64_t waited_ns; /* from its first time on the line to now */
};

/* What the link does to the outside; any may be NULL. Pointers are valid during the call only. They
 * may call hev_link_send, but no other function of this link; sent not even that when tries is 0.
 */
struct hev_link_hooks {
    /* One whole frame for the line: an acknowledgement or one of ours. NULL: a listener that never
     * answers. */
    void (*write)(void *ctx, const uint8_t *wire, size_t n);
    /* An information frame that is no repetition; it has been acknowledged. */
    void (*deliver)(void *ctx, const struct hev_frame *f);
    /* A received ACK or NACK, also one that fits nothing of ours. */
    void (*answer)(void *ctx, const struct hev_frame *f);
    /* The end of what was given to hev_link_send: exactly once for each. */
    void (*sent)(void *ctx, const struct hev_sent *s);
    /* Whether the time until_ns of hev_link_send_until has come, where that is of another clock
     * than the link's, which lags when bytes have waited for us. NULL: it is of the same. */
    bool (*is_over)(void *ctx, uint64_t until_ns);
};

struct hev_link_config {
    uint64_t resend_ns[HEV_CLASSES]; /* 0 = HEV_RESEND_MS */
    unsigned tries;                  /* times on the line before it is given up; 0 = never */
    unsigned depth;                  /* of each queue, 1..HEV_QUEUE_MAX; 0 = HEV_QUEUE_MAX */
};

/* One payload that waits, or the one on the line. */
struct hev_outgoing {
    uint64_t id;
    uint64_t until_ns; /* 0 = for ever */
    uint8_t len;
    uint8_t data[HEV_PAYLOAD_MAX];
};

struct hev_queue {
    struct hev_outgoing ring[HEV_QUEUE_MAX];
    unsigned head, count;
};

/* The last information frame of one address. */
struct hev_last {
    bool any;
    uint8_t ns, len;
    uint64_t number; /* how many frames had been taken when it came */
    uint8_t data[HEV_PAYLOAD_MAX];
};

/* About 13 KB. Fields are private but for the counters and receiver's. */
struct hev_link {
    struct hev_receiver receiver;
    struct hev_link_config config;
    struct hev_link_hooks hooks;
    void *ctx;
    uint64_t now_ns;

    struct hev_last last[HEV_CLASSES];
    int last_ns; /* N(S) of the last new frame of any address; -1 = none yet */

    struct hev_queue queue[HEV_CLASSES];
    struct hev_outgoing current; /* on the line, when busy */
    enum hev_class current_class;
    bool busy;
    unsigned tries;
    uint64_t first_ns, sent_ns;
    uint8_t ns; /* of current, or of the next */

    uint64_t taken;       /* information frames received, without repetitions */
    uint64_t repeats;     /* repetitions received */
    uint64_t gaps;        /* times that N(S) was not the last plus 1 */
    uint64_t acks, nacks; /* received */
    uint64_t stray_acks;  /* of those, for nothing that is on the line */
    uint64_t unaddressed; /* information frames of address 00: told to deliver, not acknowledged */
    uint64_t sent;        /* payloads put on the line */
    uint64_t resent;      /* times one of them was repeated */
    uint64_t unanswered;  /* given up, or cut off by hev_link_reset */
    uint64_t dropped;     /* thrown out of a full queue */
    uint64_t expired;     /* whose time was over before they were acknowledged */
};

/* config NULL: HEV_RESEND_MS, HEV_TRIES and HEV_QUEUE_MAX. */
void hev_link_init(struct hev_link *l, const struct hev_link_config *config,
                   const struct hev_link_hooks *hooks, void *ctx);

/* Bytes from the line. */
void hev_link_feed(struct hev_link *l, const uint8_t *p, size_t n, uint64_t now_ns);

/* Queue a payload of at most HEV_PAYLOAD_MAX bytes and put it on the line when that is free. False
 * when it is empty or too long; otherwise hooks.sent is called for id in the end. */
bool hev_link_send(struct hev_link *l, enum hev_class class, uint64_t id, const uint8_t *p,
                   size_t n, uint64_t now_ns);

/* The same for what must not come late: it is neither put on the line nor repeated from until_ns on
 * (0: no such time). That it was not is told when the line is free, or at its next repetition. */
bool hev_link_send_until(struct hev_link *l, enum hev_class class, uint64_t id, const uint8_t *p,
                         size_t n, uint64_t now_ns, uint64_t until_ns);

/* When hev_link_timeout wants to be called; 0 = not at all. Early or late calls do no harm. */
uint64_t hev_link_deadline(const struct hev_link *l);
void hev_link_timeout(struct hev_link *l, uint64_t now_ns);

/* The line was interrupted: what is half received is forgotten, what is on the line or waits is
 * told as not sent. N(S) goes on, counters stay. */
void hev_link_reset(struct hev_link *l);

/* Payloads that wait or are on the line. */
size_t hev_link_pending(const struct hev_link *l);

uint8_t hev_class_address(enum hev_class class);
/* -1 for address kind 00. */
int hev_address_class(uint8_t address);
/* "alarm", "cmd", "data". */
const char *hev_class_name(enum hev_class class);

#endif
