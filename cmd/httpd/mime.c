#include "mime.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* No charset: a page says its own, and the original servers of these pages sent none either. */
static const struct mime table[] = {
    {"html", "text/html", true},
    {"htm", "text/html", true},
    {"css", "text/css", true},
    {"js", "text/javascript", true},
    {"mjs", "text/javascript", true},
    {"json", "application/json", true},
    {"map", "application/json", true},
    {"txt", "text/plain; charset=utf-8", true},
    {"md", "text/markdown; charset=utf-8", true},
    {"csv", "text/csv; charset=utf-8", true},
    {"xml", "application/xml", true},
    {"webmanifest", "application/manifest+json", true},
    {"wasm", "application/wasm", true},
    {"svg", "image/svg+xml", true},
    {"jpg", "image/jpeg", false},
    {"jpeg", "image/jpeg", false},
    {"png", "image/png", false},
    {"gif", "image/gif", false},
    {"webp", "image/webp", false},
    {"avif", "image/avif", false},
    {"bmp", "image/bmp", false},
    {"ico", "image/vnd.microsoft.icon", false},
    {"mp3", "audio/mpeg", false},
    {"wav", "audio/wav", false},
    {"ogg", "audio/ogg", false},
    {"oga", "audio/ogg", false},
    {"opus", "audio/ogg", false},
    {"flac", "audio/flac", false},
    {"m4a", "audio/mp4", false},
    {"mp4", "video/mp4", false},
    {"webm", "video/webm", false},
    {"woff", "font/woff", false},
    {"woff2", "font/woff2", false},
    {"ttf", "font/ttf", true},
    {"pdf", "application/pdf", false},
    {"zip", "application/zip", false},
    {"gz", "application/gzip", false},
};
static const struct mime unknown = {"", "application/octet-stream", false};

const struct mime *mime_of(const char *file) {
    const char *dot = strrchr(file, '.'), *slash = strrchr(file, '/');
    if (!dot || (slash && slash > dot))
        return &unknown;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcasecmp(table[i].extension, dot + 1) == 0)
            return &table[i];
    return &unknown;
}
