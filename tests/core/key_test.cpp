#include "core/key.h"

#include <string>
#include <vector>

#include "core/limits.h"
#include "fuzz/naive_key_policy.h"

namespace statefs {
namespace {

enum class Answer { ok, invalid, too_long };

Answer answer_of(std::string_view text) {
  const Result<CanonicalKey, KeyError> key = CanonicalKey::from(as_bytes(text));
  if (key.ok()) return Answer::ok;
  return key.error() == KeyError::too_long ? Answer::too_long : Answer::invalid;
}

Answer prefix_answer_of(std::string_view text) {
  const Result<CanonicalPrefix, KeyError> prefix = CanonicalPrefix::from(as_bytes(text));
  if (prefix.ok()) return Answer::ok;
  return prefix.error() == KeyError::too_long ? Answer::too_long : Answer::invalid;
}

Answer naive_answer_of(std::string_view text, bool is_prefix) {
  switch (naive::judge(text, is_prefix)) {
    case naive::KeyVerdict::well_formed: return Answer::ok;
    case naive::KeyVerdict::invalid: return Answer::invalid;
    case naive::KeyVerdict::too_long: return Answer::too_long;
  }
  return Answer::invalid;
}

// Counts disagreements instead of expecting once per text: the universes below have millions.
struct Comparison {
  std::size_t texts = 0;
  std::size_t accepted = 0;
  std::size_t disagreements = 0;
  std::string first_disagreement;

