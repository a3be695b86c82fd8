/* hub_ws: the WebSocket of a simulated camera or game: handshake, frames, and coming back after it
 * was lost. Frames are taken apart by wslay, which also answers pings and closing handshakes.
 */
#ifndef DEVSIM_HUB_WS_H
#define DEVSIM_HUB_WS_H

#include <wslay/wslay.h>

#include "chance.h"
#include "hub_tcp.h"
#include "hub_url.h"

enum { HUB_WS_MESSAGE = 1 << 20 /* bytes that come at most */, HUB_WS_HEAD = 8 << 10 };

struct hub_ws {
    /* Set by the owner. */
    const struct hub_url *url;
    /* As the cameras' library (ArduinoWebsockets 0.5.4) does it: its own headers, a handshake that
     * it reads by the letter, every frame masked with zeros. Otherwise as a browser. */
    bool camera;
    const char *origin; /* Origin header; NULL = none */
    uint64_t retry_ms;  /* from a connection lost to the next try */
    void (*on_open)(void *ctx);
    void (*on_text)(void *ctx, const char *text, size_t n);
    /* It has ended or never opened; why names the code when there was one. It is tried again. */
    void (*on_closed)(void *ctx, const char *why);
    void *ctx;

    bool open;     /* the handshake is done and nothing has ended */
    bool was_open; /* during on_closed: it had opened */

    /* Its own. */
    uv_loop_t *loop;
    uv_timer_t timer; /* until the next try, or until the handshake must be done */
    struct hub_tcp tcp;
    wslay_event_context_ptr frames;
    struct buf head, out;
    const uint8_t *in;
    size_t in_len;
    char key[25], fault[96];
    struct chance luck;
    bool quit;
};

/* Begin, after delay_ms. */
void hub_ws_start(struct hub_ws *w, uv_loop_t *loop, uint64_t delay_ms);
void hub_ws_text(struct hub_ws *w, const void *p, size_t n);
void hub_ws_binary(struct hub_ws *w, const void *p, size_t n);
/* Say goodbye with code 1001 and end for good; memory must live until the loop has run its close
 * callbacks, and no callback of the owner's is called any more. */
void hub_ws_stop(struct hub_ws *w);
/* When the loop has run. */
void hub_ws_free(struct hub_ws *w);

#endif
