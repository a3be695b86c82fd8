#include "espcam_sleep.h"

#include <stdio.h>
#include <string.h>

static struct cam_sleep *find(const struct cam_sleeps *q, const char *mac) {
    for (size_t i = 0; i < q->n; i++)
        if (strcmp(q->item[i].mac, mac) == 0)
            return (struct cam_sleep *)&q->item[i];
    return NULL;
}

bool cam_sleeps_has(const struct cam_sleeps *q, const char *mac) {
    return find(q, mac) != NULL;
}

bool cam_sleeps_add(struct cam_sleeps *q, const char *mac, unsigned seconds) {
    struct cam_sleep *s = find(q, mac);
    if (!s) {
        if (q->n == CAM_SLEEPS)
            return false;
        s = &q->item[q->n++];
        snprintf(s->mac, sizeof s->mac, "%s", mac);
    }
    s->seconds = seconds;
    return true;
}

bool cam_sleeps_take(struct cam_sleeps *q, struct cam_sleep *out) {
    if (q->n == 0)
        return false;
    *out = q->item[0];
    memmove(q->item, q->item + 1, --q->n * sizeof *q->item);
    return true;
}

size_t cam_sleep_line(const struct cam_sleep *s, char out[CAM_COMMAND]) {
    return (size_t)snprintf(out, CAM_COMMAND, "CMD_SEND_ESP_NOW:%s:%u\n", s->mac, s->seconds);
}
