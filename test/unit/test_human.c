// Numbers with units, as tapline status shows them.
#include "../../cmd/tapline/human.c"
#include "test.h"

static char out[64];

TEST(counts) {
    CHECK_STR(human_count(out, sizeof out, 0), "0");
    CHECK_STR(human_count(out, sizeof out, 0.42), "0.4");
    CHECK_STR(human_count(out, sizeof out, 12), "12");
    CHECK_STR(human_count(out, sizeof out, 12.4), "12");
    CHECK_STR(human_count(out, sizeof out, 999), "999");
    CHECK_STR(human_count(out, sizeof out, 999.9), "1.0k");
    CHECK_STR(human_count(out, sizeof out, 1234), "1.2k");
    CHECK_STR(human_count(out, sizeof out, 34000), "34k");
    CHECK_STR(human_count(out, sizeof out, 5.6e6), "5.6M");
    CHECK_STR(human_count(out, sizeof out, 1.8e19), "18000000000G");
}

TEST(bytes) {
    CHECK_STR(human_bytes(out, sizeof out, 0), "0");
    CHECK_STR(human_bytes(out, sizeof out, 1023), "1023");
    CHECK_STR(human_bytes(out, sizeof out, 4096), "4.0K");
    CHECK_STR(human_bytes(out, sizeof out, 37 << 20), "37M");
    CHECK_STR(human_bytes(out, sizeof out, (uint64_t)5 << 30), "5.0G");
}

TEST(times) {
    CHECK_STR(human_us(out, sizeof out, 85), "85us");
    CHECK_STR(human_us(out, sizeof out, 1234), "1.2ms");
    CHECK_STR(human_us(out, sizeof out, 340000), "340ms");
    CHECK_STR(human_us(out, sizeof out, 999600), "1.0s");
    CHECK_STR(human_us(out, sizeof out, 2500000), "2.5s");
    CHECK_STR(human_ms(out, sizeof out, 400), "0.4s");
    CHECK_STR(human_ms(out, sizeof out, 12000), "12s");
    CHECK_STR(human_ms(out, sizeof out, 192000), "3m12s");
    CHECK_STR(human_ms(out, sizeof out, 4 * 3600000 + 5 * 60000), "4h05m");
    CHECK_STR(human_ms(out, sizeof out, 76 * 3600000ll), "3d04h");
}
