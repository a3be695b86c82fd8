#include "codec/campacket.h"
#include "test.h"

/* Packet in hexadecimal, as the protocol page writes it. */
static size_t hex(const char *text, uint8_t *out) {
    size_t n = 0;
    unsigned x;
    for (int used; sscanf(text, "%2x %n", &x, &used) == 1; text += used)
        out[n++] = (uint8_t)x;
    return n;
}

#define CHECK_PACKET(got_, n_, text_)                                                              \
    do {                                                                                           \
        uint8_t want_[64];                                                                         \
        size_t len_ = hex(text_, want_);                                                           \
        CHECK_MEM(got_, n_, want_, len_);                                                          \
    } while (0)

TEST(packets_are_those_of_the_page) {
    uint8_t b[64], data[CAMPACKET_DATA];
    size_t n = campacket_put(b, CAMPACKET_ID_AUTH, CAMPACKET_REQUEST, "1111", 4);
    CHECK_PACKET(b, n, "00 FF 00 01 00 04 31 31 31 31 FA");
    n = campacket_put(b, CAMPACKET_ID_AUTH, CAMPACKET_RESPONSE, "ready", 5);
    CHECK_PACKET(b, n, "00 FF 00 00 00 05 72 65 61 64 79 91");
    n = campacket_put(b, CAMPACKET_ID_AUTH, CAMPACKET_ERROR, NULL, 0);
    CHECK_PACKET(b, n, "00 FF 00 02 00 00 FD");
    n = campacket_put(b, CAMPACKET_ID_SETTINGS, CAMPACKET_REQUEST, NULL, 0);
    CHECK_PACKET(b, n, "00 FF 02 01 00 00 FC");
    n = campacket_put(b, CAMPACKET_ID_SETTINGS, CAMPACKET_ERROR, NULL, 0);
    CHECK_PACKET(b, n, "00 FF 02 02 00 00 FF");
    campacket_data(data, 7, 1700000000000);
    n = campacket_put(b, CAMPACKET_ID_DATA, CAMPACKET_RESPONSE, data, sizeof data);
    CHECK_PACKET(b, n, "00 FF 01 00 00 09 07 00 00 01 8B CF E5 68 00 38");
}

TEST(data_is_read_back) {
    uint8_t p[CAMPACKET_DATA], value;
    uint64_t ms;
    campacket_data(p, 255, UINT64_C(0x0123456789abcdef));
    CHECK(campacket_data_read(p, sizeof p, &value, &ms));
    CHECK_INT(value, 255);
    CHECK(ms == UINT64_C(0x0123456789abcdef));
    CHECK(!campacket_data_read(p, sizeof p - 1, &value, &ms));
}

/* ---- streams ---- */

struct tally {
    unsigned ok, garbage_bytes, too_long, wrong;
    uint8_t last[64];
    size_t last_len;
};

/* A reader as a server has it: bytes are added in pieces of `piece`, and what is broken is
 * dropped. */
static void feed(struct tally *t, const uint8_t *p, size_t n, size_t piece, size_t max) {
    uint8_t mem[256];
    size_t have = 0;
    while (n || have) {
        size_t take = n < piece ? n : piece, used;
        struct campacket c;
        memcpy(mem + have, p, take);
        have += take;
        p += take;
        n -= take;
        enum campacket_found f;
        while ((f = campacket_next(mem, have, max, &c, &used)) != CAMPACKET_MORE) {
            CHECK(used > 0 && used <= have);
            t->ok += f == CAMPACKET_OK;
            t->garbage_bytes += f == CAMPACKET_GARBAGE ? (unsigned)used : 0;
            t->too_long += f == CAMPACKET_LONG;
            t->wrong += f == CAMPACKET_CHECKSUM;
            if (f == CAMPACKET_OK)
                memcpy(t->last, c.payload, t->last_len = c.len);
            memmove(mem, mem + used, have -= used);
        }
        CHECK_INT(used, 0);
        CHECK(have <= max + CAMPACKET_OVERHEAD);
        if (!n)
            return;
    }
}

TEST(a_packet_is_found_however_it_is_split) {
    uint8_t s[64];
    size_t n = hex("00 FF 00 01 00 04 31 31 31 31 FA 00 FF 02 01 00 00 FC "
                   "00 FF 02 01 00 06 64 01 0A 0A 0A 7F E2",
                   s);
    s[n - 1] = 0;
    for (size_t i = 18; i < n - 1; i++)
        s[n - 1] ^= s[i];
    for (size_t piece = 1; piece <= n; piece++) {
        struct tally t = {0};
        feed(&t, s, n, piece, 64);
        CHECK_INT(t.ok, 3);
        CHECK_INT(t.garbage_bytes + t.too_long + t.wrong, 0);
        CHECK_PACKET(t.last, t.last_len, "64 01 0A 0A 0A 7F");
    }
}

