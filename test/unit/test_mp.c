#include "mp.h"
#include "random.h"
#include "test.h"

#include <stdlib.h>

/* One value of every first byte there is, and the edges of each. */
static const struct sample {
    const char *bytes;
    size_t n;
    enum mp_type type;
    int64_t i; /* number, boolean, or length */
    double d;
} samples[] = {
    {"\xc0", 1, MP_NIL, 0, 0},
    {"\xc2", 1, MP_BOOL, 0, 0},
    {"\xc3", 1, MP_BOOL, 1, 0},
    {"\x00", 1, MP_UINT, 0, 0},
    {"\x7f", 1, MP_UINT, 127, 0},
    {"\xff", 1, MP_INT, -1, 0},
    {"\xe0", 1, MP_INT, -32, 0},
    {"\xcc\xff", 2, MP_UINT, 255, 0},
    {"\xcd\x12\x34", 3, MP_UINT, 0x1234, 0},
    {"\xce\xff\xff\xff\xff", 5, MP_UINT, 0xffffffff, 0},
    {"\xcf\x01\x02\x03\x04\x05\x06\x07\x08", 9, MP_UINT, 0x0102030405060708, 0},
    {"\xd0\x80", 2, MP_INT, -128, 0},
    {"\xd0\x7f", 2, MP_UINT, 127, 0},
    {"\xd1\x80\x00", 3, MP_INT, -32768, 0},
    {"\xd2\x80\x00\x00\x00", 5, MP_INT, INT32_MIN, 0},
    {"\xd3\x80\x00\x00\x00\x00\x00\x00\x00", 9, MP_INT, INT64_MIN, 0},
    {"\xd3\x7f\xff\xff\xff\xff\xff\xff\xff", 9, MP_UINT, INT64_MAX, 0},
    {"\xca\x3f\xc0\x00\x00", 5, MP_DOUBLE, 0, 1.5},
    {"\xcb\xc0\x09\x21\xfb\x54\x44\x2d\x18", 9, MP_DOUBLE, 0, -3.141592653589793},
    {"\xa0", 1, MP_STR, 0, 0},
    {"\xa3xyz", 4, MP_STR, 3, 0},
    {"\xd9\x02xy", 4, MP_STR, 2, 0},
    {"\xda\x00\x02xy", 5, MP_STR, 2, 0},
    {"\xdb\x00\x00\x00\x02xy", 7, MP_STR, 2, 0},
    {"\xc4\x02xy", 4, MP_BIN, 2, 0},
    {"\xc5\x00\x02xy", 5, MP_BIN, 2, 0},
    {"\xc6\x00\x00\x00\x02xy", 7, MP_BIN, 2, 0},
    {"\xc7\x02\x85xy", 5, MP_EXT, 2, 0},
    {"\xc7\x00\x85", 3, MP_EXT, 0, 0},
    {"\xc8\x00\x02\x85xy", 6, MP_EXT, 2, 0},
    {"\xc9\x00\x00\x00\x02\x85xy", 8, MP_EXT, 2, 0},
    {"\xd4\x85x", 3, MP_EXT, 1, 0},
    {"\xd5\x85xx", 4, MP_EXT, 2, 0},
    {"\xd6\x85xxxx", 6, MP_EXT, 4, 0},
    {"\xd7\x85xxxxxxxx", 10, MP_EXT, 8, 0},
    {"\xd8\x85xxxxxxxxxxxxxxxx", 18, MP_EXT, 16, 0},
    {"\x90", 1, MP_ARRAY, 0, 0},
    {"\x92\x01\x02", 3, MP_ARRAY, 2, 0},
    {"\xdc\x00\x01\x05", 4, MP_ARRAY, 1, 0},
    {"\xdd\x00\x00\x00\x01\x05", 6, MP_ARRAY, 1, 0},
    {"\x80", 1, MP_MAP, 0, 0},
    {"\x81\xa1k\x05", 4, MP_MAP, 1, 0},
    {"\xde\x00\x01\xa1k\x05", 6, MP_MAP, 1, 0},
    {"\xdf\x00\x00\x00\x01\xa1k\x05", 8, MP_MAP, 1, 0},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static bool has_bytes(enum mp_type t) {
    return t == MP_STR || t == MP_BIN || t == MP_EXT;
}

static void check_sample(const struct sample *s, const struct mp_value *v) {
    CHECK_INT(v->type, s->type);
    if (s->type == MP_DOUBLE)
        CHECK(v->d == s->d);
    else if (s->type == MP_BOOL)
        CHECK_INT(v->b, s->i);
    else if (has_bytes(s->type) || s->type == MP_ARRAY || s->type == MP_MAP)
        CHECK_INT(v->len, s->i);
    else if (s->type != MP_NIL)
        CHECK_INT(v->i, s->i);
    if (s->type == MP_EXT)
        CHECK_INT(v->ext, -123);
}

TEST(reads_every_type) {
    for (int i = 0; i < SAMPLES; i++) {
        const struct sample *s = &samples[i];
        uint8_t *p = exact(s->bytes, s->n);
        struct mp_cursor c = {p, p + s->n}, k = c;
        struct mp_value v;
        CHECK_INT(mp_read(&c, &v), 1);
        check_sample(s, &v);
        if (has_bytes(s->type))
            CHECK(c.at == c.end && v.p + v.len == c.end);
        CHECK_INT(mp_skip(&k), 1);
        CHECK(k.at == k.end);
        free(p);
    }
}

TEST(waits_for_the_rest_wherever_it_is_cut) {
    for (int i = 0; i < SAMPLES; i++)
        for (size_t n = 0; n < samples[i].n; n++) {
            uint8_t *p = exact(samples[i].bytes, n);
            struct mp_cursor c = {p, p + n};
            CHECK_INT(mp_skip(&c), 0);
            CHECK(c.at == p);
            struct mp_value v;
            int r = mp_read(&c, &v);
            bool head = samples[i].type == MP_ARRAY || samples[i].type == MP_MAP;
            CHECK(r == 0 || (head && r == 1));
            CHECK(r == 1 || c.at == p);
            free(p);
        }
}

TEST(refuses_the_byte_that_is_no_msgpack) {
    const uint8_t p[] = {0xc1, 0, 0}, in_array[] = {0x92, 1, 0xc1};
    struct mp_cursor c = {p, p + sizeof p}, k = {in_array, in_array + sizeof in_array};
    struct mp_value v;
    CHECK_INT(mp_read(&c, &v), -1);
    CHECK_INT(mp_skip(&c), -1);
    CHECK_INT(mp_skip(&k), -1);
    CHECK(c.at == p && k.at == in_array);
}

TEST(believes_no_claimed_length) {
    static const char *const claims[] = {"\xdb\xff\xff\xff\xff\x61", "\xc6\xff\xff\xff\xff\x61",
                                         "\xc9\xff\xff\xff\xff\x61", "\xdd\xff\xff\xff\xff\x01",
                                         "\xdf\xff\xff\xff\xff\x01"};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        uint8_t *p = exact(claims[i], 6);
        struct mp_cursor c = {p, p + 6};
        CHECK_INT(mp_skip(&c), 0);
        CHECK(!mp_find(p, 6, "k", &(struct mp_value){0}, NULL));
        free(p);
    }
}

