#include "core/entries.h"

#include <gtest/gtest.h>

#include <string>

namespace statefs {
namespace {

Owner owner(std::uint8_t seed) {
  Owner out{PeerKind::remote, {}, 0};
  out.key.bytes.fill(seed);
  return out;
}
Effect effect_of(Effect::Kind kind, std::string_view key, std::string_view value = {}) {
  Effect effect;
  effect.kind = kind;
  effect.key = CanonicalKey::from(as_bytes(key)).value();
  effect.value = as_bytes(value);
  return effect;
}
void apply(Entries& entries, const Effect& effect, const Owner& writer, std::uint64_t revision) {
  entries.apply(entries.place(effect.key->text()), effect, writer, revision);
}

TEST(Entries, KeepTheLastValueOfEachKeyWithItsRevisionAndWriter) {
  Entries entries;
  apply(entries, effect_of(Effect::Kind::put, "/a", "one"), owner(1), 5);
  apply(entries, effect_of(Effect::Kind::put, "/a", "three"), owner(2), 6);
  ASSERT_TRUE(entries.find("/a").has_value());
  EXPECT_EQ(as_text(entries.find("/a")->value), "three");
  EXPECT_EQ(entries.find("/a")->revision, 6u);
  EXPECT_EQ(entries.find("/a")->owner, owner(2));
  EXPECT_EQ(entries.place("/a").revision(), 6u);
  EXPECT_EQ(entries.place("/b").revision(), 0u);
  apply(entries, effect_of(Effect::Kind::erase, "/a"), owner(2), 7);
  apply(entries, effect_of(Effect::Kind::erase, "/a"), owner(2), 8);
  EXPECT_FALSE(entries.find("/a").has_value());
}

TEST(Entries, ChargeTheLastWriterAndNoOther) {
  Entries entries;
  apply(entries, effect_of(Effect::Kind::put, "/a", "12345"), owner(1), 1);
  apply(entries, effect_of(Effect::Kind::put, "/b", "123"), owner(1), 2);
  EXPECT_EQ(entries.usage_of(owner(1)).keys, 2u);
  EXPECT_EQ(entries.usage_of(owner(1)).value_bytes, 8u);
  apply(entries, effect_of(Effect::Kind::put, "/a", "1"), owner(2), 3);
  EXPECT_EQ(entries.usage_of(owner(1)).value_bytes, 3u);
  EXPECT_EQ(entries.usage_of(owner(2)).value_bytes, 1u);
  entries.erase("/a");
  EXPECT_EQ(entries.usage_of(owner(2)).keys, 0u);
  EXPECT_EQ(entries.value_bytes(), 3u);
  EXPECT_EQ(entries.footprint(), Entries::entry_overhead + 2 + 3);
}

TEST(Entries, AreWalkedInOrderOfBytes) {
  Entries entries;
  for (const char* key : {"/b", "/a", "/a/b", "/a.b"}) apply(entries, effect_of(Effect::Kind::put, key, "x"), owner(1), 1);
  std::string seen;
  std::string at;
  while (const auto entry = entries.next(at, false)) {
    at = std::string(entry->key);
    seen += at + " ";
  }
  EXPECT_EQ(seen, "/a /a.b /a/b /b ");
  EXPECT_EQ(entries.next("/a", true)->key, "/a");
}

TEST(Entries, RefuseAtEachLimitAndTakeWhatIsJustWithin) {
  Entries entries;
  Marks marks;
  apply(entries, effect_of(Effect::Kind::put, "/a", "12345"), owner(1), 1);
  const auto fits = [&](std::string_view key, std::size_t size, const EntryLimits& limits) {
    return entries.fits(entries.place(key), key, size, limits, marks);
  };
  const std::uint64_t any = ~std::uint64_t{0};
  EXPECT_TRUE(fits("/b", 5, {10, 2}));
  EXPECT_FALSE(fits("/b", 6, {10, 2}));
  EXPECT_FALSE(fits("/b", 0, {10, 1}));
  EXPECT_TRUE(fits("/a", 10, {10, 1})) << "what a replacement frees counts";
  EXPECT_FALSE(fits("/a", 11, {10, 1}));
  const std::uint64_t two = entries.footprint() + Entries::entry_overhead + 2 + 3;
  EXPECT_TRUE(fits("/b", 3, {any, 9, two}));
  EXPECT_FALSE(fits("/b", 4, {any, 9, two}));
  EXPECT_EQ(marks.count(mark_named("store.keys_full")), 1u);
  EXPECT_EQ(marks.count(mark_named("store.values_full")), 3u);
}

TEST(Quotas, AllowNoMoreBytesInAllThanTheirValuesAndUsualKeysTake) {
  constexpr std::size_t mean = 10;
  constexpr std::uint64_t cost = Entries::entry_overhead + mean;
  const Quota quota{70, 4};
  for (std::uint64_t keys = 0; keys <= 5; ++keys) {
    for (std::uint64_t bytes = 0; bytes <= 72; ++bytes) {
      for (std::uint64_t key_bytes = keys; key_bytes <= keys * 255; ++key_bytes) {
        const bool fits = keys * Entries::entry_overhead + key_bytes + bytes <= quota.keys * cost + quota.value_bytes;
        const bool wanted = keys <= quota.keys && bytes <= quota.value_bytes && (key_bytes <= keys * mean || fits);
        ASSERT_EQ(is_within({keys, bytes, key_bytes}, quota, mean), wanted) << keys << " " << bytes << " " << key_bytes;
        ASSERT_EQ(is_within({keys, bytes, key_bytes}, quota, limits::key_size_max), keys <= quota.keys && bytes <= quota.value_bytes);
      }
    }
  }
  constexpr std::uint64_t any = std::numeric_limits<std::uint64_t>::max();
  EXPECT_TRUE(is_within({1, 1, 255}, {any, any}, mean));
  EXPECT_FALSE(is_within({1, 1, 255}, {1, 1}, mean));
}

TEST(Entries, ChargeTheKeysOfAWriterUntilTheyAreGoneOrAnothers) {
  Entries entries;
  const Owner a{PeerKind::local, {}, 1};
  const Owner b{PeerKind::local, {}, 2};
  entries.restore("/abc", Bytes(5), a, 1);
  entries.restore("/d", Bytes(6), a, 2);
  EXPECT_EQ(entries.usage_of(a).key_bytes, 6u);
  entries.restore("/abc", Bytes(7), b, 3);
  EXPECT_EQ(entries.usage_of(a).key_bytes, 2u);
  EXPECT_EQ(entries.usage_of(b).key_bytes, 4u);
  entries.erase("/d");
  EXPECT_EQ(entries.usage_of(a).key_bytes, 0u);
}

}  // namespace
}  // namespace statefs
