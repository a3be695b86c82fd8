#include "../../cmd/httpd/path.c"
#include "../../cmd/httpd/route.c"

#include "test.h"

static const struct action a_file = {.name = "file", .methods = METHOD_GET | METHOD_HEAD};
static const struct action a_dir = {
    .name = "dir", .methods = METHOD_GET | METHOD_HEAD, .trailing_slash = true};
static const struct action a_ask = {.name = "ask",
                                    .methods = METHOD_GET | METHOD_HEAD | METHOD_POST};
static const struct action a_ws = {.name = "ws", .methods = METHOD_WS};
static const struct action *const actions[] = {&a_file, &a_dir, &a_ask, &a_ws, NULL};

static bool path_is(const char *raw, const char *segments) {
    struct path p;
    char got[2048] = "";
    if (!path_parse(&p, raw, strlen(raw)))
        return segments == NULL;
    for (size_t i = 0; i < p.n; i++) {
        strncat(got, p.text + p.at[i], p.len[i]);
        strcat(got, "|");
    }
    if (p.slash)
        strcat(got, "/");
    return segments && strcmp(got, segments) == 0;
}

TEST(paths_are_decoded_and_cut) {
    CHECK(path_is("/", ""));
    CHECK(path_is("/a", "a|"));
    CHECK(path_is("/a/b.c/d", "a|b.c|d|"));
    CHECK(path_is("/a/", "a|/"));
    CHECK(path_is("/a%20b/%C3%a4", "a b|\xc3\xa4|"));
    CHECK(path_is("/...", "...|"));
    CHECK(path_is("/%2525", "%25|"));
}