TEST(bounds_the_nesting) {
    struct buf b = {0};
    for (int i = 0; i < MP_DEPTH_MAX; i++)
        mp_put_array(&b, 1);
    mp_put_nil(&b);
    struct mp_cursor c = {buf_data(&b), buf_data(&b) + buf_len(&b)};
    CHECK_INT(mp_skip(&c), 1);
    CHECK(c.at == c.end);
    buf_clear(&b);
    for (int i = 0; i < 1000000; i++)
        mp_put_array(&b, 1);
    c = (struct mp_cursor){buf_data(&b), buf_data(&b) + buf_len(&b)};
    CHECK_INT(mp_skip(&c), -1);
    c.end = c.at + MP_DEPTH_MAX + 1;
    CHECK_INT(mp_skip(&c), -1);
    buf_free(&b);
}

/* A body with a value of every kind and keys that are no strings in between. */
static void put_body(struct buf *b) {
    mp_put_map(b, 12);
    mp_put_uint(b, 7);
    mp_put_str(b, "u8");
    mp_put_array(b, 1);
    mp_put_map(b, 0);
    mp_put_str(b, "array key");
    mp_kv_uint(b, "u", UINT64_MAX);
    mp_kv_int(b, "i", -5);
    mp_kv_bool(b, "t", true);
    mp_kv_double(b, "d", 0.5);
    mp_kv_str(b, "s", "text");
    mp_kv_strn(b, "z", "a\0b", 3);
    mp_kv_bin(b, "x", "\0\1", 2);
    mp_kv_nil(b, "n");
    mp_kv_str(b, "null", NULL);
    mp_put_str(b, "m");
    mp_put_map(b, 1);
    mp_kv_int(b, "deep", 3);
}

