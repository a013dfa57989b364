# Writes OUTPUT: one array of bytes for each of SOURCES, then their table.

list(LENGTH SOURCES count)
set(text "#include \"script/module.h\"\n")
string(APPEND text "static struct tg_compiled compiled[${count}];\n")
set(rows "")
set(index 0)
foreach(source IN LISTS SOURCES)
  file(READ ${ROOT}/${source} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND text "static const char file_${index}[] = {${bytes}0};\n")
  # lua/tidegate/x/init.lua is tidegate.x
  string(REGEX REPLACE "^lua/(.*)\\.lua$" "\\1" name ${source})
  string(REGEX REPLACE "/init$" "" name ${name})
  string(REPLACE "/" "." name ${name})
  string(APPEND rows
    "    {\"${name}\", \"${source}\", file_${index}, sizeof(file_${index}) - 1, &compiled[${index}]},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text
  "const struct tg_embedded tg_embedded_modules[] = {\n${rows}    {0, 0, 0, 0, 0},\n};\n")
file(WRITE ${OUTPUT} "${text}")
