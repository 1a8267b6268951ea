#include "cserver.h"

#include <string.h>

static const unsigned char html[] = {
#embed "../Server/Page/index.html"
};
static const unsigned char css[] = {
#embed "../Server/Page/page.css"
};
static const unsigned char js[] = {
#embed "../Server/Page/page.js"
};
static const unsigned char icon[] = {
#embed "../Server/Page/icon.svg"
};

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t byte_count;
} assets[] = {
    {"index.html", html, sizeof html},
    {"page.css", css, sizeof css},
    {"page.js", js, sizeof js},
    {"icon.svg", icon, sizeof icon},
};

const unsigned char *CServer_asset(const char *name, size_t *byte_count) {
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++) {
        if (strcmp(assets[i].name, name) == 0) {
            *byte_count = assets[i].byte_count;
            return assets[i].bytes;
        }
    }
    *byte_count = 0;
    return NULL;
}
