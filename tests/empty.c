// SPDX-License-Identifier: MIT
/* CMake wants a source for each library; these modules are all library. */
extern const int tg_empty;
const int tg_empty = 0;
