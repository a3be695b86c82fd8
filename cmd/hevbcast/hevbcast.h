/* hevbcast: what the parts of the ventilator's TCP service share.
 *
 *   main.c     options, opening, closing
 *   entrance.c the three ports, and whose a connection there is
 *   client.c   one connection of a broadcast port: joining, leaving, the table of them
 *   out.c      texts to clients: built once, one send() each, bounded queues
 *   unread.c   whether a client has read what it was sent
 *   cast.c     when something is sent: at once, on the tick, when a client has read
 *   state.c    hev.* messages to the newest state
 *   alarms.c   the list of latched alarms
 *   text.c     the state as JSON, to the byte, per dialect
 *   query.c    one connection of the request port
 *   request.c  what a request asks for, and its answer
 *   pending.c  commands of which it is not known yet whether the ventilator has them
 *   bus.c      what is published and asked for on the bus
 *
 * Sections named in these files are those of clients.md.
 */
#ifndef HEVBCAST_HEVBCAST_H
#define HEVBCAST_HEVBCAST_H

#include <linux/inet_diag.h>
#include <netinet/in.h>

#include "alarms.h"
#include "codec/hev.h"
#include "crowd.h"
#include "doors.h"
#include "stage.h"

enum {
    D1_PACKET_MAX = 600,      /* what a D1 client reads at a time (section 2.1) */
    CLIENT_QUEUE = 16,        /* texts that wait for a D3 client; then the oldest is dropped */
    BATCH_BYTES = 64 << 10,   /* texts of one turn of the loop that are sent together */
    NOTSENT_LOWAT = 32 << 10, /* bytes the kernel holds for a client that does not take them */
    REQUEST_MAX = 4096,       /* bytes of one request */
    QUERIES = 256,            /* open request connections; one more ends the oldest, */
    QUERIES_EACH = 64,        /* or the oldest of its own address when that has so many */
    PENDING = 64,             /* commands of which nothing is known yet; one more is refused */
    KEYS = 18,                /* of "sensors" */
    PAYLOAD_BYTES = 4096      /* of one message's body; the longest real one has about 700 */
};

enum dialect { DIALECT_D1, DIALECT_D2, DIALECT_D3 };
enum port { PORT_WEBUI, PORT_NATIVE, PORT_QUERY, PORTS };

struct options {
    const char *host, *dialect, *mcu;
    int64_t port[PORTS];
    int64_t interval_ms, keepalive_ms, stall_ms, request_ms, max_age_ms, clients, per_address;
};

/* A text on its way; shared by the queues that hold it. */
struct frame {
    unsigned refs;
    struct buf text;
};

/* What every broadcast looks at stands together, so that it is two cache lines of each client. */
struct client {
    struct hevbcast *h;
    int fd;
    unsigned head, count; /* of queue */
    unsigned streak;      /* texts since the last silence, see unread.c */
    bool gone;
    bool owed;             /* D1: has not been sent the newest state */
    bool has_read;         /* D1: all that it was sent */
    bool acked_at_once;    /* D1: the last text, when send() returned */
    uint64_t look_at_ms;   /* D1, owed: when it is looked at again ... */
    unsigned look_wait_ms; /* ... and the pause before that */
    uint64_t bytes, texts; /* sent so far */
    uint64_t sent_ns;      /* when last; monotonic */
    uint64_t progress_ms;  /* it took something, or nothing waited */
    uint64_t coalesced, dropped;

    size_t index;                      /* in h->client */
    size_t off;                        /* of the first text in the queue so many bytes are sent */
    struct frame *queue[CLIENT_QUEUE]; /* a ring */
    int events;
    enum port port;
    uint64_t who; /* its address, see tries.h */
    uint8_t family;
    struct inet_diag_sockid diag; /* its own socket, as the kernel knows it */
    char peer[64];
    uv_poll_t poll;
};

/* joined: payloads that others of the same turn or tick have overtaken, for everybody; coalesced:
 * states that a newer one has overtaken, for a client that had not read. */
struct counts {
    uint64_t clients, opened, refused, crowded, cut_slow, lost;
    uint64_t texts, sends, bytes, joined, coalesced, dropped, left_out;
    uint64_t requests, acks, nacks, timeouts, displaced, commands, unanswered, expired, alarms,
        acked, strange;
};

/* "sensors" of D1: a value for each key, as it will be printed. */
struct sensors {
    bool any;       /* a DATA has come */
    bool timestamp; /* the A1 form, with a timestamp */
    bool real[KEYS];
    double value[KEYS];
};

struct query;
struct pending;

struct hevbcast {
    struct stage st;
    struct options opt;
    struct counts n;
    enum dialect dialect;
    unsigned version; /* of the serial side, see hev.h */
    struct doors doors;

    struct client **client;
    size_t client_count, max_clients;
    struct crowd crowd; /* clients by address */
    uint64_t port_clients[PORTS];
    bool clients_changed; /* not yet published */

    /* newest state */
    struct sensors sensors;
    struct alarms alarms;
    bool alarms_changed;        /* not yet published */
    struct buf body[HEV_TYPES]; /* last body of each type, msgpack */
    int newest_type;            /* of the last payload; -1 = none yet */
    bool serial_down;           /* serial.state says so */
    uint64_t state_number;      /* counts changes of what D1 shows */

