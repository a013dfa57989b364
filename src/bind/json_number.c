// SPDX-License-Identifier: MIT
/*
 * Numbers of JSON text, exact in both directions.
 *
 * In the range numbers usually have, m * 10^e with |e| <= 27, powers of five
 * fit 64 bits, so 128-bit integers give the correctly rounded result without
 * tables of approximations.  The C library does the rest; it never sees a
 * decimal point, so its locale does not matter.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bind/json_codec.h"

#define MAX_POWER 27
#define MAX_DIGITS                                                             \
    800 /* no double is told apart by a digit beyond the 768th                 \
         */

__extension__ typedef unsigned __int128 u128;

static const uint64_t powers_of_five[MAX_POWER + 1] = {
    1u,
    5u,
    25u,
    125u,
    625u,
    3125u,
    15625u,
    78125u,
    390625u,
    1953125u,
    9765625u,
    48828125u,
    244140625u,
    1220703125u,
    6103515625u,
    30517578125u,
    152587890625u,
    762939453125u,
    3814697265625u,
    19073486328125u,
    95367431640625u,
    476837158203125u,
    2384185791015625u,
    11920928955078125u,
    59604644775390625u,
    298023223876953125u,
    1490116119384765625u,
    7450580596923828125u,
};

/* value * 2^exponent, rounded to the nearest double, ties to even. */
static double round_to_double(u128 value, int exponent)
{
    uint64_t high = (uint64_t)(value >> 64), bits;
    int len = high ? 128 - __builtin_clzll(high)
                   : 64 - __builtin_clzll((uint64_t)value);
    int drop = len - 53;
    double result;

    if (drop <= 0) {
        bits = (uint64_t)value << -drop;
    } else {
        u128 half = (u128)1 << (drop - 1);
        u128 rest = value & ((half << 1) - 1);

        bits = (uint64_t)(value >> drop);
        bits += rest > half || (rest == half && (bits & 1));
    }
    /* The leading one adds itself to the exponent, and a carry does too. */
    bits += (uint64_t)(exponent + drop + 52 + 1022) << 52;
    memcpy(&result, &bits, sizeof(result));
    return result;
}

/* digits * 10^exponent, correctly rounded; |exponent| <= MAX_POWER. */
static double scale(uint64_t digits, int exponent)
{
    static const double tens[] = {
        1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    };
    u128 quotient, dividend;
    uint64_t divisor;
    int shift;

    if (!digits)
        return 0;
    if (digits <= (uint64_t)1 << 53 && -22 <= exponent && exponent <= 22) {
        /* Both operands are exact, so one operation rounds once. */
        return exponent < 0 ? (double)digits / tens[-exponent]
                            : (double)digits * tens[exponent];
    }
    if (exponent >= 0)
        return round_to_double((u128)digits * powers_of_five[exponent],
                               exponent);
    divisor = powers_of_five[-exponent];
    shift = 64 + __builtin_clzll(digits);
    dividend = (u128)digits << shift;
    quotient = dividend / divisor; /* 64 bits or more */
    if (quotient * divisor != dividend)
        quotient |= 1; /* far below the bit that decides, but not a tie */
    return round_to_double(quotient, exponent - shift);
}

/* The number between `at` and `end`, its own exponent excluded, times
 * 10^exponent. */
static double scale_long(const char *at, const char *end, int64_t exponent)
{
    char text[MAX_DIGITS + 32];
    bool in_fraction = false, inexact = false;
    int len = 0;

    for (; at < end; at++) {
        if (*at == '.') {
            in_fraction = true;
            continue;
        }
        exponent -= in_fraction;
        if (len == MAX_DIGITS) {
            exponent++;
            inexact |= *at != '0';
        } else if (len || *at != '0') {
            text[len++] = *at;
        }
    }
    if (!len)
        return 0;
    if (inexact)
        text[len - 1] |= 1; /* off a tie; an odd last digit stays */
    if (exponent > 9999 || exponent < -9999)
        exponent = exponent < 0 ? -9999 : 9999;
    snprintf(text + len, sizeof(text) - (size_t)len, "e%d", (int)exponent);
    return strtod(text, NULL);
}

static bool is_digit(const char *at, const char *end)
{
    return at < end && (unsigned char)(*at - '0') <= 9;
}

/* Reads the exponent behind the 'e' at `*at`, as far as a text can need it. */
static bool read_exponent(const char **at, const char *end, int64_t *exponent)
{
    const int64_t most = (int64_t)1 << 60;
    bool negative;

    ++*at;
    negative = *at < end && **at == '-';
    *at += negative || (*at < end && **at == '+');
    if (!is_digit(*at, end))
        return false;
    for (*exponent = 0; is_digit(*at, end); ++*at)
        if (*exponent < most / 10)
            *exponent = *exponent * 10 + (**at - '0');
    if (negative)
        *exponent = -*exponent;
    return true;
}

