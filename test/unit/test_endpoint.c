#include <errno.h>
#include <sys/stat.h>

#include "endpoint.h"
#include "rundir.h"
#include "rundir_test.h"
#include "test.h"

static struct endpoint ep;
static struct err e;

static void parsed(const char *text, const char *pub, const char *rep) {
    char want[200];
    if (endpoint_parse(&ep, text, &e) < 0)
        test_fail(__FILE__, __LINE__, "%s: %s", text, e.text);
    snprintf(want, sizeof want, pub, test_dir);
    CHECK_STR(ep.pub, want);
    snprintf(want, sizeof want, rep, test_dir);
    CHECK_STR(ep.rep, want);
}

static void refused(const char *text, const char *why) {
    if (endpoint_parse(&ep, text, &e) == 0 || !strstr(e.text, why) || e.cause != CAUSE_USAGE)
        test_fail(__FILE__, __LINE__, "\"%s\": \"%s\", want: %s", text, e.text, why);
}

TEST(names_lie_in_the_run_directory) {
    make_test_dir();
    parsed("decode", "ipc://%s/decode.pub", "ipc://%s/decode.rep");
    CHECK_INT(ep.kind, ENDPOINT_NNG);
    CHECK_STR(ep.prefix, "");
    parsed("fifo:tx", "%s/tx.fifo", "");
    CHECK_INT(ep.kind, ENDPOINT_FIFO);
    parsed("-", "", "");
    CHECK_INT(ep.kind, ENDPOINT_STDIO);
}

TEST(urls_keep_their_form) {
    make_test_dir();
    parsed("tcp://127.0.0.1:7000", "tcp://127.0.0.1:7000", "tcp://127.0.0.1:7001");
    parsed("tls+tcp://host:1", "tls+tcp://host:1", "tls+tcp://host:2");
    parsed("tcp://[::1]:65534", "tcp://[::1]:65534", "tcp://[::1]:65535");
    parsed("ipc:///tmp/x", "ipc:///tmp/x", "ipc:///tmp/x.rep");
}

TEST(prefixes_narrow) {
    make_test_dir();
    parsed("tx?serial.", "ipc://%s/tx.pub", "ipc://%s/tx.rep");
    CHECK_STR(ep.prefix, "serial.");
    CHECK_STR(ep.name, "tx");
    parsed("-?panel.press", "", "");
    CHECK_INT(ep.kind, ENDPOINT_STDIO);
    CHECK_STR(ep.prefix, "panel.press");
    parsed("fifo:tx?serial.", "%s/tx.fifo", "");
    parsed("tcp://h:80?a", "tcp://h:80", "tcp://h:81");
    parsed("tx?", "ipc://%s/tx.pub", "ipc://%s/tx.rep");
    CHECK_STR(ep.prefix, "");
}

TEST(what_is_no_endpoint) {
    make_test_dir();
    refused("", "a name has letters");
    refused("a/b", "a name has letters");
    refused("../x", "a name has letters");
    refused(".hidden", "a name has letters");
    refused("-x", "a name has letters");
    refused("fifo:", "a name has letters");
    refused("fifo:a b", "a name has letters");
    refused("tcp://host", "needs a port");
    refused("tcp://[::1]", "needs a port");
    refused("tcp://host:", "needs a port");
    refused("tcp://host:0", "needs a port");
    refused("tcp://host:65535", "needs a port"); /* the replies' would be 65536 */
    refused("tcp://host:80x", "needs a port");
    refused("tcp://host: 80", "needs a port");
    refused("ws://host:80", "a URL begins with");
    refused("http://x", "a URL begins with");
    refused("tx?Serial.*", "a topic begins with");
    char text[300];
    memset(text, 'a', sizeof text);
    text[299] = 0;
    refused(text, "is too long");
    text[49] = 0;
    refused(text, "at most 48");
    memcpy(text, "x?", 2);
    memset(text + 2, 'a', 120);
    text[122] = 0;
    refused(text, "topic prefix");
}

TEST(names_have_a_length) {
    char name[60];
    memset(name, 'n', sizeof name);
    name[48] = 0;
    CHECK(endpoint_name_valid(name));
    name[48] = 'n';
    name[49] = 0;
    CHECK(!endpoint_name_valid(name));
    CHECK(endpoint_name_valid("a.b_c-9"));
    CHECK(!endpoint_name_valid(""));
    CHECK(!endpoint_name_valid("a\n"));
}

