#include "os/text/audit_filter.h"

#include <algorithm>
#include <charconv>

#include "os/text/audit_text.h"
#include "os/text/text_values.h"

namespace statefs {
namespace {

constexpr std::int64_t ns_per_second = 1'000'000'000;
constexpr std::size_t key_digits_min = 8;

bool is_peer(const PeerRef& peer, std::string_view wanted) {
  if (peer.alias == wanted) return true;
  if (peer.kind == PeerKind::local && wanted == "uid:" + std::to_string(peer.uid)) return true;
  return peer.kind == PeerKind::remote && wanted.size() >= key_digits_min && hex_of_key(peer.key).starts_with(wanted);
}

// `width` digits and then `end`, where there is one.
bool take(std::string_view& text, std::size_t width, std::string_view end, std::int64_t& value) {
  const std::string_view digits = text.substr(0, width);
  if (digits.size() != width || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  std::from_chars(digits.data(), digits.data() + width, value);
  text.remove_prefix(width);
  if (!text.starts_with(end)) return false;
  text.remove_prefix(end.size());
  return true;
}

// Days since 1970 of a date of the proleptic Gregorian calendar; years are counted from March, as in audit_text.cpp.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t shifted = month <= 2 ? year - 1 : year;
  const std::int64_t era = shifted / 400;
  const std::int64_t year_of_era = shifted - era * 400;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719'468;
}

}  // namespace

bool AuditFilter::matches(const AuditRecord& record) const {
  if (since_ns && record.wall_ns < *since_ns) return false;
  if (until_ns && record.wall_ns >= *until_ns) return false;
  if (!peer.empty() && !is_peer(record.peer, peer)) return false;
  if (!key.empty() && (record.kind != AuditKind::mutation || !record.key.starts_with(key))) return false;
  // In a record of handshakes the number means a cause.
  if (!op.empty() && (record.kind == AuditKind::handshakes || name_of_op(record.op) != op)) return false;
  if (status == "refused") return record.status != Status::ok;
  return status.empty() || statefs::name_of(record.status) == status;
}

std::string objection_to(const AuditFilter& filter) {
  const auto some = [](unsigned last, const auto& is) {
    for (unsigned number = 0; number <= last; ++number) {
      if (is(number)) return true;
    }
    return false;
  };
  if (!filter.op.empty() && !some(255, [&](unsigned n) { return name_of_op(static_cast<std::uint8_t>(n)) == filter.op; })) {
    std::string known;
    for (unsigned number = 0; number <= 255; ++number) {
      const std::string_view name = name_of_op(static_cast<std::uint8_t>(number));
      if (!name.empty()) known += (known.empty() ? "" : ", ") + std::string(name);
    }
    return "--op " + filter.op + " is none: " + known;
  }
  const auto is_named = [&](unsigned n) {
    return is_status(static_cast<std::uint16_t>(n)) && statefs::name_of(static_cast<Status>(n)) == filter.status;
  };
  if (!filter.status.empty() && filter.status != "refused" && !some(0xffff, is_named)) {
    return "--status " + filter.status + " is none: OK, ACCESS_DENIED, REVISION_CONFLICT, ..., or 'refused' for any but OK";
  }
  return {};
}

std::optional<std::int64_t> instant_of_text(std::string_view text, std::int64_t now_ns) {
  if (const auto ago = duration_of_text(text)) return now_ns - ago->ns;
  if (text.starts_with('@')) {
    std::int64_t ns = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), ns);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return ns;
  }
  std::int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, fraction_ns = 0;
  if (!take(text, 4, "-", year) || !take(text, 2, "-", month) || !take(text, 2, "", day)) return std::nullopt;
  if (!text.empty()) {
    if (!text.starts_with('T')) return std::nullopt;
    text.remove_prefix(1);
    if (!take(text, 2, ":", hour) || !take(text, 2, ":", minute) || !take(text, 2, "", second)) return std::nullopt;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      std::int64_t unit = ns_per_second;
      while (!text.empty() && text[0] >= '0' && text[0] <= '9' && unit > 1) {
        fraction_ns += (text[0] - '0') * (unit /= 10);
        text.remove_prefix(1);
      }
    }
    if (text != "Z") return std::nullopt;
  }
  // 64 bits of nanoseconds reach from 1677 to 2262.
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  return (days_of(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second) * ns_per_second + fraction_ns;
}

}  // namespace statefs
