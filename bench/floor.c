// SPDX-License-Identifier: MIT
/*
 * floor PORT FILE -- what the kernel and a loop cost, without HTTP.
 *
 * One thread of bare epoll: whatever ends in an empty line is answered with
 * the bytes of FILE behind a head that has a Date.  Nothing is parsed but
 * `Connection: close`; a request must come in one piece, as wrk's do.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct answer {
    const char *connection;
    time_t made;
    size_t len;
    char text[1 << 21];
};

static struct answer stay = {.connection = "keep-alive"};
static struct answer leave = {.connection = "close"};
static char body[(1 << 21) - 512];
static size_t body_len;

/* Formats the answer anew if a second has passed. */
static void refresh(struct answer *answer)
{
    time_t now = time(NULL);
    char date[64];

    if (now == answer->made)
        return;
    answer->made = now;
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&now));
    answer->len = sprintf(answer->text,
                          "HTTP/1.1 200 OK\r\nDate: %s\r\nConnection: %s\r\n"
                          "Content-Type: text/plain\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          date, answer->connection, body_len);
    memcpy(answer->text + answer->len, body, body_len);
    answer->len += body_len;
}

static void serve(int client)
{
    static char request[65536];
    ssize_t got = recv(client, request, sizeof(request), MSG_DONTWAIT);
    struct answer *answer = &stay;

    if (got <= 0)
        goto end;
    if (got < 4 || memcmp(request + got - 4, "\r\n\r\n", 4))
        return;
    if (memmem(request, got, "Connection: close", 17))
        answer = &leave;
    refresh(answer);
    send(client, answer->text, answer->len, MSG_NOSIGNAL);
    if (answer == &stay)
        return;
end:
    close(client);
}

static void accept_client(int epoll, int listener)
{
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1;

    event.data.fd = accept4(listener, NULL, NULL, 0);
    if (event.data.fd < 0)
        return;
    setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct epoll_event ready[64], event = {.events = EPOLLIN};
    int epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;

    if (!file)
        return 2;
    body_len = fread(body, 1, sizeof(body), file);
    fclose(file);
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
        listen(listener, 4096))
        return 1;
    event.data.fd = listener;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(epoll, ready, 64, -1);

        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener)
                accept_client(epoll, listener);
            else
                serve(ready[i].data.fd);
        }
    }
}