TEST(the_stream_is_found_again_after_garbage) {
    uint8_t s[64];
    size_t n = hex("11 22 00 00 33 00 FF 02 01 00 00 FC", s);
    for (size_t piece = 1; piece <= n; piece++) {
        struct tally t = {0};
        feed(&t, s, n, piece, 64);
        CHECK_INT(t.ok, 1);
        CHECK_INT(t.garbage_bytes, 5);
    }
}

TEST(a_wrong_checksum_costs_one_packet) {
    uint8_t s[64];
    size_t n = hex("00 FF 02 01 00 00 FD 00 FF 02 01 00 00 FC", s);
    struct tally t = {0};
    feed(&t, s, n, n, 64);
    CHECK_INT(t.wrong, 1);
    CHECK_INT(t.ok, 1);
}

TEST(a_wrong_length_does_not_swallow_what_follows) {
    uint8_t s[64];
    size_t n = hex("00 FF 02 01 00 07 FC 00 FF 02 01 00 00 FC", s);
    struct tally t = {0};
    feed(&t, s, n, 1, 64);
    CHECK_INT(t.wrong, 1);
    CHECK_INT(t.ok, 1);
    n = hex("00 FF 02 01 FF FF 00 FF 02 01 00 00 FC", s);
    t = (struct tally){0};
    feed(&t, s, n, 1, 64);
    CHECK_INT(t.too_long, 1);
    CHECK_INT(t.ok, 1);
}

TEST(every_damaged_byte_is_noticed) {
    for (size_t at = 0; at < 13; at++) {
        uint8_t s[64];
        size_t n = hex("00 FF 02 01 00 06 64 01 0A 0A 0A 7F 98 00 FF 02 01 00 00 FC", s);
        s[12] = 0;
        for (size_t i = 0; i < 12; i++)
            s[12] ^= s[i];
        s[at] ^= 0x10;
        struct tally t = {0};
        feed(&t, s, n, 3, 64);
        /* A length that grew swallows the end; the rest is found when the caller gives it up. */
        CHECK(t.ok <= 1 && (t.ok == 0 || t.last_len == 0));
    }
}

TEST(a_packet_of_the_longest_payload) {
    static uint8_t payload[CAMPACKET_PAYLOAD], b[CAMPACKET_PAYLOAD + CAMPACKET_OVERHEAD];
    struct campacket c;
    size_t used;
    memset(payload, 0xA5, sizeof payload);
    size_t n = campacket_put(b, 1, 1, payload, sizeof payload);
    CHECK_INT(campacket_next(b, n - 1, CAMPACKET_PAYLOAD, &c, &used), CAMPACKET_MORE);
    CHECK_INT(campacket_next(b, n, CAMPACKET_PAYLOAD, &c, &used), CAMPACKET_OK);
    CHECK_INT(c.len, CAMPACKET_PAYLOAD);
    CHECK_INT(used, n);
}

/* ---- settings ---- */

TEST(default_settings_are_those_of_the_page) {
    struct camsettings s = {10000, 1, 1.0, 1.0, 1.0, 0.0};
    uint8_t p[CAMPACKET_SETTINGS], b[CAMPACKET_SHORT];
    camsettings_put(p, &s);
    size_t n = campacket_put(b, CAMPACKET_ID_SETTINGS, CAMPACKET_RESPONSE, p, sizeof p);
    CHECK_PACKET(b, n, "00 FF 02 00 00 09 64 01 0A 0A 0A 7F 00 00 00 E4");
}

TEST(fractions_are_cut_off_towards_zero) {
    struct camsettings s = {10099, 7, 1.99, 0.29, 2.3, 0.004};
    uint8_t p[CAMPACKET_SETTINGS];
    camsettings_put(p, &s);
    CHECK_PACKET(p, sizeof p, "64 07 13 02 17 80 00 00 00");
    s = (struct camsettings){30000, 300, 0.7, 4.1, 8.2, -0.001};
    camsettings_put(p, &s);
    CHECK_PACKET(p, sizeof p, "2C 2C 07 29 52 7F 00 00 00");
    s = (struct camsettings){1e300, -1e300, 0, 0, 0, -1};
    camsettings_put(p, &s);
    CHECK_PACKET(p, sizeof p, "00 00 00 00 00 00 00 00 00");
}

TEST(every_byte_that_was_set_is_read_back) {
    for (unsigned b = 0; b < 256; b++) {
        uint8_t set[CAMPACKET_SETTINGS_SET], got[CAMPACKET_SETTINGS];
        struct camsettings s;
        memset(set, (int)b, sizeof set);
        camsettings_get(set, &s);
        camsettings_put(got, &s);
        CHECK_MEM(got, sizeof set, set, sizeof set);
    }
}

TEST(a_command_is_decoded) {
    struct camsettings s;
    camsettings_get((const uint8_t[]){200, 4, 15, 20, 12, 255}, &s);
    CHECK(s.shutter_us == 20000 && s.gain == 4 && s.awb_red == 1.5 && s.awb_blue == 2);
    CHECK(s.contrast == 1.2 && s.brightness == 1);
}
