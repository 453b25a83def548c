#ifndef SUM_H
#define SUM_H
long sum(int count, char **words);
#endif
