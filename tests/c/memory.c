/* Memory that runs out in the middle of a call: the N-th allocation fails, for every N. The call gives a document, or the
 * process is ended by SIGABRT, as the header says; never anything else. RV_LONG=1: every N, else fewer the higher it is.
 * Speaks TAP. memory CONFIG DOMAIN */
#define _GNU_SOURCE
#include <rocketvps_restore.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t number, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* Allocations until the one that fails; 0: none does. */
static long until;
static int failed;

static int fails(void)
{
    if (until > 0 && --until == 0) {
        failed = 1;
        errno = ENOMEM;
        return 1;
    }
    return 0;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    return fails() ? NULL : __libc_calloc(number, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

int posix_memalign(void **found, size_t alignment, size_t size)
{
    if (fails()) {
        return ENOMEM;
    }
    *found = __libc_memalign(alignment, size);
    return *found == NULL ? ENOMEM : 0;
}

typedef char *(*call_fn)(const char *);

enum { ANSWERED = 0, NOT_REACHED = 1, NO_DOCUMENT = 2 };

/* In a child: the call with its N-th allocation failing. */
static int call_without(call_fn call, const char *request, long number)
{
    char *answer;
    int good;
    const struct rlimit none = {0, 0};

    /* No core files of the aborts that are wanted. */
    setrlimit(RLIMIT_CORE, &none);
    alarm(60);
    until = number;
    answer = call(request);
    until = 0;
    good = answer != NULL && answer[0] == '{' && answer[strlen(answer) - 1] == '}' && has(answer, "\"schema\":1");
    rv_string_free(answer);
    if (!good) {
        return NO_DOCUMENT;
    }
    return failed ? ANSWERED : NOT_REACHED;
}

static void runs_out(call_fn call, const char *name, const char *request)
{
    char what[256];
    char seen[128] = "";
    long answered = 0;
    long aborted = 0;
    const char *every = getenv("RV_LONG");
    const long sparse = every != NULL && strcmp(every, "1") == 0 ? 1000000 : 16;
    long number;
    int status = 0;
    int ended = 0;
    pid_t child;

    for (number = 1; !ended && seen[0] == '\0'; number += 1 + number / sparse) {
        child = fork();
        if (child == 0) {
            /* The line that Rust says before it ends the process. */
            dup2(open("/dev/null", O_WRONLY), 2);
            _exit(call_without(call, request, number));
        }
        if (waitpid(child, &status, 0) != child) {
            snprintf(seen, sizeof seen, "no child");
        } else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
            aborted++;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == ANSWERED) {
            answered++;
        } else if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_REACHED) {
            ended = 1;
        } else {
            snprintf(seen, sizeof seen, "allocation %ld: status %#x", number, (unsigned)status);
        }
    }
    snprintf(what, sizeof what, "%s without its N-th allocation, %ld times: a document %ld times, SIGABRT %ld times", name,
             answered + aborted, answered, aborted);
    check(seen[0] == '\0' && answered + aborted > 10, what, seen);
}

int main(int argc, char **argv)
{
    static char plain[2048];
    static char domain[2048];

    if (argc != 3) {
        return 2;
    }
    /* Finding out where it happened takes a second each time. */
    unsetenv("RUST_BACKTRACE");
    snprintf(plain, sizeof plain, "{\"config\":\"%s\"}", argv[1]);
    snprintf(domain, sizeof domain, "{\"config\":\"%s\",\"domain\":\"%s\"}", argv[1], argv[2]);
    runs_out(rv_list_jobs, "rv_list_jobs", plain);
    runs_out(rv_list_backups, "rv_list_backups", domain);
    runs_out(rv_list_snapshots, "rv_list_snapshots", domain);
    runs_out(rv_restore_start, "rv_restore_start (refused)", "{\"domain\":\"../x\",\"backup\":\"latest\"}");
    return plan();
}
