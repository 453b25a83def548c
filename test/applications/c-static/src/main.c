#include "sum.h"
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: sum NUMBER...\n");
        return 64;
    }
    printf("%ld as %d\n", sum(argc - 1, argv + 1), (int)getuid());
    return 0;
}
