# Compiles Lua sources into the program as text, so that one file runs from
# anywhere.  tidegate_embed(OUT DIR) sets OUT to the C file that defines
# tg_embedded_modules (see src/script/module.h).

set(TIDEGATE_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake)

function(tidegate_embed out dir)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
    RELATIVE ${CMAKE_SOURCE_DIR} ${dir}/*.lua)
  list(SORT sources)
  set(target ${CMAKE_BINARY_DIR}/embedded.c)
  list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  add_custom_command(OUTPUT ${target}
    COMMAND ${CMAKE_COMMAND} "-DROOT=${CMAKE_SOURCE_DIR}"
      "-DSOURCES=${sources}" -DOUTPUT=${target} -P ${TIDEGATE_EMBED_SCRIPT}
    DEPENDS ${paths} ${TIDEGATE_EMBED_SCRIPT} VERBATIM)
  set(${out} ${target} PARENT_SCOPE)
endfunction()
