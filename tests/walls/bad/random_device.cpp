// std::random_device
#include <random>
unsigned f() { return std::random_device{}(); }
