#include "core/beta.h"
TEST(BetaParse, Works) {}
