#include "core/listing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace statefs {
namespace {

bool passes(const std::vector<std::string>& keys, bool has_more = false, std::string_view cursor = "") {
  ListResponse page;
  for (const std::string& key : keys) page.entries.push_back({1, 1, as_bytes(key)});
  page.has_more = has_more;
  return is_page(page, "/state/shared/", cursor);
}

TEST(Listing, TakesAPageInOrder) {
  EXPECT_TRUE(passes({}));
  EXPECT_TRUE(passes({"/state/shared/a", "/state/shared/b/c"}, true));
  EXPECT_TRUE(passes({"/state/shared/b"}, false, "/state/shared/a"));
}

TEST(Listing, RefusesWhatWouldListForEver) {
  EXPECT_FALSE(passes({}, true)) << "more, and nothing to go on from";
  EXPECT_FALSE(passes({"/state/shared/b", "/state/shared/b"}));
  EXPECT_FALSE(passes({"/state/shared/b", "/state/shared/a"}));
  EXPECT_FALSE(passes({"/state/shared/a"}, true, "/state/shared/a")) << "not behind the cursor";
}

TEST(Listing, RefusesKeysThatAreNotAskedForOrNone) {
  EXPECT_FALSE(passes({"/state/boot/a"}));
  EXPECT_FALSE(passes({"/state/shared/a\x1b[2J"})) << "an escape sequence for a terminal";
  EXPECT_FALSE(passes({"/state/shared/a\nstatefs: forged"}));
}

}  // namespace
}  // namespace statefs
