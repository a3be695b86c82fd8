/* httpd: HTTP for the pipeline.
 *
 * In: HTTP requests on --listen. Out: files; what other stages answer to requests (rpc.h); upgraded
 * WebSocket connections, handed over to wsfanout (handover.h); images that other stages publish
 * (images.h); with --system, what the supervisor
 * knows and what flows at any endpoint, as streams of events (system.h). Who gets in: guard.h. Ends
 * with 0 when stopped, 1 when it cannot listen, 2 on a wrong command line.
 */
#include "conn.h"
#include "guard.h"
#include "images.h"
#include "linger.h"
#include "listener.h"
#include "proxied.h"
#include "server.h"
#include "system.h"

static struct httpd httpd = {.token_env = "AUTH_TOKEN",
                             .login_env = "HTTPD_LOGIN",
                             .ask_timeout_ms = 2000,
                             .timeout_ms = 30000,
                             .connections = 2048,
                             .max_body = 64 << 10,
                             .images = 64,
                             .image_bytes = 32 << 20,
                             .viewers = 200,
                             .admin_here = true};

static const struct opt options[] = {
    {"listen", 'l', OPT_LIST, &httpd.listen, "HOST:PORT",
     "where to listen (127.0.0.1:8080 when not given; repeatable): 0.0.0.0:8080 is every IPv4 "
     "interface, [::]:8080 IPv6 as well, port 0 any free port",
     0, 0},
    {"route", 'r', OPT_LIST, &httpd.routes, "ROUTE", "what a URL does, see below; repeatable", 0,
     0},
    {"origin", 0, OPT_LIST, &httpd.origins, "PATTERN",
     "whose pages may open WebSockets and ask stages, as http://panel.local:*, several with "
     "commas; "
     "without it, or with *, any page may that a browser near us shows (what --protect guards: "
     "only "
     "our own). Over plain http to another "
     "machine a browser does not say whose page an image or a link belongs to",
     0, 0},
    {"host", 0, OPT_LIST, &httpd.hosts, "NAME",
     "what this server may be called in a URL, as panel.local, 192.168.1.5 or ::1, several with "
     "commas; "
     "a page that points its own name at us (DNS rebinding) then gets nothing. Without it, or with "
     "*, any name will do for looking; what changes something needs an address or a name of the "
     "local "
     "network (panel, panel.local), unless it shows a token or a login",
     0, 0},
    {"cors", 0, OPT_FLAG, &httpd.cors, NULL,
     "let pages of other sites (those of --origin) read what GET answers, and use routes that ask "
     "for the token",
     0, 0},
    {"protect", 0, OPT_TEXT, &httpd.protect, "basic|token",
     "let only those in who show the login: a name and password (HTTP Basic), or a token (header "
     "\"Authorization: Bearer TOKEN\", or /?token=TOKEN once in a browser); for all but routes "
     "with "
     "the word open or token",
     0, 0},
    {"login-file", 0, OPT_TEXT, &httpd.login_file, "FILE",
     "whose first line is that login: USER:PASSWORD for basic, else the token", 0, 0},
    {"login-env", 0, OPT_TEXT, &httpd.login_env, "NAME",
     "the variable of the environment that holds it when there is no --login-file", 0, 0},
    {"token-file", 0, OPT_TEXT, &httpd.token_file, "FILE",
     "whose first line is the token for routes with the word token", 0, 0},
    {"token-env", 0, OPT_TEXT, &httpd.token_env, "NAME",
     "the variable of the environment that holds it when there is no --token-file", 0, 0},
    {"open", 0, OPT_FLAG, &httpd.token_open, NULL, "let anybody use routes with the word token", 0,
     0},
    {"proxy-listen", 0, OPT_LIST, &httpd.proxy_listen, "HOST:PORT",
     "where a TLS terminator on this machine connects that sends the PROXY protocol's header (1 or "
     "2), so that real addresses are known; or unix:NAME for a socket in the run directory, "
     "unix:/PATH for any; repeatable",
     0, 0},
    {"proxy-from", 0, OPT_LIST, &httpd.proxy_from, "NETWORK",
     "who may connect there, as 10.0.0.5 or 10.0.0.0/24, several with commas; without it this "
     "machine only",
     0, 0},
    {"ask-timeout", 0, OPT_DURATION, &httpd.ask_timeout_ms, "TIME",
     "how long another stage has for an answer", 1, 3600000},
    {"timeout", 0, OPT_DURATION, &httpd.timeout_ms, "TIME",
     "how long a client has to send a request, and may read nothing of an answer", 1000, 86400000},
    {"connections", 0, OPT_INT, &httpd.connections, "N",
     "open at once; above that the longest idle one is cut", 1, 100000},
    {"max-body", 0, OPT_SIZE, &httpd.max_body, "BYTES", "of a request", 0, 3 << 20},
    {"images", 0, OPT_INT, &httpd.images, "N",
     "different images kept for the actions image and mjpeg; above that the one not renewed "
     "longest goes",
     1, 4096},
    {"image-bytes", 0, OPT_SIZE, &httpd.image_bytes, "BYTES", "that they may take in all", 1,
     4LL << 30},
    {"viewers", 0, OPT_INT, &httpd.viewers, "N",
     "of mjpeg streams at a time; of one address a quarter, but for this machine's own", 1, 100000},
    {"system", 0, OPT_TEXT, &httpd.system, "DIR",
     "serve the page in DIR at /system, all that it asks for, and /metrics", 0, 0},
    {"admin-token-file", 0, OPT_TEXT, &httpd.admin_token_file, "FILE",
     "whose first line lets others than this machine restart stages and put messages; without it "
     "the environment's TAPLINE_ADMIN_TOKEN",
     0, 0},
    {"admin-here", 0, OPT_FLAG, &httpd.admin_here, NULL,
     "whoever is on this machine needs no token; turn it off behind a proxy that runs here (not "
     "needed with --proxy-listen)",
     0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static struct opt_program program = {
    .name = "httpd",
    .summary = "serve files, answers of stages and WebSocket handshakes over HTTP",
    .details =
        "A ROUTE is \"METHOD PATH ACTION ARGS\". METHOD is GET (which answers HEAD, too), POST,\n"
        "PUT, PATCH, DELETE or WS. A part {NAME} of PATH stands for any one part, {NAME}.END for\n"
        "one that ends so, a * at the end for everything below. The most specific path wins.\n"
        "Actions:\n"
        "\n"
        "  file FILE            that file\n"
        "  dir DIR [follow]     the files below DIR; follow: also where links lead out of it\n"
        "  ask ENDPOINT OP      what the stage ENDPOINT answers to {op: OP, params: {NAME: ...}}\n"
        "  image ENDPOINT TOPIC KEY [age] [else TEXT]\n"
        "                       the newest image (`data`) of TOPIC whose KEY is {NAME}; without a\n"
        "                       {NAME} of any; age: with X-Frame-Age, and no cache may keep it;\n"
        "                       TEXT: of the 404 while there is none\n"
        "  mjpeg ENDPOINT TOPIC KEY   these images as they come, multipart/x-mixed-replace\n"
        "  ws ENDPOINT [GROUP]  hand the WebSocket over to the wsfanout ENDPOINT\n"
        "\n"
        "Behind them may stand:\n"
        "\n"
        "  open                 for everybody, whatever --protect says\n"
        "  token                only with the header \"Authorization: TOKEN\" (--token-file), "
        "which is\n"
        "                       looked at before the body is read\n"
        "  type=TYPE            415 for bodies of another type than, say, application/json\n"
        "  max=SIZE             bytes of a body, instead of --max-body\n"
        "\n"
        "For example:\n"
        "\n"
        "  httpd -r 'GET / file www/panel/index.html' -r 'GET /media/* dir media' \\\n"
        "        -r 'GET /test/play/{id} ask rules play' -r 'WS /ws ws fan' \\\n"
        "        -r 'GET /cameras/{mac}.jpg image decode espcam.image mac'",
    .tables = {options, NULL, NULL, NULL}};

static int declare_routes(struct httpd *h, struct err *e) {
    if (h->routes.n == 0 && !h->system)
        return err_set(e, CAUSE_USAGE, "nothing to serve: give at least one --route");
    for (size_t i = 0; i < h->routes.n; i++)
        if (route_add(&h->table, h->routes.item[i], action_table, e) < 0)
            return -1;
    if (system_declare(h, e) < 0)
        return -1;
    for (size_t i = 0; i < h->table.n; i++) {
        struct route *r = h->table.item[i];
        if (r->action->declare && r->action->declare(h, r, e) < 0)
            return -1;
    }
    route_sort(&h->table);
    return guard_declare(h, e);
}

static int open_routes(struct httpd *h, struct err *e) {
    for (size_t i = 0; i < h->table.n; i++) {
        struct route *r = h->table.item[i];
        if (r->action->open && r->action->open(h, r, e) < 0)
            return -1;
    }
    return system_open(h, e);
}

static void on_tick(void *ctx) {
    struct httpd *h = ctx;
    conn_tick(h);
    proxied_tick(h);
    linger_tick(h);
    listeners_go_on();
    system_tick(h);
    h->st.stats.queue = h->n.suspended;
    for (size_t i = 0; i < h->table.n; i++)
        if (h->table.item[i]->action->tick)
            h->table.item[i]->action->tick(h, h->table.item[i]);
}

static void on_stop(void *ctx) {
    struct httpd *h = ctx;
    for (size_t i = 0; i < h->table.n; i++)
        if (h->table.item[i]->action->stop)
            h->table.item[i]->action->stop(h, h->table.item[i]);
    system_stop(h);
    server_stop(h);
}

static void close_routes(struct httpd *h) {
    system_close(h);
    for (size_t i = 0; i < h->table.n; i++)
        if (h->table.item[i]->action->close)
            h->table.item[i]->action->close(h, h->table.item[i]);
    route_free(&h->table);
    buf_free(&h->out);
}

static void prepare(struct httpd *h) {
    const struct stage_counter counter[] = {{"requests", &h->n.requests},
                                            {"connections", &h->n.connections},
                                            {"connections_cut", &h->n.cut},
                                            {"responses_2xx", &h->n.responses_2xx},
                                            {"responses_3xx", &h->n.responses_3xx},
                                            {"responses_4xx", &h->n.responses_4xx},
                                            {"responses_5xx", &h->n.responses_5xx},
                                            {"sent_bytes", &h->n.sent_bytes},
                                            {"upgrades", &h->n.upgrades},
                                            {"upgrades_refused", &h->n.upgrades_refused},
                                            {"upgrades_crowded", &h->n.upgrades_crowded},
                                            {"asks", &h->n.asks},
                                            {"ask_timeouts", &h->n.ask_timeouts},
                                            {"sse_viewers", &h->n.sse_viewers},
                                            {"sse_skipped", &h->n.sse_skipped},
                                            {"images_kept", &h->n.images_kept},
                                            {"images_bytes", &h->n.images_bytes},
                                            {"images_dropped", &h->n.images_dropped},
                                            {"mjpeg_viewers", &h->n.mjpeg_viewers},
                                            {"mjpeg_images", &h->n.mjpeg_images},
                                            {"mjpeg_skipped", &h->n.mjpeg_skipped},
                                            {"refused", &h->n.refused},
                                            {"proxied", &h->n.proxied},
                                            {"proxy_faults", &h->n.proxy_faults}};
    h->st.ctx = h;
    h->st.no_stdin = h->st.no_stdout = true;
    h->st.on_msg = images_message;
    h->st.on_tick = on_tick;
    h->st.on_stop = on_stop;
    stage_counters(&h->st, counter, sizeof counter / sizeof *counter);
}

int main(int argc, char **argv) {
    struct httpd *h = &httpd;
    struct err e = {0};
    program.tables[1] = stage_common_options;
    int status = stage_options(&h->st, &program, argc, argv, NULL);
    if (status >= 0)
        return status;
    if (listeners_declare(h, &e) < 0 || declare_routes(h, &e) < 0)
        return opt_usage_error(&program, "%s", e.text);
    prepare(h);
    if (stage_open(&h->st, &e) < 0 || guard_open(h, &e) < 0 || open_routes(h, &e) < 0 ||
        server_open(h, &e) < 0)
        return stage_fail(&h->st, &e);
    guard_forget(h);
    stage_ready(&h->st);
    status = stage_run(&h->st);
    server_close(h);
    close_routes(h);
    return stage_close(&h->st, status);
}
