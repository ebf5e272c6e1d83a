#include "os/text/witness_text.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "os/text/text_values.h"

namespace statefs {
namespace {

// Up to `end`, which is taken too; nothing where it does not come.
std::string_view take_to(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) return {};
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  return out;
}

bool number_of(std::string_view text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

bool is_server(std::string_view text) {
  if (text.starts_with("local:")) return text.size() > 6;
  return key_of_hex(text).has_value();
}

std::optional<WitnessLine> line_of_text(std::string_view line) {
  WitnessLine out;
  const auto store = bytes_of_hex(take_to(line, ' '));
  const std::string_view epoch = take_to(line, ' ');
  const std::string_view index = take_to(line, ':');
  const auto hash = key_of_hex(take_to(line, ' '));
  if (!store || store->size() != out.seen.store.size() || !hash || !is_server(line)) return std::nullopt;
  if (!number_of(epoch, out.seen.epoch) || !number_of(index, out.seen.head.index)) return std::nullopt;
  if (out.seen.epoch == 0 || out.seen.head.index == 0) return std::nullopt;
  std::copy(store->begin(), store->end(), out.seen.store.begin());
  out.seen.head.hash = hash->bytes;
  out.server = line;
  return out;
}

}  // namespace

Result<std::vector<WitnessLine>, TextError> parse_witness(std::string_view text) {
  std::vector<WitnessLine> out;
  for (std::uint32_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.starts_with('#')) continue;
    const auto parsed = line_of_text(line);
    const TextPlace place{number, 1};
    if (!parsed) return TextError{place, "is no head of a server: correct it, or remove it if that server may be trusted as it is now"};
    const auto same = [&parsed](const WitnessLine& each) { return each.server == parsed->server; };
    if (std::any_of(out.begin(), out.end(), same)) return TextError{place, "names a server that stands above: remove one of them"};
    out.push_back(*parsed);
  }
  return out;
}

std::string witness_text(const std::vector<WitnessLine>& lines) {
  std::string out = "# What servers called durable, kept by 'statefs --witness': STORE EPOCH INDEX:HASH SERVER\n";
  for (const WitnessLine& line : lines) {
    out += hex_of(line.seen.store) + " " + std::to_string(line.seen.epoch) + " " + std::to_string(line.seen.head.index) + ":" +
           hex_of(line.seen.head.hash) + " " + line.server + "\n";
  }
  return out;
}

}  // namespace statefs
