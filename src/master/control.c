// SPDX-License-Identifier: MIT
#include "master/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/caller.h"

enum { PATIENCE = 5 }; /* seconds for a command */

char *tg_control_socket_path(const char *pid_path)
{
    size_t len = strlen(pid_path);

    if (len > 4 && strcmp(pid_path + len - 4, ".pid") == 0)
        len -= 4;
    return tg_strf("%.*s.sock", (int)len, pid_path);
}

/* The lock tells who serves; the number is for people and scripts. */
static char *take_pid_file(struct tg_control *control)
{
    char number[32] = {0};
    struct stat st;
    int len;

    control->pid_fd = open(control->pid_path,
                           O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (control->pid_fd < 0)
        return tg_strf("cannot write the pid file %s: %s", control->pid_path,
                       strerror(errno));
    if (fstat(control->pid_fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        st.st_nlink != 1)
        return tg_strf("the pid file %s is not a file of its own",
                       control->pid_path);
    if (flock(control->pid_fd, LOCK_EX | LOCK_NB) < 0) {
        if (read(control->pid_fd, number, sizeof(number) - 1) < 0)
            number[0] = '\0';
        return tg_strf("a gateway (process %.*s) uses the pid file %s already; "
                       "stop it, or give another --pid-file",
                       (int)strcspn(number, "\n"), number, control->pid_path);
    }
    len = snprintf(number, sizeof(number), "%d\n", (int)getpid());
    if (ftruncate(control->pid_fd, 0) < 0 ||
        write(control->pid_fd, number, (size_t)len) < 0)
        return tg_strf("cannot write the pid file %s: %s", control->pid_path,
                       strerror(errno));
    return NULL;
}

static char *set_address(struct sockaddr_un *sa, const char *path)
{
    *sa = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sa->sun_path))
        return tg_strf("the path of the control socket is too long (%s); give "
                       "a shorter --pid-file",
                       path);
    strcpy(sa->sun_path, path);
    return NULL;
}

static char *open_socket(struct tg_control *control)
{
    struct sockaddr_un sa;
    char *error = set_address(&sa, control->socket_path);
    mode_t mask;
    int failed;

    if (error)
        return error;
    unlink(control->socket_path); /* ours: we hold the pid file */
    control->fd =
        socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mask = umask(0177);
    failed = bind(control->fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ||
             listen(control->fd, TG_CONTROL_CLIENTS) < 0;
    umask(mask);
    if (!failed)
        return NULL;
    error = tg_strf("cannot open the control socket %s: %s",
                    control->socket_path, strerror(errno));
    close(control->fd);
    control->fd = -1;
    return error;
}

char *tg_control_open(struct tg_control *control, const char *pid_path)
{
    char *error;
    int i;

    control->pid_path = tg_strdup(pid_path);
    control->socket_path = tg_control_socket_path(pid_path);
    control->fd = -1;
    for (i = 0; i < TG_CONTROL_CLIENTS; i++)
        control->clients[i].fd = -1;
    error = take_pid_file(control);
    if (error) { /* the files are another's */
        free(control->pid_path);
        free(control->socket_path);
        if (control->pid_fd >= 0)
            close(control->pid_fd);
        control->pid_path = NULL;
        return error;
    }
    return open_socket(control);
}

void tg_control_give(struct tg_control *control, uid_t uid, gid_t gid)
{
    if (fchown(control->pid_fd, uid, gid) < 0 ||
        lchown(control->socket_path, uid, gid) < 0)
        tg_log(TG_LOG_WARN, "cannot give %s and %s away: %s", control->pid_path,
               control->socket_path, strerror(errno));
}

void tg_control_leave(struct tg_control *control)
{
    int i;

    if (!control->pid_path)
        return;
    for (i = 0; i < TG_CONTROL_CLIENTS; i++)
        if (control->clients[i].fd >= 0)
            close(control->clients[i].fd);
    close(control->pid_fd);
    if (control->fd >= 0)
        close(control->fd);
    free(control->pid_path);
    free(control->socket_path);
    control->pid_path = NULL;
    control->fd = -1;
}

void tg_control_close(struct tg_control *control)
{
    if (!control->pid_path)
        return;
    unlink(control->socket_path);
    unlink(control->pid_path);
    tg_control_leave(control);
}

void tg_control_accept(struct tg_control *control)
{
    int fd = accept4(control->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), i;

    for (i = 0; fd >= 0 && i < TG_CONTROL_CLIENTS; i++) {
        if (control->clients[i].fd >= 0)
            continue;
        control->clients[i] = (struct tg_control_client){
            .fd = fd, .until = tg_clock_now() + PATIENCE};
        return;
    }
    if (fd >= 0)
        close(fd);
}

bool tg_control_read(struct tg_control_client *client)
{
    size_t room = sizeof(client->line) - 1 - client->len;
    ssize_t n = recv(client->fd, client->line + client->len, room, 0);
    char *end;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        close(client->fd);
        client->fd = -1;
        return false;
    }
    client->len += (size_t)n;
    client->line[client->len] = '\0';
    end = strchr(client->line, '\n');
    if (end)
        *end = '\0';
    else if (client->len == sizeof(client->line) - 1)
        tg_control_answer(client, false, "a command is one short line\n");
    return end != NULL;
}

