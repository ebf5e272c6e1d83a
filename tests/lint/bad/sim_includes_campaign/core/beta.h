// BETA: the second noun.
#pragma once
#include "core/alpha.h"