TEST(paths_that_could_leave_a_directory_are_none) {
    static const char *const bad[] = {"",      "a",      "//",      "/a//b",  "/a//",
                                      "/.",    "/..",    "/a/../b", "/a/./b", "/%2e%2e/a",
                                      "/.%2E", "/a%2fb", "/%2F",    "/a%00",  "/%",
                                      "/%4",   "/%zz",   "/a/%2e/", "/a/..",  "/a/%2e%2e"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(path_is(bad[i], NULL));
}

TEST(paths_are_bounded) {
    char raw[PATH_BYTES + 64];
    struct path p;
    memset(raw, 'a', sizeof raw);
    raw[0] = '/';
    CHECK(path_parse(&p, raw, PATH_BYTES - 1));
    CHECK(!path_parse(&p, raw, PATH_BYTES + 2));
    for (size_t n = 1; n <= 2 * (PATH_SEGMENTS + 1); n += 2)
        raw[n - 1] = '/';
    CHECK(path_parse(&p, raw, 2 * PATH_SEGMENTS));
    CHECK_INT(p.n, PATH_SEGMENTS);
    CHECK(!path_parse(&p, raw, 2 * (PATH_SEGMENTS + 1)));
    for (size_t n = 0; n < sizeof raw; n++)
        path_parse(&p, raw, n);
}

TEST(rest_is_what_the_star_stands_for) {
    struct path p;
    path_parse(&p, "/static/a/b%20c/", 16);
    CHECK_STR(path_rest(&p, 1), "a/b c");
    CHECK_STR(path_rest(&p, 3), "");
}

/* The text of the route that `method path` leads to, "" for none. */
static const char *found(const struct route_table *t, const char *method, const char *path) {
    struct path p;
    struct route_hit hit;
    if (!path_parse(&p, path, strlen(path)))
        return "bad path";
    route_find(t, &p, method_bit(method), &hit);
    return hit.route ? hit.route->shown : hit.allow ? "405" : "";
}

TEST(the_most_specific_route_wins) {
    static const char *const text[] = {
        "GET /* dir all",       "GET /a/* dir a",     "GET /a/{x} ask e x", "GET /a/b file b",
        "POST /a/b ask e post", "GET /{y}/b ask e y", "GET / file root"};
    struct route_table t = {0};
    struct err e;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        CHECK_INT(route_add(&t, text[i], actions, &e), 0);
    route_sort(&t);
    CHECK_STR(found(&t, "GET", "/"), "GET / file root");
    CHECK_STR(found(&t, "GET", "/a/b"), "GET /a/b file b");
    CHECK_STR(found(&t, "HEAD", "/a/b"), "GET /a/b file b");
    CHECK_STR(found(&t, "POST", "/a/b"), "POST /a/b ask e post");
    CHECK_STR(found(&t, "GET", "/a/c"), "GET /a/{x} ask e x");
    CHECK_STR(found(&t, "GET", "/a/c/d"), "GET /a/* dir a");
    CHECK_STR(found(&t, "GET", "/a/c/"), "GET /a/* dir a");
    CHECK_STR(found(&t, "GET", "/a"), "GET /a/* dir a");
    CHECK_STR(found(&t, "GET", "/q/b"), "GET /{y}/b ask e y");
    CHECK_STR(found(&t, "GET", "/q/c"), "GET /* dir all");
    CHECK_STR(found(&t, "DELETE", "/q"), "405");
    route_free(&t);
}

/* "name=text" of the first parameter of the route that `path` leads to. */
static const char *param(const struct route_table *t, const char *path) {
    static char out[128];
    struct path p;
    struct route_hit hit;
    size_t n, i = 0;
    path_parse(&p, path, strlen(path));
    route_find(t, &p, METHOD_GET, &hit);
    if (!hit.route)
        return "";
    while (!hit.route->param[i])
        i++;
    const char *text = route_param(hit.route, &p, i, &n);
    snprintf(out, sizeof out, "%s=%.*s", hit.route->segment[i], (int)n, text);
    return out;
}

TEST(a_parameter_may_have_a_fixed_end) {
    static const char *const text[] = {"GET /c/{any} ask e any",
                                       "GET /c/{mac}.jpg file jpg",
                                       "GET /c/{name}.small.jpg file small",
                                       "GET /c/a.jpg file a",
                                       "GET /c/{mac}/stream file stream",
                                       "GET /c/* dir rest"};
    struct route_table t = {0};
    struct err e;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        CHECK_INT(route_add(&t, text[i], actions, &e), 0);
    CHECK_INT(route_add(&t, "GET /c/{other}.jpg file x", actions, &e), -1);
    route_sort(&t);
    CHECK_STR(found(&t, "GET", "/c/a.jpg"), "GET /c/a.jpg file a");
    CHECK_STR(param(&t, "/c/24:6f.jpg"), "mac=24:6f");
    CHECK_STR(param(&t, "/c/a.b.jpg"), "mac=a.b");
    CHECK_STR(param(&t, "/c/a.small.jpg"), "name=a");
    CHECK_STR(param(&t, "/c/.small.jpg"), "mac=.small");
    CHECK_STR(param(&t, "/c/.jpg"), "any=.jpg");
    CHECK_STR(param(&t, "/c/a.JPG"), "any=a.JPG");
    CHECK_STR(param(&t, "/c/x/stream"), "mac=x");
    CHECK_STR(found(&t, "GET", "/c/x.jpg/y"), "GET /c/* dir rest");
    route_free(&t);
}

TEST(a_slash_at_the_end_is_for_directories_only) {
    struct route_table t = {0};
    struct err e;
    route_add(&t, "GET /status ask e s", actions, &e);
    route_add(&t, "GET /deep/* ask e s", actions, &e);
    CHECK_STR(found(&t, "GET", "/status/"), "");
    CHECK_STR(found(&t, "GET", "/deep/x/"), "");
    CHECK_STR(found(&t, "GET", "/statu"), "");
    CHECK_STR(found(&t, "GET", "/Status"), "");
    route_free(&t);
}

TEST(methods_of_a_path) {
    char out[64];
    CHECK_STR(method_list(METHOD_POST | METHOD_GET | METHOD_HEAD, out, sizeof out),
              "GET,HEAD,POST");
    CHECK_STR(method_list(METHOD_WS | METHOD_GET | METHOD_HEAD, out, sizeof out), "GET,HEAD");
    CHECK_INT(method_bit("get"), 0);
}

TEST(a_file_name_may_have_blanks) {
    struct route_table t = {0};
    struct err e;
    CHECK_INT(route_add(&t, " GET\t/x   file  a  b.html ", actions, &e), 0);
    CHECK_STR(t.item[0]->rest, "a  b.html");
    CHECK_INT(t.item[0]->args, 2);
    route_free(&t);
}

TEST(wrong_routes_are_refused_and_named) {
    static const char *const bad[] = {"",
                                      "GET / ",
                                      "GET /x file",
                                      "GET x file a",
                                      "HEAD / file a",
                                      "get / file a",
                                      "GET /a/ file a",
                                      "GET /a//b file a",
                                      "GET /*/a file a",
                                      "GET /{} file a",
                                      "GET /{a.b} file a",
                                      "GET /a{b} file a",
                                      "GET /{}.jpg file a",
                                      "GET /{a}{b} file a",
                                      "GET /{a}.} file a",
                                      "GET /{a file a",
                                      "GET /{a}.* file a",
                                      "GET /a%20 file a",
                                      "GET /.. file a",
                                      "POST / file a",
                                      "WS / file a",
                                      "GET / ws a",
                                      "GET / other a"};
    struct route_table t = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        bool whole = i == 2; /* the action checks its own words */
        CHECK_INT(route_add(&t, bad[i], actions, &e), whole ? 0 : -1);
        CHECK(whole || strstr(e.text, bad[i]));
    }
    route_free(&t);
}

