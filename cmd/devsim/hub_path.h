/* hub_path: where a simulated camera is and what it sees: a wall with AprilTags in a row, past
 * which it drifts to and fro, nearer and farther, looking roughly straight ahead. Pure.
 *
 * The wall is z = 0, x to the right, y up, z towards the camera; centimetres. The middle of tag k
 * is at x = k * HUB_TAG_APART, y = 0.
 */
#ifndef DEVSIM_HUB_PATH_H
#define DEVSIM_HUB_PATH_H

#include "buf.h"
#include "chance.h"

enum { HUB_TAG_APART = 40, HUB_TAGS = 30 };
#define HUB_TAG_SIZE 16.0 /* cm of the black square */

struct hub_pose {
    double x, y, z;          /* cm */
    double yaw, pitch, roll; /* degrees: to the right, upwards, clockwise */
};

/* Pose at t seconds of the camera with this number, past `tags` tags. */
void hub_path_at(struct hub_pose *p, double t, unsigned number, unsigned tags);

/* Which of the tags is nearest to the middle of the picture: the one that the firmware reports. */
unsigned hub_path_tag(const struct hub_pose *p, unsigned tags);

/* Append the members of a detection of tag `id` as the firmware writes them, from "tag_id" to
 * "range_cm", without braces. luck: of the measuring noise. */
void hub_path_put(struct buf *b, const struct hub_pose *p, unsigned id, struct chance *luck);

#endif
