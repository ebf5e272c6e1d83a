// socket
#include <sys/socket.h>
int f() { return socket(AF_INET, SOCK_STREAM, 0); }
