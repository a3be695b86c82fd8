/* What cameras are called: --name MAC=NAME, and --names FILE with lines "MAC NAME". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "espcam.h"
#include "log.h"
#include "utf8.h"

enum { NAMES = 1024, LINE_BYTES = 256 };

struct named {
    char mac[CAM_MAC], name[CAM_NAME];
};

static struct named *names; /* owned; of the command line first */
static size_t count, of_command_line;

static void set(const char *mac, const char *name, size_t n) {
    if (count == NAMES)
        return;
    names = mem_resize(names, (count + 1) * sizeof *names);
    struct named *k = &names[count++];
    memcpy(k->mac, mac, CAM_MAC);
    n = n < CAM_NAME ? n : CAM_NAME - 1;
    while (n > 0 && !utf8_valid((const uint8_t *)name, n)) /* not in the middle of a letter */
        n--;
    memcpy(k->name, name, n);
    k->name[n] = 0;
}

static int from_option(const char *text, struct err *e) {
    char mac[CAM_MAC];
    const char *equals = strchr(text, '=');
    if (!equals || !equals[1] || !cam_mac(text, (size_t)(equals - text), mac))
        return err_set(e, CAUSE_USAGE,
                       "--name %s: is not MAC=NAME, as in 24:6f:28:a1:b2:c3=Balcony", text);
    set(mac, equals + 1, strlen(equals + 1));
    return 0;
}

static int from_line(char *line, unsigned number, struct err *e) {
    static const char BLANKS[] = " \t\r\n";
    char mac[CAM_MAC];
    line += strspn(line, BLANKS);
    size_t n = strcspn(line, BLANKS), end = strlen(line);
    if (!*line || *line == '#')
        return 0;
    while (end > 0 && strchr(BLANKS, line[end - 1]))
        end--;
    const char *name = line + n + strspn(line + n, BLANKS);
    if (!cam_mac(line, n, mac) || n >= end)
        return err_set(e, CAUSE_USAGE, "%s, line %u: is not \"MAC NAME\"", cams.opt.names_file,
                       number);
    set(mac, name, (size_t)(line + end - name));
    return 0;
}

static int read_file(struct err *e) {
    char line[LINE_BYTES];
    int r = 0;
    if (!cams.opt.names_file)
        return 0;
    FILE *f = fopen(cams.opt.names_file, "re");
    if (!f)
        return err_errno(e, errno, "cannot read the names of cameras in %s", cams.opt.names_file);
    for (unsigned number = 1; r == 0 && fgets(line, sizeof line, f); number++)
        r = from_line(line, number, e);
    fclose(f);
    return r;
}

int cam_names_open(struct err *e) {
    for (size_t i = 0; i < cams.opt.names.n; i++)
        if (from_option(cams.opt.names.item[i], e) < 0)
            return -1;
    of_command_line = count;
    return read_file(e);
}

void cam_names_reload(void) {
    struct err e;
    count = of_command_line;
    if (read_file(&e) < 0)
        log_warn("%s", e.text);
    else
        log_info("%zu cameras have names", count);
}

const char *cam_name(const char *mac) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i].mac, mac) == 0)
            return names[i].name;
    return "";
}

void cam_names_free(void) {
    free(names);
    names = NULL;
    count = 0;
}
