# What Tidegate stands on.  Each missing or unfit piece ends in one sentence.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

pkg_check_modules(LIBEVENT IMPORTED_TARGET
  libevent_extra libevent_core libevent_pthreads)
if(NOT LIBEVENT_FOUND)
  message(FATAL_ERROR "Tidegate needs libevent 2.1.12 or newer "
    "(Debian: apt-get install libevent-dev); none was found.")
endif()
if(LIBEVENT_libevent_core_VERSION VERSION_LESS 2.1.12)
  message(FATAL_ERROR "Tidegate needs libevent 2.1.12 or newer; "
    "this is ${LIBEVENT_libevent_core_VERSION}.")
endif()

pkg_check_modules(OPENSSL IMPORTED_TARGET openssl)
if(NOT OPENSSL_FOUND OR OPENSSL_VERSION VERSION_LESS 3.0)
  message(FATAL_ERROR "Tidegate needs OpenSSL 3.0 or newer "
    "(Debian: apt-get install libssl-dev); none was found.")
endif()

pkg_check_modules(ZLIB IMPORTED_TARGET zlib)
if(NOT ZLIB_FOUND)
  message(FATAL_ERROR "Tidegate needs zlib "
    "(Debian: apt-get install zlib1g-dev); none was found.")
endif()

pkg_check_modules(SQLITE IMPORTED_TARGET sqlite3>=3.33)
if(NOT SQLITE_FOUND)
  message(FATAL_ERROR "Tidegate needs SQLite 3.33 or newer "
    "(Debian: apt-get install libsqlite3-dev); none was found.")
endif()

pkg_search_module(LUA IMPORTED_TARGET lua5.4 lua54 lua-5.4 lua)
if(NOT LUA_FOUND)
  message(FATAL_ERROR "Tidegate needs Lua 5.4 "
    "(Debian: apt-get install liblua5.4-dev); none was found.")
endif()
if(NOT LUA_VERSION MATCHES "^5\\.4")
  message(FATAL_ERROR "Tidegate needs Lua 5.4; this is ${LUA_VERSION}.")
endif()

# Content codings beside gzip, for who has the libraries.
pkg_check_modules(BROTLI IMPORTED_TARGET libbrotlienc libbrotlidec)
pkg_check_modules(ZSTD IMPORTED_TARGET libzstd>=1.4.0)
