/* report: what a stage says about itself once a second, message sys.NAME.
 *
 * Under a supervisor it goes as one datagram to $TAPLINE_RUN/report.sock; a stage run by hand
 * publishes it on its own NNG endpoints. Part of stage, not for programs.
 */
#ifndef TAPLINE_REPORT_H
#define TAPLINE_REPORT_H

#include "stage.h"

void report_open(struct stage *st);
void report_send(struct stage *st);
void report_close(struct stage *st);

#endif
