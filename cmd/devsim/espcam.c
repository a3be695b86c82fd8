#include "espcam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "log.h"

enum { MAC_TEXT = 17, READ_MAX = 256 };

static const char send_command[] = "CMD_SEND_ESP_NOW:";

/* ---- pictures ---- */

static void make_stamp(const struct espcam_sim *s, const struct camera *c, char *out, size_t size) {
    uint64_t ms = clock_wall_ns() / 1000000u;
    struct tm tm;
    if (s->made_time)
        ms = 1750593600000u + c->number * (s->every_ms ? s->every_ms : 1000);
    time_t sec = (time_t)(ms / 1000);
    if (s->made_time)
        gmtime_r(&sec, &tm);
    else
        localtime_r(&sec, &tm);
    size_t n = strftime(out, size, "%Y/%m/%d %H:%M:%S", &tm);
    snprintf(out + n, size - n, ".%03u", (unsigned)(ms % 1000));
}

/* Where time is made up nobody waits for it. */
static uint64_t between(const struct espcam_sim *s) {
    return s->made_time ? 0 : s->every_ms;
}

static void take_picture(struct espcam_sim *s, struct espcam_cam *cam, uint64_t now) {
    char stamp[32];
    size_t i = chance_below(&s->luck, s->pictures.n);
    make_stamp(s, &cam->camera, stamp, sizeof stamp);
    camera_shoot(&cam->camera, s->pictures.at[i].p, s->pictures.at[i].n, stamp, &s->luck);
    cam->lane = (struct fault_lane){0};
    cam->due_ms += between(s);
    if (cam->due_ms < now)
        cam->due_ms = now;
    s->taken++;
}

static void picture_over(struct espcam_sim *s, struct espcam_cam *cam) {
    const struct camera *c = &cam->camera;
    char mac[MAC_TEXT + 1], hex[2 * sizeof c->sha256 + 1];
    bool intact = !cam->lane.damaged && !c->unheard;
    for (size_t i = 0; i < sizeof c->sha256; i++)
        snprintf(hex + 2 * i, 3, "%02x", c->sha256[i]);
    s->intact += intact;
    struct buf *b = stage_begin(s->st, "sim.picture", 0, 6);
    mp_kv_str(b, "mac", camera_mac(c, mac));
    mp_kv_uint(b, "number", c->number);
    mp_kv_uint(b, "bytes", buf_len(&c->image));
    mp_kv_uint(b, "frames", c->frames);
    mp_kv_str(b, "sha256", hex);
    mp_kv_bool(b, "intact", intact);
    stage_end(s->st);
}

uint64_t espcam_wake(struct espcam_sim *s, uint64_t now) {
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < s->cameras; i++) {
        struct espcam_cam *cam = &s->cam[i];
        if (cam->camera.sending || !s->left)
            continue;
        uint64_t due = cam->due_ms > cam->asleep_ms ? cam->due_ms : cam->asleep_ms;
        if (due <= now) {
            s->left--;
            take_picture(s, cam, now);
        } else if (due < next) {
            next = due;
        }
    }
    return next;
}

bool espcam_step(struct espcam_sim *s, uint64_t now) {
    struct frame f;
    unsigned busy[ESPCAM_CAMERAS], n = 0;
    for (unsigned i = 0; i < s->cameras; i++)
        if (s->cam[i].camera.sending)
            busy[n++] = i;
    if (n == 0)
        return false;
    struct espcam_cam *cam = &s->cam[busy[n == 1 ? 0 : chance_below(&s->luck, n)]];
    camera_next(&cam->camera, &f, &s->luck);
    s->frames++;
    faults_pass(&s->faults, &cam->lane, &f);
    if (!cam->camera.sending) {
        picture_over(s, cam);
        espcam_wake(s, now);
    }
    return true;
}

void espcam_spoil(struct espcam_sim *s) {
    for (unsigned i = 0; i < s->cameras; i++)
        s->cam[i].lane.damaged = true;
}

void espcam_abort(struct espcam_sim *s, uint64_t now) {
    for (unsigned i = 0; i < s->cameras; i++) {
        struct espcam_cam *cam = &s->cam[i];
        if (!cam->camera.sending)
            continue;
        camera_abort(&cam->camera);
        cam->lane.damaged = true;
        picture_over(s, cam);
        cam->due_ms = now + s->every_ms;
    }
}

/* ---- orders ---- */

