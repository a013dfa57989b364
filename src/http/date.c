// SPDX-License-Identifier: MIT
#include "http/date.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static const int64_t last = 253402300799; /* of the year 9999 */

/* --- writing --- */

static void put(char *at, int number, int digits)
{
    while (digits-- > 0) {
        at[digits] = (char)('0' + number % 10);
        number /= 10;
    }
}

void tg_date_format(int64_t seconds, char room[TG_DATE_LEN + 1])
{
    time_t moment = seconds < 0 ? 0 : seconds > last ? last : seconds;
    struct tm tm;

    gmtime_r(&moment, &tm);
    memcpy(room, "Day, 00 Mon 0000 00:00:00 GMT", TG_DATE_LEN + 1);
    memcpy(room, days[tm.tm_wday], 3);
    put(room + 5, tm.tm_mday, 2);
    memcpy(room + 8, months + 3 * tm.tm_mon, 3);
    put(room + 12, 1900 + tm.tm_year, 4);
    put(room + 17, tm.tm_hour, 2);
    put(room + 20, tm.tm_min, 2);
    put(room + 23, tm.tm_sec, 2);
}

const char *tg_date_now(void)
{
    static _Thread_local char date[TG_DATE_LEN + 1];
    static _Thread_local time_t made;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != made) {
        made = now.tv_sec;
        tg_date_format(made, date);
    }
    return date;
}

/* --- reading: each of these moves on, or fails --- */

struct reader {
    const char *at, *end;
    bool failed;
};

static void skip(struct reader *r, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0)
        r->failed = true;
    else
        r->at += len;
}

static int number(struct reader *r, int digits)
{
    int value = 0;

    for (; digits > 0 && !r->failed; digits--) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9')
            r->failed = true;
        else
            value = 10 * value + (*r->at++ - '0');
    }
    return value;
}

static int month(struct reader *r)
{
    int i;

    for (i = 0; r->end - r->at >= 3 && i < 12; i++) {
        if (memcmp(r->at, months + (size_t)3 * (size_t)i, 3) == 0) {
            r->at += 3;
            return i;
        }
    }
    r->failed = true;
    return 0;
}

static void clock_time(struct reader *r, struct tm *tm)
{
    tm->tm_hour = number(r, 2);
    skip(r, ":");
    tm->tm_min = number(r, 2);
    skip(r, ":");
    tm->tm_sec = number(r, 2);
}

/* " 6" or "16" */
static int padded_day(struct reader *r)
{
    if (r->at < r->end && *r->at == ' ') {
        r->at++;
        return number(r, 1);
    }
    return number(r, 2);
}

/* Nov  6 08:49:37 1994 */
static void read_asctime(struct reader *r, struct tm *tm)
{
    tm->tm_mon = month(r);
    skip(r, " ");
    tm->tm_mday = padded_day(r);
    skip(r, " ");
    clock_time(r, tm);
    skip(r, " ");
    tm->tm_year = number(r, 4) - 1900;
}

/* 06 Nov 1994 08:49:37 GMT */
static void read_fixdate(struct reader *r, struct tm *tm)
{
    tm->tm_mday = number(r, 2);
    skip(r, " ");
    tm->tm_mon = month(r);
    skip(r, " ");
    tm->tm_year = number(r, 4) - 1900;
    skip(r, " ");
    clock_time(r, tm);
    skip(r, " GMT");
}

static int whole_year(int two_digits, int64_t now)
{
    time_t moment = now;
    struct tm tm = {0};
    int year;

    gmtime_r(&moment, &tm);
    year = tm.tm_year - tm.tm_year % 100 + two_digits;
    while (year > tm.tm_year + 50)
        year -= 100;
    while (year <= tm.tm_year - 50)
        year += 100;
    return year;
}

/* 06-Nov-94 08:49:37 GMT */
static void read_rfc850(struct reader *r, struct tm *tm, int64_t now)
{
    tm->tm_mday = number(r, 2);
    skip(r, "-");
    tm->tm_mon = month(r);
    skip(r, "-");
    tm->tm_year = whole_year(number(r, 2), now);
    skip(r, " ");
    clock_time(r, tm);
    skip(r, " GMT");
}

/* Reads the day's name; which form does it begin? */
static void read_by_form(struct reader *r, struct tm *tm, int64_t now)
{
    size_t left = (size_t)(r->end - r->at), i;

    for (i = 0; i < 7; i++) {
        size_t len = strlen(days[i]);

        if (left > len && memcmp(r->at, days[i], len) == 0) {
            r->at += len;
            skip(r, ", ");
            read_rfc850(r, tm, now);
            return;
        }
        if (left > 4 && memcmp(r->at, days[i], 3) == 0) {
            bool is_fixdate = r->at[3] == ',';

            r->at += 3;
            skip(r, is_fixdate ? ", " : " ");
            if (is_fixdate)
                read_fixdate(r, tm);
            else
                read_asctime(r, tm);
            return;
        }
    }
    r->failed = true;
}

bool tg_date_parse(const char *text, size_t len, int64_t now, int64_t *seconds)
{
    struct reader r = {text, text + len, false};
    struct tm tm = {0}, read;

    read_by_form(&r, &tm, now);
    if (r.failed || r.at != r.end || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return false;
    read = tm;
    *seconds = timegm(&tm);
    return tm.tm_mday == read.tm_mday || /* it has such a day, or... */
           (read.tm_sec == 60 && read.tm_hour == 23 && read.tm_min == 59 &&
            tm.tm_hour == 0); /* ...a leap second of its last one */
}
