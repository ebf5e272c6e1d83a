// RAND_bytes
#include <openssl/rand.h>
int f(unsigned char* p) { return RAND_bytes(p, 32); }
