/* espcam_floor: the least a decoder of pictures could do, to measure ours against in the same run:
 * read standard input in pieces of framedecode's size and copy every byte once.
 *
 *     espcam_floor < CAPTURE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 256 << 10, PICTURE_BYTES = 32 << 10 };

int main(void) {
    static char from[READ_BYTES], to[PICTURE_BYTES];
    volatile char *keep = to; /* the copies must be made */
    unsigned long sum = 0;
    ssize_t n;
    while ((n = read(STDIN_FILENO, from, sizeof from)) > 0) {
        for (ssize_t at = 0; at < n; at += PICTURE_BYTES)
            memcpy(to, from + at, (size_t)(n - at < PICTURE_BYTES ? n - at : PICTURE_BYTES));
        sum += (unsigned char)keep[n % PICTURE_BYTES];
    }
    fprintf(stderr, "%lu\n", sum);
    return n < 0;
}
