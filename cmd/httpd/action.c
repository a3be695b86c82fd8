#include "action.h"

#include <stddef.h>

#include "route.h"

const struct action *const action_table[] = {&action_file,  &action_dir,   &action_ask, &action_ws,
                                             &action_image, &action_mjpeg, NULL};

int action_misused(const struct route *r, struct err *e) {
    return err_set(e, CAUSE_USAGE, "route \"%s\": the action is written \"%s\"", r->shown,
                   r->action->usage);
}
