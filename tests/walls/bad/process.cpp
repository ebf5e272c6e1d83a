// fork
#include <unistd.h>
int f() { return fork(); }
