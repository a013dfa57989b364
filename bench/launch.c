// SPDX-License-Identifier: MIT
/*
 * launch CORE PORT SECONDS LOG EXPECTED PATH COMMAND... -- how long a server
 * takes from its execution to its first answer.
 *
 * Executes COMMAND, the first word of which is a path, on the core, and asks
 * for PATH at 127.0.0.1 again and again, without a pause, until an answer of
 * 200 holds the text EXPECTED.  Prints the server's process number and
 * milliseconds, and leaves it running.  After SECONDS without that: the number,
 * `nil`, and what the last try came to.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *last = "it was not asked"; /* what the last try came to */
static double deadline;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static pid_t execute(char **command, int core, int log)
{
    cpu_set_t cores;
    pid_t pid;

    CPU_ZERO(&cores);
    CPU_SET(core, &cores);
    pid = vfork(); /* no page is copied, which would count as the server's */
    if (pid == 0) {
        sched_setaffinity(0, sizeof(cores), &cores);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execv(command[0], command);
        _exit(127);
    }
    return pid;
}

/* From 127.0.0.2: a port that nobody listens at yet may else meet itself. */
static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    if (bind(client, (struct sockaddr *)&address, sizeof(address)))
        goto fail;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(client, (struct sockaddr *)&address, sizeof(address)) == 0)
        return client;
fail:
    last = strerror(errno);
    close(client);
    return -1;
}

static int failed(const char *what)
{
    last = what;
    return 0;
}

/* Is it the right answer, up to the text that is expected? */
static int is_answered(int client, const char *request, const char *expected)
{
    static char answer[65536];
    size_t len = 0;
    ssize_t got;

    send(client, request, strlen(request), MSG_NOSIGNAL);
    for (;;) {
        struct pollfd ready = {.fd = client, .events = POLLIN};
        double left = deadline - now();

        if (left <= 0 || poll(&ready, 1, (int)(left * 1000) + 1) <= 0)
            return failed("it took the connection, and does not answer");
        got = recv(client, answer + len, sizeof(answer) - 1 - len, 0);
        if (got < 0)
            return failed(strerror(errno));
        if (got == 0)
            return failed("it ended the connection");
        len += got;
        answer[len] = '\0';
        if (len > 12 && !memcmp(answer + 8, " 200", 4) &&
            strstr(answer, expected))
            return 1;
    }
}

static int ask(int port, const char *request, const char *expected)
{
    int client = connect_to(port), answered;

    if (client < 0)
        return 0;
    answered = is_answered(client, request, expected);
    close(client);
    return answered;
}

int main(int argc, char **argv)
{
    char request[4096];
    double from;
    int log, port;
    pid_t pid;

    if (argc < 8)
        return 2;
    port = atoi(argv[2]);
    log = open(argv[4], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
             argv[6]);

    from = now();
    deadline = from + atof(argv[3]);
    pid = execute(argv + 7, atoi(argv[1]), log);
    do {
        if (ask(port, request, argv[5])) {
            printf("%d %.3f\n", pid, (now() - from) * 1000);
            return 0;
        }
    } while (now() < deadline);
    printf("%d nil %s\n", pid, last);
    return 1;
}
