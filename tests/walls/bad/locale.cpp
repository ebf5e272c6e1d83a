// setlocale
#include <clocale>
bool f() { return setlocale(LC_ALL, "") != nullptr; }
