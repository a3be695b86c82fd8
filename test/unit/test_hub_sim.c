/* What simulated cameras of the tag hub see and say, and where they find it. */
#include "../../cmd/devsim/hub_draw.c"
#include "../../cmd/devsim/hub_path.c"
#include "../../cmd/devsim/hub_url.c"
#include "test.h"

enum { WIDTH = 480, HEIGHT = 320 };
static uint8_t grey[WIDTH * HEIGHT];

TEST(a_tag_is_its_code_within_a_black_border_on_white_paper) {
    /* 0xd5d628584, row by row from the upper left. */
    static const char *const rows[] = {"110101", "011101", "011000", "101000", "010110", "000100"};
    for (int row = 0; row < 6; row++)
        for (int column = 0; column < 6; column++)
            CHECK_INT(hub_draw_tag(0, (column - 2.5) / 8, (2.5 - row) / 8),
                      rows[row][column] == '1' ? WHITE : BLACK);
    CHECK_INT(hub_draw_tag(0, -0.49, 0), BLACK);
    CHECK_INT(hub_draw_tag(0, 0.1, 0.49), BLACK);
    CHECK_INT(hub_draw_tag(0, 0.51, 0), WHITE);
    CHECK_INT(hub_draw_tag(0, 0.2, -0.6), WHITE);
    CHECK_INT(hub_draw_tag(0, 0.63, 0), -1);
    CHECK_INT(hub_draw_tag(0, 0, 0.63), -1);
}

/* Cells in which two tags differ, the second turned by `turn` quarters. */
static int distance(unsigned a, unsigned b, int turn) {
    int n = 0;
    for (int i = 0; i < 36; i++) {
        double x = (i % 6 - 2.5) / 8, y = (2.5 - i / 6) / 8, u = x, v = y;
        for (int k = 0; k < turn; k++) {
            double w = u;
            u = -v;
            v = w;
        }
        n += hub_draw_tag(a, x, y) != hub_draw_tag(b, u, v);
    }
    return n;
}

TEST(no_tag_looks_like_another_or_like_itself_turned) {
    for (unsigned a = 0; a < HUB_TAGS; a++)
        for (unsigned b = a; b < HUB_TAGS; b++)
            for (int turn = a == b; turn < 4; turn++)
                CHECK(distance(a, b, turn) >= 11);
}

static int at(int x, int y) {
    return grey[y * WIDTH + x];
}

/* 60 cm away 16 cm are 128 pixels. */
TEST(a_pose_puts_the_tag_where_geometry_says) {
    struct chance luck = {1};
    struct hub_pose pose = {.z = 60};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK(at(240 - 63, 160) == BLACK && at(240 + 62, 160) == BLACK);
    CHECK(at(240 - 66, 160) == WHITE && at(240 + 66, 160) == WHITE);
    CHECK(at(240, 160 - 63) == BLACK && at(240, 160 + 66) == WHITE);
    /* A camera further right and up sees it further left and down. */
    pose = (struct hub_pose){.x = 10, .y = 5, .z = 60};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK(at(160 - 62, 200) == BLACK && at(160 - 66, 200) == WHITE);
    /* Turned to the right, upwards, clockwise: it goes left, down, counter-clockwise. */
    pose = (struct hub_pose){.z = 60, .yaw = 10};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK(at(240 - 85 - 62, 160) == BLACK && at(240 + 30, 160) != BLACK);
    pose = (struct hub_pose){.z = 60, .pitch = 10};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK(at(240, 160 + 85 + 62) == BLACK);
    pose = (struct hub_pose){.z = 60, .roll = 45};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK(at(240 - 88, 160) == BLACK && at(240, 160 - 88) == BLACK && at(240 - 63, 97) > BLACK);
    /* Looking away from the wall is no fault. */
    pose = (struct hub_pose){.z = 60, .yaw = 180};
    hub_draw(grey, WIDTH, HEIGHT, &pose, 1, 0, &luck);
    CHECK_INT(at(240, 160), 90);
}

