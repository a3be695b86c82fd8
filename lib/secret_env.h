/* secret_env: tokens and passwords that come in the environment.
 *
 * What stands in a process's environment when it starts is shown by /proc/PID/environ for as long
 * as it lives, whatever is unset later, and whatever it starts inherits it. So whoever has read a
 * secret overwrites it.
 *
 * Known are AUTH_PASSWORD, AUTH_TOKEN, HTTPD_LOGIN and TAPLINE_ADMIN_TOKEN.
 */
#ifndef TAPLINE_SECRET_ENV_H
#define TAPLINE_SECRET_ENV_H

#include <stdbool.h>

/* Overwrite and unset it. Texts that getenv has returned for it must not be used any more. */
void secret_env_forget(const char *name);
/* The same for all that are known. */
void secret_env_forget_all(void);

/* Move those that are known to where /proc does not show them; getenv still finds them. For a
 * program that hands them on. */
void secret_env_hide_all(void);

/* Whether a program of this command line is to inherit the entry "NAME=VALUE": everything that is
 * no known secret; of these what its programs read (camctl reads AUTH_PASSWORD), what the command
 * line names ("--token-env AUTH_TOKEN"), also for what a shell is told to run (sh -c "camctl ...").
 */
bool secret_env_is_for(const char *entry, char *const *argv);

#endif
