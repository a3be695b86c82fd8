/* store: what is in the directory: the index, scans, and the limits of --keep. */
#ifndef IMGWRITE_STORE_H
#define IMGWRITE_STORE_H

#include "keep.h"
#include "scan.h"
#include "stage.h"

enum {
    STORE_REMOVE = 64, /* files removed at a time */
    STORE_WAITING = 32 /* questions that may wait for the first scan */
};

/* What the request list asks for. */
struct store_query {
    bool one_camera;
    uint64_t mac, before_us, after_us, limit;
};

struct store_question {
    struct rpc_call *call;
    struct store_query query;
};

struct store {
    /* Set by the owner. */
    struct stage *st;
    struct save_place *place;
    struct keep keep;
    /* Neither scanning nor removing any more. */
    void (*on_idle)(void *ctx);
    void *ctx;

    struct index index;
    uint64_t pictures, bytes; /* copies of the index's, for the report */
    uint64_t removed, removed_bytes, remove_errors, leftovers;
    bool scanned; /* once at least */
    /* Its own. */
    bool scanning, removing, again;
    struct scan scan;
    uv_work_t scan_work, remove_work;
    uint64_t scan_at_ms;
    char (*name)[NAME_BYTES]; /* STORE_REMOVE of them, on their way out */
    size_t names;
    uint64_t just_removed;
    int remove_error;
    struct store_question question[STORE_WAITING];
    size_t questions;
};

void store_open(struct store *s);
/* Look at what is there, now or as soon as the scan that runs has ended. */
void store_scan(struct store *s);
void store_saved(struct store *s, const char *name, const struct name_facts *f, uint64_t bytes);
/* Once a second: ages, and now and then what others did in the directory. */
void store_tick(struct store *s);
bool store_idle(const struct store *s);
/* Let a scan end soon. */
void store_cancel(struct store *s);
void store_free(struct store *s);

/* The request list. Until the directory has been looked at once, the answer waits for that. */
void store_list(struct store *s, struct rpc_call *call, const uint8_t *body, size_t n);
/* Answer those that wait: with pictures, or with why not. */
void store_list_waiting(struct store *s, const char *why_not);

#endif
