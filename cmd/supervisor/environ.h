/* environ: the environment of a stage. */
#ifndef SUPERVISOR_ENVIRON_H
#define SUPERVISOR_ENVIRON_H

#include "plan.h"

/* Ours without what is meant for the supervisor alone, and what the stage and its section say;
 * tally: the descriptor it is to count in, -1 = none. Free it with environ_free. */
char **environ_make(const struct plan_stage *stage, const char *run_dir, int tally);
void environ_free(char **env);

#endif
