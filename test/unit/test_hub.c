/* dispatch hub, the pure parts: connections, cameras, figures of pictures, delays, history. */
#include "../../cmd/dispatch/hub_cameras.c"
#include "../../cmd/dispatch/hub_delay.c"
#include "../../cmd/dispatch/hub_history.c"
#include "../../cmd/dispatch/hub_peers.c"
#include "../../cmd/dispatch/hub_video.c"

#include <math.h>

#include "test.h"

/* ---- connections ---- */

static struct hub_peers peers;

TEST(addresses_lose_their_port) {
    char out[HUB_ADDR];
    hub_peer_addr("192.168.1.20:53412", out);
    CHECK_STR(out, "192.168.1.20");
    hub_peer_addr("[fe80::1]:80", out);
    CHECK_STR(out, "fe80::1");
    hub_peer_addr("unknown", out);
    CHECK_STR(out, "unknown");
    hub_peer_addr("", out);
    CHECK_STR(out, "");
}

/* All of them in one neighbourhood, which wraps round the end of the table. */
TEST(connections_are_found_whatever_was_removed) {
    enum { N = 40 };
    uint64_t id[N];
    for (uint64_t i = 0; i < N; i++) {
        id[i] = HUB_SLOTS - 8 + (i % 4) + HUB_SLOTS * (i / 4 + 1);
        CHECK(hub_peers_add(&peers, id[i], "1.2.3.4:5"));
    }
    for (size_t gone = 0; gone < N; gone++) {
        size_t k = gone * 7 % N;
        hub_peers_remove(&peers, hub_peers_find(&peers, id[k]));
        id[k] = 0;
        for (size_t i = 0; i < N; i++)
            CHECK(id[i] == 0 || hub_peers_find(&peers, id[i])->id == id[i]);
        CHECK_INT(peers.n, N - 1 - gone);
    }
    CHECK(!hub_peers_find(&peers, 12345));
    CHECK(!hub_peers_find(&peers, 0));
}

TEST(connections_are_bounded_and_counted) {
    for (uint64_t i = 1; i <= HUB_PEERS; i++)
        CHECK(hub_peers_add(&peers, i, "::1"));
    CHECK(!hub_peers_add(&peers, HUB_PEERS + 1, "::1"));
    CHECK(hub_peers_add(&peers, 5, "::1") == hub_peers_find(&peers, 5));
    hub_peers_accept(&peers, hub_peers_find(&peers, 5), HUB_GAME);
    hub_peers_accept(&peers, hub_peers_find(&peers, 5), HUB_GAME);
    hub_peers_accept(&peers, hub_peers_find(&peers, 6), HUB_CAMERA);
    CHECK_INT(peers.accepted[HUB_GAME], 1);
    CHECK_INT(peers.accepted[HUB_CAMERA], 1);
    hub_peers_check(&peers);
    CHECK_INT(peers.n, HUB_PEERS);
    CHECK_INT(peers.accepted[HUB_GAME], 1);
    hub_peers_remove(&peers, hub_peers_find(&peers, 5));
    CHECK_INT(peers.accepted[HUB_GAME], 0);
    peers.slot[9].kind = 77;
    hub_peers_check(&peers);
    CHECK_INT(peers.n, 0);
}

/* ---- cameras ---- */

static struct hub_cameras cameras;
static bool made;

static struct hub_camera *get(const char *name, const char *addr, uint64_t now) {
    return hub_cameras_get(&cameras, name, addr, now, &made);
}

TEST(a_camera_is_its_name_and_its_address) {
    struct hub_camera *a = get("Waveshare-ESP32-S3", "10.0.0.1", 1);
    CHECK(made);
    CHECK_STR(a->id, "waveshare_esp32_s3");
    CHECK(get("Waveshare-ESP32-S3", "10.0.0.1", 2) == a && !made);
    CHECK_INT(a->heard_ns, 2);
    CHECK_STR(get("Waveshare-ESP32-S3", "10.0.0.2", 3)->id, "waveshare_esp32_s3_2");
    CHECK_STR(get("waveshare esp32/s3", "10.0.0.2", 3)->id, "waveshare_esp32_s3_3");
    CHECK_STR(get("..", "10.0.0.2", 3)->id, "camera");
    CHECK_STR(get("", "10.0.0.2", 3)->id, "camera_2");
    CHECK(hub_cameras_find(&cameras, "camera_2"));
    CHECK(!hub_cameras_find(&cameras, ""));
    CHECK_STR(hub_cameras_at(&cameras, "10.0.0.1")->id, "waveshare_esp32_s3");
    CHECK(!hub_cameras_at(&cameras, "10.0.0.9"));
    CHECK_INT(hub_cameras_count(&cameras), 5);
    char long_name[HUB_NAME];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    CHECK(strlen(get(long_name, "a", 1)->id) < HUB_ID);
    CHECK(strlen(get(long_name, "b", 1)->id) < HUB_ID);
}

