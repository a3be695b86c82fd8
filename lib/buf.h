/* buf: a growable run of bytes with a read position; the one buffer of all programs.
 *
 * Bytes are appended at the end and consumed at the start; the storage is reused, so a buffer in
 * steady state does not allocate. Memory running out ends the process: every size is bounded
 * before it gets here, so it means a bug or a machine that cannot go on.
 */
#ifndef TAPLINE_BUF_H
#define TAPLINE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
    uint8_t *mem; /* owned storage */
    size_t start; /* first unread byte */
    size_t end;   /* one past the last byte */
    size_t cap;
};

/* {0} is a valid empty buffer; no init is needed. */
void buf_free(struct buf *b);

static inline uint8_t *buf_data(const struct buf *b) {
    return b->mem + b->start;
}

static inline size_t buf_len(const struct buf *b) {
    return b->end - b->start;
}

/* Room for n more bytes at the end; returns where to write them. Call buf_added after writing. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_added(struct buf *b, size_t n);

void buf_put(struct buf *b, const void *p, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Drop n bytes (at most buf_len) from the start. */
void buf_consume(struct buf *b, size_t n);

/* Drop everything; storage above keep bytes is given back. */
void buf_clear(struct buf *b);

/* malloc family that never returns NULL. */
void *mem_alloc(size_t n); /* zeroed */
void *mem_resize(void *p, size_t n);
char *mem_strdup(const char *s);

#endif
