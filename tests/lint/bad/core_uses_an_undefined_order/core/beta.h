// BETA: the second noun.
#pragma once
#include "core/alpha.h"
std::unordered_map<int, int> m;
