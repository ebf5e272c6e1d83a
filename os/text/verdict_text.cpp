#include "os/text/verdict_text.h"

#include <algorithm>
#include <array>
#include <utility>

#include "os/text/text_values.h"

namespace statefs {
namespace {

Status status_of(KeyError error) {
  switch (error) {
    case KeyError::invalid: return Status::invalid_key;
    case KeyError::too_long: return Status::key_too_long;
  }
  return Status::invalid_key;
}

template <typename Checked>
Status verdict_on(const RuleSet& rules, Access access, const Result<Checked, KeyError>& key) {
  if (!key) return status_of(key.error());
  return rules.check(key.value(), access).allowed ? Status::ok : Status::access_denied;
}

}  // namespace

std::optional<Access> access_of_name(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Access>, 4> names{
      {{"put", Access::put}, {"get", Access::get}, {"delete", Access::del}, {"list", Access::list}}};
  const auto same_letter = [](char given, char lower) { return given == lower || given == static_cast<char>(lower - 'a' + 'A'); };
  for (const auto& [known, access] : names) {
    if (std::equal(name.begin(), name.end(), known.begin(), known.end(), same_letter)) return access;
  }
  return std::nullopt;
}

Status verdict_of(const RuleSet& rules, Access access, ByteView key) {
  if (access == Access::list) return verdict_on(rules, access, CanonicalPrefix::from(key));
  return verdict_on(rules, access, CanonicalKey::from(key));
}

Result<Status, TextError> verdict_of_line(const RuleSet& rules, std::string_view line, std::uint32_t line_number) {
  const auto refuse = [line_number](std::size_t column, std::string reason) {
    return TextError{{line_number, static_cast<std::uint32_t>(column)}, std::move(reason)};
  };
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() > text_limits::verdict_line_size_max) return refuse(0, "the line is longer than any key: split the batch into lines");
  const std::size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    return refuse(0, quoted(line) + " has no tab: write an operation, a tab and the key in hexadecimal");
  }
  const std::optional<Access> access = access_of_name(line.substr(0, tab));
  if (!access) return refuse(1, "operation " + quoted(line.substr(0, tab)) + " does not exist: use put, get, delete or list");
  const std::optional<Bytes> key = bytes_of_hex(line.substr(tab + 1));
  if (!key) return refuse(tab + 2, "key " + quoted(line.substr(tab + 1)) + " is not hexadecimal: write two digits for each byte");
  return verdict_of(rules, *access, *key);
}

Result<std::string, TextError> verdicts_of_text(const RuleSet& rules, std::string_view text) {
  std::string out;
  for (std::uint32_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t end = text.find('\n');
    const Result<Status, TextError> verdict = verdict_of_line(rules, text.substr(0, end), line_number);
    if (!verdict) return verdict.error();
    out += name_of(verdict.value());
    out += '\n';
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace statefs