TEST(the_camera_silent_longest_makes_room_unless_it_is_connected) {
    char name[16];
    for (int i = 0; i < HUB_CAMERAS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        get(name, "a", 100 + (uint64_t)i);
    }
    get("c0", "a", 50);
    hub_cameras_find(&cameras, "c0")->connections = 1;
    CHECK_STR(get("new", "a", 1000)->id, "new");
    CHECK_INT(cameras.evicted, 1);
    CHECK(hub_cameras_find(&cameras, "c0") && !hub_cameras_find(&cameras, "c1"));
    for (int i = 0; i < HUB_CAMERAS; i++)
        cameras.camera[i].connections = 1;
    CHECK(!get("one more", "a", 2000));
}

TEST(the_newest_detection_and_picture_are_known) {
    CHECK(!hub_cameras_newest_tag(&cameras) && !hub_cameras_newest_frame(&cameras));
    struct hub_camera *a = get("a", "x", 1), *b = get("b", "x", 1);
    a->tag_ns = 5;
    a->latest_len = b->latest_len = 1;
    b->tag_ns = 4;
    b->frame_ns = 9;
    CHECK(hub_cameras_newest_tag(&cameras) == a && hub_cameras_newest_frame(&cameras) == b);
    a->video.size.n = 1000;
    hub_cameras_check(&cameras);
    CHECK(!hub_cameras_find(&cameras, "a") && hub_cameras_find(&cameras, "b"));
}

TEST(detections_a_second_fall_when_they_stop) {
    struct hub_camera *c = get("a", "x", 1);
    CHECK(hub_camera_tag_rate(c, 5) == 0);
    for (int i = 0; i < 25; i++)
        c->rate_at[c->tags++ % HUB_RATE] = 100 + i * 0.5;
    CHECK(fabs(hub_camera_tag_rate(c, 112.1) - 2) < 1e-9);
    CHECK(hub_camera_tag_rate(c, 172) < 0.2);
}

/* ---- pictures ---- */

static struct hub_video v;
static struct hub_figures f;

static void frames(int n, double every) {
    for (int i = 0; i < n; i++)
        hub_video_frame(&v, v.last + every, 1000 + (size_t)i);
    hub_video_figures(&v, v.last, &f);
}

TEST(figures_before_the_second_frame_are_zero) {
    hub_video_figures(&v, 5, &f);
    CHECK(f.waiting && f.fps == 0 && f.efficiency == 0 && f.max_size == 0);
    CHECK_STR(f.recommendation, "WAITING_FOR_DATA");
    v.last = 100;
    frames(1, 0.05);
    CHECK(f.waiting && f.max_size == 0);
    frames(1, 0.05);
    CHECK(!f.waiting && f.efficiency == 50 && !f.steady);
    CHECK(fabs(f.target_fps - 20) < 1e-6 && fabs(f.fps - 20) < 1e-6);
}

TEST(figures_of_even_frames) {
    v.last = 1000;
    frames(5, 0.05);
    CHECK(f.efficiency == 50 && strncmp(f.recommendation, "POOR", 4) == 0);
    frames(15, 0.05);
    CHECK(f.steady && fabs(f.efficiency - 100) < 1e-6 && fabs(f.jitter) < 1e-9);
    CHECK_STR(f.recommendation, "OPTIMAL - System performing excellently");
    CHECK(f.max_size == 1014 && f.min_size == 1000);
    CHECK_INT(v.late + v.lost, 0);
}

/* Ten intervals: five of 0.1, five of 0.2; element 5 of the sorted ones is 0.2. */
TEST(figures_of_uneven_frames) {
    v.last = 1000;
    frames(1, 1);
    for (int i = 0; i < 5; i++) {
        frames(1, 0.1);
        frames(1, 0.2);
    }
    CHECK(fabs(f.target_fps - 5) < 1e-9);
    CHECK(fabs(f.avg_interval - 0.15) < 1e-9 && fabs(f.jitter - 0.05) < 1e-9);
    CHECK(fabs(f.efficiency - 75) < 1e-6);
    CHECK_STR(f.recommendation, "FAIR - Consider adjusting ESP32 send interval");
    CHECK(fabs(f.avg_fps - 1 / 0.15) < 1e-6);
    CHECK(fabs(f.fps - 9 / 1.4) < 1e-6); /* ten arrivals: nine intervals, the first 0.1 is out */
}

