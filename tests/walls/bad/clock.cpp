// time
#include <ctime>
long f() { return std::time(nullptr); }
