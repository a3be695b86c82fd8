#include <stdlib.h>
#include <string.h>

#include "record.h"

void ring_init(struct ring *r, size_t size, uint64_t keep_ns) {
    *r = (struct ring){.mem = mem_alloc(size), .size = size, .keep_ns = keep_ns};
}

static void copy_in(struct ring *r, const void *p, size_t n) {
    size_t at = r->tail % r->size, first = r->size - at < n ? r->size - at : n;
    memcpy(r->mem + at, p, first);
    memcpy(r->mem, (const uint8_t *)p + first, n - first);
    r->tail += n;
}

static void copy_out(const struct ring *r, uint64_t from, void *p, size_t n) {
    size_t at = from % r->size, first = r->size - at < n ? r->size - at : n;
    memcpy(p, r->mem + at, first);
    memcpy((uint8_t *)p + first, r->mem, n - first);
}

static struct ring_item oldest(const struct ring *r) {
    struct ring_item item;
    copy_out(r, r->head, &item, sizeof item);
    return item;
}

static void forget(struct ring *r, const struct ring_item *item) {
    r->pushed_out += r->head < r->wanted;
    r->head += sizeof *item + item->len;
    r->count--;
}

void ring_age(struct ring *r, uint64_t now_ns) {
    while (r->count && r->head >= r->wanted) {
        struct ring_item item = oldest(r);
        if (item.at_ns + r->keep_ns >= now_ns)
            return;
        forget(r, &item);
    }
}

bool ring_push(struct ring *r, uint32_t source, const struct msg *m, uint64_t at_ns) {
    struct ring_item item = {at_ns, source, (uint32_t)m->raw_len};
    if (sizeof item + m->raw_len > r->size)
        return false;
    ring_age(r, at_ns);
    while (r->tail - r->head + sizeof item + m->raw_len > r->size) {
        struct ring_item old = oldest(r);
        forget(r, &old);
    }
    copy_in(r, &item, sizeof item);
    copy_in(r, m->raw, m->raw_len);
    r->count++;
    return true;
}

bool ring_take(struct ring *r, struct ring_item *item, struct msg *m) {
    if (!r->count || r->head >= r->wanted)
        return false;
    *item = oldest(r);
    buf_clear(&r->out);
    copy_out(r, r->head + sizeof *item, buf_reserve(&r->out, item->len), item->len);
    buf_added(&r->out, item->len);
    r->head += sizeof *item + item->len;
    r->count--;
    return msg_parse(buf_data(&r->out), buf_len(&r->out), m) > 0;
}

void ring_free(struct ring *r) {
    free(r->mem);
    buf_free(&r->out);
}
