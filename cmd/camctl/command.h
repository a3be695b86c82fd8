/* command: the command lines of the processes, from templates. Pure.
 *
 * A template is split as a shell splits a line (quotes, no pipes, no variables); in each word
 * %shutter, %gain, %awb_red, %awb_blue, %contrast, %brightness, %width, %height, %size (640x480),
 * %fps, %preview_step, %url, %camera and %% are replaced, so that a value never becomes two words.
 */
#ifndef CAMCTL_COMMAND_H
#define CAMCTL_COMMAND_H

#include "codec/campacket.h"
#include "err.h"
#include "words.h"

enum { COMMAND_WORD = 1024 /* bytes of one word */ };

struct command_values {
    struct camsettings settings;
    int64_t width, height, fps, preview_step;
    const char *url, *camera;
};

/* Whether a template is one; option: its name, for errors. */
int command_check(const char *text, const char *option, struct err *e);
/* The words of a template with values put in. Free with conf_argv_free; one command. */
int command_make(const char *text, const struct command_values *v, struct conf_argv *out,
                 struct err *e);

/* Take the logins (USER:PASSWORD@) out of the URLs in a text of n bytes, for pages and messages
 * that show it; the bytes that are left. */
size_t command_hide_logins(char *text, size_t n);

#endif