/* Adds digits to `*digits` while they fit and returns how many did not. */
static size_t read_digits(const char **at, const char *end, uint64_t *digits)
{
    const char *p = *at;
    uint64_t value = *digits;
    size_t dropped = 0;

    for (; is_digit(p, end); p++) {
        if (value < 1000000000000000000u)
            value = value * 10 + (uint64_t)(*p - '0');
        else
            dropped++;
    }
    *at = p;
    *digits = value;
    return dropped;
}

static void set_integer(struct tg_json_number *number, uint64_t digits,
                        bool negative)
{
    if (digits <= (uint64_t)INT64_MAX + negative) {
        number->is_float = false;
        number->integer = (lua_Integer)(negative ? 0 - digits : digits);
    } else {
        number->is_float = true;
        number->real = negative ? -(double)digits : (double)digits;
    }
}

/* Reads '.' and the digits behind it, and counts those in `*shift`. */
static bool read_fraction(const char **at, const char *end, uint64_t *digits,
                          size_t *dropped, int64_t *shift)
{
    const char *start = ++*at;

    if (!is_digit(*at, end))
        return false;
    *dropped += read_digits(at, end, digits);
    *shift = *at - start;
    return true;
}

const char *tg_json_read_number(const char **at, const char *end,
                                struct tg_json_number *number)
{
    bool negative = **at == '-';
    const char *start = *at += negative, *whole, *stop;
    uint64_t digits = 0;
    int64_t exponent = 0, shift = 0;
    size_t dropped = 0;

    if (!is_digit(start, end))
        return "a digit";
    if (*start == '0')
        ++*at;
    else
        dropped = read_digits(at, end, &digits);
    whole = *at;
    if (*at < end && **at == '.' &&
        !read_fraction(at, end, &digits, &dropped, &shift))
        return "a digit";
    stop = *at;
    if (*at < end && (**at | 0x20) == 'e' && !read_exponent(at, end, &exponent))
        return "a digit";

    if (*at == whole && !dropped) {
        set_integer(number, digits, negative);
        return NULL;
    }
    number->is_float = true;
    shift = exponent - shift;
    if (!dropped && -MAX_POWER <= shift && shift <= MAX_POWER)
        number->real = scale(digits, (int)shift);
    else
        number->real = scale_long(start, stop, exponent);
    if (negative)
        number->real = -number->real;
    return NULL;
}

static char *print_digits(char *room, uint64_t value)
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";
    char text[20], *at = text + sizeof(text);
    size_t len;

    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, pairs + value % 100 * 2, 2);
    }
    if (value >= 10) {
        at -= 2;
        memcpy(at, pairs + value * 2, 2);
    } else {
        *--at = (char)('0' + value);
    }
    len = (size_t)(text + sizeof(text) - at);
    memcpy(room, at, len);
    return room + len;
}

char *tg_json_print_integer(char *room, lua_Integer value)
{
    uint64_t digits = (uint64_t)value;

    if (value < 0) {
        *room++ = '-';
        digits = 0 - digits;
    }
    return print_digits(room, digits);
}

/* Prints digits * 10^exponent so that it reads as a float. */
static char *print_decimal(char *room, uint64_t digits, int exponent)
{
    char *end = print_digits(room, digits);
    int len = (int)(end - room), point = len + exponent;

    if (point < -3 || point > 16) {
        if (len > 1) {
            memmove(room + 2, room + 1, (size_t)len - 1);
            room[1] = '.';
            end++;
        }
        *end++ = 'e';
        return tg_json_print_integer(end, point - 1);
    }
    if (point <= 0) {
        memmove(room + 2 - point, room, (size_t)len);
        memset(room, '0', (size_t)(2 - point));
        room[1] = '.';
        return end + 2 - point;
    }
    if (point < len) {
        memmove(room + point + 1, room + point, (size_t)(len - point));
        room[point] = '.';
        return end + 1;
    }
    memset(end, '0', (size_t)exponent);
    memcpy(end + exponent, ".0", 2);
    return end + exponent + 2;
}

/*
 * The decimals between `low` and `high` read back as the same double; both are
 * rounded down, and `low_exact` says that `low` is one of them.  Drops digits
 * while that leaves one and returns the nearest to `value`, which `exact` says
 * was not rounded; `*exponent` counts what was dropped.
 */
struct interval {
    uint64_t low, value, high;
    bool low_exact, exact;
};

