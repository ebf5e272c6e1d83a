#include "core/beta.h"

TEST(BetaParse, RefusesNothingAtAll) {}
TEST(BetaParseOfAnUnusuallyLongNameThatTakesTwoLines,
     KeepsItsNameOnTwoLines) {}
