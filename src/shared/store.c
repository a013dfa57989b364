// SPDX-License-Identifier: MIT
#include "shared/store.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "shared/dict.h"

enum {
    APPLICATION = 0x74696465, /* what marks a database as ours */
    FORM = 1,                 /* of the table and of packed values */
    PATIENCE = 2000,          /* milliseconds that another process may take */
};

enum statement { BEGIN, CLEAR, PUT, REMOVE, COMMIT, HAS, STATEMENTS };

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [CLEAR] = "DELETE FROM entries",
    [PUT] = "INSERT INTO entries (key, type, value, expires, writer)"
            " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE"
            " SET type = ?2, value = ?3, expires = ?4, writer = ?5",
    [REMOVE] = "DELETE FROM entries WHERE key = ?1",
    [COMMIT] = "COMMIT",
    [HAS] = "SELECT 1 FROM entries WHERE key = ?1",
};

struct tg_store {
    sqlite3 *db;
    char *path;
    int fd;         /* with a lock, if the file is ours alone */
    int64_t writer; /* who it is that writes by this store */
    sqlite3_stmt *statements[STATEMENTS];
};

/* --- opening --- */

static bool run(struct tg_store *store, const char *text)
{
    return sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* The first column of the first row; -1 if there is none. */
static int ask(struct tg_store *store, const char *text)
{
    sqlite3_stmt *statement = NULL;
    int answer = -1;

    if (sqlite3_prepare_v2(store->db, text, -1, &statement, NULL) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        answer = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return answer;
}

static void say_why(struct tg_store *store, char *message, size_t size)
{
    int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;

    if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
        snprintf(message, size, "%s: it is in use by somebody else",
                 store->path);
    else if (code == SQLITE_NOTADB)
        snprintf(message, size, "%s: it is not a database", store->path);
    else
        snprintf(message, size, "%s: %s", store->path, tg_store_error(store));
}

static bool prepare(struct tg_store *store)
{
    int i;

    for (i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(store->db, texts[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &store->statements[i],
                               NULL) != SQLITE_OK)
            return false;
    return true;
}

static bool configure(struct tg_store *store)
{
    return run(store, "PRAGMA journal_mode = WAL") &&
           run(store, "PRAGMA synchronous = NORMAL");
}

static bool make(struct tg_store *store)
{
    char text[400];

    snprintf(text, sizeof(text),
             "BEGIN IMMEDIATE;"
             "CREATE TABLE entries (key BLOB PRIMARY KEY NOT NULL,"
             " type INTEGER NOT NULL, value, expires REAL NOT NULL,"
             " writer INTEGER NOT NULL);"
             "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
             APPLICATION, FORM);
    return run(store, text);
}

/* False without a message: SQLite knows why. */
static bool is_ours(struct tg_store *store, char *message, size_t size)
{
    int application, form;

    if (!run(store, "PRAGMA schema_version") ||
        (ask(store, "SELECT count(*) FROM sqlite_schema") == 0 && !make(store)))
        return false;
    application = ask(store, "PRAGMA application_id");
    form = ask(store, "PRAGMA user_version");
    if (application == APPLICATION && form == FORM)
        return true;
    snprintf(message, size,
             application == APPLICATION
                 ? "%s: it was written by another version of Tidegate"
                 : "%s: it is a database of something else",
             store->path);
    return false;
}

static void make_folder(const char *path)
{
    const char *end = strrchr(path, '/');
    char *folder = end && end != path ? tg_strndup(path, (size_t)(end - path))
                                      : tg_strdup("/");

    mkdir(folder, 0777); /* it may be there; if not, opening tells */
    free(folder);
}

/* By a lock of our own: who only reads the file beside us needs none of it.
 * SQLite's locks are gone when any descriptor of the file is closed, so this
 * one stays open. */
bool tg_store_own(struct tg_store *store)
{
    return flock(store->fd, LOCK_EX | LOCK_NB) == 0;
}

/* Waits a little for one that is about to end. */
static bool own_soon(struct tg_store *store)
{
    double until = tg_clock_now() + PATIENCE / 1000.0;

    while (!tg_store_own(store)) {
        if (tg_clock_now() > until)
            return false;
        usleep(20000);
    }
    return true;
}

static bool take(struct tg_store *store, bool shares, char *message,
                 size_t size)
{
    store->fd = open(store->path, O_RDONLY | O_CLOEXEC);
    if (store->fd >= 0 && (shares || own_soon(store)))
        return true;
    snprintf(message, size, "%s: %s", store->path,
             store->fd < 0 ? strerror(errno) : "another gateway has it");
    return false;
}

struct tg_store *tg_store_open(const char *path, bool shares, char *message,
                               size_t size)
{
    struct tg_store *store = tg_alloc(sizeof(*store));

    *message = '\0';
    store->path = tg_strdup(path);
    store->fd = -1;
    if (getentropy(&store->writer, sizeof(store->writer)) < 0)
        store->writer = getpid();
    make_folder(path);
    if (sqlite3_open_v2(path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                            SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(store->db, PATIENCE);
        if (take(store, shares, message, size) &&
            is_ours(store, message, size) && configure(store) && prepare(store))
            return store;
    }
    if (!*message)
        say_why(store, message, size);
    tg_store_close(store);
    return NULL;
}

void tg_store_close(struct tg_store *store)
{
    int i;

    for (i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(store->statements[i]);
    sqlite3_close(store->db);
    if (store->fd >= 0)
        close(store->fd);
    free(store->path);
    free(store);
}

/* --- reading --- */

static bool remove_what_is_over(struct tg_store *store)
{
    char text[100];

    snprintf(text, sizeof(text),
             "DELETE FROM entries WHERE expires > 0 AND expires <= %.6f",
             tg_clock_wall());
    return run(store, text);
}

static bool
read_row(sqlite3_stmt *row,
         bool (*fn)(const struct tg_store_record *record, void *arg), void *arg)
{
    struct tg_store_record record = {
        .key = sqlite3_column_blob(row, 0),
        .key_len = (size_t)sqlite3_column_bytes(row, 0),
        .type = (unsigned char)sqlite3_column_int(row, 1),
        .expires = sqlite3_column_double(row, 3),
    };
    int64_t integer = sqlite3_column_int64(row, 2);
    double real = sqlite3_column_type(row, 2) == SQLITE_NULL
                      ? (double)NAN
                      : sqlite3_column_double(row, 2);

    record.len = sizeof(integer);
    if (record.type == TG_DICT_INTEGER) {
        record.data = (const char *)&integer;
    } else if (record.type == TG_DICT_FLOAT) {
        record.data = (const char *)&real;
    } else {
        record.data = sqlite3_column_blob(row, 2);
        record.len = (size_t)sqlite3_column_bytes(row, 2);
    }
    return fn(&record, arg);
}

bool tg_store_load(struct tg_store *store, bool of_others,
                   bool (*fn)(const struct tg_store_record *record, void *arg),
                   void *arg, char *message, size_t size)
{
    sqlite3_stmt *row = NULL;
    bool understood = true;
    int code;

    if (!remove_what_is_over(store) ||
        sqlite3_prepare_v2(store->db,
                           "SELECT key, type, value, expires FROM entries"
                           " WHERE ?1 = 0 OR writer <> ?2",
                           -1, &row, NULL) != SQLITE_OK) {
        say_why(store, message, size);
        return false;
    }
    sqlite3_bind_int(row, 1, of_others);
    sqlite3_bind_int64(row, 2, store->writer);
    while ((code = sqlite3_step(row)) == SQLITE_ROW && understood)
        understood = read_row(row, fn, arg);
    if (!understood)
        snprintf(message, size, "%s: it is damaged", store->path);
    else if (code != SQLITE_DONE)
        say_why(store, message, size);
    sqlite3_finalize(row);
    return understood && code == SQLITE_DONE;
}

/* --- writing --- */

static bool step(struct tg_store *store, enum statement which)
{
    sqlite3_stmt *statement = store->statements[which];
    bool done = sqlite3_step(statement) == SQLITE_DONE;

    return sqlite3_reset(statement) == SQLITE_OK && done;
}

bool tg_store_begin(struct tg_store *store, bool afresh)
{
    return step(store, BEGIN) && (!afresh || step(store, CLEAR));
}

bool tg_store_put(struct tg_store *store, const struct tg_store_record *record)
{
    sqlite3_stmt *put = store->statements[PUT];
    int64_t integer;
    double real;

    sqlite3_bind_blob64(put, 1, record->key_len ? record->key : "",
                        record->key_len, SQLITE_STATIC);
    sqlite3_bind_int(put, 2, record->type);
    if (record->type == TG_DICT_INTEGER) {
        memcpy(&integer, record->data, sizeof(integer));
        sqlite3_bind_int64(put, 3, integer);
    } else if (record->type == TG_DICT_FLOAT) {
        memcpy(&real, record->data, sizeof(real));
        sqlite3_bind_double(put, 3, real);
    } else {
        sqlite3_bind_blob64(put, 3, record->len ? record->data : "",
                            record->len, SQLITE_STATIC);
    }
    sqlite3_bind_double(put, 4, record->expires);
    sqlite3_bind_int64(put, 5, store->writer);
    return step(store, PUT);
}

bool tg_store_remove(struct tg_store *store, const char *key, size_t len)
{
    sqlite3_bind_blob64(store->statements[REMOVE], 1, len ? key : "", len,
                        SQLITE_STATIC);
    return step(store, REMOVE);
}

bool tg_store_has(struct tg_store *store, const char *key, size_t len)
{
    sqlite3_stmt *has = store->statements[HAS];
    int code;

    sqlite3_bind_blob64(has, 1, len ? key : "", len, SQLITE_STATIC);
    code = sqlite3_step(has);
    sqlite3_reset(has);
    return code != SQLITE_DONE;
}

bool tg_store_commit(struct tg_store *store)
{
    return step(store, COMMIT);
}

void tg_store_roll_back(struct tg_store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        run(store, "ROLLBACK");
}

const char *tg_store_error(struct tg_store *store)
{
    return sqlite3_errmsg(store->db);
}
