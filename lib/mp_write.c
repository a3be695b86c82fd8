#include "mp.h"

#include <string.h>

static int write_buf(void *ctx, const char *p, size_t n) {
    buf_put(ctx, p, n);
    return 0;
}

static msgpack_packer packer(struct buf *b) {
    return (msgpack_packer){.data = b, .callback = write_buf};
}

void mp_put_map(struct buf *b, uint32_t pairs) {
    msgpack_packer k = packer(b);
    msgpack_pack_map(&k, pairs);
}

void mp_put_array(struct buf *b, uint32_t items) {
    msgpack_packer k = packer(b);
    msgpack_pack_array(&k, items);
}

void mp_put_strn(struct buf *b, const char *s, size_t n) {
    msgpack_packer k = packer(b);
    msgpack_pack_str(&k, n);
    buf_put(b, s, n);
}

void mp_put_str(struct buf *b, const char *s) {
    if (s)
        mp_put_strn(b, s, strlen(s));
    else
        mp_put_nil(b);
}

void mp_put_bin_header(struct buf *b, size_t n) {
    msgpack_packer k = packer(b);
    msgpack_pack_bin(&k, n);
}

void mp_put_bin(struct buf *b, const void *p, size_t n) {
    mp_put_bin_header(b, n);
    buf_put(b, p, n);
}

void mp_put_uint(struct buf *b, uint64_t v) {
    msgpack_packer k = packer(b);
    msgpack_pack_uint64(&k, v);
}

void mp_put_int(struct buf *b, int64_t v) {
    msgpack_packer k = packer(b);
    msgpack_pack_int64(&k, v);
}

void mp_put_bool(struct buf *b, bool v) {
    msgpack_packer k = packer(b);
    v ? msgpack_pack_true(&k) : msgpack_pack_false(&k);
}

void mp_put_double(struct buf *b, double v) {
    msgpack_packer k = packer(b);
    msgpack_pack_double(&k, v);
}

void mp_put_nil(struct buf *b) {
    msgpack_packer k = packer(b);
    msgpack_pack_nil(&k);
}

void mp_kv_str(struct buf *b, const char *key, const char *v) {
    mp_put_str(b, key);
    mp_put_str(b, v);
}

void mp_kv_strn(struct buf *b, const char *key, const char *v, size_t n) {
    mp_put_str(b, key);
    mp_put_strn(b, v, n);
}

void mp_kv_bin(struct buf *b, const char *key, const void *p, size_t n) {
    mp_put_str(b, key);
    mp_put_bin(b, p, n);
}

void mp_kv_uint(struct buf *b, const char *key, uint64_t v) {
    mp_put_str(b, key);
    mp_put_uint(b, v);
}

void mp_kv_int(struct buf *b, const char *key, int64_t v) {
    mp_put_str(b, key);
    mp_put_int(b, v);
}

void mp_kv_bool(struct buf *b, const char *key, bool v) {
    mp_put_str(b, key);
    mp_put_bool(b, v);
}

void mp_kv_double(struct buf *b, const char *key, double v) {
    mp_put_str(b, key);
    mp_put_double(b, v);
}

void mp_kv_nil(struct buf *b, const char *key) {
    mp_put_str(b, key);
    mp_put_nil(b);
}
