// fprintf
#include <cstdio>
void f(int i) { std::fprintf(stderr, "%d", i); }
