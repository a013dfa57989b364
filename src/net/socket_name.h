// SPDX-License-Identifier: MIT
/*
 * The name of a socket, as the system has an address: a sockaddr.
 */
#ifndef TG_NET_SOCKET_NAME_H
#define TG_NET_SOCKET_NAME_H

#include <netinet/in.h>
#include <sys/socket.h>

struct tg_address;

union tg_socket_name {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Writes the name of an address of IP; returns its length. */
socklen_t tg_socket_name_write(union tg_socket_name *name,
                               const struct tg_address *address);

/* Reads the address from a name of any kind; a zone is not kept. */
void tg_socket_name_read(const struct sockaddr *name,
                         struct tg_address *address);

#endif
