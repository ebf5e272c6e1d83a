// CHILD: all of it.
#pragma once
#include <thread>
