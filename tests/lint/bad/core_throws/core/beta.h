// BETA: the second noun.
#pragma once
#include "core/alpha.h"
inline void f() { throw 1; }
