#include "os/text/witness_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace statefs {
namespace {

using ::testing::HasSubstr;

WitnessLine sample(const std::string& server, std::uint8_t store = 7) {
  WitnessLine line;
  line.server = server;
  line.seen.store.fill(store);
  line.seen.epoch = 3;
  line.seen.head.index = 18'446'744'073'709'551'615u;
  line.seen.head.hash.fill(0xab);
  return line;
}

TEST(WitnessText, IsReadAsItWasWritten) {
  const std::vector<WitnessLine> lines = {sample(std::string(64, 'a')), sample("local:/run/a door", 8)};
  const auto parsed = parse_witness(witness_text(lines));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value(), lines);
  EXPECT_EQ(parse_witness("").value().size(), 0u);
  EXPECT_EQ(parse_witness("# a comment\n\n").value().size(), 0u);
}

// A head that is not understood would be forgotten, and with it what it shows.
TEST(WitnessText, RefusesEveryLineThatIsNotOne) {
  const std::string good = witness_text({sample(std::string(64, 'a'))});
  const std::string line = good.substr(good.find('\n') + 1);
  EXPECT_TRUE(parse_witness(line).ok());
  for (std::size_t at = 0; at + 1 < line.size(); ++at) {
    EXPECT_FALSE(parse_witness(line.substr(0, at) + "\n").ok() && at > 0) << "cut at " << at;
    std::string changed = line;
    changed[at] = '!';
    EXPECT_FALSE(parse_witness(changed).ok()) << "changed at " << at;
  }
  const auto twice = parse_witness(line + line);
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().place.line, 2u);
  EXPECT_THAT(twice.error().reason, HasSubstr("stands above"));
  EXPECT_FALSE(parse_witness(line.substr(0, line.size() - 1) + "0\n").ok()) << "65 digits";
  std::string none = line;
  none.replace(none.find(" 3 "), 3, " 0 ");
  EXPECT_FALSE(parse_witness(none).ok()) << "epoch 0 is none";
}

}  // namespace
}  // namespace statefs
