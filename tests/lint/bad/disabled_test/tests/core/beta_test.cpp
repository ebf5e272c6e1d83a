#include "core/beta.h"
TEST(BetaParse, DISABLED_RefusesNothing) {}
