/* tapline req: one request to a stage, its reply as JSON.
 *
 * In:   the operation and its keys from the command line.
 * Out:  the reply as one line of JSON.
 * Ends: 0 when the reply is ok, 1 when it is a refusal or there is none.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "json.h"
#include "opt.h"
#include "rpc.h"

static int64_t timeout_ms = 3000;

static const struct opt options[] = {
    {"timeout", 't', OPT_DURATION, &timeout_ms, "TIME", "wait this long for the reply", 1, 3600000},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline req",
    .summary = "ask a running stage",
    .synopsis = "ENDPOINT OP [KEY=VALUE]...",
    .details = "VALUE is JSON, or else a text:\n"
               "  tapline req rules status\n"
               "  tapline req serial write data=PING\n",
    .tables = {options},
};

static void put_value(struct buf *b, const char *text) {
    if (json_to_mp(b, text, strlen(text), NULL) < 0)
        mp_put_str(b, text);
}

static int make_request(struct buf *b, const char *op, char **pairs, int n) {
    rpc_request_begin(b, op, (uint32_t)n);
    for (int i = 0; i < n; i++) {
        const char *eq = strchr(pairs[i], '=');
        if (!eq)
            return opt_usage_error(&program, "\"%s\" is not KEY=VALUE", pairs[i]);
        mp_put_strn(b, pairs[i], (size_t)(eq - pairs[i]));
        put_value(b, eq + 1);
    }
    return 0;
}

static void print_reply(const struct buf *reply) {
    struct buf text = {0};
    struct mp_cursor c = {buf_data(reply), buf_data(reply) + buf_len(reply)};
    json_from_mp(&text, &c, NULL);
    printf("%.*s\n", (int)buf_len(&text), (const char *)buf_data(&text));
    buf_free(&text);
}

int req_main(int argc, char **argv) {
    struct buf request = {0}, reply = {0};
    struct err e = {0};
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n < 2)
        return opt_usage_error(&program, "give an endpoint and an operation");
    status = make_request(&request, argv[2], argv + 3, n - 2);
    if (status == 0) {
        int r = rpc_ask(argv[1], &request, (unsigned)timeout_ms, &reply, &e);
        if (buf_len(&reply))
            print_reply(&reply);
        if (r < 0)
            fprintf(stderr, "tapline req: %s\n", e.text);
        status = r < 0;
    }
    buf_free(&request);
    buf_free(&reply);
    return status;
}