double tg_control_due(const struct tg_control *control)
{
    double due = 0;
    int i;

    for (i = 0; control->pid_path && i < TG_CONTROL_CLIENTS; i++) {
        const struct tg_control_client *client = &control->clients[i];

        if (client->fd >= 0 && (due <= 0 || client->until < due))
            due = client->until;
    }
    return due;
}

void tg_control_expire(struct tg_control *control)
{
    double now = tg_clock_now();
    int i;

    for (i = 0; control->pid_path && i < TG_CONTROL_CLIENTS; i++) {
        struct tg_control_client *client = &control->clients[i];

        if (client->fd >= 0 && now >= client->until)
            tg_control_answer(client, false, "no command has come in time\n");
    }
}

int tg_control_hand_on(struct tg_control_client *client)
{
    int fd = client->fd;

    client->fd = -1;
    return fd;
}

void tg_control_answer(struct tg_control_client *client, bool ok,
                       const char *text)
{
    tg_caller_answer(tg_control_hand_on(client), ok, text);
}

static void say(int fd, const char *command)
{
    char line[128];
    int len = snprintf(line, sizeof(line), "%s\n", command);

    if (send(fd, line, (size_t)len, MSG_NOSIGNAL) < 0) {
        /* it does not listen: nothing will be received either */
    }
}

/* False: the answer was cut off. */
static bool receive_all(int fd, struct tg_text *answer)
{
    ssize_t n;

    while ((n = recv(fd, tg_text_room(answer, 4096), 4096, 0)) > 0)
        answer->len += (size_t)n;
    return n == 0 && answer->len && !answer->data[answer->len - 1];
}

static int take_answer(int fd, char **text)
{
    struct tg_text answer = {0};
    int outcome = 1;

    if (!receive_all(fd, &answer)) {
        *text = tg_strdup(
            "the gateway, or its worker, ended before it had answered\n");
    } else {
        outcome = strncmp(answer.data, "ok\n", 3) == 0 ? 0 : 1;
        *text = tg_strdup(answer.data + strcspn(answer.data, "\n") +
                          (strchr(answer.data, '\n') != NULL));
    }
    tg_text_release(&answer);
    return outcome;
}

int tg_control_call(const char *pid_path, const char *command, char **text)
{
    char *path = tg_control_socket_path(pid_path);
    struct sockaddr_un sa;
    int fd, outcome = -1;

    *text = set_address(&sa, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!*text && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
        *text = tg_strf("no gateway answers at %s: %s", path, strerror(errno));
    if (!*text) {
        say(fd, command);
        outcome = take_answer(fd, text);
    }
    close(fd);
    free(path);
    return outcome;
}
