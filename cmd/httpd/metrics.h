/* metrics: the supervisor's status in Prometheus' text format 0.0.4. Pure. */
#ifndef HTTPD_METRICS_H
#define HTTPD_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Append the metrics of the reply map p. What it does not have is left out. */
void metrics_put(struct buf *out, const uint8_t *p, size_t n);

#endif
