#include "core/beta.h"
TEST(BetaParse, parse_works) {}
