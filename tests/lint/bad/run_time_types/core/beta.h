// BETA: the second noun.
#pragma once
#include "core/alpha.h"
inline bool f(A* a) { return dynamic_cast<B*>(a) != nullptr; }
