#include "os/text/peers_text.h"

#include <string>

namespace statefs {
namespace {

const std::string key_a(64, 'a');
const std::string key_b(64, 'b');

std::vector<EnrolledPeer> parsed(const std::string& text) {
  Result<std::vector<EnrolledPeer>, TextError> peers = parse_peers(text);
  EXPECT_TRUE(peers.ok()) << line_of(peers.error(), "peers");
  return std::move(peers).value();
}
std::string refusal(const std::string& text) {
  const Result<std::vector<EnrolledPeer>, TextError> peers = parse_peers(text);
  EXPECT_FALSE(peers.ok());
  return peers.ok() ? "" : line_of(peers.error(), "peers");
}

TEST(PeersText, ReadsKeysAliasesAndComments) {
  const std::vector<EnrolledPeer> peers = parsed("# who\n\n" + key_a + " kitchen # the old one\n \t" + std::string(64, 'B') + "\t\n#" + key_a);
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].alias, "kitchen");
  EXPECT_EQ(peers[0].key.bytes[0], 0xaa);
  EXPECT_EQ(peers[1].alias, "");
  EXPECT_EQ(peers[1].key.bytes[31], 0xbb);
}

TEST(PeersText, TakesAFileWithNobodyInIt) {
  EXPECT_TRUE(parsed("").empty());
  EXPECT_TRUE(parsed("\n# nobody\n").empty());
}

TEST(PeersText, TakesLinesThatEndInCrLf) {
  const std::vector<EnrolledPeer> peers = parsed(key_a + " kitchen\r\n\r\n" + key_b + "\r\n");
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].alias, "kitchen");
}

TEST(PeersText, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(refusal("\n " + key_a.substr(1)),
            "peers:2:2: peer key \"" + key_a.substr(1) + "\" has 63 characters or some that are no digits: "
            "write the 64 hexadecimal digits that `statefs keygen` prints");
  EXPECT_EQ(refusal(key_a + " two words"), "peers:1:70: \"words\" follows the alias: put `#` before a comment");
  EXPECT_EQ(refusal(key_a + " k\xc3\xbc" "che"), "peers:1:66: alias \"k\\xc3\\xbcche\" is no name: use 1 to 32 of A-Z a-z 0-9 . _ -");
  EXPECT_EQ(refusal(key_a + "\n" + std::string(64, 'A')), "peers:2:1: peer key is on line 1 already: remove one");
  EXPECT_EQ(refusal(key_a + " x\n\n" + key_b + " x"), "peers:3:66: alias \"x\" is on line 1 already: choose another");
}

TEST(PeersText, RefusesWhatOnlyLooksLikeAKey) {
  for (const std::string& text : {key_a + "a", key_a + key_b, "0x" + key_a.substr(2), key_a.substr(0, 63) + "g", key_a.substr(0, 63) + '\0',
                                  "\xef\xbb\xbf" + key_a, "-" + key_a.substr(1), key_a + "\r x", std::string("kitchen ") + key_a}) {
    EXPECT_NE(refusal(text).find("peers:1:1: peer key"), std::string::npos) << text;
  }
}

TEST(PeersText, BoundsFileLinesAndPeers) {
  std::string most;
  for (std::size_t i = 0; i < limits::enrolled_peers_max; ++i) {
    const std::string number = std::to_string(1000 + i);
    most += number + std::string(60, '0') + "\n";
  }
  EXPECT_EQ(parsed(most).size(), limits::enrolled_peers_max);
  EXPECT_NE(refusal(most + key_a).find("peers: remove some"), std::string::npos);

  EXPECT_TRUE(parsed(std::string(text_limits::peers_line_size_max, ' ')).empty());
  EXPECT_NE(refusal(std::string(text_limits::peers_line_size_max + 1, ' ')).find("peers:1: the line is longer than"), std::string::npos);
  EXPECT_TRUE(parsed(std::string(text_limits::peers_size_max, '\n')).empty());
  EXPECT_NE(refusal(std::string(text_limits::peers_size_max + 1, '\n')).find("peers: the file is larger than"), std::string::npos);
}

TEST(PeersText, RendersWhatItReadsBackTheSame) {
  const std::string text = key_a + " kitchen\n" + key_b + "\n";
  EXPECT_EQ(render_peers(parsed(text)), text);
  EXPECT_EQ(parsed(render_peers(parsed(text))), parsed(text));
}

}  // namespace
}  // namespace statefs
