/* Who may be a camera: whoever shows the token. Wrong ones are bounded for each address, and no
 * value is ever logged.
 */
#include <string.h>

#include "hub.h"
#include "log.h"
#include "secret.h"
#include "secret_env.h"
#include "tries.h"

static const char VARIABLE[] = "AUTH_TOKEN";
static struct secret token;
static struct tries tries;

int hub_token_load(struct err *e) {
    if (secret_load(&token, hub.opt.token_file, VARIABLE, "the camera token", 1, e) < 0)
        return -1;
    secret_env_forget_all();
    if (token.set || hub.opt.open)
        return 0;
    return err_set(e, CAUSE_USAGE,
                   "no camera token: set AUTH_TOKEN in the environment or give --token-file FILE "
                   "(--open takes any camera)");
}

static enum hub_verdict wrong(const char *addr, uint64_t who) {
    static struct log_limit limit;
    tries_wrong(&tries, who, clock_mono_ns());
    hub.n.wrong_tokens++;
    log_limited(&limit, LOG_WARN, "%s: identifies as a camera with a wrong auth_token", addr);
    return HUB_WRONG;
}

enum hub_verdict hub_token_judge(const char *addr, const struct json_raw *shown) {
    static struct log_limit limit;
    char text[SECRET_MAX + 1];
    if (hub.opt.open)
        return HUB_RIGHT;
    if (!shown || shown->kind == RAW_NULL || (shown->kind == RAW_STRING && shown->n == 2))
        return HUB_MISSING;
    uint64_t who = tries_who_text(addr);
    if (!tries_left(&tries, who, clock_mono_ns())) {
        hub.n.tokens_unread++;
        log_limited(&limit, LOG_WARN, "%s: has shown too many wrong tokens, no more are read now",
                    addr);
        return HUB_TOO_OFTEN;
    }
    if (json_raw_text(shown, text, sizeof text) && secret_is(&token, text, strlen(text)))
        return HUB_RIGHT;
    return wrong(addr, who);
}
