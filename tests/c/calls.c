/* The C ABI as a C99 program sees it. Speaks TAP. calls CONFIG DOMAIN: with a world's configuration, restores it too. */
#define _POSIX_C_SOURCE 200809L
#include <rocketvps_restore.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tap.h"

typedef char *(*call_fn)(const char *);

/* Every call refuses what is no request, with the same error document. NULL means {}, which some calls need no more than. */
static void refuses_bad_requests(call_fn call, const char *name, int needs_fields)
{
    char what[128];
    char number[32];
    char *answer;

    if (needs_fields) {
        answer = call(NULL);
        snprintf(what, sizeof what, "%s(NULL) is bad_request", name);
        check(has(answer, "\"ok\":false") && has(answer, "\"bad_request\""), what, answer);
        rv_string_free(answer);
    }
    answer = call("\xff\xfe");
    snprintf(what, sizeof what, "%s(no UTF-8) is bad_request", name);
    check(has(answer, "\"bad_request\""), what, answer);
    rv_string_free(answer);
    answer = call("{\"nonsense\":1}");
    snprintf(what, sizeof what, "%s(unknown field) is unknown_field", name);
    check(has(answer, "\"unknown_field\"") && has(answer, "nonsense") && has(answer, "\"hint\":"), what, answer);
    snprintf(number, sizeof number, "\"number\":%d,", RV_ERROR_UNKNOWN_FIELD);
    snprintf(what, sizeof what, "%s(unknown field) has the number RV_ERROR_UNKNOWN_FIELD", name);
    check(has(answer, number), what, answer);
    rv_string_free(answer);
}

/* Copies the text value of a key of a compact JSON document. */
static int text_of(const char *document, const char *key, char *value, size_t size)
{
    char pattern[64];
    const char *start;
    const char *end;

    snprintf(pattern, sizeof pattern, "\"%s\":\"", key);
    start = document != NULL ? strstr(document, pattern) : NULL;
    if (start == NULL) {
        return 0;
    }
    start += strlen(pattern);
    end = strchr(start, '"');
    if (end == NULL || (size_t)(end - start) >= size) {
        return 0;
    }
    memcpy(value, start, (size_t)(end - start));
    value[end - start] = '\0';
    return 1;
}

static void restores(const char *config, const char *domain)
{
    char request[2048];
    char job[128] = "";
    char state[64] = "";
    char *answer;
    const struct timespec pause = {0, 50 * 1000 * 1000};
    int turns;

    snprintf(request, sizeof request, "{\"config\":\"%s\",\"domain\":\"%s\"}", config, domain);
    answer = rv_list_backups(request);
    check(has(answer, "\"ok\":true") && has(answer, "backup_"), "rv_list_backups names the backup", answer);
    rv_string_free(answer);

    snprintf(request, sizeof request, "{\"config\":\"%s\",\"domain\":\"%s\",\"backup\":\"latest\"}", config, domain);
    answer = rv_restore_start(request);
    check(has(answer, "\"ok\":true") && text_of(answer, "job", job, sizeof job), "rv_restore_start gives a job", answer);
    rv_string_free(answer);

    snprintf(request, sizeof request, "{\"config\":\"%s\",\"job\":\"%s\"}", config, job);
    for (turns = 0; turns < 1200; turns++) {
        answer = rv_restore_poll(request);
        if (!text_of(answer, "state", state, sizeof state)) {
            check(0, "rv_restore_poll says the state", answer);
            rv_string_free(answer);
            return;
        }
        if (strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 || strcmp(state, "rolled_back") == 0 ||
            strcmp(state, "needs_operator") == 0) {
            break;
        }
        rv_string_free(answer);
        answer = NULL;
        nanosleep(&pause, NULL);
    }
    check(strcmp(state, "done") == 0, "the restore ends in state done", answer != NULL ? answer : state);
    check(has(answer, "\"percent\":100"), "a finished restore is at 100 percent", answer);
    rv_string_free(answer);
}

int main(int argc, char **argv)
{
    static const struct {
        call_fn call;
        const char *name;
        int needs_fields;
    } calls[] = {
        {rv_list_backups, "rv_list_backups", 1},
        {rv_preview_backup, "rv_preview_backup", 1},
        {rv_diff_backup, "rv_diff_backup", 1},
        {rv_validate, "rv_validate", 1},
        {rv_rehearse, "rv_rehearse", 1},
        {rv_create_snapshot, "rv_create_snapshot", 1},
        {rv_list_snapshots, "rv_list_snapshots", 1},
        {rv_delete_snapshot, "rv_delete_snapshot", 1},
        {rv_restore_start, "rv_restore_start", 1},
        {rv_restore_poll, "rv_restore_poll", 1},
        {rv_restore_cancel, "rv_restore_cancel", 1},
        {rv_rollback, "rv_rollback", 1},
        {rv_verify, "rv_verify", 1},
        {rv_cleanup, "rv_cleanup", 0},
        {rv_list_jobs, "rv_list_jobs", 0},
        {rv_list_drills, "rv_list_drills", 0},
        {rv_recover, "rv_recover", 0},
        {rv_list_domains, "rv_list_domains", 0},
        {rv_list_logs, "rv_list_logs", 0},
        {rv_read_log, "rv_read_log", 1},
    };
    size_t n;

    check(rv_abi_version() == RV_ABI_VERSION, "rv_abi_version is RV_ABI_VERSION", NULL);
    check(rv_version() != NULL && strchr(rv_version(), '.') != NULL, "rv_version is a version", rv_version());
    rv_string_free(NULL);
    check(1, "rv_string_free(NULL) is allowed", NULL);
    for (n = 0; n < sizeof calls / sizeof calls[0]; n++) {
        refuses_bad_requests(calls[n].call, calls[n].name, calls[n].needs_fields);
    }
    if (argc == 3) {
        restores(argv[1], argv[2]);
    }
    return plan();
}
