// SPDX-License-Identifier: MIT
/*
 * The address of a peer, as a value: of IPv4, IPv6 or a unix socket.  Pure.
 *
 * IPv4 is kept as the IPv6 address that maps it (RFC 4291, 2.5.5.2), so both
 * ways to write one are equal.
 */
#ifndef TG_BASE_ADDRESS_H
#define TG_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_ADDRESS_TEXT = 46 }; /* the longest text, with its NUL */

enum tg_address_kind { TG_ADDRESS_NONE, TG_ADDRESS_UNIX, TG_ADDRESS_IP };

struct tg_address {
    enum tg_address_kind kind;
    uint8_t bytes[16];
    uint16_t port;
};

/* From bytes in network order: 4 of IPv4, or 16. */
void tg_address_of_bytes(struct tg_address *address, const uint8_t *bytes,
                         size_t len, uint16_t port);

/* Reads "192.0.2.1" or "2001:db8::1", which must be all of the text: no port,
 * no brackets, no zone, no octet with a leading zero. */
bool tg_address_parse(struct tg_address *address, const char *text, size_t len);

/* Reads "192.0.2.1", "192.0.2.1:53", "2001:db8::1" or "[2001:db8::1]:53";
 * `port` is for those without one. */
bool tg_address_parse_port(struct tg_address *address, const char *text,
                           uint16_t port);

/* Writes it as RFC 5952 has it, without its port; "" unless it is of IP. */
void tg_address_format(const struct tg_address *address,
                       char room[TG_ADDRESS_TEXT]);

bool tg_address_is_ipv4(const struct tg_address *address);

/* Reads a decimal number without sign or leading zero, at most `most`.  */
bool tg_address_number(const char *text, size_t len, unsigned most,
                       unsigned *number);

/* All addresses that begin with the same bits. */
struct tg_network {
    uint8_t bytes[16];
    unsigned bits; /* of the mapped address: of IPv4, 96 and more */
};

/* Reads "10.0.0.0/8", "2001:db8::/32", or an address.  Bits behind the prefix
 * must be 0. */
bool tg_network_parse(struct tg_network *network, const char *text, size_t len);

/* No IPv4 address is in a network of IPv6. */
bool tg_network_has(const struct tg_network *network,
                    const struct tg_address *address);

#endif
