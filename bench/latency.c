/* How long rv_restore_start and rv_restore_poll keep their caller: latency CONFIG DOMAIN, prints milliseconds as JSON. */
#define _POSIX_C_SOURCE 200809L
#include <rocketvps_restore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 100000 };
static double polls[MOST];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static int ended(const char *answer)
{
    static const char *const states[] = {"done", "failed", "rolled_back", "needs_operator"};
    char part[64];
    size_t n;
    for (n = 0; n < sizeof states / sizeof states[0]; n++) {
        /* the job's own state stands before its percent; its phases have states too */
        snprintf(part, sizeof part, "\"state\":\"%s\",\"percent\"", states[n]);
        if (strstr(answer, part) != NULL) {
            return 1;
        }
    }
    return strstr(answer, "\"ok\":false") != NULL;
}

int main(int argc, char **argv)
{
    char request[4096];
    char job[128];
    char *answer;
    const char *found;
    double start;
    double began;
    size_t count = 0;
    int done;
    int good = 0;
    const struct timespec pause = {0, 10 * 1000 * 1000};

    if (argc != 3) {
        return 2;
    }
    snprintf(request, sizeof request, "{\"config\":\"%s\",\"domain\":\"%s\"}", argv[1], argv[2]);
    began = now();
    answer = rv_restore_start(request);
    start = now() - began;
    found = strstr(answer, "\"job\":\"");
    if (strstr(answer, "\"ok\":true") == NULL || found == NULL || sscanf(found + 7, "%127[^\"]", job) != 1) {
        fprintf(stderr, "%s\n", answer);
        return 1;
    }
    rv_string_free(answer);
    snprintf(request, sizeof request, "{\"config\":\"%s\",\"job\":\"%s\"}", argv[1], job);
    do {
        nanosleep(&pause, NULL);
        began = now();
        answer = rv_restore_poll(request);
        if (count < MOST) {
            polls[count++] = now() - began;
        }
        done = ended(answer);
        good = strstr(answer, "\"state\":\"done\",\"percent\"") != NULL;
        if (done && !good) {
            fprintf(stderr, "%s\n", answer);
        }
        rv_string_free(answer);
    } while (!done);
    qsort(polls, count, sizeof polls[0], ascending);
    printf("{\"job\":\"%s\",\"start_ms\":%.2f,\"polls\":%zu,\"poll_median_ms\":%.3f,\"poll_p99_ms\":%.3f,\"poll_slowest_ms\":%.3f}\n", job,
           start, count, polls[count / 2], polls[(count - 1) * 99 / 100], polls[count - 1]);
    return good ? 0 : 1;
}
