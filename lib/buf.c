#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEEP_BYTES = 1 << 20 };

static void out_of_memory(size_t n) {
    fprintf(stderr, "out of memory: %zu bytes wanted\n", n);
    abort();
}

void *mem_alloc(size_t n) {
    void *p = calloc(1, n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

void *mem_resize(void *p, size_t n) {
    void *q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory(n);
    return q;
}

char *mem_strdup(const char *s) {
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

void buf_free(struct buf *b) {
    free(b->mem);
    *b = (struct buf){0};
}

/* New storage of at least len + n bytes and never more than half full of what is kept, so that the
 * next move is far enough away to pay for this one. */
static void grow(struct buf *b, size_t len, size_t n) {
    size_t cap = b->cap ? b->cap : 256;
    if (n > SIZE_MAX / 4 || len > SIZE_MAX / 4)
        out_of_memory(n);
    while (cap < len + n || cap < 2 * len)
        cap *= 2;
    uint8_t *mem = malloc(cap);
    if (!mem)
        out_of_memory(cap);
    if (len)
        memcpy(mem, buf_data(b), len);
    free(b->mem);
    b->mem = mem;
    b->cap = cap;
}

uint8_t *buf_reserve(struct buf *b, size_t n) {
    if (b->mem && b->cap - b->end >= n)
        return b->mem + b->end;
    size_t len = buf_len(b);
    if (b->start >= len && b->cap - len >= n && b->mem)
        memcpy(b->mem, b->mem + b->start, len);
    else
        grow(b, len, n);
    b->start = 0;
    b->end = len;
    return b->mem + len;
}

void buf_added(struct buf *b, size_t n) {
    b->end += n;
}

void buf_put(struct buf *b, const void *p, size_t n) {
    if (n) {
        memcpy(buf_reserve(b, n), p, n);
        b->end += n;
    }
}

void buf_putc(struct buf *b, char c) {
    *buf_reserve(b, 1) = (uint8_t)c;
    b->end++;
}

void buf_puts(struct buf *b, const char *s) {
    buf_put(b, s, strlen(s));
}

void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n > 0) {
        vsnprintf((char *)buf_reserve(b, (size_t)n + 1), (size_t)n + 1, fmt, again);
        b->end += (size_t)n;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t n) {
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buf_clear(struct buf *b) {
    b->start = b->end = 0;
    if (b->cap > KEEP_BYTES)
        buf_free(b);
}