TEST(a_run_directory_that_leaves_no_room_is_refused) {
    char path[200];
    make_test_dir();
    memset(path, 'd', sizeof path);
    path[0] = '/';
    path[RUNDIR_MAX] = 0;
    setenv("TAPLINE_RUN", path, 1);
    CHECK_INT(endpoint_parse(&ep, "decode", &e), -1);
    CHECK_INT(e.cause, CAUSE_LIMIT);
    CHECK(strstr(e.text, "set TAPLINE_RUN"));
    CHECK_INT(rundir_make(path, &e), -1);
}

TEST(run_directory_is_found) {
    char dir[RUNDIR_MAX], want[200], sub[200];
    snprintf(sub, sizeof sub, "%s", make_test_dir());
    CHECK_INT(rundir_path(dir, sizeof dir, NULL, &e), 0);
    CHECK_STR(dir, test_dir);
    unsetenv("TAPLINE_RUN");
    setenv("XDG_RUNTIME_DIR", test_dir, 1);
    CHECK_INT(rundir_path(dir, sizeof dir, "panel", &e), 0);
    snprintf(want, sizeof want, "%s/tapline/panel", test_dir);
    CHECK_STR(dir, want);
    CHECK_INT(rundir_path(dir, sizeof dir, NULL, &e), 0);
    snprintf(want, sizeof want, "%s/tapline/default", test_dir);
    CHECK_STR(dir, want);
    /* The only pipeline there is needs no name; of two, none is meant. */
    snprintf(want, sizeof want, "%s/tapline/hub", test_dir);
    CHECK_INT(rundir_make(want, &e), 0);
    CHECK_INT(rundir_path(dir, sizeof dir, NULL, &e), 0);
    CHECK_STR(dir, want);
    snprintf(sub, sizeof sub, "%s/tapline/espcam", test_dir);
    CHECK_INT(rundir_make(sub, &e), 0);
    CHECK_INT(rundir_path(dir, sizeof dir, NULL, &e), 0);
    snprintf(want, sizeof want, "%s/tapline/default", test_dir);
    CHECK_STR(dir, want);
}

TEST(run_directory_is_made_private) {
    char dir[200];
    struct stat st;
    umask(0);
    snprintf(dir, sizeof dir, "%s/a/b", make_test_dir());
    CHECK_INT(rundir_make(dir, &e), 0);
    CHECK_INT(rundir_make(dir, &e), 0); /* again is fine */
    CHECK_INT(stat(dir, &st), 0);
    CHECK_INT(st.st_mode & 0777, 0700);
    snprintf(dir, sizeof dir, "%s/file", test_dir);
    fclose(fopen(dir, "w"));
    CHECK_INT(rundir_make(dir, &e), -1);
    CHECK(strstr(e.text, "is no directory"));
    snprintf(dir, sizeof dir, "%s/file/below", test_dir);
    CHECK_INT(rundir_make(dir, &e), -1);
}

TEST(a_link_of_somebody_else_is_not_followed) {
    char dir[200];
    if (geteuid() != 0) { /* a directory of another user is at hand */
        CHECK_INT(rundir_make("/", &e), -1);
        CHECK_INT(e.cause, CAUSE_PERMISSION);
        return;
    }
    snprintf(dir, sizeof dir, "%s/link", make_test_dir());
    CHECK_INT(symlink(test_dir, dir), 0);
    CHECK_INT(lchown(dir, 65534, 65534), 0);
    CHECK_INT(rundir_make(dir, &e), -1);
    CHECK(strstr(e.text, "belongs to user 65534"));
}

TEST(the_directory_is_made_for_names_only) {
    char dir[200];
    struct stat st;
    snprintf(dir, sizeof dir, "%s/run", make_test_dir());
    setenv("TAPLINE_RUN", dir, 1);
    CHECK_INT(endpoint_parse(&ep, "tcp://127.0.0.1:7000", &e), 0);
    CHECK_INT(endpoint_make_dir(&ep, &e), 0);
    CHECK_INT(endpoint_parse(&ep, "-", &e), 0);
    CHECK_INT(endpoint_make_dir(&ep, &e), 0);
    CHECK(stat(dir, &st) < 0);
    CHECK_INT(endpoint_parse(&ep, "fifo:x", &e), 0);
    CHECK_INT(endpoint_make_dir(&ep, &e), 0);
    CHECK_INT(stat(dir, &st), 0);
}
