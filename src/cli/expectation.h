// SPDX-License-Identifier: MIT
/* What a flag's value must be, in the words that tidegate.settings has for the
 * keys of tidegate.lua. */
#ifndef TG_CLI_EXPECTATION_H
#define TG_CLI_EXPECTATION_H

struct tg_setting;

/* As "must be ..." has it: "an integer from 1 to 1024". */
const char *tg_expectation_of(const struct tg_setting *setting);

#endif