  void add_key(std::string_view text) {
    ++texts;
    const Answer answer = answer_of(text);
    if (answer == Answer::ok) ++accepted;
    note(answer == naive_answer_of(text, false), text);
  }
  void add(std::string_view text) {
    add_key(text);
    note(prefix_answer_of(text) == naive_answer_of(text, true), text);
  }
  void note(bool agrees, std::string_view text) {
    if (!agrees && disagreements++ == 0) first_disagreement = testing::PrintToString(std::string(text));
  }
  void expect_agreement() const {
    EXPECT_EQ(disagreements, 0u) << "first: " << first_disagreement;
    EXPECT_GT(accepted, 0u);
    EXPECT_LT(accepted, texts);
  }
};

TEST(Key, KeepsTheBytesItWasMadeFrom) {
  const std::string text = "/state/shared/a";
  const Result<CanonicalKey, KeyError> key = CanonicalKey::from(as_bytes(text));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key.value().text().data(), text.data());
  EXPECT_EQ(key.value().text(), text);
}

TEST(Key, CountsBytesBeforeLookingAtThem) {
  EXPECT_EQ(answer_of(""), Answer::invalid);
  EXPECT_EQ(answer_of("/" + std::string(253, 'a')), Answer::ok);
  EXPECT_EQ(answer_of("/" + std::string(254, 'a')), Answer::ok);
  EXPECT_EQ(answer_of("/" + std::string(255, 'a')), Answer::too_long);
  EXPECT_EQ(answer_of(std::string(256, '\xff')), Answer::too_long) << "length comes before UTF-8";
  EXPECT_EQ(answer_of(std::string(255, '\xff')), Answer::invalid);
  EXPECT_EQ(answer_of(std::string(70'000, 'a')), Answer::too_long);
}

TEST(Key, CutsNoCharacterAtTheEnd) {
  for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    const std::string full = "/" + std::string(limits::key_size_max - 1 - character.size(), 'a') + character;
    ASSERT_EQ(full.size(), limits::key_size_max);
    EXPECT_EQ(answer_of(full), Answer::ok);
    EXPECT_EQ(answer_of(full.substr(0, full.size() - 1)), Answer::invalid);
    EXPECT_EQ(answer_of("/a" + full.substr(1)), Answer::too_long);
  }
}

TEST(Key, AndPrefixDifferOnlyInTheLastByte) {
  EXPECT_EQ(answer_of("/"), Answer::invalid);
  EXPECT_EQ(prefix_answer_of("/"), Answer::ok);
  EXPECT_EQ(answer_of("/a/"), Answer::invalid);
  EXPECT_EQ(prefix_answer_of("/a/"), Answer::ok);
  EXPECT_EQ(answer_of("/a"), Answer::ok);
  EXPECT_EQ(prefix_answer_of("/a"), Answer::invalid);
  EXPECT_EQ(prefix_answer_of(""), Answer::invalid);
  EXPECT_EQ(prefix_answer_of("//"), Answer::invalid);
  EXPECT_EQ(prefix_answer_of("/" + std::string(253, 'a') + "/"), Answer::ok);
  EXPECT_EQ(prefix_answer_of("/" + std::string(254, 'a') + "/"), Answer::too_long);
}

void add_every_text(const std::string& alphabet, std::size_t size_max, Comparison& comparison) {
  std::string text;
  const auto visit = [&](const auto& self) -> void {
    comparison.add(text);
    if (text.size() == size_max) return;
    for (const char c : alphabet) {
      text += c;
      self(self);
      text.pop_back();
    }
  };
  visit(visit);
}

TEST(Key, AgreesWithANaiveCheckerOnEveryShortKey) {
  Comparison comparison;
  add_every_text("/.a\\\x1f\x7f\x80\xc3\xff", 5, comparison);  // what the rules name, and one byte of each UTF-8 kind
  add_every_text("/.a\xc3\xa9", 7, comparison);
  EXPECT_EQ(comparison.texts, 66'430u + 97'656u);
  comparison.expect_agreement();
}

// Segments are judged 64 bytes at a time, eight at a time inside: the same patterns at every offset.
TEST(Key, AgreesWithANaiveCheckerOnDotsAndSlashesAtEveryOffset) {
  Comparison comparison;
  for (std::size_t offset = 0; offset <= 66; ++offset) {
    if (offset == 12) offset = 50;
    for (unsigned pattern = 0; pattern < 3 * 3 * 3 * 3; ++pattern) {
      std::string text = "/" + std::string(offset, 'a');
      for (unsigned rest = pattern, i = 0; i < 4; ++i, rest /= 3) text += "/.a"[rest % 3];
      comparison.add(text);
      comparison.add(text + "a");
      comparison.add(text + std::string(70, 'b'));
    }
  }
  comparison.expect_agreement();
}

TEST(Key, RefusesExactlyTheBannedCodePoints) {
  std::size_t refused = 0;
  for (std::uint32_t point = 0; point < 0x11'0000; ++point) {
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    const bool is_refused = is_surrogate || naive::is_forbidden(point) || point == '/' || point == '.';
    if (is_refused) ++refused;
    ASSERT_EQ(answer_of("/" + naive::encode(point)), is_refused ? Answer::invalid : Answer::ok) << point;
  }
  EXPECT_EQ(refused, 32u + 33u + 17u - 1u + 2'048u + 2u);  // C0, DEL and C1, the singles (DEL is one), surrogates, `/.`
}

TEST(Key, FindsABannedCodePointWhereverItStands) {
  Comparison comparison;
  for (std::uint32_t point = 0; point < 0xff00; ++point) {
    const bool is_near = naive::is_forbidden(point) || naive::is_forbidden(point - 1) || naive::is_forbidden(point + 1);
    for (std::size_t offset = 1; is_near && offset < 18; ++offset) {
      comparison.add("/" + std::string(offset, 'a') + naive::encode(point) + "a");
      comparison.add("/" + std::string(50 + offset, 'a') + naive::encode(point));
    }
  }
  EXPECT_GT(comparison.texts, 80u * 17u * 2u);
  comparison.expect_agreement();
}

TEST(Key, AgreesWithANaiveDecoderOnEverySequenceOfUpToThreeBytes) {
  Comparison comparison;
  for (unsigned a = 0; a < 256; ++a) {
    comparison.add_key(std::string{'/', static_cast<char>(a)});
    for (unsigned b = 0; b < 256; ++b) {
      comparison.add_key(std::string{'/', static_cast<char>(a), static_cast<char>(b)});
      if ((a & 0xf0) != 0xe0) continue;  // other leads end before the third byte, or after it
      for (unsigned c = 0; c < 256; ++c) {
        comparison.add_key(std::string{'/', static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
      }
    }
  }
  comparison.expect_agreement();
}

TEST(Key, AgreesWithANaiveDecoderAroundEveryEdgeOfFourBytes) {
  const std::vector<unsigned> edges{0x00, 0x2f, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x9f, 0xa0, 0xbe, 0xbf, 0xc0, 0xc2, 0xf0, 0xff};
  Comparison comparison;
  for (unsigned a = 0xed; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      if (b > 0x02 && b < 0x7e) continue;  // ASCII of no interest
      for (const unsigned c : edges) {
        for (const unsigned d : edges) {
          comparison.add_key(std::string{'/', static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)});
        }
      }
    }
  }
  comparison.expect_agreement();
}

}  // namespace
}  // namespace statefs
