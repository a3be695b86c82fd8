/* system: what --system adds to any pipeline, a page and what it asks for.
 *
 *   GET  /system               DIR/index.html; its parts: /static/system, /static/shared
 *   GET  /system/status.json   the supervisor's reply to `status`
 *   GET  /system/time.json     {"now": "NANOSECONDS"}
 *   GET  /system/logs.json     ?stage=&lines=&level=: {"lines": [{time, stage, level, text}]}
 *   GET  /system/events        status once a second and log lines, as they come
 *   GET  /system/tap           ?from=ENDPOINT,...&topic=PREFIX&rate=N&body=0: messages
 *   POST /system/restart       {"stage": NAME}
 *   POST /system/put           {"endpoint": NAME, "topic": T, "body": {...}}
 *   GET  /metrics              for Prometheus
 *   GET  /vendor/dygraphs/...  Debian's libjs-dygraphs, where it is installed
 * Times are nanoseconds as text, because a browser's numbers have 53 bits.
 */
#ifndef HTTPD_SYSTEM_H
#define HTTPD_SYSTEM_H

#include "request.h"

/* Add the routes; nothing without --system. */
int system_declare(struct httpd *h, struct err *e);
int system_open(struct httpd *h, struct err *e);
void system_tick(struct httpd *h);
void system_stop(struct httpd *h);
void system_close(struct httpd *h);

/* For its parts: */

/* Ask the supervisor what h->out holds and let done answer q, later or at once. */
void system_ask(struct request *q, rpc_done done);
/* The same without a request. False when it cannot even be asked. */
bool system_ask_for(struct httpd *h, rpc_done done, void *ctx);
/* There is no answer, or a refusal: 503, 404. */
void system_no_answer(struct request *q, const struct rpc_result *r);

/* Append {"time":..,"stage":..,"level":..,"text":..} of a log line's map. */
void system_put_line(struct buf *b, uint64_t time, const uint8_t *p, size_t n);
/* Whether a stream may begin for q; else it has been answered. */
bool system_may_stream(struct request *q, size_t viewers, size_t most);

extern const struct action action_system_page, action_system_rest, action_system_status,
    action_system_time, action_system_logs, action_system_metrics, action_system_events,
    action_system_tap, action_system_restart, action_system_put;

/* action_system_events.c, action_system_post.c */
void events_stop(void);
void events_close(void);
void post_stop(void);

#endif
