// SPDX-License-Identifier: MIT
#include "net/socket_name.h"

#include <string.h>

#include "base/address.h"

socklen_t tg_socket_name_write(union tg_socket_name *name,
                               const struct tg_address *address)
{
    memset(name, 0, sizeof(*name));
    if (tg_address_is_ipv4(address)) {
        name->four.sin_family = AF_INET;
        name->four.sin_port = htons(address->port);
        memcpy(&name->four.sin_addr, address->bytes + 12, 4);
        return sizeof(name->four);
    }
    name->six.sin6_family = AF_INET6;
    name->six.sin6_port = htons(address->port);
    memcpy(&name->six.sin6_addr, address->bytes, 16);
    return sizeof(name->six);
}

void tg_socket_name_read(const struct sockaddr *name,
                         struct tg_address *address)
{
    union tg_socket_name known;

    memset(address, 0, sizeof(*address));
    if (name->sa_family == AF_INET) {
        memcpy(&known.four, name, sizeof(known.four));
        tg_address_of_bytes(address, (const uint8_t *)&known.four.sin_addr, 4,
                            ntohs(known.four.sin_port));
    } else if (name->sa_family == AF_INET6) {
        memcpy(&known.six, name, sizeof(known.six));
        tg_address_of_bytes(address, (const uint8_t *)&known.six.sin6_addr, 16,
                            ntohs(known.six.sin6_port));
    } else if (name->sa_family == AF_UNIX) {
        address->kind = TG_ADDRESS_UNIX;
    }
}
