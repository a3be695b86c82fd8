/* graph: a pipeline as Graphviz text on standard output: stages, wires by kind (pipe bold, named
 * pipe dashed, NNG blue), devices and listening addresses where an option tells of them.
 */
#ifndef SUPERVISOR_GRAPH_H
#define SUPERVISOR_GRAPH_H

#include "plan.h"

/* Returns 0. */
int graph_print(const struct plan *p);

#endif
