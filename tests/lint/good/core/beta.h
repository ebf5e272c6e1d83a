// BETA: the second noun.
#pragma once
#include "core/alpha.h"
#include <vector>

// Does not throw, knows no dynamic_cast, and is no BetaManager: words in comments are free.
inline const char* beta() { return "throw typeid unordered_map"; }  // nor here: try, catch
/* nor in
   here: throw */
enum class Verdict { allowed, denied };
struct Beta { int alpha; };
