// SPDX-License-Identifier: MIT
/* The main of a fuzz target without libFuzzer: feeds it the files it is given,
 * and those in the folders it is given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    long size;

    if (!file || fseek(file, 0, SEEK_END) < 0 || (size = ftell(file)) < 0) {
        perror(path);
        return -1;
    }
    rewind(file);
    data = malloc(size ? (size_t)size : 1); /* exact, so that ASan sees more */
    if (data && fread(data, 1, (size_t)size, file) == (size_t)size)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    fclose(file);
    return 1;
}

static int replay_folder(DIR *folder, const char *path)
{
    struct dirent *entry;
    char inner[4096];
    int count = 0;

    while ((entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
        if (replay_file(inner) < 0)
            return -1;
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    int i, total = 0;

    for (i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        int count =
            folder ? replay_folder(folder, argv[i]) : replay_file(argv[i]);

        if (folder)
            closedir(folder);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total == 0;
}
