#include "hub_path.h"

#include <math.h>

static double radians(double degrees) {
    return degrees * M_PI / 180;
}

static double degrees(double radians) {
    return radians * 180 / M_PI;
}

/* Waves whose periods have no common multiple, so that the path hardly repeats. The place looked at
 * stays so near to some tag that all of it is in a picture of 3:2. */
void hub_path_at(struct hub_pose *p, double t, unsigned number, unsigned tags) {
    double middle = (tags - 1) * HUB_TAG_APART / 2.0, phase = 1.7 * number;
    double look_x = middle + (middle + 10) * sin(t / 7.3 + phase),
           look_y = 6 * sin(t / 3.7 + phase);
    p->x = look_x + 16 * sin(t / 2.3 + phase);
    p->y = look_y + 9 * sin(t / 3.1 + 2 * phase);
    p->z = 120 + 45 * sin(t / 5.2 + 3 * phase);
    p->yaw = degrees(atan2(look_x - p->x, p->z));
    p->pitch = degrees(atan2(look_y - p->y, hypot(look_x - p->x, p->z)));
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
