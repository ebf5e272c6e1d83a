// std::thread
#include <thread>
void f() { std::thread([] {}).join(); }