    /* going out */
    bool due;                   /* D1: there is something new */
    uint8_t waiting[HEV_TYPES]; /* D3 with --interval: types with something new, oldest first */
    size_t waiting_count;
    struct frame *batch;     /* texts of this turn; D1: the newest state */
    uint64_t batch_number;   /* D1: state_number that batch shows */
    uint64_t newest_time;    /* of the newest message that goes out */
    uint64_t last_cast_ms;   /* 0 = never */
    uint64_t settle_at_ms;   /* D1: everybody is asked whether it has read; 0 = not to be */
    uint64_t settle_last_ms; /* the last time that this is of use before the next text */
    uint64_t retry_at_ms;    /* when the timer runs out */
    int diag_fd;             /* -1 = the kernel does not tell */
    bool acks_late;          /* it does not always acknowledge what is read, see unread.c */

    struct query *first_query, *last_query;
    size_t query_count;
    uint64_t next_id;        /* of hev.send */
    struct pending *pending; /* oldest first */
    size_t pending_count;
    bool confirms; /* the link tells what becomes of commands */
    bool blocked;  /* an output is full */
    bool stopping;

    uv_timer_t tick, retry, keepalive;
    uv_check_t check;
    uv_prepare_t prepare;
};

static inline uint64_t hevbcast_ms(const struct hevbcast *h) {
    return uv_now(&h->st.loop);
}

/* ---- entrance.c ---- */
int entrance_check(const struct options *o, struct err *e);
int entrance_open(struct hevbcast *h, struct err *e);

/* ---- client.c ---- */
void client_table_open(struct hevbcast *h);
void client_table_free(struct hevbcast *h);
/* Takes fd over, in any case. */
void client_add(struct hevbcast *h, enum port port, int fd, const struct sockaddr_storage *peer);
void client_poll(struct client *c);
void client_drop(struct client *c);
/* Too slow: reset, so that the kernel need not keep what it does not take. */
void client_cut(struct client *c, const char *why);
/* Once a second: whoever has taken nothing of what waits for too long is cut. */
void clients_watch(struct hevbcast *h);

/* ---- out.c ---- */
struct frame *frame_new(void);
void frame_release(struct frame *f);
/* A frame nobody holds but the caller, empty: *f itself or a new one in its place. */
struct frame *frame_fresh(struct frame **f);
/* Send or queue; the client may be gone afterwards (c->gone). */
void out_send(struct client *c, struct frame *f);
void out_writable(struct client *c);
void out_free(struct client *c);

/* ---- unread.c ---- */
void unread_open(struct hevbcast *h);
void unread_close(struct hevbcast *h);
/* Send it a text, after which it has something unread. */
void unread_send(struct client *c, struct frame *f);
/* Whether the client has taken everything it was sent out of its socket. */
bool unread_none(struct client *c);

/* ---- cast.c ---- */
void cast_open(struct hevbcast *h);
void cast_close(struct hevbcast *h);
/* A payload of this type is to go out (D1: the state has changed), for a message of time_ns. */
void cast_payload(struct hevbcast *h, enum hev_type type, uint64_t time_ns);
/* A client has come: whatever waits for the tick it gets at once. */
void cast_welcome(struct client *c);

/* ---- state.c ---- */
enum { SENSOR_TIMESTAMP = 2 /* the one key that only A1 has */ };
/* Key i of "sensors", in the order of D1. */
const char *state_sensor_key(size_t i);
void state_take(struct hevbcast *h, const struct msg *m);
/* What an earlier process knew counts. Not before our ports are ours. */
void state_open(struct hevbcast *h);
void state_free(struct hevbcast *h);

/* ---- text.c ---- */
/* The state as a D1 or D2 client reads it, at most D1_PACKET_MAX bytes; how many alarms had to be
 * left out. */
unsigned text_state(const struct hevbcast *h, struct buf *out);
/* The last payload of a type as D3, with its NUL. False when there is none that can be written. */
bool text_payload(struct hevbcast *h, enum hev_type type, struct buf *out);

/* ---- query.c ---- */
void query_add(struct hevbcast *h, int fd, const struct sockaddr_storage *peer);
void queries_close(struct hevbcast *h);

/* ---- request.c ---- */
struct answer {
    bool ack;
    char reason[160];          /* of a nack */
    uint64_t id;               /* of the hev.send that followed; 0 = none */
    char cmdtype[64], cmd[64]; /* as asked for; "" = none */
    double param;
    bool has_param;
};
/* Carry out the request; n bytes of JSON. Publishes what follows from it. */
void request_take(struct hevbcast *h, const char *text, size_t n, const char *client,
                  const char *from, struct answer *a);

/* ---- pending.c ---- */
/* Whether another command may follow; not while one is stuck. */
bool pending_room(const struct hevbcast *h);
/* There is room. */
void pending_add(struct hevbcast *h, uint64_t id, const struct answer *a, const char *client,
                 const char *from);
/* The link has told: acknowledged, or not; expired: its time was over. */
void pending_end(struct hevbcast *h, uint64_t id, bool ok, bool expired);
/* Once a second: those of which nothing was heard. */
void pending_watch(struct hevbcast *h);
void pending_free(struct hevbcast *h);

/* ---- bus.c ---- */
void bus_open(struct hevbcast *h);
void bus_alarms(struct hevbcast *h);
void bus_clients(struct hevbcast *h);
void bus_command(struct hevbcast *h, const struct answer *a, const char *client, const char *from);
/* The payload, to be put on the serial line; its number, 0 when our output is full. */
uint64_t bus_send(struct hevbcast *h, const char *kind, const uint8_t *p, size_t n);
void bus_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body, size_t n);

#endif
