#include "core/check.h"

#include <csignal>

#include <gtest/gtest.h>

namespace statefs {
namespace {

TEST(Check, PassesWhereTheConditionHolds) {
  int evaluated = 0;
  STATEFS_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

TEST(CheckDeathTest, NamesExpressionFileAndLineAndAborts) {
  const int two = 2;
  EXPECT_EXIT(STATEFS_CHECK(two == 3), testing::KilledBySignal(SIGABRT),
              "statefs: check failed: two == 3 at .*check_test.cpp:[0-9]+");
}

}  // namespace
}  // namespace statefs
