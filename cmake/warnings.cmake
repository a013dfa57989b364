# Warnings are errors, on gcc and clang alike.

add_library(tidegate_warnings INTERFACE)
target_compile_options(tidegate_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wundef -Wwrite-strings -Wmissing-prototypes
  -Wstrict-prototypes -Wold-style-definition -Wredundant-decls
  -Wpointer-arith -Werror)
