/* What pages are sent: the state whenever something of it changes and once a second, a process when
 * it changes (its last lines are too much to be told every second), the data stream a few values at
 * a time.
 */
#include <string.h>

#include "camera.h"
#include "json.h"
#include "pace.h"
#include "pages.h"

enum { BATCH_MS = 100 };

static const char GROUP[] = "camera";

static uint64_t sent; /* number of the first sample that pages have not got */

static void send_map(const char *topic, uint64_t client, const struct buf *map) {
    static struct buf text;
    struct mp_cursor at = {buf_data(map), buf_data(map) + buf_len(map)};
    buf_clear(&text);
    if (json_from_mp(&text, &at, NULL) == 1)
        pages_send(camera.st, topic, client, GROUP, &text, 0);
}

/* ---- state ---- */

/* As it came, nil before the first. */
static void put_body(struct buf *b, const char *key, const struct buf *body) {
    mp_put_str(b, key);
    if (buf_len(body))
        buf_put(b, buf_data(body), buf_len(body));
    else
        mp_put_nil(b);
}

static void put_processes(struct buf *b) {
    mp_put_str(b, "processes");
    mp_put_array(b, (uint32_t)camera.processes);
    for (size_t i = 0; i < camera.processes; i++)
        buf_put(b, buf_data(&camera.process[i].body), buf_len(&camera.process[i].body));
}

/* control: true, false, or nil while camctl has not been asked. */
static void put_control(struct buf *b) {
    if (camera.asked)
        mp_kv_bool(b, "control", camera.control);
    else
        mp_kv_nil(b, "control");
    mp_kv_str(b, "trouble", camera.trouble);
}

void camera_page_put_state(struct buf *b, bool processes) {
    mp_put_map(b, 12u + processes);
    mp_kv_str(b, "type", "state");
    mp_kv_uint(b, "now_ms", clock_wall_ns() / 1000000u);
    mp_kv_int(b, "history_ms", camera.opt.history_ms);
    mp_kv_uint(b, "clients", camera.ws_clients);
    mp_kv_str(b, "version", TAPLINE_VERSION);
    put_control(b);
    put_body(b, "settings", &camera.settings);
    put_body(b, "servers", &camera.servers);
    put_body(b, "about", &camera.about);
    put_body(b, "limits", &camera.limits);
    mp_put_str(b, "auth");
    camera_auth_put(b);
    if (processes)
        put_processes(b);
}

static void send_state(uint64_t client) {
    static struct buf map;
    buf_clear(&map);
    camera_page_put_state(&map, false);
    send_map("camera.state", client, &map);
    camera.states++;
}

static void send_process(uint64_t client, const struct camera_process *p) {
    static struct buf map;
    buf_clear(&map);
    mp_put_map(&map, 2);
    mp_kv_str(&map, "type", "process");
    put_body(&map, "process", &p->body);
    send_map("camera.process", client, &map);
}

static void send_changed_processes(void) {
    for (size_t i = 0; i < camera.processes; i++) {
        if (camera.process[i].changed && camera.memory->pages)
            send_process(0, &camera.process[i]);
        camera.process[i].changed = false;
    }
}

static void tell(void) {
    send_changed_processes();
    if (camera.memory->pages)
        send_state(0);
}

static struct pace pace = {.change_ms = 20, .apart_ms = 100, .heartbeat_ms = 1000, .tell = tell};

void camera_changed(void) {
    pace_changed(&pace);
}

/* ---- data stream ---- */

static void send_samples(uint64_t client, uint64_t from) {
    static struct buf text;
    buf_clear(&text);
    camera_data_text(&text, from, client != 0);
    pages_send(camera.st, "camera.data", client, GROUP, &text, 0);
}

static void on_batch(uv_timer_t *t) {
    uint64_t end = camera.memory->samples;
    (void)t;
    if (end - sent > CAMERA_SAMPLES)
        sent = end - CAMERA_SAMPLES;
    send_samples(0, sent);
    sent = end;
    camera.batches++;
}

void camera_page_sample(void) {
    if (!camera.memory->pages)
        sent = camera.memory->samples;
    else if (!uv_is_active((uv_handle_t *)&camera.batch_timer))
        uv_timer_start(&camera.batch_timer, on_batch, BATCH_MS, 0);
}

/* ---- what they say ---- */

static void on_hello(uint64_t client) {
    pages_join(camera.st, client, GROUP);
    camera.memory->pages = 1;
    for (size_t i = 0; i < camera.processes; i++)
        send_process(client, &camera.process[i]);
    send_samples(client, camera_data_oldest());
    send_state(client);
}

void camera_page_text(const struct msg *m) {
    uint64_t client;
    char type[16];
    const struct buf *json = pages_heard(m, &client, &camera.bad_texts);
    if (json && client && mp_get_cstr(buf_data(json), buf_len(json), "type", type, sizeof type) &&
        strcmp(type, "hello") == 0)
        on_hello(client);
}

/* ---- life ---- */

void camera_page_open(uv_loop_t *loop) {
    sent = camera.memory->samples;
    pace_open(&pace, loop);
    uv_timer_init(loop, &camera.batch_timer);
    camera_changed();
}

void camera_page_close(void) {
    pace_close(&pace);
    uv_close((uv_handle_t *)&camera.batch_timer, NULL);
}
