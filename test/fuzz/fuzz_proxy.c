/* Fuzz: the PROXY header. Checked: what it says is a header is one whatever follows, and no prefix
 * of it is one or is refused.
 */
#include "../../cmd/httpd/proxy.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

const char *const fuzz_words[] = {
    "PROXY ", "TCP4 ",    "TCP6 ",    "UNKNOWN",
    "\r\n",   " ",        "1.2.3.4",  "::1 ",
    "65535",  "\r\n\r\n", "\nQUIT\n", "\x21\x11",
    "\x20",   "\x0c",     "\x21\x21", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n",
    NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct proxy_client c, again;
    int len = proxy_parse(data, n, &c);
    if (len > (int)n || len > PROXY_MAX)
        abort();
    for (int i = 0; len > 0 && i < len; i++)
        if (proxy_parse(data, (size_t)i, &again) != 0)
            abort();
    if (len > 0 && (proxy_parse(data, (size_t)len, &again) != len || again.len != c.len))
        abort();
    return 0;
}
