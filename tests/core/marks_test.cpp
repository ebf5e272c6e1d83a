#include "core/marks.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "tests/core/device.h"

namespace statefs {
namespace {

// The names that some STATEFS_MARK of core uses, read from its sources.
std::set<std::string> names_used() {
  std::set<std::string> used;
  for (const auto& file : std::filesystem::directory_iterator("core")) {
    if (file.path().filename() == "marks.h") continue;
    std::ifstream in(file.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = text.find("STATEFS_MARK"); at != std::string::npos; at = text.find("STATEFS_MARK", at + 1)) {
      const std::size_t from = text.find('"', at) + 1;
      used.insert(text.substr(from, text.find('"', from) - from));
    }
  }
  return used;
}

TEST(Marks, HaveNamesOfAreaAndWhatAndNoNameTwice) {
  std::set<std::string_view> names;
  for (const MarkName& mark : mark_table) {
    EXPECT_TRUE(names.insert(mark.name).second) << mark.name;
    const std::size_t dot = mark.name.find('.');
    EXPECT_TRUE(dot != std::string_view::npos && dot > 0 && dot + 1 < mark.name.size()) << mark.name;
    EXPECT_EQ(mark.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_."), std::string_view::npos) << mark.name;
    EXPECT_GE(mark.meaning.size(), 10u) << mark.name;
  }
}

TEST(Marks, SayWhyTheyAreRare) {
  for (const MarkName& mark : mark_table) {
    if (mark.rare) {
      EXPECT_NE(mark.meaning.find(": "), std::string_view::npos) << mark.name;
    }
  }
}

TEST(Marks, StandEachSomewhereInCore) {
  const std::set<std::string> used = names_used();
  for (const MarkName& mark : mark_table) EXPECT_TRUE(used.contains(std::string(mark.name))) << mark.name << " marks nothing";
  EXPECT_EQ(used.size(), mark_count);
}

TEST(Marks, AreFoundByNameWhenCompiled) {
  static_assert(mark_named("slots.replay") < mark_count);
  static_assert(mark_table[mark_named("slots.replay")].name == "slots.replay");
  static_assert(mark_named("slots.no_such_mark") == mark_count);
}

TEST(Marks, AddUp) {
  Marks some;
  Marks others;
  STATEFS_MARK_IN(some, "slots.replay");
  STATEFS_MARK_IN(others, "slots.replay");
  STATEFS_MARK_IN(others, "slots.gap");
  some.add(others);
  EXPECT_EQ(some.count(mark_named("slots.replay")), 2u);
  EXPECT_EQ(some.count(mark_named("slots.gap")), 1u);
  EXPECT_EQ(some.count(mark_named("slots.fenced")), 0u);
}

TEST(Marks, OfAMachineGoIntoTheTableThatItWasGiven) {
  Marks marks;
  test::DeviceOptions options;
  options.limits.marks = &marks;
  test::Device device(options);
  auto link = device.connect();
  const std::string key = "/state/other";
  (void)device.call(link, GetRequest{{}, 0, 1, as_bytes(key)});
  EXPECT_EQ(marks.count(mark_named("read.denied")), 1u);
  EXPECT_EQ(marks.count(mark_named("tally.refusals")), 1u);
}

}  // namespace
}  // namespace statefs
