// SPDX-License-Identifier: MIT
/*
 * tidegate.core.files -- what tidegate.static asks of the disk.
 *
 *     files.is_folder(path)        true, or nil, message, code
 *     files.list(root, path)       what is in the folder `path` beneath `root`:
 *                                  { name, kind = "file" or "folder", size,
 *                                  modified }, and is there more?
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "bind/bind.h"

enum { LIST_MOST = 10000 };

static const char folder_class[] = "tidegate.core.folder";

/* A folder that is being read; closed however that ends. */
struct folder {
    DIR *entries;
};

static int folder_close(lua_State *L)
{
    struct folder *folder = lua_touserdata(L, 1);

    if (folder->entries)
        closedir(folder->entries);
    folder->entries = NULL;
    return 0;
}

static struct folder *push_folder(lua_State *L)
{
    struct folder *folder = lua_newuserdatauv(L, sizeof(*folder), 0);

    folder->entries = NULL;
    tg_bind_set_class(L, folder_class);
    lua_toclose(L, -1);
    return folder;
}

static int files_is_folder(lua_State *L)
{
    const char *path = tg_bind_path(L, 1);
    int fd = tg_file_open_folder(path, "");

    if (fd < 0)
        return tg_bind_errno(L, path, fd);
    close(fd);
    lua_pushboolean(L, 1);
    return 1;
}

/* What a symbolic link leads to, if that lies beneath the root. */
static bool follow(lua_State *L, const char *root, const char *path,
                   const char *name, struct stat *status)
{
    const char *link = *path ? lua_pushfstring(L, "%s/%s", path, name)
                             : lua_pushstring(L, name);
    int fd = tg_file_open(root, link, status);

    if (fd >= 0)
        close(fd);
    lua_pop(L, 1);
    return fd >= 0 || fd == -EISDIR;
}

static void push_entry(lua_State *L, const char *name,
                       const struct stat *status)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, S_ISDIR(status->st_mode) ? "folder" : "file");
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, status->st_size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, status->st_mtim.tv_sec);
    lua_setfield(L, -2, "modified");
}

/* The next file or folder in it; NULL at the end. */
static const char *next_entry(lua_State *L, DIR *entries, const char *root,
                              const char *path, struct stat *status)
{
    struct dirent *entry;

    while ((entry = readdir(entries))) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            fstatat(dirfd(entries), name, status, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (S_ISLNK(status->st_mode) && !follow(L, root, path, name, status))
            continue;
        if (S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))
            return name;
    }
    return NULL;
}

static int files_list(lua_State *L)
{
    const char *root = tg_bind_path(L, 1), *path = luaL_checkstring(L, 2);
    struct folder *folder = push_folder(L);
    int fd = tg_file_open_folder(root, path), count = 0;
    struct stat status;
    const char *name;

    if (fd < 0)
        return tg_bind_errno(L, path, fd);
    folder->entries = fdopendir(fd);
    if (!folder->entries) {
        close(fd);
        return tg_bind_errno(L, path, -ENOMEM);
    }
    lua_newtable(L);
    while ((name = next_entry(L, folder->entries, root, path, &status)) &&
           count < LIST_MOST) {
        push_entry(L, name, &status);
        lua_rawseti(L, -2, ++count);
    }
    lua_pushboolean(L, name != NULL);
    return 2;
}

static const luaL_Reg functions[] = {
    {"is_folder", files_is_folder},
    {"list", files_list},
    {NULL, NULL},
};

int luaopen_tidegate_core_files(lua_State *L);

int luaopen_tidegate_core_files(lua_State *L)
{
    static const luaL_Reg none[] = {{NULL, NULL}};
    static const luaL_Reg closing[] = {
        {"__gc", folder_close}, {"__close", folder_close}, {NULL, NULL}};

    tg_bind_class(L, folder_class, none, closing);
    luaL_newlib(L, functions);
    return 1;
}
