/* How long rv_restore_poll keeps many callers at once: polls CONFIG JOB CLIENTS SECONDS, prints milliseconds as JSON.
   CONFIG is the JSON value of a request's `config`. Each client asks five times a second, as a page that shows a job does. */
#define _POSIX_C_SOURCE 200809L
#include <rocketvps_restore.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_CLIENTS = 1000, A_SECOND = 5 };

struct client {
    pthread_t thread;
    const char *request;
    size_t turns;
    double *times;
    double offset;
    int failed;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void rest(double milliseconds)
{
    struct timespec pause;
    if (milliseconds <= 0) {
        return;
    }
    pause.tv_sec = (time_t)(milliseconds / 1e3);
    pause.tv_nsec = (long)((milliseconds - (double)pause.tv_sec * 1e3) * 1e6);
    nanosleep(&pause, NULL);
}

static void *ask(void *argument)
{
    struct client *client = argument;
    const double beat = 1e3 / A_SECOND;
    /* Clients do not keep step. */
    double due = now() + client->offset;
    size_t turn;
    for (turn = 0; turn < client->turns; turn++) {
        double began;
        char *answer;
        rest(due - now());
        due += beat;
        began = now();
        answer = rv_restore_poll(client->request);
        client->times[turn] = now() - began;
        if (strstr(answer, "\"ok\":true") == NULL) {
            if (!client->failed) {
                fprintf(stderr, "%s\n", answer);
            }
            client->failed = 1;
        }
        rv_string_free(answer);
    }
    return NULL;
}

static int ascending(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

int main(int argc, char **argv)
{
    static struct client clients[MOST_CLIENTS];
    char request[8192];
    double *times;
    size_t count, turns, n;
    int failed = 0;

    if (argc != 5) {
        return 2;
    }
    count = (size_t)atoi(argv[3]);
    turns = (size_t)atoi(argv[4]) * A_SECOND;
    if (count == 0 || count > MOST_CLIENTS || turns == 0) {
        return 2;
    }
    times = calloc(count * turns, sizeof *times);
    if (times == NULL) {
        return 1;
    }
    snprintf(request, sizeof request, "{\"config\":%s,\"job\":\"%s\"}", argv[1], argv[2]);
    for (n = 0; n < count; n++) {
        clients[n].request = request;
        clients[n].turns = turns;
        clients[n].times = times + n * turns;
        clients[n].offset = 1e3 / A_SECOND * (double)n / (double)count;
        if (pthread_create(&clients[n].thread, NULL, ask, &clients[n]) != 0) {
            return 1;
        }
    }
    for (n = 0; n < count; n++) {
        pthread_join(clients[n].thread, NULL);
        failed |= clients[n].failed;
    }
    qsort(times, count * turns, sizeof *times, ascending);
    printf("{\"clients\":%zu,\"polls\":%zu,\"median_ms\":%.3f,\"p99_ms\":%.3f,\"slowest_ms\":%.3f}\n", count, count * turns,
           times[count * turns / 2], times[count * turns * 99 / 100], times[count * turns - 1]);
    free(times);
    return failed;
}
