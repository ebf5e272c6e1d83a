#include "sim/faults.h"

#include <gtest/gtest.h>

#include <set>

namespace statefs::sim {
namespace {

// Makes a field differ from what it was.
void raise(Duration& field) { field.ns += 1; }
void raise(Ratio& field) { field = {field.part + 1, field.whole + 6}; }
template <typename Number>
void raise(Number& field) { field += 1; }

TEST(Faults, NamesEveryFieldOnceAndPrintsItByThatName) {
  std::set<std::string> names;
  Faults faults;
  for_each_field(faults, [&names](std::string_view name, auto&) { EXPECT_TRUE(names.emplace(name).second) << name; });
  const std::string printed = " " + describe(faults);
  for (const std::string& name : names) EXPECT_NE(printed.find(" " + name + "="), std::string::npos) << name;
}

// A field that for_each_field() forgot is one that a scenario file loses.
TEST(Faults, VisitsEveryNumberThereIs) {
  Faults faults;
  std::size_t visited_size = 0;
  for_each_field(faults, [&visited_size](std::string_view, auto& field) {
    raise(field);
    visited_size += sizeof field;
  });
  EXPECT_EQ(visited_size, sizeof(Faults)) << "a field is missing in for_each_field(), or the fields leave a gap between them";
}

TEST(Faults, PrintsADifferenceInAnyField) {
  std::size_t count = 0;
  const Faults calm;
  Faults faults;
  for_each_field(faults, [&](std::string_view name, auto& field) {
    const auto before = field;
    raise(field);
    EXPECT_NE(describe(faults), describe(calm)) << name;
    field = before;
    ++count;
  });
  EXPECT_EQ(describe(faults), describe(calm));
  EXPECT_GE(count, 26u);
}

TEST(FaultCounts, HasANameOfItsOwnForEveryKind) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_kind_count; ++i) EXPECT_TRUE(names.insert(name_of(static_cast<FaultKind>(i))).second) << i;
  EXPECT_EQ(name_of(FaultKind::jitter), "jitter");
  EXPECT_EQ(name_of(FaultKind::eviction), "eviction");
  EXPECT_EQ(name_of(FaultKind::splice), "splice");
}

TEST(FaultCounts, AddsUpOverWorlds) {
  FaultCounts one, all;
  one.add(FaultKind::cut, 2);
  all.add(FaultKind::cut);
  all.add(one);
  EXPECT_EQ(all[FaultKind::cut], 3u);
  EXPECT_EQ(all[FaultKind::jitter], 0u);
}

}  // namespace
}  // namespace statefs::sim
