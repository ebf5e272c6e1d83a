// std::basic_ifstream
#include <fstream>
bool f() { std::ifstream file("/dev/null"); return file.good(); }