struct espcam_cam *espcam_find(struct espcam_sim *s, const char *text, struct err *e) {
    char mac[MAC_TEXT + 1], *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text && *end == 0 && number >= 1 && number <= s->cameras)
        return &s->cam[number - 1];
    for (unsigned i = 0; i < s->cameras; i++)
        if (strcasecmp(camera_mac(&s->cam[i].camera, mac), text) == 0)
            return &s->cam[i];
    err_set(e, CAUSE_USAGE, "there is no camera \"%.40s\" (1 to %u, or an address)", text,
            s->cameras);
    return NULL;
}

int espcam_shoot(struct espcam_sim *s, struct espcam_cam *cam, uint64_t now, struct err *e) {
    if (cam->camera.sending)
        return err_set(e, CAUSE_BUSY, "that camera is sending a picture");
    if (cam->asleep_ms > now)
        return err_set(e, CAUSE_BUSY, "that camera sleeps (wake it first)");
    take_picture(s, cam, now);
    return 0;
}

void espcam_sleep(struct espcam_sim *s, struct espcam_cam *cam, uint64_t ms, uint64_t now) {
    char mac[MAC_TEXT + 1];
    cam->asleep_ms = now + ms;
    s->slept++;
    struct buf *b = stage_begin(s->st, "sim.sleep", 0, 2);
    mp_kv_str(b, "mac", camera_mac(&cam->camera, mac));
    mp_kv_double(b, "seconds", (double)ms / 1000);
    stage_end(s->st);
}

/* CMD_SEND_ESP_NOW:24:6f:28:a1:b2:c3:600 */
static bool obey(struct espcam_sim *s, const char *line, uint64_t now) {
    size_t head = sizeof send_command - 1;
    char mac[MAC_TEXT + 1], *end;
    if (strncmp(line, send_command, head) != 0 || strlen(line) < head + MAC_TEXT + 2 ||
        line[head + MAC_TEXT] != ':')
        return false;
    memcpy(mac, line + head, MAC_TEXT);
    mac[MAC_TEXT] = 0;
    const char *digits = line + head + MAC_TEXT + 1;
    unsigned long seconds = strtoul(digits, &end, 10);
    struct espcam_cam *cam = espcam_find(s, mac, NULL);
    if (*digits < '0' || *digits > '9' || *end || seconds < 1 || seconds > ESPCAM_SLEEP_MAX || !cam)
        return false;
    espcam_sleep(s, cam, seconds * 1000, now);
    return true;
}

void espcam_command(struct espcam_sim *s, const uint8_t *p, size_t n, uint64_t now) {
    char line[READ_MAX + 1], shown[4 * READ_MAX + 8];
    size_t len = n < READ_MAX ? n : READ_MAX;
    memcpy(line, p, len);
    while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    line[len] = 0;
    log_quote(shown, sizeof shown, line, len);
    bool taken = n <= READ_MAX && !memchr(line, '\n', len) && obey(s, line, now);
    s->unknown_commands += !taken;
    log_debug("host: %s%s", shown, taken ? "" : " (not understood)");
    struct buf *b = stage_begin(s->st, "sim.command", 0, 2);
    mp_kv_str(b, "text", shown);
    mp_kv_bool(b, "taken", taken);
    stage_end(s->st);
}

/* ---- life ---- */

void espcam_name(struct espcam_sim *s) {
    for (unsigned i = 0; i < s->cameras; i++)
        s->cam[i].camera.mac = ESPCAM_FIRST_MAC + i;
}

void espcam_start(struct espcam_sim *s, uint64_t now, char dialect, enum camera_hash hash,
                  double radio_loss) {
    for (unsigned i = 0; i < s->cameras; i++) {
        struct espcam_cam *cam = &s->cam[i];
        cam->camera.dialect = dialect;
        cam->camera.hash = hash;
        cam->camera.radio_loss = radio_loss;
        cam->camera.volt = 60 + (unsigned)chance_below(&s->luck, 41);
        cam->camera.temp10 = 150 + (int)chance_below(&s->luck, 100);
    }
    s->faults.send = s->send;
    s->faults.ctx = s->ctx;
    espcam_spread(s, now);
}

void espcam_spread(struct espcam_sim *s, uint64_t now) {
    for (unsigned i = 0; i < s->cameras; i++)
        s->cam[i].due_ms = now + i * between(s) / s->cameras;
}

void espcam_free(struct espcam_sim *s) {
    for (unsigned i = 0; i < s->cameras; i++)
        buf_free(&s->cam[i].camera.image);
    pictures_free(&s->pictures);
}
