// ALPHA: the first noun.
#pragma once
#include "core/beta.h"
