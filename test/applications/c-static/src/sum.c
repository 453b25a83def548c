#include "sum.h"
#include <stdlib.h>

long sum(int count, char **words)
{
    long total = 0;
    for (int i = 0; i < count; i++)
        total += strtol(words[i], NULL, 10);
    return total;
}