TEST(the_same_route_twice_is_refused) {
    struct route_table t = {0};
    struct err e;
    CHECK_INT(route_add(&t, "GET /a/{x}/b file a", actions, &e), 0);
    CHECK_INT(route_add(&t, "GET /a/{y}/b file b", actions, &e), -1);
    CHECK(strstr(e.text, "\"GET /a/{x}/b file a\""));
    CHECK_INT(route_add(&t, "WS /a/{y}/b ws b", actions, &e), -1);
    CHECK_INT(route_add(&t, "POST /a/{y}/b ask b c", actions, &e), 0);
    CHECK_INT(route_add(&t, "GET /a/x/b file b", actions, &e), 0);
    route_free(&t);
}

TEST(words_behind_those_of_the_action) {
    static const struct action file = {
        .name = "file", .words = 1, .methods = METHOD_GET | METHOD_HEAD};
    static const struct action ask = {.name = "ask", .words = 2, .methods = METHOD_POST};
    static const struct action image = {
        .name = "image", .words = 3, .has_else = true, .methods = METHOD_GET | METHOD_HEAD};
    static const struct action *const all[] = {&file, &ask, &image, NULL};
    struct route_table t = {0};
    struct route **r = t.item;
    CHECK_INT(route_add(&t, "POST /a ask b token token type=a/b max=2k", all, NULL), 0);
    CHECK(r[0]->token && !r[0]->open);
    CHECK_INT(r[0]->args, 2);
    CHECK_STR(r[0]->arg[1], "token");
    CHECK_STR(r[0]->type, "a/b");
    CHECK_INT(r[0]->max_body, 2048);
    CHECK_INT(route_add(&t, "GET /b file  my open file\t open ", all, NULL), 0);
    CHECK(r[1]->open && !r[1]->token);
    CHECK_STR(r[1]->rest, "my open file");
    CHECK_INT(r[1]->max_body, -1);
    CHECK_INT(route_add(&t, "GET /c file open", all, NULL), 0);
    CHECK(!r[2]->open);
    CHECK_STR(r[2]->rest, "open");
    CHECK_INT(route_add(&t, "GET /d image a b c age token else  Nothing is open", all, NULL), 0);
    CHECK(r[3]->token && !r[3]->open);
    CHECK_STR(r[3]->otherwise, "Nothing is open");
    CHECK_INT(r[3]->args, 4);
    CHECK_INT(route_add(&t, "GET /e image a b else", all, NULL), 0);
    CHECK(!r[4]->otherwise);
    route_free(&t);
}

TEST(words_that_contradict_the_route) {
    static const struct action ask = {
        .name = "ask", .words = 2, .methods = METHOD_GET | METHOD_HEAD | METHOD_POST};
    static const struct action *const all[] = {&ask, NULL};
    static const char *const bad[] = {"POST /a ask b c open token", "GET /a ask b c max=5",
                                      "GET /a ask b c type=a/b",    "POST /a ask b c max=x",
                                      "POST /a ask b c max=4M",     "POST /a ask b c max="};
    struct route_table t = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err e = {0};
        CHECK_INT(route_add(&t, bad[i], all, &e), -1);
        CHECK(strstr(e.text, bad[i]));
    }
}
