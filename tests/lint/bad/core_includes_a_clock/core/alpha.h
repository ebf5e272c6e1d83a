// ALPHA: the first noun.
#pragma once
#include <chrono>
