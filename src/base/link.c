// SPDX-License-Identifier: MIT
#include "base/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool tg_link_open(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                      ends) == 0;
}

union control {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
};

static void attach(struct msghdr *header, union control *control, int fd)
{
    struct cmsghdr *part;

    memset(control, 0, sizeof(*control));
    header->msg_control = control->room;
    header->msg_controllen = sizeof(control->room);
    part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(part), &fd, sizeof(fd));
}

bool tg_link_send(int end, int fd, const char *format, ...)
{
    char text[TG_LINK_MOST];
    struct iovec piece = {text, 0};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};
    union control control;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    piece.iov_len = (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1;
    if (fd >= 0)
        attach(&header, &control, fd);
    return sendmsg(end, &header, MSG_NOSIGNAL) >= 0;
}

static int attached(struct msghdr *header)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    int fd;

    if (!part || part->cmsg_level != SOL_SOCKET ||
        part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(sizeof(fd)))
        return -1;
    memcpy(&fd, CMSG_DATA(part), sizeof(fd));
    return fd;
}

enum tg_link_state tg_link_receive(int end, struct tg_link_message *message)
{
    struct iovec piece = {message->text, sizeof(message->text) - 1};
    union control control;
    struct msghdr header = {.msg_iov = &piece,
                            .msg_iovlen = 1,
                            .msg_control = control.room,
                            .msg_controllen = sizeof(control.room)};
    ssize_t n;

    do
        n = recvmsg(end, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return TG_LINK_EMPTY;
    if (n <= 0)
        return TG_LINK_GONE;
    message->len = (size_t)n;
    message->text[n] = '\0';
    message->fd = attached(&header);
    return TG_LINK_MESSAGE;
}

const char *tg_link_is(const struct tg_link_message *message, const char *word)
{
    size_t len = strlen(word);

    if (strncmp(message->text, word, len) != 0)
        return NULL;
    if (message->text[len] == ' ')
        return message->text + len + 1;
    return message->text[len] ? NULL : "";
}
