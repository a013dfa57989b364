// SPDX-License-Identifier: MIT
/*
 * A tunnel for specs: it listens in the clear, and speaks TLS to a port of
 * 127.0.0.1, so that a plain socket shows all a TLS client can see.
 *
 *     tls_tunnel PORT CA.pem [NAME [drip | cut]]
 *
 * Prints its port and its process number, and goes on until it is told to end
 * or its parent has ended.  Each connection is a process.  What the client
 * sends at once becomes one record; the client's FIN becomes close_notify, and
 * the server's close_notify a FIN. A TLS stream that ends without one becomes a
 * reset, so that nobody takes it for the end.  "drip" sends each byte by
 * itself; "cut" ends without close_notify.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { ROOM = 16384 };

struct tunnel {
    SSL *ssl;
    int plain, tcp;
    char down[ROOM];
    int down_len;
    bool plain_ended, drip, cut;
};

static void reset(struct tunnel *t, const char *why)
{
    struct linger at_once = {.l_onoff = 1};

    fprintf(stderr, "tls_tunnel: %s\n", why);
    ERR_print_errors_fp(stderr);
    setsockopt(t->plain, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    exit(1);
}

static void send_all(int fd, const char *data, int len, int most)
{
    while (len > 0) {
        ssize_t n =
            send(fd, data, (size_t)(len < most ? len : most), MSG_NOSIGNAL);

        if (n < 0)
            return; /* the end is seen by who reads */
        data += n;
        len -= (int)n;
    }
}

/* What OpenSSL has to say goes out. */
static void flush(struct tunnel *t)
{
    char room[ROOM];
    int n;

    while ((n = BIO_read(SSL_get_wbio(t->ssl), room, sizeof(room))) > 0)
        send_all(t->tcp, room, n, t->drip ? 1 : n);
}

static void take_plain(struct tunnel *t)
{
    char room[ROOM];
    ssize_t n = recv(t->plain, room, sizeof(room), 0);

    if (n > 0) {
        if (SSL_write(t->ssl, room, (int)n) <= 0)
            reset(t, "cannot write");
    } else {
        t->plain_ended = true;
        if (t->cut)
            shutdown(t->tcp, SHUT_WR);
        else
            SSL_shutdown(t->ssl);
    }
    flush(t);
}

static void take_tcp(struct tunnel *t)
{
    char room[ROOM];
    ssize_t n = recv(t->tcp, room, sizeof(room), 0);

    if (n > 0)
        BIO_write(SSL_get_rbio(t->ssl), room, (int)n);
    else if (!(SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN))
        reset(t, "no close_notify");
}

static void take_down(struct tunnel *t)
{
    t->down_len = SSL_read(t->ssl, t->down, sizeof(t->down));
    if (t->down_len > 0) {
        send_all(t->plain, t->down, t->down_len, t->down_len);
    } else if (SSL_get_error(t->ssl, t->down_len) == SSL_ERROR_ZERO_RETURN) {
        exit(0); /* closes both */
    } else if (SSL_get_error(t->ssl, t->down_len) != SSL_ERROR_WANT_READ) {
        reset(t, "cannot read");
    }
    flush(t);
}

static void shake_hands(struct tunnel *t)
{
    while (!SSL_is_init_finished(t->ssl)) {
        int result = SSL_connect(t->ssl);

        flush(t);
        if (result > 0)
            return;
        if (SSL_get_error(t->ssl, result) != SSL_ERROR_WANT_READ)
            reset(t, "no handshake");
        take_tcp(t);
    }
}

/* Blocking sends are what makes a slow reader slow the server. */
static void copy(struct tunnel *t)
{
    shake_hands(t);
    while (true) {
        struct pollfd p[2] = {{t->plain, t->plain_ended ? 0 : POLLIN, 0},
                              {t->tcp, POLLIN, 0}};

        do {
            take_down(t);
        } while (t->down_len > 0);
        poll(p, 2, -1);
        if (p[0].revents & (POLLERR | POLLHUP))
            exit(0); /* the client has left */
        if (p[0].revents)
            take_plain(t);
        if (p[1].revents)
            take_tcp(t);
    }
}

static int tcp_socket(struct sockaddr_in *at, unsigned short port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void serve(SSL_CTX *ctx, int plain, int argc, char **argv)
{
    static struct tunnel t;
    struct sockaddr_in at;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    t.plain = plain;
    t.drip = argc > 4 && strcmp(argv[4], "drip") == 0;
    t.cut = argc > 4 && strcmp(argv[4], "cut") == 0;
    t.ssl = SSL_new(ctx);
    SSL_set_bio(t.ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(t.ssl), -1);
    if (argc > 3)
        SSL_set_tlsext_host_name(t.ssl, argv[3]);
    t.tcp = tcp_socket(&at, (unsigned short)atoi(argv[1]));
    if (connect(t.tcp, (struct sockaddr *)&at, sizeof(at)) < 0)
        reset(&t, "cannot connect");
    copy(&t);
}

int main(int argc, char **argv)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    int listener;

    if (argc < 3 || !SSL_CTX_load_verify_file(ctx, argv[2]))
        return 2;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    signal(SIGCHLD, SIG_IGN);
    listener = tcp_socket(&at, 0);
    bind(listener, (struct sockaddr *)&at, sizeof(at));
    listen(listener, 1024);
    getsockname(listener, (struct sockaddr *)&at, &len);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    printf("%d %d\n", ntohs(at.sin_port), (int)getpid());
    fflush(stdout);
    while (true) {
        int plain = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (plain >= 0 && fork() == 0) {
            close(listener);
            serve(ctx, plain, argc, argv);
        }
        close(plain);
    }
}
