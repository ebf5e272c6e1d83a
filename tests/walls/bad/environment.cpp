// getenv
#include <cstdlib>
bool f() { return std::getenv("HOME") != nullptr; }
