/* Runs a fuzz function without libFuzzer: over the files named, or over made-up inputs.
 *
 *   fuzz_NAME FILE...            each file once
 *   fuzz_NAME -n COUNT [SEED]    COUNT inputs, the same ones for the same seed
 *
 * Inputs are made of random bytes and of the words in fuzz_words, if the fuzz function's file has
 * that list (ends with NULL). Before a failure ends the process, the input at fault is written to
 * fuzz-crash in the current directory; give that as FILE to see it again.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 1024, FILE_SIZE_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
extern const char *const fuzz_words[] __attribute__((weak));

static uint8_t input[INPUT_MAX];
static size_t input_len;
static uint64_t state;

/* splitmix64 */
static uint64_t random_next(void) {
    uint64_t z = state += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static size_t words_count(void) {
    size_t n = 0;
    while (fuzz_words && fuzz_words[n])
        n++;
    return n;
}

static size_t token_put(uint8_t *out, size_t room, size_t words) {
    uint64_t r = random_next();
    if (words == 0 || r % 4 == 0) {
        out[0] = (uint8_t)(r >> 8);
        return 1;
    }
    const char *w = fuzz_words[(r >> 8) % words];
    size_t n = strlen(w) < room ? strlen(w) : room;
    memcpy(out, w, n);
    return n;
}

static void input_make(size_t words) {
    size_t want = random_next() % (random_next() % 8 ? 128 : INPUT_MAX);
    input_len = 0;
    while (input_len < want)
        input_len += token_put(input + input_len, want - input_len, words);
}

static void crash_save(void) {
    int fd = open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, input, input_len) < 0)
        return;
    static const char note[] = "fuzz: the input is in fuzz-crash\n";
    if (write(STDERR_FILENO, note, sizeof note - 1) < 0)
        return;
}

static void signal_take(int sig) {
    crash_save();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* Sanitizers leave by _exit and tell this function before; without them it is not there. */
void __sanitizer_set_death_callback(void (*call)(void)) __attribute__((weak));

static void crash_watch(void) {
    signal(SIGABRT, signal_take);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(crash_save);
    else
        signal(SIGSEGV, signal_take);
}

static int inputs_run(unsigned long count, uint64_t seed) {
    size_t words = words_count();
    crash_watch();
    state = seed;
    for (unsigned long i = 0; i < count; i++) {
        input_make(words);
        LLVMFuzzerTestOneInput(input, input_len);
    }
    printf("%lu inputs, seed %llu: ok\n", count, (unsigned long long)seed);
    return 0;
}

static int file_run(const char *path) {
    static uint8_t data[FILE_SIZE_MAX];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return 1;
    }
    size_t n = fread(data, 1, sizeof data, f);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    printf("%s: ok\n", path);
    return 0;
}

int main(int argc, char **argv) {
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "-n") == 0)
        return inputs_run(strtoul(argv[2], NULL, 0), argc > 3 ? strtoull(argv[3], NULL, 0) : 1);
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: %s FILE... | -n COUNT [SEED]\n", argv[0]);
        return 2;
    }
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= file_run(argv[i]);
    return failed;
}
