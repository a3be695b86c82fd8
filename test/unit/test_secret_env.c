#include "secret_env.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

/* What /proc shows of this very process. */
static bool is_shown(const char *text) {
    static char all[1 << 16];
    FILE *f = fopen("/proc/self/environ", "rb");
    size_t n = f ? fread(all, 1, sizeof all, f) : 0, len = strlen(text);
    if (f)
        fclose(f);
    for (size_t i = 0; i + len <= n; i++)
        if (memcmp(all + i, text, len) == 0)
            return true;
    return false;
}

/* A process of its own: what it begins with is what /proc shows. */
static int self(const char *what) {
    char *argv[] = {"test", "-", (char *)what, NULL};
    char *envp[] = {"A=1",      "AUTH_PASSWORD=geheim-1", "AUTH_TOKEN=geheim-2",
                    "B=geheim", "AUTH_PASSWORD=geheim-3", NULL};
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execve("/proc/self/exe", argv, envp);
        _exit(9);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int look(const char *what) {
    if (!is_shown("AUTH_PASSWORD=geheim-1") || !is_shown("geheim-3"))
        return 1;
    if (strcmp(what, "hide") == 0) {
        secret_env_hide_all();
        if (!getenv("AUTH_TOKEN") || strcmp(getenv("AUTH_TOKEN"), "geheim-2") != 0)
            return 2;
    } else {
        secret_env_forget_all();
        if (getenv("AUTH_PASSWORD") || getenv("AUTH_TOKEN"))
            return 3;
    }
    return is_shown("geheim-") || !is_shown("B=geheim") || !is_shown("A=1") ? 4 : 0;
}

__attribute__((constructor)) static void be_the_other(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "-") == 0)
        _exit(look(argv[2]));
}

TEST(what_is_forgotten_or_hidden_is_not_shown) {
    CHECK_INT(self("forget"), 0);
    CHECK_INT(self("hide"), 0);
}

static bool is_for(const char *entry, const char *a, const char *b, const char *c) {
    char *argv[] = {(char *)a, (char *)b, (char *)c, NULL};
    return secret_env_is_for(entry, argv);
}

TEST(each_goes_to_whoever_reads_it) {
    const char password[] = "AUTH_PASSWORD=x", token[] = "AUTH_TOKEN=x", login[] = "HTTPD_LOGIN=x";
    CHECK(is_for("PATH=/bin", "ffmpeg", NULL, NULL));
    CHECK(is_for("AUTH_PASSWORDS=x", "ffmpeg", NULL, NULL));
    CHECK(is_for(password, "/usr/libexec/tapline/camctl", "--host", "x"));
    CHECK(is_for(password, "sh", "-c", "exec camctl --host x"));
    CHECK(is_for(password, "tapline", "camera", "watch"));
    CHECK(is_for(password, "mine", "--password-env", "AUTH_PASSWORD"));
    CHECK(!is_for(password, "tapline", "tap", "camera"));
    CHECK(!is_for(password, "dispatch", "camera", NULL));
    CHECK(!is_for(password, "notcamctl", NULL, NULL));
    CHECK(!is_for(password, "httpd", NULL, NULL));
    CHECK(is_for(token, "dispatch", "hub", "--open"));
    CHECK(!is_for(token, "dispatch", "panel", NULL));
    CHECK(is_for(token, "httpd", "--open", NULL));
    CHECK(is_for(token, "devsim", "hub", "camera"));
    CHECK(!is_for(token, "devsim", "hub", "engine"));
    CHECK(is_for(login, "httpd", NULL, NULL));
    CHECK(!is_for(login, "camctl", NULL, NULL));
    CHECK(!is_for(login, "stunnel", NULL, NULL));
}
