/* Restores the newest backup of a domain and shows how far it is: restore DOMAIN [CONFIG]
   CONFIG is the JSON value of a request's `config`. The program is the same for root and for a user whom access.toml lets restore: without
   the rights the library goes through the broker by itself.
   cc -o restore restore.c $(pkg-config --cflags --libs rocketvps-restore) */
#define _POSIX_C_SOURCE 200809L
#include <rocketvps_restore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A program with a JSON library reads the answers with it; for three fields of one line each, sscanf does. */
static int text_of(const char *answer, const char *key, char *value, size_t size)
{
    char pattern[64];
    const char *found;
    size_t length;
    snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
    found = strstr(answer, pattern);
    if (found == NULL) {
        return 0;
    }
    found += strlen(pattern);
    length = strcspn(found, "\"");
    if (length >= size) {
        return 0;
    }
    memcpy(value, found, length);
    value[length] = '\0';
    return 1;
}

static int failed(char *answer)
{
    fprintf(stderr, "%s\n", answer);
    rv_string_free(answer);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    char request[4096];
    char job[128];
    char state[32];
    char *answer;
    const char *config = argc > 2 ? argv[2] : "null";
    const struct timespec pause = {0, 200 * 1000 * 1000};

    if (argc < 2 || strlen(argv[1]) > 253 || strlen(config) > 2048) {
        fprintf(stderr, "restore DOMAIN [CONFIG]\n");
        return 2;
    }
    snprintf(request, sizeof request, "{\"config\":%s,\"domain\":\"%s\",\"backup\":\"latest\"}", config, argv[1]);
    answer = rv_restore_start(request);
    if (strstr(answer, "\"ok\":true") == NULL || !text_of(answer, "job", job, sizeof job)) {
        return failed(answer);
    }
    rv_string_free(answer);

    /* The job goes on without this program; whoever knows its name can look at it. */
    snprintf(request, sizeof request, "{\"config\":%s,\"job\":\"%s\"}", config, job);
    for (;;) {
        answer = rv_restore_poll(request);
        if (strstr(answer, "\"ok\":true") == NULL || !text_of(answer, "state", state, sizeof state)) {
            return failed(answer);
        }
        printf("%s %s\n", job, state);
        if (strcmp(state, "done") == 0) {
            rv_string_free(answer);
            return EXIT_SUCCESS;
        }
        /* Whatever it was, the site is as it was before, but for `needs_operator`. */
        if (strcmp(state, "failed") == 0 || strcmp(state, "rolled_back") == 0 || strcmp(state, "needs_operator") == 0) {
            return failed(answer);
        }
        rv_string_free(answer);
        nanosleep(&pause, NULL);
    }
}