TEST(finds_values_by_key) {
    struct buf b = {0};
    put_body(&b);
    size_t n = buf_len(&b);
    uint8_t *p = exact(buf_data(&b), n);
    struct mp_value v;
    struct mp_cursor at;
    CHECK(mp_find(p, n, "u", &v, NULL) && v.type == MP_UINT && v.u == UINT64_MAX);
    CHECK(mp_find(p, n, "null", &v, NULL) && v.type == MP_NIL);
    CHECK(mp_find(p, n, "m", &v, &at) && v.type == MP_MAP && v.len == 1);
    int64_t deep = 0;
    CHECK(mp_get_int(at.at, (size_t)(at.end - at.at), "deep", &deep));
    CHECK_INT(deep, 3);
    CHECK(!mp_find(p, n, "deep", &v, NULL));
    CHECK(!mp_find(p, n, "u8", &v, NULL));
    CHECK(!mp_find(p, 0, "u", &v, NULL));
    free(p);
    buf_free(&b);
}

TEST(finds_nothing_past_a_cut) {
    struct buf b = {0};
    put_body(&b);
    size_t n = buf_len(&b);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *p = exact(buf_data(&b), cut);
        struct mp_value v;
        struct mp_cursor at;
        int64_t i;
        bool found = mp_find(p, cut, "m", &v, &at);
        CHECK(!found || !mp_get_int(at.at, (size_t)(at.end - at.at), "deep", &i));
        free(p);
    }
    buf_free(&b);
}

TEST(typed_lookups_convert_nothing_but_whole_to_double) {
    struct buf b = {0};
    put_body(&b);
    const uint8_t *p = buf_data(&b);
    size_t n = buf_len(&b), len;
    uint64_t u;
    int64_t i;
    bool t;
    double d;
    const char *s;
    const uint8_t *x;
    CHECK(mp_get_uint(p, n, "u", &u) && u == UINT64_MAX);
    CHECK(!mp_get_uint(p, n, "i", &u) && !mp_get_uint(p, n, "d", &u));
    CHECK(mp_get_int(p, n, "i", &i) && i == -5);
    CHECK(!mp_get_int(p, n, "u", &i) && !mp_get_int(p, n, "s", &i));
    CHECK(mp_get_bool(p, n, "t", &t) && t);
    CHECK(!mp_get_bool(p, n, "i", &t));
    CHECK(mp_get_double(p, n, "d", &d) && d == 0.5);
    CHECK(mp_get_double(p, n, "i", &d) && d == -5);
    CHECK(mp_get_double(p, n, "u", &d) && d == 18446744073709551616.0);
    CHECK(!mp_get_double(p, n, "s", &d));
    CHECK(mp_get_str(p, n, "s", &s, &len));
    CHECK_MEM(s, len, "text", 4);
    CHECK(!mp_get_str(p, n, "x", &s, &len) && !mp_get_bin(p, n, "s", &x, &len));
    CHECK(mp_get_bin(p, n, "x", &x, &len));
    CHECK_MEM(x, len, "\0\1", 2);
    buf_free(&b);
}

TEST(copies_strings_only_when_they_fit_and_hold_no_nul) {
    struct buf b = {0};
    put_body(&b);
    const uint8_t *p = buf_data(&b);
    size_t n = buf_len(&b);
    char out[5];
    CHECK(mp_get_cstr(p, n, "s", out, sizeof out));
    CHECK_STR(out, "text");
    CHECK(!mp_get_cstr(p, n, "s", out, 4));
    CHECK(!mp_get_cstr(p, n, "z", out, sizeof out));
    CHECK(!mp_get_cstr(p, n, "missing", out, sizeof out));
    buf_free(&b);
}

/* ---- against msgpack-c's own reader ---- */

static void put_random(struct buf *b, int depth);

static void put_random_container(struct buf *b, int depth, bool map) {
    uint32_t n = random_bits() % 16 ? random_bits() % 6 : random_bits() % 40;
    if (map)
        mp_put_map(b, n);
    else
        mp_put_array(b, n);
    for (uint32_t i = 0; i < (map ? 2 * n : n); i++)
        put_random(b, depth - 1);
}

