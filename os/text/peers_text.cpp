#include "os/text/peers_text.h"

#include <algorithm>
#include <optional>

#include "core/limits.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// One line as words; the columns at which they start are kept for reasons.
struct Word {
  std::string_view text;
  std::uint32_t column = 0;
};
std::vector<Word> words_of(std::string_view line) {
  std::vector<Word> words;
  line = line.substr(0, line.find('#'));
  for (std::size_t at = 0; at < line.size();) {
    if (is_blank(line[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    while (at < line.size() && !is_blank(line[at])) ++at;
    words.push_back({line.substr(start, at - start), static_cast<std::uint32_t>(start + 1)});
  }
  return words;
}

class Peers {
 public:
  std::optional<TextError> add_line(std::string_view line) {
    ++line_;
    if (line.size() > text_limits::peers_line_size_max) {
      return refuse(0, "the line is longer than " + std::to_string(text_limits::peers_line_size_max) + " bytes: shorten it");
    }
    const std::vector<Word> words = words_of(line);
    if (words.empty()) return std::nullopt;
    const std::optional<PublicKey> key = key_of_hex(words[0].text);
    if (!key) {
      return refuse(words[0].column, "peer key " + quoted(words[0].text) + " has " + std::to_string(words[0].text.size()) +
                                         " characters or some that are no digits: write the 64 hexadecimal digits that `statefs keygen` prints");
    }
    EnrolledPeer peer{*key, {}};
    if (words.size() > 1) {
      peer.alias = words[1].text;
      if (!is_alias(peer.alias)) {
        return refuse(words[1].column, "alias " + quoted(words[1].text) + " is no name: use 1 to 32 of A-Z a-z 0-9 . _ -");
      }
    }
    if (words.size() > 2) return refuse(words[2].column, quoted(words[2].text) + " follows the alias: put `#` before a comment");
    if (peers_.size() == limits::enrolled_peers_max) {
      return refuse(words[0].column, "more than " + std::to_string(limits::enrolled_peers_max) + " peers: remove some");
    }
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      const std::string there = "line " + std::to_string(lines_[i]);
      if (peers_[i].key == peer.key) return refuse(words[0].column, "peer key is on " + there + " already: remove one");
      if (!peer.alias.empty() && peers_[i].alias == peer.alias) {
        return refuse(words[1].column, "alias " + quoted(peer.alias) + " is on " + there + " already: choose another");
      }
    }
    peers_.push_back(std::move(peer));
    lines_.push_back(line_);
    return std::nullopt;
  }
  std::vector<EnrolledPeer> take() { return std::move(peers_); }

 private:
  TextError refuse(std::uint32_t column, std::string reason) const { return {{line_, column}, std::move(reason)}; }

  std::vector<EnrolledPeer> peers_;
  std::vector<std::uint32_t> lines_;
  std::uint32_t line_ = 0;
};

}  // namespace

Result<std::vector<EnrolledPeer>, TextError> parse_peers(std::string_view text) {
  if (text.size() > text_limits::peers_size_max) {
    return TextError{{}, "the file is larger than " + std::to_string(text_limits::peers_size_max) + " bytes: shorten it"};
  }
  Peers peers;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (const std::optional<TextError> error = peers.add_line(line)) return *error;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return peers.take();
}

std::string render_peers(std::span<const EnrolledPeer> peers) {
  std::string out;
  for (const EnrolledPeer& peer : peers) {
    out += hex_of_key(peer.key);
    if (!peer.alias.empty()) out += ' ' + peer.alias;
    out += '\n';
  }
  return out;
}

}  // namespace statefs