TEST(windows_hold_twenty) {
    v.last = 1000;
    frames(30, 1);
    frames(20, 0.1);
    CHECK(fabs(f.max_interval - 0.1) < 1e-6);
    for (int i = 0; i < 30; i++)
        hub_video_processed(&v, i);
    hub_video_figures(&v, v.last, &f);
    CHECK(f.max_processing == 29 && fabs(f.avg_processing - 19.5) < 1e-9);
    CHECK_INT(v.frames, 50);
}

TEST(late_and_lost_frames) {
    v.last = 1000;
    frames(21, 0.1);
    frames(1, 0.3);
    CHECK_INT(v.late, 1);
    CHECK_INT(v.lost, 2);
    frames(1, 60); /* a pause, not single losses */
    CHECK_INT(v.late, 2);
    CHECK_INT(v.lost, 2);
    hub_video_changed(&v);
    frames(1, 0.5);
    CHECK_INT(v.late, 2);
}

TEST(the_rate_falls_when_frames_stop_and_a_clock_set_back_does_no_harm) {
    v.last = 1000;
    frames(10, 0.1);
    double fps = f.fps;
    hub_video_figures(&v, v.last + 2.9, &f);
    CHECK(f.fps == fps);
    hub_video_figures(&v, v.last + 60, &f);
    CHECK(f.fps < 0.2 && f.fps > 0);
    hub_video_frame(&v, 500, 1);
    hub_video_figures(&v, 500, &f);
    CHECK(f.min_interval > 0 && isfinite(f.fps) && f.fps >= 0);
}

/* ---- delays ---- */

TEST(delay_is_what_comes_on_top_of_the_fastest) {
    struct hub_delay d = {0};
    CHECK(hub_delay_add(&d, 1000, 50000) == 0);
    CHECK(fabs(hub_delay_add(&d, 1100, 50130) - 30) < 0.1);
    CHECK(hub_delay_add(&d, 1200, 50190) == 0); /* faster than the first one */
    CHECK(fabs(hub_delay_add(&d, 1300, 50300) - 10) < 0.1);
    CHECK(fabs(d.worst_ms - 30) < 0.1);
}

TEST(a_camera_clock_may_wrap_and_start_again) {
    struct hub_delay d = {0};
    hub_delay_add(&d, UINT32_MAX - 50, 1e6);
    CHECK(fabs(hub_delay_add(&d, 49, 1e6 + 105) - 5) < 0.1);
    CHECK(hub_delay_add(&d, 7, 1e6 + 9000) == 0);        /* back: started again */
    CHECK(hub_delay_add(&d, 90000000, 1e6 + 9100) == 0); /* far ahead of ours: so, too */
    CHECK(fabs(hub_delay_add(&d, 90000100, 1e6 + 9220) - 20) < 0.1);
}

/* ---- history ---- */

static struct hub_history history;

TEST(twenty_ended_sessions_are_kept) {
    for (uint64_t i = 1; i <= 21; i++) {
        uint32_t n = hub_history_begin(&history, 0, "c", "a", i * 10);
        hub_history_end(&history, n, i * 10 + 5);
    }
    CHECK_INT(history.ended_n, HUB_ENDED);
    CHECK_INT(history.ended[0].began_ns, 20);
    CHECK_INT(history.ended[19].ended_ns, 215);
}

TEST(overlapping_sessions_end_each_by_itself) {
    uint32_t a = hub_history_begin(&history, 1, "a", "x", 100);
    uint32_t b = hub_history_begin(&history, 2, "b", "x", 200);
    CHECK_INT(hub_history_since(&history, -1), 100);
    CHECK_INT(hub_history_since(&history, 2), 200);
    hub_history_end(&history, a, 300);
    hub_history_end(&history, a, 999);
    CHECK_INT(history.ended_n, 1);
    CHECK_STR(history.ended[0].name, "a");
    CHECK_INT(history.ended[0].ended_ns, 300);
    CHECK_INT(hub_history_since(&history, -1), 200);
    hub_history_end_all(&history, 400);
    CHECK_STR(history.ended[1].name, "b");
    CHECK_INT(hub_history_since(&history, -1), 0);
    hub_history_end(&history, b, 500);
    CHECK_INT(history.ended_n, 2);
}

TEST(more_open_sessions_than_places_are_not_recorded) {
    for (int i = 0; i < HUB_OPEN; i++)
        CHECK(hub_history_begin(&history, 0, "c", "a", 1) != HUB_SESSION_NONE);
    CHECK_INT(hub_history_begin(&history, 0, "c", "a", 1), HUB_SESSION_NONE);
    history.ended_n = 1000;
    hub_history_check(&history);
    CHECK_INT(history.ended_n, 0);
}
