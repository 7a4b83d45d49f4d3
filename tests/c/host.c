/* A host process around the library: what is its own stays as it was, and it may have threads and children. Speaks TAP.
 * host CONFIG DOMAIN */
#define _GNU_SOURCE
#include <rocketvps_restore.h>

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

extern char **environ;

typedef char *(*call_fn)(const char *);

/* Everything of a process that a library could change and a host would miss. */
struct state {
    char locale[256];
    char folder[4096];
    char environment[65536];
    char descriptors[4096];
    mode_t mask;
    sigset_t blocked;
    struct sigaction actions[65];
    int threads;
};

static void names_in(const char *folder, char *names, size_t size)
{
    DIR *stream = opendir(folder);
    struct dirent *entry;
    size_t used = 0;

    names[0] = '\0';
    while (stream != NULL && (entry = readdir(stream)) != NULL && used < size) {
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(stream)) {
            used += (size_t)snprintf(names + used, size - used, "%s ", entry->d_name);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
}

static void look(struct state *state)
{
    char threads[4096];
    size_t used = 0;
    size_t n;
    int number;

    memset(state, 0, sizeof *state);
    snprintf(state->locale, sizeof state->locale, "%s", setlocale(LC_ALL, NULL));
    if (getcwd(state->folder, sizeof state->folder) == NULL) {
        abort();
    }
    for (n = 0; environ[n] != NULL && used < sizeof state->environment; n++) {
        used += (size_t)snprintf(state->environment + used, sizeof state->environment - used, "%s\n", environ[n]);
    }
    names_in("/proc/self/fd", state->descriptors, sizeof state->descriptors);
    names_in("/proc/self/task", threads, sizeof threads);
    for (n = 0; threads[n] != '\0'; n++) {
        state->threads += threads[n] == ' ';
    }
    state->mask = umask(0);
    umask(state->mask);
    sigprocmask(SIG_SETMASK, NULL, &state->blocked);
    for (number = 1; number <= 64; number++) {
        sigaction(number, NULL, &state->actions[number]);
    }
}

/* The first thing that differs, NULL when nothing does. */
static const char *difference(const struct state *one, const struct state *two)
{
    static char text[64];
    int number;

    if (strcmp(one->locale, two->locale) != 0) {
        return "the locale";
    }
    if (strcmp(one->folder, two->folder) != 0) {
        return "the working directory";
    }
    if (strcmp(one->environment, two->environment) != 0) {
        return "the environment";
    }
    if (strcmp(one->descriptors, two->descriptors) != 0) {
        return two->descriptors;
    }
    if (one->threads != two->threads) {
        return "the number of threads";
    }
    if (one->mask != two->mask) {
        return "the umask";
    }
    for (number = 1; number <= 64; number++) {
        if (sigismember(&one->blocked, number) != sigismember(&two->blocked, number) ||
            one->actions[number].sa_handler != two->actions[number].sa_handler ||
            one->actions[number].sa_flags != two->actions[number].sa_flags) {
            snprintf(text, sizeof text, "signal %d", number);
            return text;
        }
    }
    return NULL;
}

static volatile sig_atomic_t children;

static void on_child(int number)
{
    (void)number;
    children++;
}

static void on_other(int number)
{
    (void)number;
}

/* Nothing here is what a process begins with. */
static void be_unusual(const char *folder)
{
    struct sigaction action;
    sigset_t blocked;

    memset(&action, 0, sizeof action);
    action.sa_handler = on_child;
    action.sa_flags = SA_RESTART;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = on_other;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    setlocale(LC_ALL, "C.UTF-8");
    setenv("RV_CONFIG", "/nowhere/restore.toml", 1);
    setenv("TZ", "Asia/Ho_Chi_Minh", 1);
    umask(0137);
    if (chdir(folder) != 0) {
        abort();
    }
}

static void leaves_alone(call_fn call, const char *name, const char *request, int good)
{
    static struct state before;
    static struct state after;
    const char *changed;
    char what[256];
    char *answer;
    int number;

    look(&before);
    errno = 77;
    answer = call(request);
    number = errno;
    look(&after);
    changed = number == 77 ? difference(&before, &after) : "errno";
    snprintf(what, sizeof what, "%s%s leaves its host as it was", name, good ? "" : " (refused)");
    check(changed == NULL, what, changed);
    snprintf(what, sizeof what, "%s%s answers", name, good ? "" : " (refused)");
    check(has(answer, good ? "\"ok\":true" : "\"ok\":false"), what, answer);
    rv_string_free(answer);
}

#ifndef __SANITIZE_ADDRESS__
static const char *jobs_request;
static volatile int stop;

static void *calls_on(void *unused)
{
    while (!stop) {
        rv_string_free(rv_list_jobs(jobs_request));
    }
    return unused;
}

/* Children of a process whose other threads are inside of calls call too. */
static void children_may_call(void)
{
    pthread_t threads[4];
    int bad = 0;
    int status;
    int n;
    pid_t child;
    char *answer;

    for (n = 0; n < 4; n++) {
        pthread_create(&threads[n], NULL, calls_on, NULL);
    }
    for (n = 0; n < 40; n++) {
        child = fork();
        if (child == 0) {
            alarm(60);
            answer = rv_list_jobs(jobs_request);
            status = has(answer, "\"ok\":true") ? 0 : 1;
            rv_string_free(answer);
            _exit(status);
        }
        if (waitpid(child, &status, 0) != child || status != 0) {
            bad++;
        }
    }
    stop = 1;
    for (n = 0; n < 4; n++) {
        pthread_join(threads[n], NULL);
    }
    check(bad == 0, "40 children of a process with threads in calls call, and end", NULL);
}
#endif

int main(int argc, char **argv)
{
    static char plain[2048];
    static char domain[2048];
    static char waiting[2048];
    static char all[2048];
    static char job[2048];
    static char gone[2048];

    if (argc != 3) {
        return 2;
    }
    be_unusual("/usr/lib");
    snprintf(plain, sizeof plain, "{\"config\":\"%s\"}", argv[1]);
    snprintf(domain, sizeof domain, "{\"config\":\"%s\",\"domain\":\"%s\"}", argv[1], argv[2]);
    snprintf(waiting, sizeof waiting, "{\"config\":\"%s\",\"domain\":\"%s\",\"wait\":true}", argv[1], argv[2]);
    snprintf(all, sizeof all, "{\"config\":\"%s\",\"wait\":true}", argv[1]);
    snprintf(job, sizeof job, "{\"config\":\"%s\",\"job\":\"20200101_000000_0123456789ab\"}", argv[1]);
    snprintf(gone, sizeof gone, "{\"config\":\"%s\",\"domain\":\"%s\",\"snapshot\":\"/nowhere\"}", argv[1], argv[2]);
#ifndef __SANITIZE_ADDRESS__
    jobs_request = plain;
#endif

    leaves_alone(rv_list_backups, "rv_list_backups", domain, 1);
    leaves_alone(rv_preview_backup, "rv_preview_backup", waiting, 1);
    leaves_alone(rv_preview_backup, "rv_preview_backup of what is known", waiting, 1);
    leaves_alone(rv_diff_backup, "rv_diff_backup", waiting, 1);
    leaves_alone(rv_validate, "rv_validate", waiting, 1);
    leaves_alone(rv_rehearse, "rv_rehearse", waiting, 1);
    leaves_alone(rv_create_snapshot, "rv_create_snapshot", waiting, 1);
    leaves_alone(rv_list_snapshots, "rv_list_snapshots", domain, 1);
    leaves_alone(rv_restore_start, "rv_restore_start", waiting, 1);
    leaves_alone(rv_verify, "rv_verify", waiting, 1);
    leaves_alone(rv_cleanup, "rv_cleanup", all, 1);
    leaves_alone(rv_list_jobs, "rv_list_jobs", plain, 1);
    leaves_alone(rv_recover, "rv_recover", all, 1);
    leaves_alone(rv_delete_snapshot, "rv_delete_snapshot", gone, 0);
    leaves_alone(rv_restore_poll, "rv_restore_poll", job, 0);
    leaves_alone(rv_restore_cancel, "rv_restore_cancel", job, 0);
    leaves_alone(rv_rollback, "rv_rollback", gone, 0);
    leaves_alone(rv_list_jobs, "rv_list_jobs", "{\"config\":\"/nowhere/restore.toml\"}", 0);
    check(children > 0, "the host hears of the end of the helper, whose parent it is", NULL);
#ifndef __SANITIZE_ADDRESS__
    /* Its own allocator may be locked by another thread at the moment of the fork, and stays locked in the child. */
    children_may_call();
#endif
    return plan();
}
