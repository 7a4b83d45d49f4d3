/* kill_at LOG N SIGNAL PROGRAM ARGUMENT...
 *
 * Runs PROGRAM, which detaches itself by one fork as the engine's worker does, and sends SIGNAL to the detached process when its
 * main thread is about to make its N-th call that changes anything (0: never). LOG gets a line a call: number, name, and the
 * beginning of what is written. strace counts a process's threads one by one and its injection hits whichever comes to N first;
 * this one follows the main thread alone, so that a point is the same in every run.
 *
 * The tracer is a grandchild with no open files: PROGRAM stays the direct child of who called, and its locks stay its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct call {
    long number;
    const char *name;
    int text; /* argument that is shown: 0 none, else 1-based; -1: the buffer of a write */
};

static const struct call CALLS[] = {
    {SYS_rename, "rename", 2},         {SYS_renameat, "renameat", 4},   {SYS_renameat2, "renameat2", 4},
    {SYS_unlink, "unlink", 1},         {SYS_unlinkat, "unlinkat", 2},   {SYS_rmdir, "rmdir", 1},
    {SYS_mkdir, "mkdir", 1},           {SYS_mkdirat, "mkdirat", 2},     {SYS_link, "link", 2},
    {SYS_linkat, "linkat", 4},         {SYS_symlink, "symlink", 2},     {SYS_symlinkat, "symlinkat", 3},
    {SYS_truncate, "truncate", 1},     {SYS_ftruncate, "ftruncate", 0}, {SYS_chmod, "chmod", 1},
    {SYS_fchmod, "fchmod", 0},         {SYS_fchmodat, "fchmodat", 2},   {SYS_chown, "chown", 1},
    {SYS_fchown, "fchown", 0},         {SYS_fchownat, "fchownat", 2},   {SYS_lchown, "lchown", 1},
    {SYS_utimensat, "utimensat", 0},   {SYS_write, "write", -1},        {SYS_pwrite64, "pwrite64", -1},
    {SYS_writev, "writev", 0},         {SYS_sendto, "sendto", -1},      {SYS_sendmsg, "sendmsg", 0},
    {SYS_fsync, "fsync", 0},           {SYS_fdatasync, "fdatasync", 0}, {SYS_syncfs, "syncfs", 0},
    {SYS_fsetxattr, "fsetxattr", 0},   {SYS_kill, "kill", 0},           {SYS_openat, "openat", 2},
    {SYS_copy_file_range, "copy_file_range", 0},
};

static const struct call *changing(const struct __ptrace_syscall_info *info) {
    for (size_t at = 0; at < sizeof CALLS / sizeof *CALLS; at++) {
        if ((long)info->entry.nr != CALLS[at].number) continue;
        if (CALLS[at].number == SYS_openat && !(info->entry.args[2] & (O_CREAT | O_TRUNC))) return NULL;
        return &CALLS[at];
    }
    return NULL;
}

static void show(FILE *log, pid_t pid, const struct __ptrace_syscall_info *info, const struct call *call) {
    char text[161] = "";
    if (call->text != 0) {
        int argument = call->text > 0 ? call->text - 1 : 1;
        size_t length = sizeof text - 1;
        if (call->text < 0 && info->entry.args[2] < length) length = info->entry.args[2];
        struct iovec here = {text, length}, there = {(void *)info->entry.args[argument], length};
        if (process_vm_readv(pid, &here, 1, &there, 1, 0) < 0) text[0] = '\0';
        if (call->text < 0)
            for (size_t at = 0; at < length; at++)
                if (text[at] < ' ' || text[at] > '~') text[at] = '.';
    }
    fprintf(log, "%s\t%.160s\n", call->name, text);
    fflush(log);
}

static int trace(pid_t parent, const char *path, long point, int signal_number) {
    FILE *log = fopen(path, "w");
    if (!log) return 1;
    pid_t worker = 0;
    long count = 0;
    int status, entering = 1;
    for (;;) {
        pid_t who = waitpid(-1, &status, __WALL);
        if (who < 0) return errno == ECHILD ? 0 : 1;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (who == worker) {
                fprintf(log, "end\t%s %d\n", WIFEXITED(status) ? "status" : "signal",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
                fclose(log);
                return 0;
            }
            continue;
        }
        /* Its first stop may come before its parent's word of it. */
        if (worker == 0 && who != parent) worker = who;
        int stop = WSTOPSIG(status), event = status >> 16, deliver = 0;
        if (event == PTRACE_EVENT_FORK && who == parent) {
            unsigned long child;
            ptrace(PTRACE_GETEVENTMSG, who, 0, &child);
            worker = (pid_t)child;
            ptrace(PTRACE_CONT, who, 0, 0);
            continue;
        }
        if (event == PTRACE_EVENT_FORK) { /* a program the worker starts */
            unsigned long child;
            ptrace(PTRACE_GETEVENTMSG, who, 0, &child);
            int ignored;
            waitpid((pid_t)child, &ignored, __WALL);
            ptrace(PTRACE_DETACH, (pid_t)child, 0, 0);
        } else if (who == worker && stop == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info;
            const struct call *call;
            ptrace(PTRACE_GET_SYSCALL_INFO, who, sizeof info, &info);
            entering = info.op == PTRACE_SYSCALL_INFO_ENTRY;
            if (entering && (call = changing(&info))) {
                count++;
                fprintf(log, "%ld\t", count);
                show(log, who, &info, call);
                if (count == point) {
                    kill(who, signal_number);
                    if (signal_number != SIGKILL) {
                        ptrace(PTRACE_DETACH, who, 0, 0);
                        fclose(log);
                        return 0;
                    }
                }
            }
        } else if (event == 0 && stop != SIGTRAP && stop != (SIGTRAP | 0x80)) {
            deliver = stop;
        }
        if (event == PTRACE_EVENT_STOP) deliver = 0;
        ptrace(who == worker ? PTRACE_SYSCALL : PTRACE_CONT, who, 0, deliver);
    }
}

int main(int count, char **words) {
    if (count < 5) return 2;
    int ready[2];
    char byte;
    pid_t parent = getpid();
    if (pipe2(ready, O_CLOEXEC) != 0) return 2;
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() != 0) _exit(0);
        /* No file of the program, least of all its locks, is held by the tracer. */
        syscall(SYS_close_range, 0, ready[1] - 1, 0);
        setsid();
        long options = PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD;
        if (ptrace(PTRACE_SEIZE, parent, 0, options) != 0) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        close(ready[1]);
        _exit(trace(parent, words[1], atol(words[2]), atoi(words[3])));
    }
    waitpid(middle, NULL, 0);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) return 2;
    execv(words[4], words + 4);
    return 127;
}
