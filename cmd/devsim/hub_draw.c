#include "hub_draw.h"

#include <math.h>

enum { CELLS = 8 /* of the black square's side, its border of one included */, BITS = 6 };
enum { BLACK = 24, WHITE = 232, SAMPLES = 2 /* a side of a pixel on a tag */ };

/* Family 36h11: 6 x 6 cells row by row from the upper left, the highest bit first, 1 is white. */
static const uint64_t codes[HUB_TAGS] = {
    0xd5d628584, 0xd97f18b49, 0xdd280910e, 0xe479e9c98, 0xebcbca822, 0xf31dab3ac,
    0x056a5d085, 0x10652e1d4, 0x22b1dfead, 0x265ad0472, 0x34fe91b86, 0x3ff962cd5,
    0x43a25329a, 0x474b4385f, 0x4e9d243e9, 0x5246149ae, 0x5997f5538, 0x683bb6c4c,
    0x6be4a7211, 0x7e3158eea, 0x81da494af, 0x858339a74, 0x8cd51a5fe, 0x9f21cc2d7,
    0xa2cabc89c, 0xadc58d9eb, 0xb16e7dfb0, 0xb8c05eb3a, 0xd25ef139d, 0xd607e1962};

struct vec {
    double x, y, z;
};

static struct vec sum(struct vec a, double f, struct vec b) {
    return (struct vec){a.x + f * b.x, a.y + f * b.y, a.z + f * b.z};
}

static struct vec cross(struct vec a, struct vec b) {
    return (struct vec){a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

/* The camera's axes in the wall's frame. */
struct eye {
    struct vec right, up, ahead;
    const struct hub_pose *at;
    unsigned tags;
};

static void look(struct eye *e, const struct hub_pose *p, unsigned tags) {
    double yaw = p->yaw * M_PI / 180, pitch = p->pitch * M_PI / 180, roll = p->roll * M_PI / 180;
    struct vec zero = {0, 0, 0}, level = {cos(yaw), 0, sin(yaw)};
    e->ahead = (struct vec){sin(yaw) * cos(pitch), sin(pitch), -cos(yaw) * cos(pitch)};
    struct vec upright = cross(level, e->ahead);
    e->right = sum(sum(zero, cos(roll), level), -sin(roll), upright);
    e->up = sum(sum(zero, cos(roll), upright), sin(roll), level);
    e->at = p;
    e->tags = tags;
}

int hub_draw_tag(unsigned id, double x, double y) {
    int column = (int)floor((x + 0.5) * CELLS), row = (int)floor((0.5 - y) * CELLS);
    if (column < -1 || column > CELLS || row < -1 || row > CELLS)
        return -1;
    if (column < 0 || column == CELLS || row < 0 || row == CELLS)
        return WHITE;
    if (column == 0 || column == CELLS - 1 || row == 0 || row == CELLS - 1)
        return BLACK;
    unsigned bit = (unsigned)((row - 1) * BITS + column - 1);
    return codes[id] >> (BITS * BITS - 1 - bit) & 1 ? WHITE : BLACK;
}

/* Faint boards, so that the wall's motion is seen too. */
static int wall(double x, double y) {
    double seam = x / 10 - floor(x / 10);
    return (int)(128 + 14 * sin(x / 23) + 10 * sin(y / 9) - (seam < 0.04 ? 22 : 0));
}

/* The level seen in direction (right, up, 1); *tag: on one. */
static int see(const struct eye *e, double right, double up, bool *tag) {
    struct vec d = sum(sum(e->ahead, right, e->right), up, e->up);
    *tag = false;
    if (d.z >= -1e-6)
        return 90; /* along the wall or away from it */
    double far = -e->at->z / d.z, x = e->at->x + far * d.x, y = e->at->y + far * d.y;
    double nearest = floor(x / HUB_TAG_APART + 0.5);
    int level = -1;
    if (nearest >= 0 && nearest < e->tags)
        level = hub_draw_tag((unsigned)nearest, (x - nearest * HUB_TAG_APART) / HUB_TAG_SIZE,
                             y / HUB_TAG_SIZE);
    *tag = level >= 0;
    return *tag ? level : wall(x, y);
}

/* On a tag the mean of several places, so that its edges are as smooth as a lens makes them. */
static int pixel(const struct eye *e, double x, double y, double focus) {
    bool tag, ignored;
    int level = see(e, x / focus, y / focus, &tag), total = 0;
    if (!tag)
        return level;
    for (int i = 0; i < SAMPLES * SAMPLES; i++)
        total += see(e, (x + (i % SAMPLES + 0.5) / SAMPLES - 0.5) / focus,
                     (y + (i / SAMPLES + 0.5) / SAMPLES - 0.5) / focus, &ignored);
    return total / (SAMPLES * SAMPLES);
}

void hub_draw(uint8_t *grey, unsigned width, unsigned height, const struct hub_pose *pose,
              unsigned tags, unsigned noise, struct chance *luck) {
    struct eye e;
    double focus = width; /* pixels: 53 degrees from side to side */
    look(&e, pose, tags);
    for (unsigned y = 0; y < height; y++)
        for (unsigned x = 0; x < width; x++) {
            int v = pixel(&e, x + 0.5 - width / 2.0, height / 2.0 - y - 0.5, focus);
            if (noise)
                v += (int)chance_below(luck, 2 * noise + 1) - (int)noise;
            *grey++ = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
        }
}
