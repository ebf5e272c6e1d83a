// open
#include <fcntl.h>
int f() { return open("/dev/null", O_RDONLY); }
