#include "hub_path.h"

#include <math.h>

static double radians(double degrees) {
    return degrees * M_PI / 180;
}

/* Waves whose periods have no common multiple, so that the path hardly repeats. */
void hub_path_at(struct hub_pose *p, double t, unsigned number, unsigned tags) {
    double middle = (tags - 1) * HUB_TAG_APART / 2.0, phase = 1.7 * number;
    p->x = middle + (middle + 25) * sin(t / 7.3 + phase);
    p->y = 12 * sin(t / 3.1 + 2 * phase);
    p->z = 95 + 45 * sin(t / 5.2 + 3 * phase);
    p->yaw = 9 * sin(t / 2.3 + phase);
    p->pitch = 5 * sin(t / 2.9 + phase) - p->y / 4;
    p->roll = 6 * sin(t / 4.7 + phase);
}

/* Where it looks at on the wall. */
unsigned hub_path_tag(const struct hub_pose *p, unsigned tags) {
    double at = (p->x + p->z * tan(radians(p->yaw))) / HUB_TAG_APART;
    return at <= 0 ? 0 : at >= tags - 1 ? tags - 1 : (unsigned)lround(at);
}

/* Up to +-amount, in tenths. */
static double noise(struct chance *luck, double amount) {
    return amount * ((double)chance_below(luck, 2001) / 1000 - 1);
}

void hub_path_put(struct buf *b, const struct hub_pose *p, unsigned id, struct chance *luck) {
    double x = p->x - (double)id * HUB_TAG_APART + noise(luck, 0.3), y = p->y + noise(luck, 0.3),
           z = p->z + noise(luck, 0.6);
    double range = sqrt(x * x + y * y + z * z);
    buf_printf(b,
               "\"tag_id\":%u,\"decision_margin\":%.1f,\"yaw\":%.1f,\"pitch\":%.1f,\"roll\":%.1f,"
               "\"x_cm\":%.1f,\"y_cm\":%.1f,\"z_cm\":%.1f,\"range_cm\":%.1f",
               id, 90 - range / 4 + noise(luck, 2), p->yaw + noise(luck, 0.4),
               p->pitch + noise(luck, 0.4), p->roll + noise(luck, 0.2), x, y, z, range);
}
