#include "core/alpha.h"
#include "core/beta.h"
