// WORLD: all of it.
#pragma once
#include <random>
