// A verdict allocates nothing. The counter replaces the allocator of this whole test program.
#include <cstdlib>
#include <new>
#include <string>

#include "core/policy.h"

namespace {
std::size_t allocation_count = 0;
}

// Not inlined: a compiler that sees one of a pair alone takes free() for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocation_count;
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  std::abort();
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace statefs {
namespace {

TEST(Verdict, AllocatesNothing) {
  std::vector<Rule> rules;
  for (int i = 0; i < 64; ++i) rules.push_back({"/state/shared/app" + std::to_string(i) + "/", access_all, i % 2 == 1});
  const RuleSet set = RuleSet::compile(rules).value();
  const std::string allowed = "/state/shared/app2/\xc3\xa9";
  const std::string denied = "/state/shared/app3/a";
  const std::string invalid = "/state/shared/../a";
  const std::string long_key = "/" + std::string(300, 'a');

  const std::size_t before = allocation_count;
  const Result<CanonicalKey, KeyError> good = CanonicalKey::from(as_bytes(allowed));
  const Result<CanonicalKey, KeyError> bad = CanonicalKey::from(as_bytes(denied));
  const bool refused = !CanonicalKey::from(as_bytes(invalid)).ok() && !CanonicalPrefix::from(as_bytes(long_key)).ok();
  const Verdict yes = set.check(good.value(), Access::put);
  const Verdict no = set.check(bad.value(), Access::put);
  const std::string_view subtree = set.denied_subtree_of(bad.value(), Access::list);
  const std::size_t after = allocation_count;

  EXPECT_EQ(after, before);
  EXPECT_TRUE(refused);
  EXPECT_EQ(yes, (Verdict{true, 3}));
  EXPECT_EQ(no, (Verdict{false, 4}));
  EXPECT_EQ(subtree, "/state/shared/app3/");
  const std::string counted(300, 'a');
  EXPECT_GT(allocation_count, after) << "the counter counts";
}

}  // namespace
}  // namespace statefs
