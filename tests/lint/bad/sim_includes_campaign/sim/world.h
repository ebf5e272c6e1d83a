// WORLD: all of it.
#pragma once
#include "sim/campaign/child.h"