static uint64_t shorten(struct interval v, int *exponent)
{
    unsigned last = 0;

    if (v.high / 100000000 > v.low / 100000000) {
        unsigned rest = (unsigned)(v.value % 100000000);

        v.low_exact &= v.low % 100000000 == 0;
        v.exact &= rest % 10000000 == 0;
        last = rest / 10000000;
        v.low /= 100000000;
        v.value /= 100000000;
        v.high /= 100000000;
        *exponent += 8;
    }
    while (v.high / 10 > v.low / 10 || (v.low_exact && v.low % 10 == 0)) {
        v.low_exact &= v.low % 10 == 0;
        v.exact &= last == 0;
        last = (unsigned)(v.value % 10);
        v.low /= 10;
        v.value /= 10;
        v.high /= 10;
        ++*exponent;
    }
    if (v.exact && last == 5 && v.value % 2 == 0)
        last = 4;
    return v.value + ((v.value == v.low && !v.low_exact) || last >= 5);
}

/* factor * multiplier * 2^-shift, rounded down. */
static uint64_t multiply(uint64_t factor, uint64_t multiplier, int shift,
                         bool *exact)
{
    u128 product = (u128)factor * multiplier;

    *exact = true;
    if (shift <= 0)
        return (uint64_t)product << -shift;
    *exact = (product & (((u128)1 << shift) - 1)) == 0;
    return (uint64_t)(product >> shift);
}

/* The largest e with 10^e <= 2^exponent. */
static int floor_log10_pow2(int exponent)
{
    return (exponent * 78913) >> 18;
}

/* For values whose 18 or 19 leading digits are within MAX_POWER. */
static char *print_exact(char *room, uint64_t bits)
{
    uint64_t mantissa = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
    int binary = (int)(bits >> 52) - 1023;
    int power = 17 - floor_log10_pow2(binary);
    int shift = 52 + 2 - binary - power, exponent = -power;
    bool even = mantissa % 2 == 0, high_exact;
    uint64_t five = powers_of_five[power], digits;
    struct interval v;

    /* Half way to the neighbours; the one below a power of two is nearer. */
    v.low = multiply(4 * mantissa - 1 - (mantissa != (uint64_t)1 << 52), five,
                     shift, &v.low_exact);
    v.value = multiply(4 * mantissa, five, shift, &v.exact);
    v.high = multiply(4 * mantissa + 2, five, shift, &high_exact);
    v.high -= high_exact && !even;
    v.low_exact &= even;
    digits = shorten(v, &exponent);
    return print_decimal(room, digits, exponent);
}

static bool reads_back(uint64_t digits, int exponent, double value)
{
    char text[TG_JSON_NUMBER];

    snprintf(text, sizeof(text), "%" PRIu64 "e%d", digits, exponent);
    return strtod(text, NULL) == value;
}

/* The nearest number of so many digits, behind the first one. */
static uint64_t round_to_decimal(double value, int precision, int *exponent)
{
    char text[TG_JSON_NUMBER];
    uint64_t digits = 0;
    const char *at;

    snprintf(text, sizeof(text), "%.*e", precision, value);
    for (at = text; *at != 'e'; at++)
        if (is_digit(at, at + 1))
            digits = digits * 10 + (uint64_t)(*at - '0');
    *exponent = atoi(at + 1) - precision;
    return digits;
}

/* The neighbour above a power of two is further away than the one below: so a
 * number above may read back where the nearest one, below, does not. */
static char *print_extreme(char *room, double value)
{
    int precision = value < DBL_MIN ? 0 : 14, exponent;
    bool power_of_two = frexp(value, &exponent) == 0.5;
    uint64_t digits;

    for (;; precision++) {
        digits = round_to_decimal(value, precision, &exponent);
        if (precision == 16 || reads_back(digits, exponent, value))
            break;
        if (power_of_two && reads_back(digits + 1, exponent, value)) {
            digits++;
            break;
        }
    }
    for (; digits % 10 == 0; digits /= 10)
        exponent++;
    return print_decimal(room, digits, exponent);
}

/*
 * Of few decimals, as prices and coordinates are: if one with so many reads
 * back as the value, it is the only one, since fewer than 16 digits are told
 * apart.  Returns NULL if the value needs more.
 */
static char *print_short(char *room, double value)
{
    static const double tens[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    int places;

    for (places = 1; places <= 6; places++) {
        double digits = rint(value * tens[places - 1]);

        if (digits / tens[places - 1] == value)
            return print_decimal(room, (uint64_t)digits, -places);
    }
    return NULL;
}

char *tg_json_print_float(char *room, lua_Number value)
{
    char *end;
    uint64_t bits;

    if (signbit(value)) {
        *room++ = '-';
        value = -value;
    }
    if (value < 1e15 && value == (double)(int64_t)value) {
        room = print_digits(room, (uint64_t)value);
        memcpy(room, ".0", 2);
        return room + 2;
    }
    if (value < 1e9 && (end = print_short(room, value)))
        return end;
    memcpy(&bits, &value, sizeof(bits));
    if (1e-9 <= value && value < 1e17)
        return print_exact(room, bits);
    return print_extreme(room, value);
}