static void put_random(struct buf *b, int depth) {
    static const char bytes[70000];
    uint64_t bits = random_bits() >> random_bits() % 64;
    size_t len = random_bits() % 64 ? random_bits() % 40 : random_bits() % sizeof bytes;
    double d;
    memcpy(&d, &bits, sizeof d);
    switch (random_bits() % (depth ? 10 : 8)) {
    case 0:
        mp_put_nil(b);
        break;
    case 1:
        mp_put_bool(b, bits & 1);
        break;
    case 2:
        mp_put_uint(b, bits);
        break;
    case 3:
        mp_put_int(b, (int64_t)(bits - random_bits() % 2 * 2 * bits));
        break;
    case 4:
        mp_put_double(b, d);
        break;
    case 5:
        mp_put_strn(b, bytes, len);
        break;
    case 6:
        mp_put_bin(b, bytes, len);
        break;
    case 7:
        mp_put_strn(b, bytes, len % 40);
        break;
    default:
        put_random_container(b, depth, random_bits() % 2);
    }
}

static void compare(struct mp_cursor *c, const msgpack_object *o);

static void compare_items(struct mp_cursor *c, const msgpack_object *o) {
    bool map = o->type == MSGPACK_OBJECT_MAP;
    for (uint32_t i = 0; i < (map ? o->via.map.size : o->via.array.size); i++) {
        compare(c, map ? &o->via.map.ptr[i].key : &o->via.array.ptr[i]);
        if (map)
            compare(c, &o->via.map.ptr[i].val);
    }
}

static void compare(struct mp_cursor *c, const msgpack_object *o) {
    static const enum mp_type type[] = {
        [MSGPACK_OBJECT_NIL] = MP_NIL,
        [MSGPACK_OBJECT_BOOLEAN] = MP_BOOL,
        [MSGPACK_OBJECT_POSITIVE_INTEGER] = MP_UINT,
        [MSGPACK_OBJECT_NEGATIVE_INTEGER] = MP_INT,
        [MSGPACK_OBJECT_FLOAT32] = MP_DOUBLE,
        [MSGPACK_OBJECT_FLOAT64] = MP_DOUBLE,
        [MSGPACK_OBJECT_STR] = MP_STR,
        [MSGPACK_OBJECT_ARRAY] = MP_ARRAY,
        [MSGPACK_OBJECT_MAP] = MP_MAP,
        [MSGPACK_OBJECT_BIN] = MP_BIN,
        [MSGPACK_OBJECT_EXT] = MP_EXT,
    };
    struct mp_value v;
    CHECK_INT(mp_read(c, &v), 1);
    CHECK_INT(v.type, type[o->type]);
    if (v.type == MP_ARRAY || v.type == MP_MAP) {
        CHECK_INT(v.len, v.type == MP_MAP ? o->via.map.size : o->via.array.size);
        compare_items(c, o);
    } else if (has_bytes(v.type)) {
        size_t n = v.type == MP_EXT ? o->via.ext.size : o->via.bin.size;
        CHECK_INT(v.len, n);
        if (n) /* msgpack-c has no address for an empty one */
            CHECK_MEM(v.p, n, v.type == MP_EXT ? o->via.ext.ptr : o->via.bin.ptr, n);
    } else if (v.type == MP_BOOL) {
        CHECK_INT(v.b, o->via.boolean);
    } else if (v.type != MP_NIL) {
        CHECK(memcmp(&v.u, &o->via.u64, sizeof v.u) == 0);
    }
}

static void check_against_msgpack_c(const uint8_t *p, size_t n) {
    struct mp_cursor c = {p, p + n}, end = c;
    msgpack_unpacked u;
    msgpack_unpacked_init(&u);
    size_t used = 0;
    CHECK_INT(msgpack_unpack_next(&u, (const char *)p, n, &used), MSGPACK_UNPACK_SUCCESS);
    compare(&c, &u.data);
    CHECK_INT(mp_skip(&end), 1);
    CHECK(c.at == p + used && end.at == c.at);
    msgpack_unpacked_destroy(&u);
}

TEST(agrees_with_msgpack_c_on_random_values) {
    struct buf b = {0};
    for (int i = 0; i < 3000; i++) {
        buf_clear(&b);
        put_random(&b, 4);
        uint8_t *p = exact(buf_data(&b), buf_len(&b));
        check_against_msgpack_c(p, buf_len(&b));
        free(p);
    }
    buf_free(&b);
}

TEST(agrees_with_msgpack_c_on_random_bytes) {
    int accepted = 0;
    for (int i = 0; i < 100000; i++) {
        uint8_t noise[24];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (uint8_t)random_bits();
        size_t n = random_bits() % (sizeof noise + 1);
        uint8_t *p = exact(noise, n);
        struct mp_cursor c = {p, p + n};
        if (mp_skip(&c) == 1) {
            check_against_msgpack_c(p, (size_t)(c.at - p));
            accepted++;
        }
        free(p);
    }
    CHECK(accepted > 10000);
}