TEST(all_of_the_tag_that_is_reported_is_in_the_picture) {
    for (unsigned tags = 1; tags <= HUB_TAGS; tags += 7)
        for (int i = 0; i < 2000; i++) {
            struct hub_pose p;
            struct eye e;
            hub_path_at(&p, i * 0.37, 1 + i % 5, tags);
            look(&e, &p, tags);
            double middle = hub_path_tag(&p, tags) * (double)HUB_TAG_APART;
            for (int corner = 0; corner < 4; corner++) {
                struct vec d = {middle + (corner & 1 ? 8 : -8) - p.x, (corner & 2 ? 8 : -8) - p.y,
                                -p.z};
                double far = d.x * e.ahead.x + d.y * e.ahead.y + d.z * e.ahead.z;
                double x = (d.x * e.right.x + d.y * e.right.y + d.z * e.right.z) / far;
                double y = (d.x * e.up.x + d.y * e.up.y + d.z * e.up.z) / far;
                CHECK(far > 0 && fabs(x) < 0.5 && fabs(y) < 1 / 3.0);
            }
        }
}

TEST(a_detection_says_where_the_camera_is_from_the_tag) {
    struct hub_pose p = {.x = 92, .y = -3, .z = 100, .yaw = 4, .pitch = -2, .roll = 1};
    struct chance luck = {7};
    struct buf b = {0};
    double margin, yaw, pitch, roll, x, y, z, range;
    unsigned id = hub_path_tag(&p, 5);
    CHECK_INT(id, 2); /* it looks at x = 99, between tags 2 and 3 */
    hub_path_put(&b, &p, id, &luck);
    buf_putc(&b, 0);
    CHECK_INT(sscanf((char *)buf_data(&b),
                     "\"tag_id\":%u,\"decision_margin\":%lf,\"yaw\":%lf,\"pitch\":%lf,\"roll\":%lf,"
                     "\"x_cm\":%lf,\"y_cm\":%lf,\"z_cm\":%lf,\"range_cm\":%lf",
                     &id, &margin, &yaw, &pitch, &roll, &x, &y, &z, &range),
              9);
    CHECK(fabs(x - 12) < 0.5 && fabs(y + 3) < 0.5 && fabs(z - 100) < 1);
    CHECK(fabs(range - sqrt(x * x + y * y + z * z)) < 0.2);
    CHECK(fabs(yaw - 4) < 0.6 && fabs(pitch + 2) < 0.6 && fabs(roll - 1) < 0.4);
    buf_free(&b);
}

TEST(addresses_of_a_hub) {
    struct hub_url u;
    struct err e;
    CHECK_INT(hub_url_parse(&u, "ws://hub.local:5100/a?b=c", "--url", &e), 0);
    CHECK(u.scheme == HUB_WS);
    CHECK_STR(u.host, "hub.local");
    CHECK_STR(u.port, "5100");
    CHECK_STR(u.path, "/a?b=c");
    CHECK_STR(u.authority, "hub.local:5100");
    CHECK_INT(hub_url_parse(&u, "http://[fd00::1]", "--url", &e), 0);
    CHECK_STR(u.host, "fd00::1");
    CHECK_STR(u.port, "80");
    CHECK_STR(u.path, "/");
    CHECK_INT(hub_url_parse(&u, "udp:10.0.0.1", "--url", &e), 0);
    CHECK_STR(u.port, "5200");
    CHECK_INT(hub_url_parse(&u, "udp://[::1]:7", "--url", &e), 0);
    CHECK_STR(u.port, "7");
    static const char *const bad[] = {"",         "hub",           "ws://",        "ws://:5",
                                      "ws://a:",  "ws://a:0",      "ws://a:65536", "ws://a:1x",
                                      "ws://[::", "ws://[::1]5",   "ws://::1",     "ws://a b/",
                                      "wss://a",  "ws://a/\r\nX:", "https://a",    "ftp://a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_INT(hub_url_parse(&u, bad[i], "--url", &e), -1);
}
