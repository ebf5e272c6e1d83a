#include "os/text/toml_tree.h"

#include <string>

namespace statefs {
namespace {

std::string refusal(const std::string& text) {
  const Result<TomlValue, TextError> tree = parse_toml(text);
  EXPECT_FALSE(tree.ok());
  return tree.ok() ? "" : line_of(tree.error(), "f");
}
std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(TomlTree, KnowsWhereEachValueStands) {
  const Result<TomlValue, TextError> tree = parse_toml("a = 1\n[b]\n  c = [ true, \"x\" ]\nd = 1.5\n");
  ASSERT_TRUE(tree.ok());
  const std::vector<TomlMember>& root = tree.value().members;
  ASSERT_EQ(root.size(), 2u);
  EXPECT_EQ(root[0].name, "a");
  EXPECT_EQ(root[0].place, (TextPlace{1, 1}));
  EXPECT_EQ(root[0].value.place, (TextPlace{1, 5}));
  EXPECT_EQ(root[0].value.integer, 1);
  const TomlMember& c = root[1].value.members.at(0);
  EXPECT_EQ(c.place, (TextPlace{3, 3}));
  EXPECT_TRUE(c.value.items.at(0).boolean);
  EXPECT_EQ(c.value.items.at(1).place, (TextPlace{3, 15}));
  EXPECT_EQ(c.value.items.at(1).text, "x");
  EXPECT_EQ(root[1].value.members.at(1).value.kind, TomlValue::Kind::other);
}

TEST(TomlTree, BoundsSizeAndLines) {
  EXPECT_TRUE(parse_toml(std::string(text_limits::toml_size_max, '\n')).ok());
  EXPECT_EQ(refusal(std::string(text_limits::toml_size_max + 1, '\n')), "f: the file is larger than 262144 bytes: shorten it");
  EXPECT_TRUE(parse_toml("#" + std::string(text_limits::toml_line_size_max - 1, 'a')).ok());
  EXPECT_EQ(refusal("\n#" + std::string(text_limits::toml_line_size_max, 'a')), "f:2: the line is longer than 4096 bytes: break it up");
}

TEST(TomlTree, BoundsDepthWhateverMakesIt) {
  EXPECT_TRUE(parse_toml("a = " + repeated("[", 8) + repeated("]", 8)).ok());
  EXPECT_EQ(refusal("a = " + repeated("[", 9) + repeated("]", 9)), "f:1:13: brackets nested too deeply: nothing here needs that");
  EXPECT_EQ(refusal("a = " + repeated("[\n", 100'000)), "f:9:1: brackets nested too deeply: nothing here needs that");
  EXPECT_EQ(refusal("a = " + repeated("{a=", 1'000)).substr(0, 5), "f:1:2");
  EXPECT_TRUE(parse_toml("a.a.a.a.a.a.a.a = 1").ok());
  EXPECT_EQ(refusal("a.a.a.a.a.a.a.a.a = 1"), "f:1:16: a name of too many parts: nothing here needs that");
  EXPECT_EQ(refusal("[" + repeated("a.", 2'000) + "a]"), "f:1:17: a name of too many parts: nothing here needs that");
  EXPECT_EQ(refusal(repeated("[[a.b]]\n", 9'000)), "f:8193:4: too many dotted names in one file: use inline tables");
}

// Brackets and dots inside strings are text; a string cannot hide what follows it.
TEST(TomlTree, TellsStringsFromStructure) {
  EXPECT_TRUE(parse_toml("a = \"" + repeated("[.", 500) + "\" # " + repeated("[", 100)).ok());
  EXPECT_TRUE(parse_toml("a = '" + repeated("[.\\", 500) + "'").ok());
  EXPECT_EQ(refusal("a = [ \"\\\"\", '\\', " + repeated("[", 100)).substr(0, 5), "f:1:2");
  EXPECT_EQ(refusal("a = \"\"\"x\"\"\""), "f:1:5: a string in three quotes: write it in one line, in one quote");
  EXPECT_EQ(refusal("a = '''x'''"), "f:1:5: a string in three quotes: write it in one line, in one quote");
  EXPECT_EQ(refusal("a = \"x\n").substr(0, 4), "f:1:");
}

TEST(TomlTree, RefusesControlsAndWhatIsNoUtf8) {
  EXPECT_EQ(refusal("# a\rb = 1"), "f:1:4: a control character: take it out");
  EXPECT_EQ(refusal("a = \"\x01\""), "f:1:6: a control character: take it out");
  EXPECT_EQ(refusal(std::string("a = 1\0", 6)), "f:1:6: a control character: take it out");
  EXPECT_EQ(refusal("a = \"\xff\"").substr(0, 4), "f:1:");
  EXPECT_TRUE(parse_toml("a = 1\r\n[b]\r\n").ok());
}

TEST(TomlTree, RefusesTheSameNameTwice) {
  EXPECT_EQ(refusal("a = 1\na = 2").substr(0, 4), "f:2:");
  EXPECT_EQ(refusal("[a]\n[a]").substr(0, 4), "f:2:");
}

}  // namespace
}  // namespace statefs
