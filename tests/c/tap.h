/* What the C programs of this folder share: TAP, and whether a sanitizer looks on. */
#ifndef TAP_H
#define TAP_H
#include <stdio.h>
#include <string.h>

static int count;
static int failures;

static void check(int good, const char *what, const char *seen)
{
    count++;
    if (!good) {
        failures++;
    }
    printf("%sok %d - %s\n", good ? "" : "not ", count, what);
    if (!good && seen != NULL) {
        printf("# got: %.500s\n", seen);
    }
    fflush(stdout);
}

static inline int has(const char *document, const char *part)
{
    return document != NULL && strstr(document, part) != NULL;
}

/* The last line; the exit status of the program. */
static int plan(void)
{
#ifdef __SANITIZE_ADDRESS__
    check(1, "AddressSanitizer was on", NULL);
#endif
    printf("1..%d\n", count);
    return failures == 0 ? 0 : 1;
}

#endif
