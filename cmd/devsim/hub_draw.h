/* hub_draw: what a simulated camera sees from its pose (hub_path.h), in grey. Pure.
 */
#ifndef DEVSIM_HUB_DRAW_H
#define DEVSIM_HUB_DRAW_H

#include <stdint.h>

#include "chance.h"
#include "hub_path.h"

/* Draw the wall and its tags, width x height levels row by row. noise: of the sensor, levels up and
 * down; it makes the JPEG larger. */
void hub_draw(uint8_t *grey, unsigned width, unsigned height, const struct hub_pose *pose,
              unsigned tags, unsigned noise, struct chance *luck);

/* The level of tag `id` (below HUB_TAGS) at a place counted from its middle in units of its black
 * square's side, y up; -1 outside of its paper, which is a cell wider all around. */
int hub_draw_tag(unsigned id, double x, double y);

#endif
